package media

import (
	"fmt"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/codec"
)

// deaf is a path that takes packets and has none.
type deaf struct {
	discard
	format Format
	sent   atomic.Uint64
}

func (d *deaf) Format() Format { return d.format }
func (d *deaf) Send(*Packet)   { d.sent.Add(1) }
func (d *deaf) Stats() Stats   { return Stats{PacketsReceived: d.sent.Load()} }

// hall is a conference of n legs, stepped by hand.
type hall struct {
	s       *Server
	x       *mixer
	members []*member
	packets []*Packet
	now     time.Time
}

func newHall(tb testing.TB, n int, k Codec, speaking func(i int) bool) *hall {
	tb.Helper()
	h := &hall{s: NewServer(Config{}), now: time.Now()}
	tb.Cleanup(h.s.Close)
	h.s.mixer.running = true // no clock but ours
	h.x = h.s.mixer
	enc, err := codec.NewEncoder(k, speechRate)
	if err != nil {
		tb.Fatal(err)
	}
	for i := range n {
		leg := core.LegID(fmt.Sprint(i))
		h.s.Attach(leg, &deaf{format: Format{Codec: k, PTime: 20, RecvDTMF: 101}})
		row := core.Hear{Leg: leg}
		for j := range n {
			if i != j {
				row.From = append(row.From, core.LegID(fmt.Sprint(j)))
			}
		}
		h.s.Do(row)
		pcm := make([]int16, speechRate/50)
		for j := range pcm {
			if speaking(i) {
				pcm[j] = int16(1000 * math.Sin(float64(j*(i+1))/25))
			}
		}
		p := &Packet{Buf: make([]byte, HeaderRoom+MaxPayload+TailRoom), SSRC: uint32(i)}
		if p.Len, err = enc.Encode(p.Buf[HeaderRoom:], pcm); err != nil {
			tb.Fatal(err)
		}
		h.members, h.packets = append(h.members, h.s.legs[leg]), append(h.packets, p)
	}
	for range 2 * shareAfter { // all is made, and who is silent shares
		h.step()
	}
	return h
}

// step lets everybody say 20 ms and hear 20 ms.
func (h *hall) step() {
	for i, m := range h.members {
		p := h.packets[i]
		p.Seq++
		p.Timestamp += m.format.Codec.ClockRate() / 50
		m.receive(p)
	}
	h.now = h.now.Add(mixTime)
	h.x.join()
	h.x.step(h.now, h.now)
}

func everybody(int) bool { return true }
func three(i int) bool   { return i < 3 }

func TestMixDoesNotAllocate(t *testing.T) {
	for _, k := range []Codec{PCMU, Opus} {
		h := newHall(t, 6, k, three)
		if n := testing.AllocsPerRun(200, h.step); n > 0 {
			t.Errorf("%v: %.1f allocations a step", k, n)
		}
		if sent := h.members[5].path.(*deaf).sent.Load(); sent < 2*shareAfter+200 {
			t.Errorf("%v: %d packets sent", k, sent)
		}
	}
}

// Nor does who records, at any rate, or what is played over voices once it has begun.
func TestRecordingAndSoundsDoNotAllocate(t *testing.T) {
	h := newHall(t, 6, PCMU, three)
	h.record(8, true)
	h.s.Attach("24k", &deaf{format: Format{Codec: L16x24, PTime: 20}})
	h.s.Do(core.Hear{Leg: "24k", From: []core.LegID{"1", "2"}})
	h.s.Do(core.Hear{Leg: "3", From: []core.LegID{"1"}, Over: [core.InjectSlots]core.Sound{{Kind: core.SoundHold}}})
	for range 2 * shareAfter {
		h.step()
	}
	if n := testing.AllocsPerRun(200, h.step); n > 0 {
		t.Errorf("%.1f allocations a step", n)
	}
}

// Whoever sends nothing needs no decoder.
func TestSilentMembersCostNothing(t *testing.T) {
	h := newHall(t, 3, Opus, three)
	h.s.mu.Lock()
	mute := h.s.memberLocked("mute")
	h.s.mu.Unlock()
	h.s.Attach("mute", &deaf{format: Format{Codec: Opus, PTime: 20}})
	h.s.Do(core.Hear{Leg: "0", From: []core.LegID{"1", "2", "mute"}})
	for range 10 {
		h.step()
	}
	if mute.tap == nil || !mute.tap.listed {
		t.Fatal("the silent member is not listened to")
	}
	if mute.tap.dec != nil || mute.tap.active {
		t.Error("the silent member has a decoder")
	}
}

