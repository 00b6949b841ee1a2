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
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/testkit"
)

// voicePeak is how loud each phone of a conference speaks; six of them stay below
// full scale.
const voicePeak = 4000

// phone is a party that speaks a tone and listens, 20 ms after 20 ms.
type phone struct {
	*party
	freq float64

	mu     sync.Mutex // guards what follows
	ear    []int16    // the last second of what it hears
	last   heard
	when   time.Time     // last came
	gap    time.Duration // longest between two packets
	slips  []string      // what is wrong with the stream
	begin  time.Time     // first came, with timestamp 0
	stamp  time.Duration // timestamp of the last
	events []heard
	lags   []time.Duration // how far timestamps lag behind the time, for a second
}

// call makes a phone join and speak until the test ends.
func (o *office) call(leg core.LegID, k media.Codec, freq float64) *phone {
	o.t.Helper()
	p := &phone{party: o.join(leg, k), freq: freq}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { p.speak(stop) })
	wg.Go(p.hear)
	o.t.Cleanup(func() {
		close(stop)
		_ = p.conn.Close() // ends hear
		wg.Wait()
	})
	return p
}

// speak sends the tone on an absolute schedule.
func (p *phone) speak(stop <-chan struct{}) {
	pcm := make([]int16, 160)
	next := time.Now()
	for n := 0; ; n++ {
		for i := range pcm {
			pcm[i] = int16(voicePeak * math.Sin(2*math.Pi*p.freq*float64(160*n+i)/8000))
		}
		packet := p.packet(pcm)
		_, _ = p.conn.WriteToUDPAddrPort(packet, p.to)
		next = next.Add(20 * time.Millisecond)
		select {
		case <-stop:
			return
		case <-time.After(time.Until(next)):
		}
	}
}

// hear decodes what comes and checks that it is one stream.
func (p *phone) hear() {
	for {
		h, ok := p.next()
		if !ok {
			return
		}
		if h.kind == p.format.SendDTMF {
			p.mu.Lock()
			p.events = append(p.events, h)
			p.last.seq = h.seq
			p.mu.Unlock()
			continue
		}
		pcm := make([]int16, 960)
		n, err := p.dec.Decode(pcm, h.payload)
		now := time.Now()
		p.mu.Lock()
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
		p.last, p.when = h, now
		p.mu.Unlock()
	}
}

