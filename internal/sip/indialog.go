package sip

import (
	"math/rand/v2"
	"strconv"
)

// request serves a request of the peer inside the dialog.
func (d *Dialog) request(tx *ServerTx) {
	req := tx.req
	if d.state == dialogEnded {
		d.afterEnd(tx)
		return
	}
	seq := req.CSeq().SeqNo
	if d.inSeq != 0 && seq <= d.inSeq {
		tx.Reply(500, "CSeq Out Of Order") // RFC 3261 section 12.2.2
		return
	}
	d.inSeq = seq
	d.follow(tx)
	d.serve(tx)
}

// follow makes requests of ours take the way that the peer's last one came: it may
// have another connection, or another address on the outside of its NAT.
func (d *Dialog) follow(tx *ServerTx) {
	if tx.flow.Reliable() || (d.sticky && behindNAT(tx.req.Via(), tx.flow)) {
		d.flow = tx.flow
	}
}

// afterEnd answers what comes late: a BYE that crossed ours is fine.
func (d *Dialog) afterEnd(tx *ServerTx) {
	if tx.req.Method == BYE {
		tx.Reply(200, "")
		return
	}
	tx.Reply(481, "")
}

func (d *Dialog) serve(tx *ServerTx) {
	switch tx.req.Method {
	case BYE:
		d.byeReceived(tx)
	case INVITE:
		d.reinvited(tx)
	case UPDATE:
		d.updated(tx)
	case INFO:
		d.reply(tx, d.ev.Info, infoDefault(tx.req))
	case REFER:
		d.reply(tx, d.ev.Refer, 405)
	case NOTIFY:
		d.reply(tx, d.ev.Notify, 489)
	case OPTIONS:
		tx.Capable()
	case PRACK:
		d.pracked(tx)
	default:
		tx.Reply(405, "", NewHeader("Allow", inDialogMethods))
	}
}

// reply answers with what the owner of the dialog says.
func (d *Dialog) reply(tx *ServerTx, ask func(*Dialog, *Request) int, code int) {
	if ask != nil && !d.silent {
		code = ask(d, tx.req)
	}
	switch code {
	case 202: // the Contact of what may be subscribed to now (RFC 3515 section 2.2)
		tx.Reply(code, "", contactOn(tx.flow, d.user, d.sips))
	case 405:
		tx.Reply(code, "", NewHeader("Allow", inDialogMethods))
	case 415:
		tx.Reply(code, "", NewHeader("Accept", "application/dtmf-relay, application/dtmf"))
	case 469:
		tx.Reply(code, "", NewHeader("Recv-Info", ""))
	case 489:
		tx.Reply(code, "", NewHeader("Allow-Events", "refer"))
	default:
		tx.Reply(code, "")
	}
}

// infoDefault never ends the call: phones send INFO nobody asked for.
func infoDefault(req *Request) int {
	if HeaderValue(req, "Info-Package") != "" {
		return 469 // we announced none (RFC 6086 section 4.2.2)
	}
	if len(req.Body()) > 0 {
		return 415
	}
	return 200
}

// byeReceived ends the dialog. Before the answer it ends the INVITE too (RFC 3261
// section 15.1.2).
func (d *Dialog) byeReceived(tx *ServerTx) {
	tx.Reply(200, "")
	reasons := Reasons(tx.req)
	if d.state == dialogEarly {
		if d.incoming != nil {
			d.incoming.cancelled(reasons)
		}
		return
	}
	silent := d.silent
	d.silent = true
	d.end()
	if !silent && d.ev.Bye != nil {
		d.ev.Bye(d, reasons)
	}
}

// updated serves UPDATE (RFC 3311): without SDP it only refreshes, with SDP it is
// an offer like a re-INVITE's.
func (d *Dialog) updated(tx *ServerTx) {
	switch {
	case len(tx.req.Body()) == 0:
		d.moved(tx)
		res := tx.NewResponse(200, "")
		d.dress(res, tx, nil, nil)
		tx.Respond(res)
	case d.offering():
		tx.Reply(491, "")
	case d.offer != nil || (d.state == dialogEarly && !d.settled):
		tx.Reply(500, "", retryLater())
	default:
		d.offered(tx)
	}
}

// offering reports whether an offer of ours has no answer yet: one of the peer's
// would cross it (RFC 3311 section 5.2, RFC 3261 section 14.2).
func (d *Dialog) offering() bool {
	switch {
	case d.reinvite != nil, d.unacked != nil && d.unacked.offer:
		return true
	case d.state != dialogEarly || d.settled:
		return false
	case d.incoming != nil:
		return d.incoming.rel.offered
	}
	return d.offeredIn
}

// reinvited serves a re-INVITE (RFC 3261 section 14.2).
func (d *Dialog) reinvited(tx *ServerTx) {
	switch {
	case d.offering():
		tx.Reply(491, "")
	case d.offer != nil || d.state != dialogConfirmed:
		tx.Reply(500, "", retryLater())
	default:
		d.offered(tx)
	}
}

// retryLater tells a peer whose request crossed another one of its own when to come
// again: RFC 3261 section 14.2 and RFC 3311 section 5.2 ask for 0 to 10 s at random.
func retryLater() Header { return NewHeader("Retry-After", strconv.Itoa(rand.IntN(11))) }

func (d *Dialog) offered(tx *ServerTx) {
	o := &Offer{d: d, tx: tx}
	d.offer = o
	tx.onCancel(func(*Request) {
		d.ses.do(func() { o.refuse(487, "", nil) })
	})
	serve := d.ev.Reinvite
	if tx.req.Method == PRACK {
		serve = nil
		if pracked := d.incoming.ev.Pracked; pracked != nil {
			serve = func(_ *Dialog, o *Offer) { pracked(o) }
		}
	}
	if serve == nil || d.silent {
		o.refuse(488, "", nil)
		return
	}
	serve(d, o)
}

// Offer is a re-INVITE, UPDATE or PRACK of the peer that waits for its answer.
type Offer struct {
	d  *Dialog
	tx *ServerTx
}

// Request returns the request; the body of a re-INVITE is nil if the peer asks for
// an offer of ours.
func (o *Offer) Request() *Request { return o.tx.req }

// Flow returns the way that the request came.
func (o *Offer) Flow() Flow { return o.tx.flow }

// Accept answers 200 with SDP. acked, if not nil, gets the ACK of a re-INVITE.
func (o *Offer) Accept(body []byte, acked func(ack *Request), headers ...Header) {
	o.d.ses.do(func() {
		d := o.d
		if d.offer != o {
			return // cancelled, or the dialog is over
		}
		d.offer = nil
		d.moved(o.tx)
		res := o.tx.NewResponse(200, "")
		d.dress(res, o.tx, body, headers)
		if o.tx.req.Method == INVITE {
			d.accept(o.tx, res, acked)
			return
		}
		o.tx.Respond(res)
		o.over()
	})
}

// Reject answers with a final response 300 to 699, mostly 488.
func (o *Offer) Reject(code int, reason string, headers ...Header) {
	o.d.ses.do(func() { o.refuse(code, reason, headers) })
}

func (o *Offer) refuse(code int, reason string, headers []Header) {
	if o.d.offer != o {
		return
	}
	o.d.offer = nil
	o.tx.Reply(code, reason, headers...)
	o.over()
}

// over lets go on what waited for the answer.
func (o *Offer) over() {
	if o.tx.req.Method == PRACK { // refused or not, it acknowledged
		o.d.incoming.rel.done()
	}
	o.d.nextReinvite()
}
