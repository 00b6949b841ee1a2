package jitter

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/meter"
)

// play codes a tone with k, sends it through n and returns what is heard, without
// the first second.
func play(t *testing.T, n network, k codec.Kind, rate int, freq float64) ([]int16, Stats) {
	t.Helper()
	n.frame = 20 * time.Millisecond
	enc, err := codec.NewEncoder(k, rate)
	if err != nil {
		t.Fatal(err)
	}
	dec, err := codec.NewDecoder(k, rate)
	if err != nil {
		t.Fatal(err)
	}
	frame := rate / 50
	var payloads [][]byte
	pcm := make([]int16, frame)
	for i := range int(n.length / n.frame) {
		for j := range pcm {
			pcm[j] = int16(8000 * math.Sin(2*math.Pi*freq*float64(i*frame+j)/float64(rate)))
		}
		buf := make([]byte, 1400)
		size, err := enc.Encode(buf, pcm)
		if err != nil {
			t.Fatal(err)
		}
		payloads = append(payloads, buf[:size])
	}
	b := New(Config{Rate: rate, Clock: k.ClockRate()}, dec)
	packets := n.packets(rand.New(rand.NewPCG(3, 9)))
	start := time.Unix(1000, 0)
	var all []int16
	i := 0
	for at := 5 * time.Millisecond; at < n.length-time.Second; at += n.frame {
		for ; i < len(packets) && packets[i].at <= at; i++ {
			seq := packets[i].seq
			b.Put(start.Add(packets[i].at), uint16(seq), uint32(seq)*k.ClockRate()/50, 1, payloads[seq])
		}
		b.Read(start.Add(at), pcm)
		if at > time.Second {
			all = append(all, pcm...)
		}
	}
	return all, b.Stats()
}

// Cuts and repetitions must not be heard in what is hardest to cut: a pure tone.
func TestToneStaysPure(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name string
		net  network
		kind codec.Kind
		rate int
		freq float64
	}{
		{"1000 ppm fast", network{skew: 1000, length: time.Minute}, codec.PCMU, 8000, 440},
		{"1000 ppm slow", network{skew: -1000, length: time.Minute}, codec.PCMA, 8000, 1004},
		{"1000 ppm slow at 16 kHz", network{skew: -1000, length: time.Minute}, codec.Opus, 16000, 613},
		{"1000 ppm fast at 48 kHz", network{skew: 1000, length: time.Minute}, codec.Opus, 48000, 350},
		{"jitter, then calm", network{jitter: 60 * ms, calmAfter: 4 * time.Second, length: 20 * time.Second}, codec.PCMU, 8000, 440},
	} {
		pcm, stats := play(t, c.net, c.kind, c.rate, c.freq)
		worst := 1.0
		for window := c.rate / 20; len(pcm) >= window; pcm = pcm[window:] { // 50 ms
			worst = min(worst, meter.Purity(pcm[:window], c.rate, c.freq))
		}
		if worst < 0.95 {
			t.Errorf("%s: 50 ms of purity %.3f; %+v", c.name, worst, stats)
		}
	}
}
