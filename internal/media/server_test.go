package media_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/testkit"
)

func TestStrangerIsNeverHeard(t *testing.T) {
	o := newOffice(t)
	a, b := o.join("a", media.PCMU), o.join("b", media.PCMU)
	o.talk("a", "b")
	stranger := *a
	stranger.conn, stranger.leg = socket(t), "x"
	var got []int16
	mine, his := sine(8000, 1000), sine(8000, 2300)
	for next := time.Now(); len(mine) >= 160; mine, his = mine[160:], his[160:] {
		for range 3 {
			stranger.say(his[:160])
		}
		time.Sleep(time.Until(next))
		next = next.Add(20 * time.Millisecond)
		a.say(mine[:160])
		got = append(got, b.decode(b.mustListen())...)
	}
	if p := meter.Purity(got[2400:], 8000, 2300); p > 0.05 {
		t.Errorf("the stranger is heard: %.2f", p)
	}
	if p := meter.Purity(got[2400:], 8000, 1000); p < 0.8 {
		t.Errorf("the party is not: %.2f", p)
	}
	if n := a.path.Stats().Blocked; n < 140 {
		t.Errorf("%d packets blocked, want 150", n)
	}
	if h, ok := stranger.listen(50 * time.Millisecond); ok {
		t.Errorf("the stranger was sent %v", h)
	}
}

// Whatever a leg hears, its far end sees one stream.
func TestOneStreamAcrossSources(t *testing.T) {
	for _, k := range []media.Codec{media.PCMU, media.Opus} {
		t.Run(k.String(), func(t *testing.T) {
			o := newOffice(t)
			a, b, c := o.join("a", k), o.join("b", k), o.join("c", media.PCMA)
			last := heard{}
			step := func(what string, h heard, first bool) {
				t.Helper()
				if last.ssrc != 0 && (h.ssrc != last.ssrc || h.seq != last.seq+1 || int32(h.stamp-last.stamp) <= 0) {
					t.Errorf("%s: %d/%d/%x after %d/%d/%x", what, h.seq, h.stamp, h.ssrc, last.seq, last.stamp, last.ssrc)
				}
				if last.ssrc != 0 && h.stamp-last.stamp > 10*k.ClockRate() {
					t.Errorf("%s: timestamps jump by %d", what, h.stamp-last.stamp)
				}
				if h.marker != first {
					t.Errorf("%s: marker is %v", what, h.marker)
				}
				last = h
			}
			o.server.Do(core.Hear{Leg: "a", Sound: core.Sound{Kind: core.SoundRingback, Name: "us"}})
			for i := range 5 {
				step("ringback", a.mustListen(), i == 0)
			}
			for _, speaker := range []*party{b, c, b} {
				o.server.Do(core.Hear{Leg: "a", From: []core.LegID{speaker.leg}})
				for { // a packet of the sound before may still be on its way
					h, ok := a.listen(30 * time.Millisecond)
					if !ok {
						break
					}
					step("rest", h, false)
				}
				for i := range 5 {
					speaker.say(sine(160, 1000))
					step(string(speaker.leg), a.mustListen(), i == 0)
				}
			}
			o.server.Do(core.Hear{Leg: "a", Sound: core.Sound{Kind: core.SoundHold}})
			for i := range 5 {
				step("hold", a.mustListen(), i == 0)
			}
		})
	}
}

func TestPathServesOneLegAfterAnother(t *testing.T) {
	o := newOffice(t)
	a, b := o.join("a", media.PCMU), o.join("b", media.PCMU)
	o.talk("a", "b")
	b.say(sine(160, 1000))
	before := a.mustListen()
	o.server.Attach("a2", a.path) // without Detach of a, which comes late
	o.server.Detach("a")
	o.talk("a2", "b")
	b.say(sine(160, 1000))
	if h := a.mustListen(); h.ssrc != before.ssrc || h.seq != before.seq+1 || int32(h.stamp-before.stamp) <= 0 {
		t.Errorf("next leg's stream is %d/%d after %d/%d", h.seq, h.stamp, before.seq, before.stamp)
	}
	a.say(sine(160, 1000))
	b.mustListen()
}

func TestSoundsAreHeard(t *testing.T) {
	for _, k := range []media.Codec{media.PCMA, media.Opus} {
		o := newOffice(t)
		a := o.join("a", k)
		o.server.Do(core.Hear{Leg: "a", Sound: core.Sound{Kind: core.SoundRingback, Name: "de"}})
		var got []int16
		for len(got) < 4000 {
			got = append(got, a.decode(a.mustListen())...)
		}
		if p := meter.Purity(got[1600:], 8000, 425); p < 0.9 {
			t.Errorf("%v: German ringback has purity %.2f", k, p)
		}
	}
}

