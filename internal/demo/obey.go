package demo

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/sip"
)

// What may be dialled. Digits also reach extensions, codes and the carrier.
var (
	dialable = regexp.MustCompile(`^\+?[0-9*#]{1,32}$`)
	userName = regexp.MustCompile(`^[a-z0-9._-]{1,64}$`)
)

// Refusals of commands, for people.
var (
	errNoPhone  = errors.New("there is no such phone")
	errCommand  = errors.New("there is no such command")
	errInCall   = errors.New("this phone is in a call")
	errNoCall   = errors.New("this phone is not in a call")
	errNoRing   = errors.New("this phone does not ring")
	errOffline  = errors.New("this phone is not registered")
	errNumber   = errors.New("this cannot be dialled")
	errCaller   = errors.New("choose one of the numbers to call from")
	errSound    = errors.New("a phone says silence, tone or voice")
	errOneDigit = errors.New("press one key, 0-9 * or #")
)

// obey carries out a command of page p, or tells it why not.
func (d *Demo) obey(p *page, c command) {
	if !d.pages[p] {
		return // it left meanwhile
	}
	h := d.find(c.Phone)
	err := errNoPhone
	if h != nil {
		err = d.order(p, h, c)
	}
	if err != nil {
		p.fail(failure{Type: "error", Command: c.Type, Phone: c.Phone, Message: err.Error()})
		return
	}
	d.dirty = true
}

func (d *Demo) order(p *page, h *handset, c command) error {
	switch c.Type {
	case "call":
		return d.dial(p, h, c.To, c.From)
	case "answer":
		if h.status != ringing {
			return errNoRing
		}
		h.call.Answer()
	case "decline":
		if h.status != ringing {
			return errNoRing
		}
		h.call.Decline(603)
	case "hang_up":
		if h.call == nil {
			return errNoCall
		}
		h.call.HangUp()
	case "sound":
		return d.setSound(p, h, c.Sound)
	case "digit":
		if h.call == nil {
			return errNoCall
		}
		if len(c.Digit) != 1 || !strings.Contains("0123456789*#", c.Digit) {
			return errOneDigit
		}
		h.call.Digits(c.Digit)
	default:
		return errCommand
	}
	return nil
}

// dial places a call. The visitor's mobile takes the voice of the page.
func (d *Demo) dial(p *page, h *handset, to, from string) error {
	switch {
	case h.status == offline:
		return errOffline
	case h.call != nil:
		return errInCall
	case !dialable.MatchString(to) && (h.kind != "desk" || !userName.MatchString(to)):
		return errNumber
	}
	var opts phone.DialOptions
	if h.kind == "mobile" {
		caller, err := d.caller(h, from)
		if err != nil {
			return err
		}
		to = e164(to)
		opts = d.fromCarrier(caller)
		if h.visitor {
			h.number = caller.Number
		}
	}
	call, err := h.line.Dial(to, opts)
	if err != nil {
		return err
	}
	if h.visitor {
		d.lend(p, h)
	}
	h.dialler = p
	number := strings.TrimPrefix(to, "+")
	h.begin(call, calling, peer{number, d.nameOf(phone.Party{Number: number})})
	return nil
}

// caller returns who a mobile calls as.
func (d *Demo) caller(h *handset, from string) (Caller, error) {
	if !h.visitor {
		if from != "" {
			return Caller{}, errCaller
		}
		return Caller{h.number, h.name}, nil
	}
	callers := d.config.Sample.callers()
	i := slices.IndexFunc(callers, func(c Caller) bool { return c.Number == from })
	if i < 0 {
		return Caller{}, errCaller
	}
	return callers[i], nil
}

// fromCarrier makes an INVITE look like one from the phone network.
func (d *Demo) fromCarrier(c Caller) phone.DialOptions {
	host := d.config.Carrier.Addr().String()
	return phone.DialOptions{
		From:    phone.Party{Number: e164(c.Number), Name: c.Name},
		Headers: []sip.Header{sip.NewHeader("P-Asserted-Identity", "<sip:"+e164(c.Number)+"@"+host+">")},
	}
}

// e164 writes a number as a carrier does; short codes stay as they are.
func e164(number string) string {
	if len(number) >= 7 && number[0] >= '1' && number[0] <= '9' {
		return "+" + number
	}
	return number
}

// setSound changes what a handset says.
func (d *Demo) setSound(p *page, h *handset, s sound) error {
	switch s {
	case voice:
		d.lend(p, h)
	case tone, silence:
		h.sound, h.speaker = s, nil
	default:
		return errSound
	}
	h.speak()
	return nil
}

// lend gives the page's voice to h, and silence to the handset that had it.
func (d *Demo) lend(p *page, h *handset) {
	for _, other := range d.handsets {
		if other != h && other.speaker == p {
			other.sound, other.speaker = silence, nil
			other.speak()
		}
	}
	h.sound, h.speaker = voice, p
}

// joined begins to show the network to a page.
func (d *Demo) joined(p *page) {
	d.pages[p] = true
	p.show(d.stateFor(p))
	p.climb(d.ladder...)
}

// lost takes back what a page that is gone had.
func (d *Demo) lost(p *page) {
	delete(d.pages, p)
	d.dirty = true
	for _, h := range d.handsets {
		if h.speaker == p {
			h.sound, h.speaker = silence, nil
			h.speak()
		}
		if h.visitor && h.dialler == p && h.call != nil {
			h.call.HangUp()
		}
	}
}
