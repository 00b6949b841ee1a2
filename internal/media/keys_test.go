package media_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/dtmf"
)

// dialled is a line that writes down the keys its party is told of.
type dialled struct {
	*line
	mu       sync.Mutex
	receiver dtmf.Receiver
	detector *dtmf.Detector
	dec      codec.Decoder
	keys     string // by telephone-events
	heard    string // by tones
	open     bool   // the last event has no end
	unended  int
	begun    bool
	seq      uint16
	stamp    uint32
	faults   []string
}

func newDialled(t *testing.T, f media.Format) *dialled {
	t.Helper()
	dec, err := codec.NewDecoder(f.Codec, 8000)
	if err != nil {
		t.Fatal(err)
	}
	return &dialled{line: &line{format: f}, detector: dtmf.NewDetector(8000), dec: dec}
}

func (d *dialled) Send(p *media.Packet) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.begun && p.Seq != d.seq+1 {
		d.faults = append(d.faults, fmt.Sprintf("number %d behind %d", p.Seq, d.seq))
	}
	if d.seq, d.begun = p.Seq, true; d.format.SendDTMF != 0 && p.Type == d.format.SendDTMF {
		d.event(p)
		return
	}
	if p.Type != d.format.SendType {
		d.faults = append(d.faults, fmt.Sprintf("type %d", p.Type))
	}
	if int32(p.Timestamp-d.stamp) <= 0 && d.stamp != 0 {
		d.faults = append(d.faults, fmt.Sprintf("timestamp %d behind %d", p.Timestamp, d.stamp))
	}
	d.stamp = p.Timestamp
	pcm := make([]int16, 960)
	n, err := d.dec.Decode(pcm, p.Payload())
	if err != nil {
		d.faults = append(d.faults, err.Error())
	}
	for at := 0; at < n; at += 160 {
		if key, ok := d.detector.Detect(pcm[at:min(at+160, n)]); ok {
			d.heard += string(key)
		}
	}
}

// informed is dialled whose party is told of keys by INFO.
type informed struct{ *dialled }

func (d informed) SendKey(key byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.keys += string(key)
	return true
}

func (d *dialled) event(p *media.Packet) {
	if key, ok := d.receiver.Key(p.Payload(), p.Timestamp); ok {
		if d.keys += string(key); d.open {
			d.unended++
		}
		d.open = true
	}
	if p.Payload()[1]&0x80 != 0 {
		d.open = false
	}
}

// dialler is a party that speaks and presses keys.
type dialler struct {
	line   *line
	enc    codec.Encoder
	sender *dtmf.Sender
	rng    *rand.Rand
	loss   float64
	n      int // packets so far
	lost   int // of them
}

// say sends 20 ms: a telephone-event if one is due, else pcm.
func (d *dialler) say(t *testing.T, pcm []int16) {
	t.Helper()
	f := d.line.format
	p := &media.Packet{
		Buf: make([]byte, media.HeaderRoom+media.MaxPayload+media.TailRoom), Type: f.RecvType,
		Seq: uint16(d.n), Timestamp: uint32(d.n) * f.Codec.ClockRate() / 50, SSRC: 1,
	}
	d.n++
	if e, ok := d.sender.Next(p.Timestamp); ok {
		p.Type, p.Timestamp, p.Marker = f.RecvDTMF, e.Timestamp, e.Marker
		p.Len = copy(p.Buf[media.HeaderRoom:], e.Payload[:])
	} else {
		var err error
		if p.Len, err = d.enc.Encode(p.Buf[media.HeaderRoom:], pcm); err != nil {
			t.Fatal(err)
		}
	}
	if d.rng.Float64() >= d.loss {
		d.line.arrive(p)
	} else {
		d.lost++
	}
	time.Sleep(20 * time.Millisecond)
}

// silent is a line whose party has no telephone-events.
func silent(f media.Format) media.Format {
	f.SendDTMF, f.RecvDTMF, f.DTMFClock = 0, 0, 0
	return f
}

// informs in place of a loss is a listener who wants INFO.
const informs = -1

type form int

const (
	byEvent form = iota
	byInfo
	byTone
)

