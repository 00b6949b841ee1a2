package media_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/meter"
)

// voicePeak is how loud each phone of a conference speaks; six of them stay below
// full scale.
const voicePeak = 4000

// studio is a Server whose phones need no network. All of it runs in the time of
// a synctest bubble.
type studio struct {
	t      *testing.T
	server *media.Server
	stop   chan struct{}
	speak  sync.WaitGroup
	phones int
}

// inStudio runs f in a studio, and ends it when f has returned.
func inStudio(t *testing.T, f func(s *studio)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &studio{t: t, server: media.NewServer(media.Config{}), stop: make(chan struct{})}
		defer s.server.Close()
		defer s.speak.Wait()
		defer close(s.stop)
		f(s)
	})
}

// phone speaks a tone and listens, 20 ms after 20 ms. It is the path to itself.
type phone struct {
	*line
	party         // without socket
	freq  float64 // guarded by mu while the phone speaks

	reading sync.Mutex // serialises what comes from it

	mu     sync.Mutex // guards what follows
	ear    []int16    // the last second of what it hears
	hush   int        // samples of silence at its end
	hushed int        // longest silence so far
	last   heard
	when   time.Time       // last came
	gap    time.Duration   // longest between two packets
	begin  time.Time       // first came, with timestamp 0
	passed time.Duration   // timestamp of the last
	lags   []time.Duration // how far timestamps lag behind the time, for a second
	slips  []string        // what is wrong with the stream
	events []heard
}

// offbeat is when phone n begins to speak: no two phones, mixes, sounds or steps of
// a test, which all count milliseconds, shall ever meet at one virtual instant, where
// who comes first is up to the scheduler.
func offbeat(n int) time.Duration {
	return time.Duration(50+700*n%20000) * time.Microsecond
}

// call makes a phone join and speak until the test ends.
func (s *studio) call(leg core.LegID, k media.Codec, freq float64) *phone {
	s.t.Helper()
	p := &phone{line: newLine(k), party: party{t: s.t, leg: leg, format: formatOf(k)}, freq: freq}
	var err error
	if p.enc, err = codec.NewEncoder(k, 8000); err != nil {
		s.t.Fatal(err)
	}
	if p.dec, err = codec.NewDecoder(k, 8000); err != nil {
		s.t.Fatal(err)
	}
	s.server.Attach(leg, p)
	begin := offbeat(s.phones)
	s.phones++
	s.speak.Go(func() {
		time.Sleep(begin)
		p.speak(s.stop)
	})
	return p
}

// speak sends the tone.
func (p *phone) speak(stop <-chan struct{}) {
	pcm := make([]int16, 160)
	clock := time.NewTicker(20 * time.Millisecond)
	defer clock.Stop()
	for n := 0; ; n++ {
		p.mu.Lock()
		freq := p.freq
		p.mu.Unlock()
		for i := range pcm {
			pcm[i] = int16(voicePeak * math.Sin(2*math.Pi*freq*float64(160*n+i)/8000))
		}
		p.mu.Lock()
		packet := parsed(p.packet(pcm))
		p.mu.Unlock()
		p.arrive(packet)
		select {
		case <-stop:
			return
		case <-clock.C:
		}
	}
}

// arrive delivers a packet of p, one after the other as a path does.
func (p *phone) arrive(packet *media.Packet) {
	p.reading.Lock()
	defer p.reading.Unlock()
	p.line.arrive(packet)
}

// parsed returns a datagram as a path delivers it.
func parsed(datagram []byte) *media.Packet {
	p := &media.Packet{
		Buf: make([]byte, media.HeaderRoom+media.MaxPayload+media.TailRoom), Len: len(datagram) - 12, Type: datagram[1] & 0x7f,
		Seq: binary.BigEndian.Uint16(datagram[2:]), Timestamp: binary.BigEndian.Uint32(datagram[4:]), SSRC: 1,
	}
	copy(p.Payload(), datagram[12:])
	return p
}

// Send implements media.Path: p hears.
func (p *phone) Send(packet *media.Packet) {
	h := heard{seq: packet.Seq, stamp: packet.Timestamp, kind: packet.Type, marker: packet.Marker, payload: slices.Clone(packet.Payload())}
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if h.kind == p.party.format.SendDTMF {
		p.events = append(p.events, h)
		p.last.seq = h.seq
		return
	}
	pcm := make([]int16, 960)
	n, err := p.dec.Decode(pcm, h.payload)
	if err != nil {
		p.slips = append(p.slips, err.Error())
	}
	if p.begin.IsZero() {
		p.begin = now
	} else {
		p.check(h, now)
	}
	p.ear = append(p.ear, pcm[:n]...)
	p.ear = p.ear[max(0, len(p.ear)-8000):]
	for _, s := range pcm[:n] {
		if p.hush++; s > 200 || s < -200 {
			p.hush = 0
		}
		p.hushed = max(p.hushed, p.hush)
	}
	p.last, p.when = h, now
}

