package sip

// IncomingEvents are what an Incoming reports. Nil fields are ignored.
type IncomingEvents struct {
	// Cancelled reports that the caller gave up before a final response, by CANCEL
	// or by BYE. 487 is already sent. Nothing else comes.
	Cancelled func(reasons []Reason)
	// Acked reports the ACK to our 2xx, once; its body is the answer if Answer
	// carried an offer.
	Acked func(ack *Request)
	// Pracked reports a PRACK with SDP, which must be answered through o at once or
	// later: the answer to the offer that Ring made of an INVITE without one, to be
	// accepted without body, or a new offer. Default: 488.
	Pracked func(o *Offer)
	// Dialog are the events of the dialog, from Answer on.
	Dialog DialogEvents
}

// Incoming is an INVITE of a peer.
type Incoming struct {
	tx *ServerTx
	ev IncomingEvents
	d  *Dialog
	// The fields below belong to the strand.
	rel     reliable
	waiting func() // the answer, while a PRACK is awaited
}

// Incoming takes over an INVITE, from inside ServeSIP or later: it sends 100 at
// once, handles CANCEL and owns the dialog.
func (s *Stack) Incoming(tx *ServerTx, ev IncomingEvents) *Incoming {
	ses := s.newSession(tx.req.CallID().Value(), tx.tag)
	in := &Incoming{tx: tx, ev: ev, d: newIncomingDialog(ses, tx, ev.Dialog)}
	in.d.incoming, in.rel = in, newReliable(in)
	ses.dialogs = []*Dialog{in.d}
	s.sessions.add(ses)
	tx.onCancel(func(cancel *Request) {
		ses.do(func() { in.cancelled(Reasons(cancel)) })
	})
	tx.hold()
	return in
}

// Request returns the INVITE.
func (in *Incoming) Request() *Request { return in.tx.req }

// Flow returns the way the INVITE came.
func (in *Incoming) Flow() Flow { return in.tx.flow }

// Dialog returns the dialog, which is early until Answer.
func (in *Incoming) Dialog() *Dialog { return in.d }

// Reliable reports whether the caller acknowledges provisional responses (RFC
// 3262): an INVITE without offer may then get ours with Ring.
func (in *Incoming) Reliable() bool { return in.rel.possible }

// Ring sends a provisional response 101 to 199, with SDP unless body is nil. One
// with SDP is repeated until its PRACK if the caller can do that; if none comes for
// 32 s the INVITE is refused and Dialog.Lost reports ErrNoPRACK. It does nothing
// after Answer or Reject.
func (in *Incoming) Ring(code int, body []byte, headers ...Header) {
	in.d.ses.do(func() {
		if !in.d.ses.inviting || in.waiting != nil {
			return
		}
		res := in.response(code, body, headers)
		if in.rel.wants(res) {
			in.rel.add(res)
			return
		}
		in.tx.Respond(res)
	})
}

// Answer sends 200 with SDP and repeats it until the ACK. While an SDP sent by
// Ring awaits its PRACK so does the 200, and Cancelled may still come. It does
// nothing after a final response.
func (in *Incoming) Answer(body []byte, headers ...Header) {
	in.d.ses.do(func() {
		if !in.d.ses.inviting || in.waiting != nil {
			return
		}
		in.waiting = func() {
			in.rel.stop()
			in.d.ses.inviting = false
			in.d.state, in.d.ses.lingers = dialogConfirmed, true
			in.d.accept(in.tx, in.response(200, body, headers), in.ev.Acked)
		}
		in.answerNow()
	})
}

// answerNow sends the answer if there is one and nothing holds it.
func (in *Incoming) answerNow() {
	if in.waiting == nil || in.rel.holds() {
		return
	}
	send := in.waiting
	in.waiting = nil
	send()
}

// Reject sends a final response 300 to 699. An empty reason takes the usual
// phrase. It does nothing after a final response.
func (in *Incoming) Reject(code int, reason string, headers ...Header) {
	in.d.ses.do(func() { in.refuse(code, reason, headers) })
}

func (in *Incoming) refuse(code int, reason string, headers []Header) {
	ses := in.d.ses
	if !ses.inviting {
		return
	}
	ses.inviting, in.waiting = false, nil
	in.rel.stop()
	in.d.state = dialogEnded
	in.d.dropOffers() // in a PRACK or an early UPDATE
	in.tx.Reply(code, reason, headers...)
	ses.settle()
}

// cancelled ends the INVITE for the caller, who is told 487.
func (in *Incoming) cancelled(reasons []Reason) {
	if !in.d.ses.inviting {
		return
	}
	in.refuse(487, "", nil)
	if in.ev.Cancelled != nil {
		in.ev.Cancelled(reasons)
	}
}

func (in *Incoming) response(code int, body []byte, headers []Header) *Response {
	res := in.tx.NewResponse(code, "")
	in.d.dress(res, in.tx, body, headers)
	return res
}
