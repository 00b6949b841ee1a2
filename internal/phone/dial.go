package phone

import (
	"fmt"
	"strings"

	"github.com/offhook/offhook/internal/media/sdp"
	"github.com/offhook/offhook/internal/sip"
)

// DialOptions say how a call differs from the phone's usual ones. The zero
// value is a usual one.
type DialOptions struct {
	// From is shown as the caller; zero is the phone's own user and name.
	From Party
	// Headers are added to the INVITE.
	Headers []sip.Header
}

// Dial calls to: a user or number at Server, or a whole SIP URI. Events of the
// call may come before Dial returns.
func (p *Phone) Dial(to string, opts DialOptions) (*Call, error) {
	uri, err := p.uri(to)
	if err != nil {
		return nil, err
	}
	c := &Call{phone: p, id: newID(), peer: Party{Number: uri.User}}
	if c.audio, err = p.newAudio(c); err != nil {
		return nil, err
	}
	if err := p.add(c); err != nil {
		c.audio.close()
		return nil, err
	}
	offer := c.audio.newOffer(p.config.Codecs, sdp.SendRecv)
	from := p.address()
	if opts.From.Number != "" {
		from = sip.Address{Name: opts.From.Name, URI: sip.Uri{Scheme: "sip", User: opts.From.Number, Host: p.config.Domain}}
	}
	out := p.stack.Invite(sip.InviteRequest{
		RequestURI: uri, From: from, To: sip.Address{URI: uri}, ContactUser: p.config.User,
		Target: p.target(), Headers: opts.Headers, Body: offer, Credentials: p.credentials(),
	}, c.outgoingEvents(offer))

	c.mu.Lock()
	c.out = out
	gaveUp := c.giveUp
	c.mu.Unlock()
	if gaveUp {
		out.Cancel()
	}
	return c, nil
}

// uri makes the Request-URI of what was dialled.
func (p *Phone) uri(to string) (sip.Uri, error) {
	if strings.HasPrefix(to, "sip:") || strings.HasPrefix(to, "sips:") {
		uri, err := sip.ParseURI(to)
		if err == nil && uri.Host == "" {
			err = fmt.Errorf("no host in %q", to)
		}
		if err != nil {
			return sip.Uri{}, fmt.Errorf("phone: %w", err)
		}
		return uri, nil
	}
	if to == "" || strings.ContainsAny(to, " <>\"\r\n@;?:") {
		return sip.Uri{}, fmt.Errorf("phone: cannot dial %q", to)
	}
	return sip.Uri{Scheme: "sip", User: to, Host: p.config.Domain}, nil
}

func (c *Call) outgoingEvents(offer []byte) sip.OutgoingEvents {
	return sip.OutgoingEvents{
		Provisional: func(_ *sip.Dialog, res *sip.Response) { c.provisional(offer, res) },
		Answered:    func(d *sip.Dialog, res *sip.Response) { c.answered(offer, d, res) },
		Failed:      func(code int, res *sip.Response) { c.ended(code, refusal(code, res)) },
		Dialog:      c.dialogEvents(),
	}
}

func (c *Call) provisional(offer []byte, res *sip.Response) {
	if len(res.Body()) > 0 {
		if err := c.audio.answered(offer, res.Body()); err == nil {
			c.alerted(Early, res.StatusCode)
			return
		}
	}
	if res.StatusCode == 180 {
		c.alerted(Ringing, res.StatusCode)
	}
}

// answered takes the 2xx. Its SDP may be missing only if a 183 brought it.
func (c *Call) answered(offer []byte, d *sip.Dialog, res *sip.Response) {
	var err error
	if len(res.Body()) > 0 || !c.audio.started() {
		err = c.audio.answered(offer, res.Body())
	}
	switch {
	case err != nil:
		d.Bye(sip.Reason{Protocol: "SIP", Cause: 488, Text: "Not Acceptable Here"}.Header())
		c.ended(488, err.Error())
	case c.up(d, false):
		c.phone.events.deliver()
	default: // too late to cancel
		d.Bye(sip.Reason{Protocol: "Q.850", Cause: 16}.Header())
		c.ended(487, "cancelled")
	}
}

// refusal puts the end of an unanswered INVITE into words.
func refusal(code int, res *sip.Response) string {
	if res != nil {
		if word := why(sip.Reasons(res), ""); word != "" {
			return word
		}
	}
	switch code {
	case 404, 484, 604:
		return "unknown number"
	case 408:
		return "no answer from the server"
	case 480:
		return "nobody there"
	case 486, 600:
		return "busy"
	case 487:
		return "cancelled"
	case 603:
		return "declined"
	}
	if res != nil {
		return res.Reason
	}
	return "failed"
}