// check compares h with the packet before it.
func (p *phone) check(h heard, now time.Time) {
	clock := time.Duration(p.party.format.Codec.ClockRate())
	passed := time.Duration(int32(h.stamp-p.last.stamp)) * time.Second / clock
	p.gap = max(p.gap, now.Sub(p.when))
	p.passed += passed
	p.lags = append(p.lags, now.Sub(p.begin)-p.passed)
	p.lags = p.lags[max(0, len(p.lags)-50):]
	switch {
	case h.seq != p.last.seq+1:
		p.slips = append(p.slips, "a number is missing")
	case passed <= 0:
		p.slips = append(p.slips, "timestamps do not advance")
	}
}

// sound returns the last of what p hears.
func (p *phone) sound(length time.Duration) []int16 {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := int(length.Seconds() * 8000)
	return slices.Clone(p.ear[max(0, len(p.ear)-n):])
}

// forget begins to listen anew.
func (p *phone) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ear, p.gap, p.hushed = nil, 0, 0
}

// faults returns what was wrong with the stream so far, and its longest gap.
func (p *phone) faults() ([]string, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	slips := slices.Clone(p.slips)
	if len(p.lags) > 0 {
		if lag := slices.Min(p.lags); lag.Abs() > 30*time.Millisecond {
			slips = append(slips, fmt.Sprintf("timestamps lag %v behind the time", lag))
		}
	}
	return slips, p.gap
}

// keys returns the telephone-events that came.
func (p *phone) keys() []heard {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.events)
}

// loudness returns the peak of the tone at freq in pcm.
func loudness(pcm []int16, freq float64) float64 {
	var energy float64
	for _, s := range pcm {
		energy += float64(s) * float64(s)
	}
	return math.Sqrt(2 * energy / float64(max(1, len(pcm))) * meter.Purity(pcm, 8000, freq))
}

// hears reports whether the last 100 ms of p are the tones of exactly these. Opus
// at 12 kbit/s does not keep the levels of five at once.
func (p *phone) hears(all []*phone, row []core.LegID) bool {
	pcm := p.sound(100 * time.Millisecond)
	for _, other := range all {
		tone := loudness(pcm, other.freq) / voicePeak
		if wanted := slices.Contains(row, other.leg); wanted && (tone < 0.3 || tone > 1.5) || !wanted && tone > 0.1 {
			return false
		}
	}
	return len(pcm) == 800
}

// randomRows returns who hears whom: everybody anybody but himself.
func randomRows(r *rand.Rand, all []*phone) map[core.LegID][]core.LegID {
	rows := make(map[core.LegID][]core.LegID)
	for _, listener := range all {
		for _, speaker := range all {
			if listener != speaker && r.IntN(2) == 0 {
				rows[listener.leg] = append(rows[listener.leg], speaker.leg)
			}
		}
	}
	return rows
}

func TestToneBetweenAllCodecs(t *testing.T) {
	for _, pair := range [][2]media.Codec{
		{media.PCMU, media.PCMU},
		{media.PCMU, media.PCMA},
		{media.PCMA, media.PCMA},
		{media.Opus, media.PCMU},
		{media.Opus, media.PCMA},
		{media.Opus, media.Opus},
		{media.G722, media.G722},
		{media.G722, media.PCMA},
		{media.G722, media.Opus},
	} {
		inStudio(t, func(s *studio) {
			all := []*phone{s.call("a", pair[0], 1000), s.call("b", pair[1], 440)}
			s.conference(all)
			time.Sleep(time.Second)
			for i, p := range all {
				if purity := meter.Purity(p.sound(500*time.Millisecond), 8000, all[1-i].freq); purity < 0.95 {
					t.Errorf("%v and %v: %s hears the other at %.3f", pair[0], pair[1], p.leg, purity)
				}
			}
		})
	}
}

func TestMatrix(t *testing.T) {
	inStudio(t, func(s *studio) {
		var all []*phone
		for i, k := range []media.Codec{media.PCMU, media.PCMA, media.Opus, media.G722, media.Opus, media.PCMA} {
			all = append(all, s.call(core.LegID(rune('a'+i)), k, []float64{400, 700, 1000, 1300, 1700, 2100}[i]))
		}
		r := rand.New(rand.NewPCG(1, 2))
		for n := range 20 {
			rows := randomRows(r, all)
			for _, p := range all {
				s.server.Do(core.Hear{Leg: p.leg, From: rows[p.leg]})
				if rows[p.leg] == nil {
					p.forget() // no packets come to tell of the silence
				}
			}
			time.Sleep(300 * time.Millisecond) // 200, and 100 to listen
			for _, p := range all {
				if row := rows[p.leg]; row != nil && !p.hears(all, row) {
					t.Errorf("matrix %d: %s does not hear just %v", n, p.leg, row)
				}
			}
		}
		for _, p := range all {
			if slips, _ := p.faults(); len(slips) > 0 {
				t.Errorf("%s: %d faults, first %s", p.leg, len(slips), slips[0])
			}
		}
	})
}