// The mixer's part of row M6: all but the sockets.
func BenchmarkConference(b *testing.B) {
	for _, c := range []struct {
		legs     int
		codec    Codec
		speaking func(int) bool
		name     string
	}{
		{30, PCMU, everybody, "all speak"},
		{100, PCMU, everybody, "all speak"},
		{30, PCMU, three, "three speak"},
		{100, PCMU, three, "three speak"},
		{30, Opus, three, "three speak"},
	} {
		b.Run(fmt.Sprintf("%d %v/%s", c.legs, c.codec, c.name), func(b *testing.B) {
			h := newHall(b, c.legs, c.codec, c.speaking)
			b.ReportAllocs()
			for b.Loop() {
				h.step()
			}
			const stepsInMinute = 3000
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*stepsInMinute/float64(c.legs), "CPU-s/participant-minute")
		})
	}
}

// record adds virtual legs at 16 kHz that hear one leg each, or all.
func (h *hall) record(channels int, all bool) {
	for n := range channels {
		leg := core.LegID(fmt.Sprintf("rec-%d", n))
		h.s.Attach(leg, &deaf{format: Format{Codec: L16x16, PTime: 20}})
		row := core.Hear{Leg: leg}
		for i, m := range h.members {
			if all || i == n%len(h.members) {
				row.From = append(row.From, m.id)
			}
		}
		h.s.Do(row)
	}
	for range 2 * shareAfter {
		h.step()
	}
}

// Row M7, all but the files: calls of two that are relayed, and what it costs to
// record both sides; and a conference recorded in 32 channels of everybody.
func BenchmarkRecording(b *testing.B) {
	pairs := func(b *testing.B, k Codec, calls int) *hall {
		b.Helper()
		h := newHall(b, 2*calls, k, everybody)
		for i, m := range h.members {
			h.s.Do(core.Hear{Leg: m.id, From: []core.LegID{h.members[i^1].id}})
		}
		return h
	}
	const calls, stepsInMinute = 50, 3000
	for _, k := range []Codec{PCMU, Opus} {
		for _, recorded := range []bool{false, true} {
			b.Run(fmt.Sprintf("%v/recorded %v", k, recorded), func(b *testing.B) {
				h := pairs(b, k, calls)
				if recorded {
					h.record(2*calls, false)
				}
				b.ReportAllocs()
				for b.Loop() {
					h.step()
				}
				b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*stepsInMinute/calls, "CPU-s/call-minute")
			})
		}
	}
	for _, channels := range []int{0, 32} {
		b.Run(fmt.Sprintf("30 PCMU in conference/%d channels", channels), func(b *testing.B) {
			h := newHall(b, 30, PCMU, everybody)
			h.record(channels, true)
			b.ReportAllocs()
			for b.Loop() {
				h.step()
			}
		})
	}
}

// The codecs' part of row M4, one way.
func BenchmarkTranscode(b *testing.B) {
	for _, pair := range [][2]Codec{{PCMU, PCMA}, {PCMU, Opus}, {Opus, PCMU}} {
		b.Run(pair[0].String()+"-"+pair[1].String(), func(b *testing.B) {
			out := outputOf(&deaf{})
			t := newTranscoder(new(codec.Pool), new(pacer), Format{Codec: pair[0]}, out, Format{Codec: pair[1], PTime: 20})
			out.own(t.feeder())
			enc, err := codec.NewEncoder(pair[0], speechRate)
			if err != nil || !t.open() {
				b.Fatal(err)
			}
			pcm, packets := make([]int16, speechRate/50), make([]Packet, 50)
			for n := range packets {
				for i := range pcm {
					at := float64(n*len(pcm) + i)
					pcm[i] = int16(8000 * (0.6 + 0.4*math.Sin(at/318)) * (0.6*math.Sin(at/5.8) + 0.4*math.Sin(at/1.93)))
				}
				packets[n].Buf = make([]byte, HeaderRoom+MaxPayload+TailRoom)
				if packets[n].Len, err = enc.Encode(packets[n].Buf[HeaderRoom:], pcm); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			now, n := time.Now(), 0
			for b.Loop() {
				p := packets[n%len(packets)]
				p.Seq, p.Timestamp = uint16(n), uint32(n)*pair[0].ClockRate()/50
				n++
				now = now.Add(mixTime)
				t.take(&p, now)
			}
		})
	}
}