// check compares h with the packet before it.
func (p *phone) check(h heard, now time.Time) {
	clock := time.Duration(p.format.Codec.ClockRate())
	passed := time.Duration(int32(h.stamp-p.last.stamp)) * time.Second / clock
	p.gap = max(p.gap, now.Sub(p.when))
	p.stamp += passed
	p.lags = append(p.lags, now.Sub(p.begin)-p.stamp)
	p.lags = p.lags[max(0, len(p.lags)-50):]
	switch {
	case h.ssrc != p.last.ssrc:
		p.slips = append(p.slips, "another SSRC")
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
	p.ear, p.gap = nil, 0
}

// faults returns what was wrong with the stream so far, and its longest gap.
func (p *phone) faults() ([]string, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	slips := slices.Clone(p.slips)
	if len(p.lags) > 0 {
		if lag := slices.Min(p.lags); lag.Abs() > 150*time.Millisecond {
			slips = append(slips, fmt.Sprintf("timestamps lag %v behind the time", lag))
		}
	}
	return slips, p.gap
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

func TestMatrix(t *testing.T) {
	o := newOffice(t)
	var all []*phone
	for i, k := range []media.Codec{media.PCMU, media.PCMA, media.Opus, media.PCMU, media.Opus, media.PCMA} {
		all = append(all, o.call(core.LegID(rune('a'+i)), k, []float64{400, 700, 1000, 1300, 1700, 2100}[i]))
	}
	r := rand.New(rand.NewPCG(1, 2))
	late := 0
	for n := range 20 {
		rows := randomRows(r, all)
		begin := time.Now()
		for leg, from := range rows {
			o.server.Do(core.Hear{Leg: leg, From: from})
		}
		for _, p := range all {
			if rows[p.leg] == nil {
				o.server.Do(core.Hear{Leg: p.leg})
				p.forget() // no packets come to tell of the silence
			}
		}
		testkit.Eventually(t, 3*time.Second, "everybody to hear exactly his set", func() bool {
			for _, p := range all {
				if row := rows[p.leg]; row != nil && !p.hears(all, row) {
					return false
				}
			}
			return true
		})
		if took := time.Since(begin); took > 300*time.Millisecond { // 200, and 100 to listen
			late++
			t.Logf("matrix %d took %v", n, took)
		}
	}
	if late > 3 {
		t.Errorf("%d of 20 matrices are late", late)
	}
	for _, p := range all {
		slips, gap := p.faults()
		t.Logf("%s: longest gap %v", p.leg, gap)
		if len(slips) > 0 {
			t.Errorf("%s: %d faults, first %s", p.leg, len(slips), slips[0])
		}
	}
}

// conference lets all hear all others.
func (o *office) conference(all []*phone) {
	for _, p := range all {
		o.server.Do(core.Hear{Leg: p.leg, From: without(all, p)})
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

// Three of fifty-four speak; OFFHOOK_LONG=1 lets it last a minute.
func TestConference(t *testing.T) {
	length := 2 * time.Second
	if os.Getenv("OFFHOOK_LONG") != "" {
		length = time.Minute
	}
	o := newOffice(t)
	var all, speakers []*phone
	for i := range 54 {
		k, freq := media.PCMU, 0.0
		if i >= 50 {
			k = media.Opus
		}
		if i%25 == 1 { // 1, 26 and 51, which has Opus
			freq = 500 + 20*float64(i)
		}
		p := o.call(core.LegID(fmt.Sprintf("p%02d", i)), k, freq)
		if all = append(all, p); freq > 0 {
			speakers = append(speakers, p)
		}
		o.conference(all)
	}
	testkit.Eventually(t, 10*time.Second, "everybody to hear the three", func() bool {
		return !slices.ContainsFunc(all, func(p *phone) bool { return !p.hears(speakers, without(speakers, p)) })
	})
	checks, wrong := 0, 0
	for end := time.Now().Add(length); time.Now().Before(end); {
		for _, p := range all {
			if checks++; !p.hears(speakers, without(speakers, p)) {
				wrong++
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	if wrong > checks/50 { // a busy machine's hiccup
		t.Errorf("%d of %d times somebody heard anything else", wrong, checks)
	}
	var longest time.Duration
	for _, p := range all {
		slips, gap := p.faults()
		if longest = max(longest, gap); len(slips) > 0 {
			t.Errorf("%s: %d faults, first %s", p.leg, len(slips), slips[0])
		}
	}
	t.Logf("%d of %d checks wrong, longest gap %v", wrong, checks, longest)
	for _, p := range all {
		o.server.Detach(p.leg)
	}
	if n := o.server.Legs(); n != 0 {
		t.Errorf("%d legs are left", n)
	}
}

// Of a call of two, which is relayed, to three and back.
func TestCallBecomesAConferenceAndBack(t *testing.T) {
	for _, k := range []media.Codec{media.PCMU, media.Opus} {
		t.Run(k.String(), func(t *testing.T) {
			o := newOffice(t)
			all := []*phone{o.call("a", k, 400), o.call("b", media.PCMU, 1000), o.call("c", media.PCMA, 1700)}
			two := all[:2]
			o.conference(two)
			hears := func(who []*phone) func() bool {
				return func() bool {
					return !slices.ContainsFunc(who, func(p *phone) bool { return !p.hears(all, without(who, p)) })
				}
			}
			testkit.Eventually(t, 3*time.Second, "two to talk", hears(two))
			all[0].forget()
			all[1].forget()
			for range 5 {
				o.conference(all)
				testkit.Eventually(t, 3*time.Second, "three to talk", hears(all))
				o.server.Do(core.Hear{Leg: "c"})
				o.conference(two)
				testkit.Eventually(t, 3*time.Second, "two to talk again", hears(two))
			}
			for _, p := range two {
				slips, gap := p.faults()
				if t.Logf("%s: longest gap %v", p.leg, gap); len(slips) > 0 || gap > 60*time.Millisecond {
					t.Errorf("%s: %d faults %v, longest time without a packet %v", p.leg, len(slips), slips, gap)
				}
			}
		})
	}
}

// One voice passes at its level; silent phones add nothing.
func TestMixKeepsTheLevel(t *testing.T) {
	for _, k := range []media.Codec{media.PCMU, media.PCMA, media.Opus} {
		o := newOffice(t)
		speaker := o.call("s", media.PCMU, 1000)
		all := []*phone{speaker, o.call("x", k, 0), o.call("y", media.PCMA, 0)}
		o.conference(all)
		testkit.Eventually(t, 3*time.Second, "the voice", func() bool { return all[1].hears(all[:1], []core.LegID{"s"}) })
		all[1].forget()
		testkit.Eventually(t, 3*time.Second, "half a second of it", func() bool { return len(all[1].sound(time.Second)) >= 4000 })
		pcm := all[1].sound(400 * time.Millisecond)
		if off := 20 * math.Log10(loudness(pcm, 1000)/voicePeak); math.Abs(off) > 0.3 {
			t.Errorf("%v: the voice is %.2f dB off", k, off)
		} else {
			t.Logf("%v: %.2f dB, purity %.4f", k, off, meter.Purity(pcm, 8000, 1000))
		}
	}
}

// A party of a conference presses a key: all others are told, and hear on.
func TestTelephoneEventsPassThroughAMix(t *testing.T) {
	o := newOffice(t)
	all := []*phone{o.call("a", media.PCMU, 400), o.call("b", media.Opus, 1000), o.call("c", media.PCMA, 1700)}
	o.conference(all)
	b := all[1]
	testkit.Eventually(t, 3*time.Second, "three to talk", func() bool { return b.hears(all, without(all, b)) })
	b.mu.Lock()
	b.events = nil
	b.mu.Unlock()
	stranger := *all[0].party // the same phone, with numbers of its own for events
	for i := range 4 {
		event := make([]byte, 16)
		stranger.seq = 30000 + uint16(i)
		stranger.head(event, stranger.format.RecvDTMF)
		copy(event[12:], []byte{7, 10, 0, 0})
		binary.BigEndian.PutUint16(event[14:], uint16(160*(i+1)))
		stranger.send(event)
	}
	testkit.Eventually(t, 3*time.Second, "four packets of the key", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.events) == 4
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, h := range b.events {
		if h.payload[0] != 7 || binary.BigEndian.Uint16(h.payload[2:]) != uint16(960*(i+1)) || h.stamp != b.events[0].stamp {
			t.Errorf("event %d is %v at %d", i, h.payload, h.stamp)
		}
	}
}