// conference lets all hear all others.
func (s *studio) conference(all []*phone) {
	for _, p := range all {
		s.server.Do(core.Hear{Leg: p.leg, From: without(all, p)})
	}
}

func without(all []*phone, p *phone) []core.LegID {
	var row []core.LegID
	for _, other := range all {
		if other != p {
			row = append(row, other.leg)
		}
	}
	return row
}

// Three of fifty-four speak; OFFHOOK_LONG=1 makes it last a minute.
func TestConference(t *testing.T) {
	length := 5 * time.Second
	switch {
	case os.Getenv("OFFHOOK_LONG") != "":
		length = time.Minute
	case underRace:
		length = time.Second
	}
	inStudio(t, func(s *studio) {
		var all, speakers []*phone
		for i := range 54 {
			k, freq := media.PCMU, 0.0
			if i >= 50 {
				k = media.Opus
			}
			if i%25 == 1 { // 1, 26 and 51, which has Opus
				freq = 500 + 20*float64(i)
			}
			p := s.call(core.LegID(fmt.Sprintf("p%02d", i)), k, freq)
			if all = append(all, p); freq > 0 {
				speakers = append(speakers, p)
			}
			s.conference(all)
		}
		time.Sleep(600 * time.Millisecond) // a decoder of Opus that begins within a tone needs 300
		checks := 0
		for end := time.Now().Add(length); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			for _, p := range all {
				if checks++; !p.hears(speakers, without(speakers, p)) {
					t.Fatalf("%s hears anything else than the three", p.leg)
				}
			}
		}
		var longest time.Duration
		for _, p := range all {
			slips, gap := p.faults()
			if longest = max(longest, gap); len(slips) > 0 {
				t.Errorf("%s: %d faults, first %s", p.leg, len(slips), slips[0])
			}
		}
		t.Logf("%d checks, longest gap %v", checks, longest)
		for _, p := range all {
			s.server.Detach(p.leg)
		}
		if n := s.server.Legs(); n != 0 {
			t.Errorf("%d legs are left", n)
		}
	})
}

// Of a call of two, which is relayed, to three and back.
func TestCallBecomesAConferenceAndBack(t *testing.T) {
	for _, k := range []media.Codec{media.PCMU, media.PCMA, media.Opus} {
		inStudio(t, func(s *studio) {
			all := []*phone{s.call("a", k, 400), s.call("b", media.PCMU, 1000), s.call("c", media.PCMA, 1700)}
			two := all[:2]
			expect := func(who []*phone) {
				t.Helper()
				time.Sleep(300 * time.Millisecond)
				for _, p := range who {
					if !p.hears(all, without(who, p)) {
						t.Errorf("%v: %s does not hear just the others of %d", k, p.leg, len(who))
					}
				}
			}
			s.conference(two)
			expect(two)
			all[0].forget()
			all[1].forget()
			for n := range 10 {
				time.Sleep(time.Duration(7*n) * time.Millisecond) // at any time between two packets
				s.conference(all)
				expect(all)
				s.server.Do(core.Hear{Leg: "c"})
				s.conference(two)
				expect(two)
			}
			for _, p := range two {
				slips, gap := p.faults()
				silence := time.Duration(p.hushed) * time.Second / 8000
				if t.Logf("%v: %s: longest gap %v, silence %v", k, p.leg, gap, silence); silence > 20*time.Millisecond {
					t.Errorf("%v: %s: %v of silence", k, p.leg, silence)
				}
				if len(slips) > 0 || gap > 40*time.Millisecond {
					t.Errorf("%v: %s: %d faults %v, longest time without a packet %v", k, p.leg, len(slips), slips, gap)
				}
			}
		})
	}
}

// One voice passes at its level; silent phones add nothing.
func TestMixKeepsTheLevel(t *testing.T) {
	for _, k := range []media.Codec{media.PCMU, media.PCMA, media.Opus} {
		inStudio(t, func(s *studio) {
			all := []*phone{s.call("s", media.PCMU, 1000), s.call("x", k, 0), s.call("y", media.PCMA, 0)}
			s.conference(all)
			time.Sleep(time.Second)
			pcm := all[1].sound(400 * time.Millisecond)
			off := 20 * math.Log10(loudness(pcm, 1000)/voicePeak)
			if t.Logf("%v: %.2f dB, purity %.4f", k, off, meter.Purity(pcm, 8000, 1000)); math.Abs(off) > 0.3 {
				t.Errorf("%v: the voice is %.2f dB off", k, off)
			}
		})
	}
}

