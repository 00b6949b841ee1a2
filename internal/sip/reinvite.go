package sip

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// maxGlares bounds how often an offer is made again after 491.
const maxGlares = 4

// reinvite is a re-INVITE or UPDATE of ours with an offer, under way or waiting for
// its turn: a dialog has room for one offer at a time.
type reinvite struct {
	d       *Dialog
	method  Method
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
// the dialog and tries again after 491, or 500 with a short Retry-After (RFC 3261
// section 14.1). On a dialog that is not confirmed done is called at once.
func (d *Dialog) Reinvite(body []byte, done func(res *Response), headers ...Header) {
	r := &reinvite{d: d, method: INVITE, body: body, headers: headers, done: done}
	d.ses.do(func() { r.enqueue(d.state == dialogConfirmed) })
}

// Renegotiate is Reinvite by UPDATE (RFC 3311) where the peer's Allow says that it
// takes it: then nobody is alerted and nothing needs an ACK. It is the only way on an
// early dialog, whose first offer and answer must be exchanged by reliable responses
// and PRACK.
func (d *Dialog) Renegotiate(body []byte, done func(res *Response), headers ...Header) {
	r := &reinvite{d: d, method: INVITE, body: body, headers: headers, done: done}
	d.ses.do(func() {
		if d.takesUpdate {
			r.method = UPDATE
		}
		r.enqueue(d.state == dialogConfirmed || (d.state == dialogEarly && d.settled && d.takesUpdate))
	})
}

func (r *reinvite) enqueue(possible bool) {
	if !possible || r.d.silent {
		r.finish(nil)
		return
	}
	r.d.reinvites = append(r.d.reinvites, r)
	r.d.nextReinvite()
}

// nextReinvite starts the next offer of ours if no other one is under way.
func (d *Dialog) nextReinvite() {
	if d.state == dialogEnded || d.reinvite != nil || d.offer != nil || d.unacked != nil || d.owesAck != 0 ||
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
	if r.method != INVITE {
		return
	}
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
	req := r.d.newRequest(r.method, r.seq, f)
	for _, h := range r.headers {
		req.AppendHeader(h)
	}
	r.d.askTimer(req)
	if r.body != nil {
		r.d.sdp = r.body
	}
	setBody(req, SDP, r.body)
	return req
}

func (r *reinvite) receive(res *Response) {
	d := r.d
	switch code := res.StatusCode; {
	case code < 200:
	case code < 300 && r.method == UPDATE:
		d.retarget(res)
		d.timer.granted(res)
		r.conclude(res)
	case code < 300:
		if d.ack.seq == r.seq {
			d.ackAgain(r.seq)
			return
		}
		d.retarget(res)
		d.timer.granted(res)
		d.sendAck(r.seq, nil)
		r.conclude(res)
	case d.timer.raise(res):
		r.at.start()
	case crossed(res) && r.glares < maxGlares && !r.over && !r.at.dropped:
		r.glares++
		r.waits = true
		d.reinvite = nil // the peer's offer comes through meanwhile
		d.reinvites = append([]*reinvite{r}, d.reinvites...)
		d.ses.after(glareWait(d.incoming == nil), func() {
			r.waits = false
			d.nextReinvite()
		})
	default:
		r.conclude(res)
		if gone(res, nil) {
			d.lost(goneError(r.method, nil))
		}
	}
}

// crossed reports whether res says that our offer met one of the peer's, or that
// the peer has not answered ours before: then it is worth trying again.
func crossed(res *Response) bool {
	if res.StatusCode == 500 {
		after, err := strconv.Atoi(HeaderValue(res, "Retry-After"))
		return err == nil && after <= 10 // RFC 3261 section 14.2, RFC 3311 section 5.2
	}
	return res.StatusCode == 491
}

func (r *reinvite) failed(err error) {
	r.conclude(nil)
	if gone(nil, err) {
		r.d.lost(goneError(r.method, err))
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