// slow is a line that holds up whoever sends to it now and then, as a busy machine
// does.
type slow struct{ *line }

func (s slow) Send(p *media.Packet) {
	if s.line.Send(p); s.sent.Load()%10 == 0 {
		time.Sleep(33 * time.Millisecond)
	}
}

// Packets count the time of a sound, timers do not: over a second each listener
// gets 50, whatever the machine does meanwhile.
func TestSoundsKeepTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := media.NewServer(media.Config{})
		defer server.Close()
		lines := make([]*line, 100)
		for i := range lines {
			lines[i] = newLine([]media.Codec{media.PCMU, media.PCMA, media.Opus}[i%3])
			leg := core.LegID(fmt.Sprint(i))
			if i == 50 {
				server.Attach(leg, slow{lines[i]})
			} else {
				server.Attach(leg, lines[i])
			}
			server.Do(core.Hear{Leg: leg, Sound: core.Sound{Kind: core.SoundHold}})
		}
		for second := range int64(5) {
			time.Sleep(time.Second)
			for i, l := range lines { // up to 33 ms may be missing just now
				if n, want := l.sent.Load(), 50*(second+1); n < want-2 || n > want+1 {
					t.Errorf("after %d s listener %d got %d packets", second+1, i, n)
				}
			}
		}
	})
}

func TestPromptIsPlayedOnce(t *testing.T) {
	o := newOffice(t)
	prompt := core.Sound{Kind: core.SoundPrompt, Name: "hello"}
	o.server.Do(core.Hear{Leg: "a", Sound: prompt}) // kept until the path is up
	a := o.join("a", media.PCMU)
	begin := time.Now()
	for range 10 {
		a.mustListen()
	}
	if ev := testkit.Receive(t, o.events, 10*time.Second, "Played"); ev != (core.Played{Leg: "a", Sound: prompt}) {
		t.Errorf("got %v", ev)
	}
	if took := time.Since(begin); took < 150*time.Millisecond {
		t.Errorf("200 ms of sound took %v", took)
	}
	o.server.Attach("a", a.path) // a re-INVITE without news
	if h, ok := a.listen(100 * time.Millisecond); ok {
		t.Errorf("the prompt goes on: %v", h)
	}

	o.server.Do(core.Hear{Leg: "a", Sound: prompt})
	a.mustListen()
	o.server.Do(core.Hear{Leg: "a"})
	begun := time.Now()
	o.server.Do(core.Hear{Leg: "a", Sound: core.Sound{Kind: core.SoundPrompt, Name: "missing"}})
	if ev, ok := testkit.Receive(t, o.events, 10*time.Second, "SoundFailed").(core.SoundFailed); !ok || ev.Sound.Name != "missing" {
		t.Errorf("a replaced prompt is reported: %v", ev)
	}
	if ev, ok := testkit.Receive(t, o.events, 10*time.Second, "Played").(core.Played); !ok || ev.Sound.Name != "missing" {
		t.Errorf("got %v", ev)
	}
	if took := time.Since(begun); took < 900*time.Millisecond { // else who repeats it spins
		t.Errorf("a prompt that is not there took %v", took)
	}
}

func TestTelephoneEventsPassBetweenClocks(t *testing.T) {
	o := newOffice(t)
	a, b := o.join("a", media.PCMU), o.join("b", media.Opus)
	o.talk("a", "b")
	a.say(sine(160, 1000))
	last := b.mustListen()
	begin := uint32(0)
	for i := range 3 {
		event := make([]byte, 16)
		a.head(event, a.format.RecvDTMF)
		copy(event[12:], []byte{5, 10, 0, 0})
		binary.BigEndian.PutUint16(event[14:], uint16(160*(i+1)))
		a.send(event)
		h := b.mustListen()
		if h.kind != b.format.SendDTMF || h.payload[0] != 5 || binary.BigEndian.Uint16(h.payload[2:]) != uint16(960*(i+1)) {
			t.Errorf("event %d is type %d, %v", i, h.kind, h.payload)
		}
		if i > 0 && h.stamp != begin || h.seq != last.seq+1 || int32(h.stamp-last.stamp) < 0 {
			t.Errorf("event %d has %d/%d after %d/%d", i, h.seq, h.stamp, last.seq, last.stamp)
		}
		begin, last = h.stamp, h
	}
	a.stamp += 480
	a.say(sine(160, 1000))
	if h := b.mustListen(); h.seq != last.seq+1 || int32(h.stamp-last.stamp) < 0 {
		t.Errorf("audio after it has %d/%d", h.seq, h.stamp)
	}
}