// TestDTMFPairs lets one party dial random strings in each form, and the other be
// told of them, as a phone and as a browser: every key comes through once.
func TestDTMFPairs(t *testing.T) {
	strings := map[form]int{byEvent: 1000, byInfo: 1000, byTone: 1000}
	if underRace || testing.Short() {
		strings = map[form]int{byEvent: 40, byInfo: 40, byTone: 20}
	}
	phone, browser := formatOf(media.PCMU), formatOf(media.Opus)
	for _, c := range []struct {
		name     string
		from, to media.Format
		form     form
		loss     float64
	}{
		{"RFC 4733 to a phone", phone, phone, byEvent, 0},
		{"RFC 4733 to a phone, 5 % lost", formatOf(media.PCMA), phone, byEvent, 0.05},
		{"RFC 4733 to a browser", phone, browser, byEvent, 0},
		{"RFC 4733 of a browser", browser, phone, byEvent, 0},
		{"RFC 4733 to a phone without", phone, silent(phone), byEvent, 0},
		{"INFO to a phone", silent(phone), phone, byInfo, 0},
		{"INFO to a browser", silent(phone), browser, byInfo, 0},
		{"INFO to a phone without", silent(phone), silent(formatOf(media.PCMA)), byInfo, 0},
		{"RFC 4733 to a phone with INFO", phone, silent(phone), byEvent, informs},
		{"in-band to a phone with INFO", silent(phone), silent(phone), byTone, informs},
		{"in-band to a phone", silent(phone), phone, byTone, 0},
		{"in-band to a phone, 5 % lost", silent(phone), phone, byTone, 0.05},
		{"in-band to a browser", silent(phone), browser, byTone, 0},
		{"in-band to a phone without", silent(phone), silent(phone), byTone, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := strings[c.form]
			synctest.Test(t, func(t *testing.T) { dialPair(t, c.from, c.to, c.form, c.loss, n) })
		})
	}
}

// lacking returns how many keys of want got lacks; same is false if it has others, or
// has them in another order.
func lacking(want, got string) (missing int, same bool) {
	rest := got
	for _, key := range want {
		if len(rest) > 0 && rest[0] == byte(key) {
			rest = rest[1:]
		}
	}
	return len(want) - len(got), rest == ""
}

func dialPair(t *testing.T, from, to media.Format, by form, loss float64, count int) {
	digits := make(events, 20000)
	server := media.NewServer(media.Config{Events: digits})
	defer server.Close()
	enc, err := codec.NewEncoder(from.Codec, 8000)
	if err != nil {
		t.Fatal(err)
	}
	a := &dialler{line: &line{format: from}, enc: enc, sender: dtmf.NewSender(from.Codec.ClockRate(), from.Codec.ClockRate()), rng: rand.New(rand.NewPCG(1, uint64(by))), loss: loss}
	b := newDialled(t, to)
	server.Attach("a", a.line)
	if loss == informs {
		a.loss = 0
		server.Attach("b", informed{b})
	} else {
		server.Attach("b", b)
	}
	server.Do(core.Hear{Leg: "b", From: []core.LegID{"a"}})
	quiet := make([]int16, 160)
	for i := range quiet {
		quiet[i] = int16(a.rng.IntN(40) - 20)
	}
	want := ""
	gone := 0 // keys of which most packets got lost
	for range 10 {
		a.say(t, quiet)
	}
	for range count {
		for range 1 + a.rng.IntN(5) {
			key := dtmf.Keys[a.rng.IntN(16)]
			want += string(key)
			switch by {
			case byEvent:
				a.sender.Press(key)
			case byInfo:
				server.Press("a", key)
			case byTone:
				tone, _ := dtmf.NewTone(key, 8000)
				pcm := make([]int16, 160)
				before := a.lost
				for range 5 {
					tone.Fill(pcm)
					a.say(t, pcm)
				}
				if a.lost-before > 2 {
					gone++
				}
			}
			for range 5 {
				a.say(t, quiet)
			}
			if by != byTone {
				for range 4 {
					a.say(t, quiet)
				}
			}
		}
	}
	for range 40 {
		a.say(t, quiet)
	}
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	got, other := b.keys, b.heard
	if to.SendDTMF == 0 && loss != informs {
		got, other = other, got
	}
	if missing, same := lacking(want, got); !same || missing > gone || other != "" && by != byTone { // 40 ms of a tone pass before it is known
		t.Errorf("%d keys were dialled, %d came, in order %v; most was lost of %d; in the wrong form %d", len(want), len(got), same, gone, len(other))
	} else if t.Logf("%d keys, %d missing", len(want), missing); loss <= 0 && missing > 0 {
		t.Error("nothing was lost on the way")
	}
	if b.unended > 0 || b.open {
		t.Errorf("%d keys without end", b.unended)
	}
	if loss == 0 && len(b.faults) > 0 {
		t.Errorf("%d faults of the stream: %v", len(b.faults), b.faults[:min(4, len(b.faults))])
	}
	reported := ""
	for len(digits) > 0 {
		if ev, ok := (<-digits).(core.LegDigit); ok {
			reported += string(ev.Digit)
		}
	}
	if by == byTone && reported != got {
		t.Errorf("%d keys were dialled, %d reported", len(want), len(reported))
	}
}
