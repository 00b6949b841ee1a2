package phone

import (
	"time"

	"github.com/offhook/offhook/internal/media/sdp"
	"github.com/offhook/offhook/internal/sip"
)

// serve takes requests outside dialogs.
func (p *Phone) serve(tx *sip.ServerTx, req *sip.Request) {
	switch req.Method {
	case sip.INVITE:
		p.invited(tx, req)
	case sip.OPTIONS:
		tx.Reply(200, "")
	default:
		tx.NotAllowed()
	}
}

// invited rings for a new call.
func (p *Phone) invited(tx *sip.ServerTx, req *sip.Request) {
	c := &Call{phone: p, id: newID(), peer: caller(req)}
	if body := req.Body(); len(body) > 0 {
		offer, err := sdp.ParseOffer(body)
		if err != nil {
			tx.Reply(400, "Bad SDP")
			return
		}
		c.offer = offer
	}
	var err error
	if c.audio, err = p.newAudio(c); err != nil {
		p.config.Log.Error("phone: no audio for a call", "err", err)
		tx.Reply(500, "")
		return
	}
	if err := p.add(c); err != nil {
		c.audio.close()
		tx.Reply(486, "")
		return
	}
	in := p.stack.Incoming(tx, sip.IncomingEvents{
		Cancelled: func(reasons []sip.Reason) { c.ended(487, why(reasons, "caller gave up")) },
		Acked:     c.acked,
		Dialog:    c.dialogEvents(),
	})
	c.mu.Lock()
	c.in = in
	c.mu.Unlock()
	if !p.config.ManualRing {
		in.Ring(180, nil)
	}
	p.emit(Event{Kind: Incoming, Call: c.id, Peer: c.peer, To: req.Recipient.User})
	if p.config.AutoAnswer {
		c.AnswerAfter(p.config.AnswerAfter)
	}
}

// caller says who calls.
func caller(req *sip.Request) Party {
	from := req.From()
	return Party{Number: from.Address.User, Name: from.DisplayName}
}

// Ring sends 180 to the caller; it is for phones with ManualRing.
func (c *Call) Ring() {
	c.mu.Lock()
	in, s := c.in, c.state
	c.mu.Unlock()
	if in != nil && s == stateNew {
		in.Ring(180, nil)
	}
}

// AnswerAfter answers the call that rings here d from now, if it still rings.
func (c *Call) AnswerAfter(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == stateNew && c.timer == nil {
		c.timer = time.AfterFunc(d, c.Answer)
	}
}

// Answer takes the call that rings here.
func (c *Call) Answer() {
	in, body, err := c.description()
	switch {
	case in == nil:
	case err != nil:
		in.Reject(488, "")
		c.ended(488, err.Error())
	case c.up(in.Dialog(), true):
		in.Answer(body)
		if gaveUp := c.endAnswer(); gaveUp {
			c.HangUp()
		}
		c.phone.events.deliver()
	}
}

// endAnswer says that the 200 is under way, and returns whether HangUp came meanwhile.
func (c *Call) endAnswer() (gaveUp bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answering = false
	return c.giveUp
}

// Early sends 183 with SDP, so that the caller hears what we say before the
// answer.
func (c *Call) Early() {
	in, body, err := c.description()
	switch {
	case in == nil:
	case err != nil:
		in.Reject(488, "")
		c.ended(488, err.Error())
	default:
		in.Ring(183, body)
		c.alerted(Early, 183)
	}
}

// description returns our side of the SDP for a call that rings here, the same
// each time; in is nil if none rings.
func (c *Call) description() (in *sip.Incoming, body []byte, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != stateNew || c.in == nil {
		return nil, nil, nil
	}
	switch {
	case c.answer != nil:
	case c.offer == nil: // the caller wants our offer
		c.ours = c.audio.newOffer(c.phone.config.Codecs, sdp.SendRecv)
		c.answer = c.ours
	default:
		c.answer, err = c.audio.answerOffer(c.offer, c.phone.config.Codecs)
	}
	return c.in, c.answer, err
}

// acked takes the answer that a caller without offer sends with its ACK.
func (c *Call) acked(ack *sip.Request) {
	c.mu.Lock()
	ours, dialog := c.ours, c.dialog
	c.mu.Unlock()
	if ours == nil {
		return
	}
	if err := c.audio.answered(ours, ack.Body()); err != nil && dialog != nil {
		dialog.Bye(sip.Reason{Protocol: "SIP", Cause: 488, Text: "Not Acceptable Here"}.Header())
		c.ended(488, err.Error())
	}
}
