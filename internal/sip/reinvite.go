package sip

import (
	"math/rand/v2"
	"time"
)

// maxGlares bounds how often a re-INVITE is tried again after 491.
const maxGlares = 4

// reinvite is a re-INVITE of ours, under way or waiting for its turn.
type reinvite struct {
	d       *Dialog
	body    []byte
	headers []Header
	done    func(*Response)
	at      attempt
	seq     uint32
	glares  int
	waits   bool // after 491, for its time
	over    bool
}

// Reinvite sends a re-INVITE with an offer and calls done once with its final
// response, or nil if there is none. It waits its turn behind another INVITE of
// the dialog and tries again after 491 (RFC 3261 section 14.1).
func (d *Dialog) Reinvite(body []byte, done func(res *Response), headers ...Header) {
	r := &reinvite{d: d, body: body, headers: headers, done: done}
	d.ses.do(func() {
		if d.state != dialogConfirmed || d.silent {
			r.finish(nil)
			return
		}
		d.reinvites = append(d.reinvites, r)
		d.nextReinvite()
	})
}

// nextReinvite starts the next re-INVITE if no other INVITE is under way.
func (d *Dialog) nextReinvite() {
	if d.state != dialogConfirmed || d.reinvite != nil || d.offer != nil || d.unacked != nil || d.owesAck != 0 ||
		len(d.reinvites) == 0 || d.reinvites[0].waits {
		return
	}
	d.reinvite = d.reinvites[0]
	d.reinvites = d.reinvites[1:]
	d.reinvite.start()
}

func (r *reinvite) start() {
	d := r.d
	r.at = attempt{
		stack: d.ses.stack, strand: &d.ses.strand, auth: d.auth, reach: d.reach,
		build: r.build, onResponse: r.receive, onError: r.failed,
	}
	r.at.start()
	// A callee cannot ring in a re-INVITE; one that hangs must not hold the dialog.
	d.ses.after(giveUp, func() {
		if !r.over && r.d.reinvite == r && r.at.tx != nil {
			r.at.dropped = true
			r.at.tx.cancel(nil)
		}
	})
}

func (r *reinvite) build(f Flow) *Request {
	r.d.outSeq++
	r.seq = r.d.outSeq
	req := r.d.newRequest(INVITE, r.seq, f)
	for _, h := range r.headers {
		req.AppendHeader(h)
	}
	setBody(req, SDP, r.body)
	return req
}

func (r *reinvite) receive(res *Response) {
	d := r.d
	switch code := res.StatusCode; {
	case code < 200:
	case code < 300:
		if d.ack.seq == r.seq {
			d.ackAgain(r.seq)
			return
		}
		d.retarget(res)
		d.sendAck(r.seq, nil)
		r.conclude(res)
	case code == 491 && r.glares < maxGlares && !r.over && !r.at.dropped:
		r.glares++
		r.waits = true
		d.reinvite = nil // the peer's re-INVITE comes through meanwhile
		d.reinvites = append([]*reinvite{r}, d.reinvites...)
		d.ses.after(glareWait(d.incoming == nil), func() {
			r.waits = false
			d.nextReinvite()
		})
	default:
		r.conclude(res)
		if gone(res, nil) {
			d.lost(goneError(INVITE, nil))
		}
	}
}

func (r *reinvite) failed(err error) {
	r.conclude(nil)
	if gone(nil, err) {
		r.d.lost(goneError(INVITE, err))
	}
}

func (r *reinvite) conclude(res *Response) {
	if r.d.reinvite == r {
		r.d.reinvite = nil
	}
	r.finish(res)
	r.d.nextReinvite()
}

func (r *reinvite) finish(res *Response) {
	if r.over {
		return
	}
	r.over = true
	if r.done != nil {
		r.done(res)
	}
}

// glareWait is how long to wait after 491: whoever made the Call-ID 2.1 to 4 s,
// the other up to 2 s, in steps of 10 ms (RFC 3261 section 14.1).
func glareWait(ours bool) time.Duration {
	if ours {
		return 2100*time.Millisecond + time.Duration(rand.IntN(191))*10*time.Millisecond
	}
	return time.Duration(rand.IntN(201)) * 10 * time.Millisecond
}
