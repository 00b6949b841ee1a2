package media_test

import (
	"fmt"
	"math"
	"math/rand/v2"
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
	silent bool       // sends nothing
	ear    []int16    // the last second of what it hears
	last   heard
	when   time.Time       // last came
	gap    time.Duration   // longest between two packets
	slips  []string        // what is wrong with the stream
	begin  time.Time       // first came, with timestamp 0
	stamp  time.Duration   // timestamp of the last
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
		p.mu.Lock()
		silent := p.silent
		p.mu.Unlock()
		if !silent {
			_, _ = p.conn.WriteToUDPAddrPort(packet, p.to)
		}
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
		if lag := slices.Min(p.lags); lag.Abs() > 50*time.Millisecond {
			slips = append(slips, fmt.Sprintf("timestamps lag %v behind the time", lag))
		}
	}
	return slips, p.gap
}

func (p *phone) quiet(silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = silent
}

// loudness returns the peak of the tone at freq in pcm.
func loudness(pcm []int16, freq float64) float64 {
	var energy float64
	for _, s := range pcm {
		energy += float64(s) * float64(s)
	}
	return math.Sqrt(2 * energy / float64(max(1, len(pcm))) * meter.Purity(pcm, 8000, freq))
}

// hears reports whether the last 100 ms of p are the tones of exactly these.
func (p *phone) hears(all []*phone, row []core.LegID) bool {
	pcm := p.sound(100 * time.Millisecond)
	for _, other := range all {
		tone := loudness(pcm, other.freq) / voicePeak
		if wanted := slices.Contains(row, other.leg); wanted && (tone < 0.6 || tone > 1.4) || !wanted && tone > 0.1 {
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
