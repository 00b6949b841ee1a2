package phone

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/sdp"
	"github.com/offhook/offhook/internal/sip"
)

// state is how far a call is.
type state uint8

const (
	stateNew   state = iota // dialled or called, not answered
	stateUp                 // answered
	stateEnded              // for ever
)

// Call is one call of a phone.
type Call struct {
	phone *Phone
	id    string
	peer  Party

	mu        sync.Mutex // guards the fields below; not held while calling sip
	state     state
	giveUp    bool // HangUp came
	answering bool // Answer is about to send the 200
	alerts    Kind // the last of Ringing and Early that was reported
	in        *sip.Incoming
	out       *sip.Outgoing
	dialog    *sip.Dialog
	audio     *audio
	offer     *sdp.Offer // of the far end's INVITE, nil if it had none
	answer    []byte     // what we said to it
	ours      []byte     // our offer that waits for its answer
	held      bool       // by the far end
	timer     *time.Timer
}

// ID returns the word that names the call in events.
func (c *Call) ID() string { return c.id }

// Peer returns the other party, as the other party says.
func (c *Call) Peer() Party { return c.peer }

// Incoming reports whether the other party called.
func (c *Call) Incoming() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.in != nil
}

// HangUp ends the call: BYE, CANCEL, or 603 to a call that rings here.
func (c *Call) HangUp() {
	c.mu.Lock()
	s, in, out, dialog, answering := c.state, c.in, c.out, c.dialog, c.answering
	c.giveUp = true
	c.mu.Unlock()
	switch {
	case answering: // there is nothing to hang up before the 200; Answer looks again
	case s == stateUp:
		dialog.Bye(sip.Reason{Protocol: "Q.850", Cause: 16}.Header())
		c.ended(0, "hung up")
	case s == stateNew && in != nil:
		c.Decline(603)
	case s == stateNew && out != nil:
		out.Cancel() // Failed follows
	}
}

// Decline refuses a call that rings here, with a SIP status such as 486 or 603.
func (c *Call) Decline(code int) {
	c.mu.Lock()
	in := c.in
	ringing := c.state == stateNew && in != nil
	c.mu.Unlock()
	if ringing {
		in.Reject(code, "")
		c.ended(code, "declined")
	}
}

// Forward refuses a call that rings here with 302 and asks the caller to try
// another address, a SIP URI.
func (c *Call) Forward(to string) {
	c.mu.Lock()
	in := c.in
	ringing := c.state == stateNew && in != nil
	c.mu.Unlock()
	if ringing {
		in.Reject(302, "", sip.NewHeader("Contact", "<"+to+">"))
		c.ended(302, "forwarded")
	}
}

// Refer asks the far end of an answered call to call another address, a SIP URI
// (RFC 3515). done gets the status of its answer, 0 if there was none; Referred
// follows. With ?Replaces= and an escaped Replaces of another call in the URI the
// transfer is attended.
func (c *Call) Refer(to string, done func(code int)) {
	c.mu.Lock()
	up, dialog := c.state == stateUp, c.dialog
	c.mu.Unlock()
	if !up {
		done(0)
		return
	}
	dialog.Request(sip.REFER, "", nil, func(res *sip.Response, err error) {
		if err != nil {
			done(0)
			return
		}
		done(res.StatusCode)
	}, sip.NewHeader("Refer-To", "<"+to+">"))
}

// Replaces returns the value of a Replaces header (RFC 3891) that names the call
// to the far end, "" if the call has no dialog yet.
func (c *Call) Replaces() string {
	c.mu.Lock()
	dialog, in := c.dialog, c.in
	c.mu.Unlock()
	if dialog == nil && in != nil {
		dialog = in.Dialog()
	}
	if dialog == nil {
		return ""
	}
	return dialog.CallID() + ";to-tag=" + dialog.RemoteTag() + ";from-tag=" + dialog.LocalTag()
}

// notified takes the progress of a transfer (RFC 3515 section 2.4.4).
func (c *Call) notified(req *sip.Request) (code int) {
	event, _, _ := strings.Cut(sip.HeaderValue(req, "Event"), ";")
	if !strings.EqualFold(strings.TrimSpace(event), "refer") {
		return 489
	}
	var status int
	if _, err := fmt.Sscanf(string(req.Body()), "SIP/2.0 %d", &status); err != nil {
		return 400
	}
	c.phone.emit(Event{Kind: Referred, Call: c.id, Peer: c.peer, Code: status})
	return 200
}

// Say sets what the other party hears from now on; nil is silence.
func (c *Call) Say(s Source) { c.audio.say(s) }

// Listen sets who else gets what we hear; nil is nobody.
func (c *Call) Listen(s Sink) { c.audio.listen(s) }

// Heard returns the last d of what we heard, less if the call is younger; at
// most 20 s are kept.
func (c *Call) Heard(d time.Duration) []int16 { return c.audio.heard.last(d) }

// Digits presses keys, 0-9 * # A-D, 100 ms each, as RFC 4733 events.
func (c *Call) Digits(keys string) { c.audio.press(keys) }