// A party of a conference presses a key: all others are told, and hear on.
func TestTelephoneEventsPassThroughAMix(t *testing.T) {
	inStudio(t, func(s *studio) {
		all := []*phone{s.call("a", media.PCMU, 400), s.call("b", media.Opus, 1000), s.call("c", media.PCMA, 1700)}
		s.conference(all)
		time.Sleep(300 * time.Millisecond)
		key := party{t: t, format: all[0].party.format, seq: 30000, stamp: 777}
		for i := range 4 {
			event := make([]byte, 16)
			key.head(event, key.format.RecvDTMF)
			copy(event[12:], []byte{7, 10 | byte(i/3<<7), 0, 0}) // the last is the end
			binary.BigEndian.PutUint16(event[14:], uint16(160*(i+1)))
			all[0].arrive(parsed(event))
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(300 * time.Millisecond)
		b := all[1]
		if !b.hears(all, without(all, b)) {
			t.Error("the voices are not heard behind the key")
		}
		events := b.keys()
		if slips, _ := b.faults(); len(slips) > 0 || len(events) != 4 {
			t.Fatalf("%d packets of the key came, faults %v", len(events), slips)
		}
		for i, h := range events {
			if h.payload[0] != 7 || binary.BigEndian.Uint16(h.payload[2:]) != uint16(960*(i+1)) || h.stamp != events[0].stamp {
				t.Errorf("event %d is %v at %d", i, h.payload, h.stamp)
			}
		}
	})
}

// A listener shares what others hear while it says nothing, and hears no seam
// when it begins to speak or is silent again.
func TestSharedEncodingHasNoSeam(t *testing.T) {
	for _, k := range []media.Codec{media.Opus, media.G722, media.PCMA} {
		inStudio(t, func(s *studio) {
			all := []*phone{s.call("s", media.PCMU, 437), s.call("x", k, 0), s.call("y", k, 0), s.call("z", k, 0)}
			s.conference(all)
			time.Sleep(3 * time.Second)
			z := all[3]
			for n := range 6 {
				z.mu.Lock()
				z.freq = float64(1100 * (1 - n%2))
				z.mu.Unlock()
				for range 2 { // it shares a second after it fell silent
					time.Sleep(800 * time.Millisecond)
					pcm := z.sound(time.Second)
					if g, p := meter.Glitches(pcm, 8000, 437), meter.Purity(pcm, 8000, 437); g > 0 || p < 0.95 {
						t.Errorf("%v: change %d: %d glitches, purity %.4f", k, n, g, p)
					}
				}
			}
			if slips, _ := z.faults(); len(slips) > 0 {
				t.Errorf("%v: %v", k, slips)
			}
		})
	}
}

// Row D2: a press whose end is lost on the way is ended for the listener, when the
// voice goes on or the next key is pressed.
func TestEveryPressHasAnEnd(t *testing.T) {
	for _, c := range []struct {
		name string
		to   media.Codec
		legs int
	}{{"relayed", media.PCMU, 2}, {"transcoded", media.Opus, 2}, {"mixed", media.PCMA, 3}} {
		inStudio(t, func(s *studio) {
			all := []*phone{s.call("a", media.PCMU, 400), s.call("b", c.to, 1000), s.call("c", media.PCMA, 0)}
			s.conference(all[:c.legs])
			time.Sleep(310 * time.Millisecond) // half-way between two packets of his voice
			keys := []byte{7, 3, 9}
			for n, key := range keys {
				pressing := party{t: t, format: all[0].party.format, stamp: 777 + uint32(n)}
				for i := range 3 { // the rest is lost
					all[0].mu.Lock()
					pressing.seq = all[0].seq
					all[0].seq++
					all[0].mu.Unlock()
					event := make([]byte, 16)
					pressing.head(event, pressing.format.RecvDTMF)
					copy(event[12:], []byte{key, 10, 0, byte(160 * i / 256)})
					all[0].arrive(parsed(event))
					time.Sleep(20 * time.Millisecond)
				}
			}
			time.Sleep(500 * time.Millisecond)
			b := all[1]
			var ended []byte
			for _, h := range b.keys() {
				if h.payload[1]&0x80 != 0 {
					ended = append(ended, h.payload[0])
				}
			}
			if slips, _ := b.faults(); !slices.Equal(ended, keys) || len(slips) > 0 {
				t.Errorf("%s: ends of %v came, want %v; %v", c.name, ended, keys, slips)
			}
		})
	}
}
