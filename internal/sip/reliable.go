package sip

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// reliable are the reliable provisional responses of an INVITE of the peer (RFC
// 3262 section 3): one is on the wire until its PRACK, the next ones wait.
type reliable struct {
	in       *Incoming
	required bool // the peer takes no others
	possible bool // the peer can take them
	seq      uint32
	queue    []*Response // the first one is on the wire
	last     uint32      // RSeq of the last one acknowledged
	interval time.Duration
	repeat   *time.Timer
	limit    *time.Timer
	// offered says that one of them carried our offer, because the INVITE had none.
	offered bool
}

func newReliable(in *Incoming) reliable {
	r := reliable{in: in, required: HasToken(in.tx.req, "Require", tag100rel)}
	r.possible = r.required || HasToken(in.tx.req, "Supported", tag100rel)
	if r.possible {
		r.seq = rand.Uint32N(1 << 30) //nolint:gosec // where to begin, not a secret
	}
	return r
}

// wants reports whether a provisional response must arrive: every one if the peer
// says so, else those with SDP, without which it would hear nothing.
func (r *reliable) wants(res *Response) bool {
	return r.required || (r.possible && len(res.Body()) > 0)
}

// add sends res when those before it are acknowledged.
func (r *reliable) add(res *Response) {
	r.seq++
	res.AppendHeader(NewHeader("Require", tag100rel))
	res.AppendHeader(NewHeader("RSeq", strconv.FormatUint(uint64(r.seq), 10)))
	r.offered = r.offered || (len(res.Body()) > 0 && len(r.in.tx.req.Body()) == 0)
	r.queue = append(r.queue, res)
	if len(r.queue) == 1 {
		r.send()
	}
}

// send sends the first of the queue and repeats it with an interval that doubles,
// on every transport, until PRACK, for 64*T1 at most.
func (r *reliable) send() {
	r.in.tx.Respond(r.queue[0])
	r.interval = t1
	r.repeat = r.in.d.ses.after(t1, r.again)
	r.limit = r.in.d.ses.after(giveUp, r.expired)
}

func (r *reliable) again() {
	if r.repeat == nil {
		return
	}
	r.in.tx.Respond(r.queue[0])
	r.interval *= 2
	r.repeat.Reset(r.interval)
}

// expired gives the INVITE up: RFC 3262 section 3 asks for a 5xx.
func (r *reliable) expired() {
	if r.repeat == nil {
		return
	}
	r.in.refuse(504, "No PRACK", nil)
	if lost := r.in.d.ev.Lost; lost != nil && !r.in.d.silent {
		lost(r.in.d, ErrNoPRACK)
	}
}

func (r *reliable) stop() {
	if r.repeat != nil {
		r.repeat.Stop()
		r.limit.Stop()
		r.repeat, r.limit = nil, nil
	}
}

// holds reports whether a 2xx has to wait, because an SDP of ours may not have
// arrived (RFC 3262 section 3).
func (r *reliable) holds() bool {
	for _, res := range r.queue {
		if len(res.Body()) > 0 {
			return true
		}
	}
	return false
}

// acknowledge takes a PRACK's RAck and reports whether it is about the response
// on the wire or a repeat of the last one.
func (r *reliable) acknowledge(req *Request) (current, known bool) {
	f := strings.Fields(HeaderValue(req, "RAck"))
	if len(f) != 3 || !strings.EqualFold(f[2], string(INVITE)) || f[1] != strconv.FormatUint(uint64(r.in.tx.req.CSeq().SeqNo), 10) {
		return false, false
	}
	seq, err := strconv.ParseUint(f[0], 10, 32)
	if err != nil {
		return false, false
	}
	current = len(r.queue) > 0 && uint32(seq) == r.seq-uint32(len(r.queue))+1 //nolint:gosec // a short queue
	return current, current || (r.last != 0 && uint32(seq) == r.last)
}

// done drops the acknowledged response and goes on with what waits: the next one
// or the answer.
func (r *reliable) done() {
	r.stop()
	if len(r.queue) == 0 {
		return
	}
	r.last = r.seq - uint32(len(r.queue)) + 1 //nolint:gosec // a short queue
	r.in.d.settled = r.in.d.settled || len(r.queue[0].Body()) > 0
	r.queue = r.queue[1:]
	switch {
	case !r.in.d.ses.inviting:
		r.queue = nil
	case len(r.queue) > 0:
		r.send()
	}
	r.in.answerNow()
}

// pracked serves PRACK (RFC 3262 section 3). Its body is the answer to our offer,
// or a new offer (section 5).
func (d *Dialog) pracked(tx *ServerTx) {
	if d.incoming == nil {
		tx.Reply(481, "")
		return
	}
	r := &d.incoming.rel
	current, known := r.acknowledge(tx.req)
	switch {
	case !known:
		tx.Reply(481, "")
	case !current || len(tx.req.Body()) == 0:
		tx.Reply(200, "")
		if current {
			r.done()
		}
	case d.offer != nil:
		tx.Reply(500, "", retryLater())
	default:
		r.stop()
		d.offered(tx)
	}
}

// tag100rel is the option tag of reliable provisional responses.
const tag100rel = "100rel"

// rack names a reliable provisional response of the peer.
type rack struct{ rseq, cseq uint32 }

func (r rack) header() Header {
	return NewHeader("RAck", strconv.FormatUint(uint64(r.rseq), 10)+" "+strconv.FormatUint(uint64(r.cseq), 10)+" "+string(INVITE))
}

// reliably takes a provisional response of the peer and reports whether it is
// news: a repeat and one that overtook another are not (RFC 3262 section 4). PRACK
// is sent, or left to the caller if the response carries an offer.
func (d *Dialog) reliably(res *Response, offered bool) bool {
	if !HasToken(res, "Require", tag100rel) {
		return true
	}
	n, err := strconv.ParseUint(strings.TrimSpace(HeaderValue(res, "RSeq")), 10, 32)
	seq := uint32(n) //nolint:gosec // parsed as 32 bits
	if err != nil || seq == 0 || (d.rseq != 0 && seq != d.rseq+1) {
		return false
	}
	d.rseq = seq
	ack := rack{rseq: seq, cseq: res.CSeq().SeqNo}
	if len(res.Body()) > 0 && !offered && !d.settled {
		d.owesPrack = ack // our answer goes with it
		return true
	}
	d.settled = d.settled || len(res.Body()) > 0
	d.sendPrack(ack, nil)
	return true
}

// Prack sends the PRACK that Provisional left to the caller, with the SDP answer
// to the offer in a reliable provisional response.
func (d *Dialog) Prack(answer []byte) {
	d.ses.do(func() {
		if d.owesPrack.rseq == 0 || d.state == dialogEnded {
			return
		}
		ack := d.owesPrack
		d.owesPrack, d.settled, d.sdp = rack{}, true, answer
		d.sendPrack(ack, answer)
	})
}

func (d *Dialog) sendPrack(ack rack, answer []byte) {
	d.transact(PRACK, SDP, answer, []Header{ack.header()}, func(res *Response, err error) {
		if err != nil || res.StatusCode >= 300 { // what it was about may be answered by now
			d.ses.log.Info("sip: PRACK failed", "dialog", d.ID(), "err", err)
		}
	})
}