// Stats returns the counters of the call's audio.
func (c *Call) Stats() media.Stats { return c.audio.stats() }

// Format returns what the call's audio was negotiated to.
func (c *Call) Format() media.Format { return c.audio.format() }

// Hold puts the far end on hold by a re-INVITE: it is asked to send nothing.
func (c *Call) Hold() { c.reoffer(sdp.SendOnly) }

// Resume ends Hold.
func (c *Call) Resume() { c.reoffer(sdp.SendRecv) }

func (c *Call) reoffer(dir sdp.Direction) {
	c.mu.Lock()
	up, dialog := c.state == stateUp, c.dialog
	c.mu.Unlock()
	if !up {
		return
	}
	offer := c.audio.newOffer([]media.Codec{c.audio.format().Codec}, dir)
	dialog.Reinvite(offer, func(res *sip.Response) {
		if res == nil || res.StatusCode != 200 {
			c.phone.config.Log.Warn("phone: re-INVITE failed", "call", c.id)
			return
		}
		if err := c.audio.answered(offer, res.Body()); err != nil {
			c.phone.config.Log.Warn("phone: bad answer to re-INVITE", "call", c.id, "err", err)
		}
	})
}

// alerted reports Ringing and Early, each once.
func (c *Call) alerted(kind Kind, code int) {
	c.mu.Lock()
	news := c.state == stateNew && c.alerts != kind && c.alerts != Early
	if news {
		c.alerts = kind
	}
	c.mu.Unlock()
	if news {
		c.phone.emit(Event{Kind: kind, Call: c.id, Peer: c.peer, Code: code})
	}
}

// up makes the call answered, unless it was, ended meanwhile, or was hung up: an
// answer and HangUp may cross. Answered is queued here, so that nothing can
// overtake it; the caller delivers it. With answering our 200 has yet to be sent.
func (c *Call) up(d *sip.Dialog, answering bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != stateNew || c.giveUp {
		return false
	}
	c.state, c.dialog, c.answering = stateUp, d, answering
	c.phone.events.add(Event{At: time.Now(), Kind: Answered, Call: c.id, Peer: c.peer})
	return true
}

// ended is the only way out of a call. It frees the audio beside the caller,
// which may be a SIP callback.
func (c *Call) ended(code int, reason string) {
	c.mu.Lock()
	first := c.state != stateEnded
	c.state = stateEnded
	timer := c.timer
	c.mu.Unlock()
	if !first {
		return
	}
	if timer != nil {
		timer.Stop()
	}
	c.phone.remove(c) // before anybody hears of the end and counts the calls
	c.phone.emit(Event{Kind: Ended, Call: c.id, Peer: c.peer, Code: code, Reason: reason, Heard: c.audio.summary(c.phone.config.Tone)})
	c.audio.close()
}

// dialogEvents are what the far end may do in a call that is up.
func (c *Call) dialogEvents() sip.DialogEvents {
	return sip.DialogEvents{
		Bye:      func(_ *sip.Dialog, reasons []sip.Reason) { c.ended(0, why(reasons, "the other side hung up")) },
		Lost:     func(_ *sip.Dialog, err error) { c.ended(0, err.Error()) },
		Reinvite: func(_ *sip.Dialog, o *sip.Offer) { c.reinvited(o) },
		Notify:   func(_ *sip.Dialog, req *sip.Request) int { return c.notified(req) },
	}
}

// reinvited answers the far end's new offer, which may be a hold.
func (c *Call) reinvited(o *sip.Offer) {
	body := o.Request().Body()
	if len(body) == 0 {
		offer := c.audio.newOffer(c.phone.config.Codecs, sdp.SendRecv)
		o.Accept(offer, func(ack *sip.Request) {
			if err := c.audio.answered(offer, ack.Body()); err != nil {
				c.phone.config.Log.Warn("phone: bad answer in ACK", "call", c.id, "err", err)
			}
		})
		return
	}
	answer, held, err := c.audio.answerTo(body, c.phone.config.Codecs)
	if err != nil {
		o.Reject(488, "")
		return
	}
	o.Accept(answer, nil)
	c.mu.Lock()
	changed := c.held != held && c.state == stateUp
	c.held = held
	c.mu.Unlock()
	if changed {
		kind := Resumed
		if held {
			kind = Held
		}
		c.phone.emit(Event{Kind: kind, Call: c.id, Peer: c.peer})
	}
}

// why puts a Reason header into words, or says other.
func why(reasons []sip.Reason, other string) string {
	for _, r := range reasons {
		switch {
		case r.Protocol == "SIP" && r.Cause == 200:
			return "answered elsewhere"
		case r.Protocol == "SIP" && r.Cause == 603:
			return "declined elsewhere"
		case r.Protocol == "SIP" && r.Cause == 408:
			return "rang too long"
		case r.Protocol == "SIP" && r.Cause == 487:
			return "caller gave up"
		}
	}
	return other
}