func TestLossIsConcealedWhereCodecsDiffer(t *testing.T) {
	for _, c := range []struct {
		name string
		send []int // packet numbers in the order they come
		want int   // packets heard
		gap  int   // of them, how many packets of time are missing at the end
	}{
		{"in order", []int{0, 1, 2, 3, 4, 5}, 6, 0},
		{"two change places", []int{0, 2, 1, 3, 4, 5}, 6, 0},
		{"one lost", []int{0, 1, 3, 4, 5}, 6, 0},
		{"one twice", []int{0, 1, 1, 2, 2, 3, 4, 5}, 6, 0},
		{"one too late", []int{0, 2, 3, 1, 4, 5}, 6, 0},
		{"three lost", []int{0, 4, 5}, 6, 0},
		{"five lost: 60 ms are concealed", []int{0, 6, 7}, 6, 2},
	} {
		for _, pair := range [][2]media.Codec{{media.PCMU, media.Opus}, {media.Opus, media.PCMA}} {
			t.Run(fmt.Sprintf("%s/%v-%v", c.name, pair[0], pair[1]), func(t *testing.T) {
				inStudio(t, func(s *studio) {
					a, b := newLine(pair[0]), &ear{line: newLine(pair[1]), begin: time.Now()}
					s.server.Attach("a", a)
					s.server.Attach("b", b)
					s.server.Do(core.Hear{Leg: "b", From: []core.LegID{"a"}})
					speaker := party{t: t, format: formatOf(pair[0]), seq: 65534}
					speaker.enc, _ = newEncoder(pair[0])
					var packets []*media.Packet
					for range 8 {
						packets = append(packets, parsed(speaker.packet(sine(160, 1000))))
					}
					begin := time.Now()
					for _, n := range c.send {
						time.Sleep(time.Until(begin.Add(time.Duration(n) * 20 * time.Millisecond)))
						a.arrive(packets[n])
					}
					if len(b.came) != c.want {
						t.Fatalf("%d packets came, want %d", len(b.came), c.want)
					}
					first, last := b.came[0], b.came[c.want-1]
					if last.seq != first.seq+uint16(c.want)-1 {
						t.Errorf("numbers from %d to %d", first.seq, last.seq)
					}
					if passed, want := last.stamp-first.stamp, uint32(c.want-1+c.gap)*b.format.Codec.ClockRate()/50; passed != want {
						t.Errorf("timestamps pass %d, want %d", passed, want)
					}
				})
			})
		}
	}
}

func TestRelayKeepsGaps(t *testing.T) {
	o := newOffice(t)
	a, b := o.join("a", media.PCMU), o.join("b", media.PCMU)
	o.talk("a", "b")
	a.say(sine(160, 1000))
	first := b.mustListen()
	a.packet(sine(160, 1000)) // lost
	a.say(sine(160, 1000))
	if h := b.mustListen(); h.seq != first.seq+2 || h.stamp != first.stamp+320 {
		t.Errorf("got %d/%d after %d/%d", h.seq, h.stamp, first.seq, first.stamp)
	}
}

// A speaker may be heard by several, and a relay must not end at the wrap of the
// sequence numbers.
func TestSeveralHearOneForLong(t *testing.T) {
	o := newOffice(t)
	a, b, c := o.join("a", media.PCMU), o.join("b", media.PCMU), o.join("c", media.PCMU)
	o.talk("a", "b")
	o.server.Do(core.Hear{Leg: "c", From: []core.LegID{"a"}})
	for i := range 70000 {
		a.say(sine(1, 1000))
		_, toB := b.listen(10 * time.Second)
		_, toC := c.listen(10 * time.Second)
		if !toB || !toC {
			t.Fatalf("packet %d is not heard: %v, %v", i, toB, toC)
		}
	}
}

func TestNothingIsLeft(t *testing.T) {
	o := newOffice(t)
	o.talk("a", "b")
	o.join("a", media.PCMU)
	o.join("b", media.Opus)
	o.server.Detach("a")
	o.server.Detach("a")
	o.server.Do(core.Hear{Leg: "b"})
	o.server.Detach("b")
	o.server.Do(core.Hear{Leg: "b"})
	if n := o.server.Legs(); n != 0 {
		t.Errorf("%d legs are left", n)
	}
}
