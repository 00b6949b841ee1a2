package sdp

import (
	"slices"
	"strconv"
	"strings"

	"github.com/offhook/offhook/internal/media"
)

// payload is one RTP payload type of an audio section with its rtpmap.
type payload struct {
	typ   uint8
	codec media.Codec // CodecNone for one we do not know, and for events
	event bool        // telephone-event (RFC 4733)
	noise bool        // comfort noise (RFC 3389)
	clock uint32
	fmtp  string
}

// The payload types of our own offers. The dynamic numbers are those that
// browsers and most phones use for the same codecs, which keeps traces readable.
const (
	typePCMU    = 0
	typePCMA    = 8
	typeG722    = 9
	typeNoise   = 13
	typeOpus    = 111
	typeEvent8  = 101
	typeEvent48 = 110
)

// static are the payload types that need no rtpmap (RFC 3551 section 6).
func static(typ uint8) payload {
	p := payload{typ: typ, clock: 8000}
	switch typ {
	case typePCMU:
		p.codec = media.PCMU
	case typePCMA:
		p.codec = media.PCMA
	case typeG722:
		p.codec = media.G722
	case typeNoise:
		p.noise = true
	}
	return p
}

// payloads returns the payload types of s in the author's order of preference.
func (s *Section) payloads() []payload {
	var list []payload
	for _, f := range s.Formats {
		typ, err := strconv.ParseUint(f, 10, 7)
		if err != nil || slices.ContainsFunc(list, func(p payload) bool { return p.typ == uint8(typ) }) {
			continue
		}
		p := static(uint8(typ))
		if m, ok := s.param("rtpmap", f); ok {
			p = mapped(uint8(typ), m)
		}
		p.fmtp, _ = s.param("fmtp", f)
		list = append(list, p)
	}
	return list
}

// param returns the value of "a=key:format value".
func (s *Section) param(key, format string) (string, bool) {
	for _, a := range s.Attrs {
		if a.Key != key {
			continue
		}
		if f, v, ok := strings.Cut(a.Value, " "); ok && f == format {
			return strings.TrimSpace(v), true
		}
	}
	return "", false
}

// mapped reads an rtpmap value, "opus/48000/2".
func mapped(typ uint8, rtpmap string) payload {
	name, rest, _ := strings.Cut(rtpmap, "/")
	rate, channels, _ := strings.Cut(rest, "/")
	clock, err := strconv.ParseUint(rate, 10, 32)
	if err != nil {
		return payload{typ: typ}
	}
	p := payload{typ: typ, clock: uint32(clock)}
	mono := channels == "" || channels == "1"
	switch strings.ToLower(name) {
	case "pcmu":
		p.codec = only(media.PCMU, clock == 8000 && mono)
	case "pcma":
		p.codec = only(media.PCMA, clock == 8000 && mono)
	case "g722":
		p.codec = only(media.G722, clock == 8000 && mono)
	case "opus": // always /2 by RFC 7587 section 7; some phones leave it out
		p.codec = only(media.Opus, clock == 48000)
	case "telephone-event":
		p.event = clock == 8000 || clock == 48000
	case "cn":
		p.noise = clock == 8000 && mono
	}
	return p
}

func only(c media.Codec, fits bool) media.Codec {
	if fits {
		return c
	}
	return media.CodecNone
}

// own returns our payload for c in an offer of ours.
func own(c media.Codec) payload {
	p := payload{codec: c, clock: c.ClockRate()}
	switch c {
	case media.PCMU:
		p.typ = typePCMU
	case media.PCMA:
		p.typ = typePCMA
	case media.G722:
		p.typ = typeG722
	case media.Opus:
		p.typ = typeOpus
	case media.CodecNone, media.L16x8, media.L16x16, media.L16x24: // no phone gets these
	}
	return p
}

// ownEvent returns our telephone-event payload for a codec's clock. Events are
// stamped by the clock of the audio they replace (RFC 4733 section 2.1).
func ownEvent(clock uint32) payload {
	if clock == 48000 {
		return payload{typ: typeEvent48, event: true, clock: clock}
	}
	return payload{typ: typeEvent8, event: true, clock: 8000}
}

// ownNoise is comfort noise in an offer of ours. There is none but at 8000 Hz, the
// clock of all our codecs but Opus, which has its own.
func ownNoise() payload { return payload{typ: typeNoise, noise: true, clock: 8000} }

// choice is a codec and the payloads that go with it. Those that are missing have
// type 0.
type choice struct{ audio, event, noise payload }

// choose picks the first codec of prefer that list has, the events of the same
// clock, else any, and the comfort noise of that clock.
func choose(list []payload, prefer []media.Codec) (c choice, ok bool) {
	for _, want := range prefer {
		i := slices.IndexFunc(list, func(p payload) bool { return p.codec == want && want != media.CodecNone })
		if i < 0 {
			continue
		}
		c = choice{audio: list[i], event: eventFor(list, list[i].clock)}
		if n := slices.IndexFunc(list, func(p payload) bool { return p.noise && p.clock == c.audio.clock }); n >= 0 {
			c.noise = list[n]
		}
		return c, true
	}
	return choice{}, false
}

// payloads returns what c consists of.
func (c choice) payloads() []payload {
	list := []payload{c.audio}
	for _, p := range []payload{c.noise, c.event} {
		if p.typ != 0 {
			list = append(list, p)
		}
	}
	return list
}

func eventFor(list []payload, clock uint32) payload {
	var found payload
	for _, p := range list {
		if p.event && (found.typ == 0 || p.clock == clock && found.clock != clock) {
			found = p
		}
	}
	return found
}

// describe appends the format and attributes of payloads to s.
func (s *Section) describe(list ...payload) {
	for _, p := range list {
		n := strconv.Itoa(int(p.typ))
		s.Formats = append(s.Formats, n)
		s.Attrs = append(s.Attrs, Attr{"rtpmap", n + " " + p.rtpmap()})
		if f := p.ownFmtp(); f != "" {
			s.Attrs = append(s.Attrs, Attr{"fmtp", n + " " + f})
		}
	}
}

func (p payload) rtpmap() string {
	switch {
	case p.event:
		return "telephone-event/" + strconv.Itoa(int(p.clock))
	case p.noise:
		return "CN/8000"
	case p.codec == media.Opus:
		return "opus/48000/2"
	}
	return p.codec.String() + "/8000"
}

// ownFmtp returns our receiving parameters for p: Opus may carry its own
// redundancy (RFC 7587 section 7); events are the sixteen keys.
func (p payload) ownFmtp() string {
	switch {
	case p.event:
		return "0-16"
	case p.codec == media.Opus:
		return "minptime=10;useinbandfec=1"
	}
	return ""
}

// ptime returns how many milliseconds a packet to the author of s shall hold:
// 20 unless it asks for another multiple of 10 up to 60.
func (s *Section) ptime() int {
	want := 20
	if n, ok := s.milliseconds("ptime"); ok {
		want = n
	}
	if n, ok := s.milliseconds("maxptime"); ok {
		want = min(want, n)
	}
	return max(10, min(want, 60)/10*10)
}

func (s *Section) milliseconds(key string) (int, bool) {
	v, ok := s.Attr(key)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(v, 10, 16)
	return int(n), err == nil && n > 0
}
