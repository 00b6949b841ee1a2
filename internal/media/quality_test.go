package media_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/media/resample"
)

// speech is 20 s of a voice at 8000 Hz: our announcements.
func speech(t *testing.T) []int16 {
	t.Helper()
	var pcm []int16
	for _, name := range []string{"busy", "closed", "failed", "no-answer", "unreachable", "declined"} {
		f, err := os.Open("../speech/prompts/" + name + ".wav")
		if err != nil {
			t.Fatal(err)
		}
		_, samples, err := file.DecodeWAV(f)
		_ = f.Close()
		if err != nil {
			t.Fatal(err)
		}
		pcm = append(pcm, samples...)
	}
	return pcm[:len(pcm)/160*160]
}

// network says when packet n, sent every 20 ms, comes: never, once or twice, each
// time so much later.
type network func(r *rand.Rand, n int) []time.Duration

func clean(*rand.Rand, int) []time.Duration { return []time.Duration{0} }

func loss(share float64) network {
	return func(r *rand.Rand, _ int) []time.Duration {
		if r.Float64() < share {
			return nil
		}
		return []time.Duration{0}
	}
}

// burst loses three packets in a row.
func burst(share float64) network {
	left := 0
	return func(r *rand.Rand, _ int) []time.Duration {
		if left == 0 && r.Float64() < share/(3-2*share) {
			left = 3
		}
		if left > 0 {
			left--
			return nil
		}
		return []time.Duration{0}
	}
}

// jitter holds packets for up to most, in order, until packet end.
func jitter(most time.Duration, end int) network {
	last := time.Duration(0)
	return func(r *rand.Rand, n int) []time.Duration {
		late := time.Duration(0)
		if n < end {
			late = time.Duration(r.Float64() * float64(most))
		}
		late = max(late, last-20*time.Millisecond)
		last = late
		return []time.Duration{late}
	}
}

// muddle holds 2 % of packets for 25 or 45 ms and brings 2 % twice.
func muddle(r *rand.Rand, _ int) []time.Duration {
	switch x := r.Float64(); {
	case x < 0.01:
		return []time.Duration{25 * time.Millisecond}
	case x < 0.02:
		return []time.Duration{45 * time.Millisecond}
	case x < 0.04:
		return []time.Duration{0, time.Millisecond}
	}
	return []time.Duration{0}
}

// ear is a line that keeps what is sent to it.
type ear struct {
	*line
	begin time.Time
	stall time.Duration // for how long it lets nobody go on who sends at stallAt
	mu    sync.Mutex
	came  []sound
}

type sound struct {
	at    time.Duration
	stamp uint32
	seq   uint16
	data  []byte
}

// lossy is an ear whose far end says that it loses a tenth of our packets.
type lossy struct{ *ear }

func (lossy) Stats() media.Stats { return media.Stats{FarLost: 10} }

func (e *ear) Send(p *media.Packet) {
	e.stand()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.came = append(e.came, sound{time.Since(e.begin), p.Timestamp, p.Seq, slices.Clone(p.Payload())})
}

// stand keeps who sends while the machine stands still.
func (e *ear) stand() {
	e.mu.Lock()
	at := e.begin.Add(stallAt * 20 * time.Millisecond)
	e.mu.Unlock()
	if now := time.Now(); e.stall > 0 && !now.Before(at) {
		time.Sleep(at.Add(e.stall).Sub(now))
	}
}

// always is no packet at which it ends.
const always = math.MaxInt

// trial is speech on its way from one leg to another.
type trial struct {
	from, to media.Codec
	through  network
	skew     float64 // how much faster than ours his clock is
	mixed    bool
	copies   bool // he sends copies of each frame of Opus
	stall    time.Duration
}

// outcome is how it was heard.
type outcome struct {
	meter.Comparison
	delay, delay99 time.Duration
	lateness       time.Duration // of packets to the listener, 99 of 100
	last           time.Duration // delay of the last two seconds
	heard          []int16
}

func (o outcome) String() string {
	return fmt.Sprintf("lost %.2f%% corr %.4f gain %+.2f dB delay %v / %v, lateness %v, at the end %v (sure %.0f)",
		100*o.Lost, o.Corr, o.Gain, o.delay.Round(100*time.Microsecond), o.delay99.Round(100*time.Microsecond),
		o.lateness.Round(100*time.Microsecond), o.last.Round(100*time.Microsecond), o.Sure)
}

func (c trial) run(t *testing.T, said []int16) (got outcome) {
	t.Helper()
	if underRace {
		t.Skip("measures, and finds no races")
	}
	synctest.Test(t, func(t *testing.T) {
		server := media.NewServer(media.Config{})
		defer server.Close()
		a, b := newLine(c.from), &ear{line: newLine(c.to), begin: time.Now(), stall: c.stall}
		server.Attach("a", a)
		server.Attach("b", b)
		row := core.Hear{Leg: "b", From: []core.LegID{"a"}}
		if c.mixed {
			server.Attach("c", newLine(media.PCMU))
			row.From = append(row.From, "c")
		}
		server.Do(row)
		time.Sleep(13 * time.Millisecond) // so that no packet meets a step of the mix at one virtual instant
		b.mu.Lock()
		b.begin = time.Now()
		b.mu.Unlock()
		c.speak(t, a, said)
		time.Sleep(500 * time.Millisecond)
		server.Do(core.Hear{Leg: "b"})
		synctest.Wait()
		got = b.judge(t, said, c)
	})
	return got
}

// speak sends said through the network.
func (c trial) speak(t *testing.T, a *line, said []int16) {
	t.Helper()
	type arrival struct {
		at     time.Duration
		packet *media.Packet
	}
	rate := 8000
	if c.from == media.Opus { // phones and browsers code all they hear
		rate = 48000
		up := resample.New(8000, rate)
		said = up.Flush(up.Append(nil, said))
	}
	enc, err := codec.NewEncoder(c.from, rate)
	if err != nil {
		t.Fatal(err)
	}
	frame := rate / 50
	if aware, ok := enc.(codec.LossAware); ok && c.copies {
		aware.ExpectLoss(10)
	}
	var list []arrival
	r := rand.New(rand.NewPCG(7, 7))
	pace := 20 * time.Millisecond
	for n := range len(said) / frame {
		p := &media.Packet{
			Buf: make([]byte, media.HeaderRoom+media.MaxPayload+media.TailRoom), Type: a.format.RecvType,
			Seq: uint16(n), Timestamp: uint32(n) * c.from.ClockRate() / 50, SSRC: 1,
		}
		if p.Len, err = enc.Encode(p.Buf[media.HeaderRoom:], said[frame*n:frame*(n+1)]); err != nil {
			t.Fatal(err)
		}
		sent := time.Duration(float64(time.Duration(n)*pace) * (1 - c.skew))
		for _, late := range c.through(r, n) {
			list = append(list, arrival{sent + late, p})
		}
	}
	slices.SortStableFunc(list, func(a, b arrival) int { return int(a.at - b.at) })
	begin := time.Now()
	for _, next := range list {
		time.Sleep(time.Until(begin.Add(next.at)))
		a.arrive(next.packet)
	}
}

// judge plays what came as a simple phone does: packets at the place of their
// timestamp, those more than 80 ms behind the earliest not at all.
func (e *ear) judge(t *testing.T, said []int16, c trial) (got outcome) {
	t.Helper()
	const wait = 80 * time.Millisecond
	dec, err := codec.NewDecoder(c.to, 8000)
	if err != nil || len(e.came) == 0 {
		t.Fatalf("%d packets came, %v", len(e.came), err)
	}
	clock := time.Duration(c.to.ClockRate())
	place := func(s sound) time.Duration {
		return time.Duration(int32(s.stamp-e.came[0].stamp)) * time.Second / clock
	}
	line := time.Hour // when timestamp 0 would come at the earliest
	for _, s := range e.came[:min(50, len(e.came))] {
		line = min(line, s.at-place(s))
	}
	heard := make([]int16, len(said)+8000)
	pcm := make([]int16, 960)
	var late []time.Duration
	for _, s := range e.came {
		n, err := dec.Decode(pcm, s.data)
		if err != nil {
			t.Fatal(err)
		}
		l := s.at - place(s) - line
		late = append(late, l)
		at := int((line + place(s)) * 8000 / time.Second)
		if l <= wait && at >= 0 && at < len(heard) {
			copy(heard[at:], pcm[:n])
		}
	}
	got.Comparison = meter.Compare(said, heard, 8000)
	base := time.Duration(got.Delay) * time.Second / 8000
	lost, corr := 0.0, 0.0
	const block = 2 * 8000 // the delay may change, which is no loss
	for at := 0; at+block <= len(said); at += block {
		part := meter.Compare(said[at:at+block], heard[at:at+block+2400], 8000)
		lost += part.Lost * block / float64(len(said))
		corr += part.Corr / float64(len(said)/block)
		got.last = time.Duration(part.Delay)*time.Second/8000 + slices.Max(late[len(late)-50:])
	}
	got.heard = heard
	if passed, took := place(e.came[len(e.came)-1]), e.came[len(e.came)-1].at-e.came[0].at; (passed - took).Abs() > wait {
		t.Errorf("timestamps pass %v in %v", passed, took)
	}
	got.Lost, got.Corr = min(got.Lost, lost), max(got.Corr, corr)
	slices.Sort(late)
	got.lateness = late[len(late)*99/100] - late[0]
	got.delay, got.delay99 = base+late[len(late)/2], base+late[len(late)*99/100]
	return got
}

// cell is a row of the targets: the least and the most allowed.
type cell struct {
	row            string
	trial          trial
	corr, lost     float64
	delay, delay99 time.Duration
}

// gain is by how many dB the level may change: lost sound is softer.
func (c cell) gain() float64 {
	if c.lost == 0 {
		return 0.3
	}
	return 1
}

// The rows are those of our quality targets. Corr and lost are the least and the
// most allowed; delays are added by us, Opus' own 6.5 ms included.
func TestQuality(t *testing.T) {
	ms := func(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }
	said := speech(t)
	for _, c := range []cell{
		{"A1 clean, relayed", trial{from: media.PCMU, to: media.PCMU, through: clean}, 0.998, 0, ms(1), ms(2)},
		{"A2 clean", trial{from: media.PCMA, to: media.PCMU, through: clean}, 0.998, 0, ms(1), ms(3)},
		{"A3 clean, from Opus", trial{from: media.Opus, to: media.PCMU, through: clean}, 0.98, 0, ms(10), ms(14)},
		{"A3 clean, to Opus", trial{from: media.PCMU, to: media.Opus, through: clean}, 0.99, 0, ms(10), ms(14)},
		{"A4 clean, from G.722", trial{from: media.G722, to: media.PCMU, through: clean}, 0.995, 0, ms(6), ms(8)},
		{"A4 clean, to G.722", trial{from: media.PCMU, to: media.G722, through: clean}, 0.995, 0, ms(6), ms(8)},
		{"A6 1 % lost", trial{from: media.PCMA, to: media.PCMU, through: loss(0.01)}, 0.99, 0.003, ms(5), ms(40)},
		{"A6 5 % lost", trial{from: media.PCMA, to: media.PCMU, through: loss(0.05)}, 0.98, 0.008, ms(5), ms(40)},
		{"A6 10 % lost", trial{from: media.PCMA, to: media.PCMU, through: loss(0.10)}, 0.965, 0.012, ms(5), ms(60)},
		{"A7 5 % lost in runs of three", trial{from: media.PCMA, to: media.PCMU, through: burst(0.05)}, 0.96, 0.016, ms(5), ms(80)},
		{"A8 1 % lost of Opus", trial{from: media.Opus, to: media.PCMU, through: loss(0.01)}, 0.97, 0.003, ms(15), ms(50)},
		{"A8 5 % lost of Opus", trial{from: media.Opus, to: media.PCMU, through: loss(0.05)}, 0.925, 0.014, ms(15), ms(50)},
		{"A8 10 % lost of Opus", trial{from: media.Opus, to: media.PCMU, through: loss(0.10)}, 0.885, 0.023, ms(15), ms(60)},
		{"A8 5 % lost of Opus with copies", trial{from: media.Opus, to: media.PCMU, through: loss(0.05), copies: true}, 0.98, 0.003, ms(15), ms(50)},
		{"A8 10 % lost of Opus with copies", trial{from: media.Opus, to: media.PCMU, through: loss(0.10), copies: true}, 0.97, 0.005, ms(15), ms(60)},
		{"A9 5 % lost before Opus", trial{from: media.PCMU, to: media.Opus, through: loss(0.05)}, 0.97, 0.008, ms(15), ms(50)},
		{"A10 jitter 20 ms", trial{from: media.PCMA, to: media.PCMU, through: jitter(ms(20), always)}, 0.99, 0, ms(35), ms(35)},
		{"A10 jitter 60 ms", trial{from: media.PCMA, to: media.PCMU, through: jitter(ms(60), always)}, 0.99, 0.001, ms(80), ms(80)},
		{"A10 jitter 20 ms, Opus", trial{from: media.Opus, to: media.PCMU, through: jitter(ms(20), always)}, 0.975, 0.001, ms(42), ms(42)},
		{"A10 jitter 60 ms, Opus", trial{from: media.Opus, to: media.PCMU, through: jitter(ms(60), always)}, 0.975, 0.001, ms(87), ms(87)},
		{"A11 muddled", trial{from: media.PCMA, to: media.PCMU, through: muddle}, 0.975, 0.001, ms(5), ms(60)},
		{"A11 muddled Opus", trial{from: media.Opus, to: media.PCMU, through: muddle}, 0.975, 0.001, ms(15), ms(60)},
		{"A12 skew of 100 ppm", trial{from: media.PCMA, to: media.PCMU, through: clean, skew: 100e-6}, 0.99, 0, ms(6), ms(6)},
		{"mixed, clean", trial{from: media.PCMA, to: media.PCMU, through: clean, mixed: true}, 0.99, 0, ms(50), ms(50)},
		{"mixed, from Opus to G.722", trial{from: media.Opus, to: media.G722, through: clean, mixed: true}, 0.98, 0, ms(50), ms(50)},
		{"mixed, 5 % lost", trial{from: media.PCMA, to: media.PCMU, through: loss(0.05), mixed: true}, 0.97, 0.008, ms(50), ms(50)},
		{"mixed, jitter 20 ms", trial{from: media.PCMA, to: media.PCMU, through: jitter(ms(20), always), mixed: true}, 0.99, 0.001, ms(60), ms(60)},
		{"mixed, jitter 60 ms", trial{from: media.PCMA, to: media.PCMU, through: jitter(ms(60), always), mixed: true}, 0.99, 0.001, ms(100), ms(100)},
		{"mixed, muddled", trial{from: media.PCMA, to: media.PCMU, through: muddle, mixed: true}, 0.975, 0.002, ms(80), ms(80)},
		{"mixed, skew of 100 ppm", trial{from: media.PCMA, to: media.PCMU, through: clean, skew: 100e-6, mixed: true}, 0.98, 0.001, ms(50), ms(50)},
	} {
		t.Run(c.row, func(t *testing.T) {
			got := c.trial.run(t, said)
			t.Log(got)
			if got.Corr < c.corr || got.Lost > c.lost || math.Abs(got.Gain) > c.gain() {
				t.Errorf("want corr >= %.3f, lost <= %.2f%%", c.corr, 100*c.lost)
			}
			if steady := strings.Contains(c.row, "jitter"); steady && got.lateness > 5*time.Millisecond {
				t.Error("want an even stream: lateness <= 5 ms")
			}
			if got.delay > c.delay+time.Millisecond || got.delay99 > c.delay99+time.Millisecond {
				t.Errorf("want delay <= %v / %v", c.delay, c.delay99)
			}
		})
	}
}

// Row A13: nothing of ours is heard in a tone of 24 s.
func TestToneHasNoGlitch(t *testing.T) {
	const freq = 437 // no round number of periods in a packet
	said := make([]int16, 24*8000)
	for i := range said {
		said[i] = int16(8000 * math.Sin(2*math.Pi*freq*float64(i)/8000))
	}
	for _, c := range []trial{
		{from: media.PCMU, to: media.PCMU, through: clean},
		{from: media.PCMA, to: media.PCMU, through: clean},
		{from: media.G722, to: media.PCMU, through: clean},
		{from: media.Opus, to: media.PCMU, through: clean},
		{from: media.PCMU, to: media.Opus, through: clean},
		{from: media.PCMA, to: media.PCMU, through: clean, mixed: true},
		{from: media.Opus, to: media.G722, through: clean, mixed: true},
		{from: media.PCMA, to: media.PCMU, through: clean, skew: 100e-6},
	} {
		heard := c.run(t, said).heard
		if n := meter.Glitches(heard[8000:23*8000], 8000, freq); n > 0 {
			t.Errorf("%v to %v, mixed %v, skew %v: %d glitches", c.from, c.to, c.mixed, c.skew, n)
		}
	}
}

// After trouble the delay gets shorter again, and what needed no buffer before
// needs none after.
func TestBufferGoesBackInCalm(t *testing.T) {
	said := speech(t)
	for _, mixed := range []bool{false, true} {
		got := trial{from: media.PCMA, to: media.PCMU, through: jitter(60*time.Millisecond, 400), mixed: mixed}.run(t, said)
		t.Logf("mixed %v: %v", mixed, got)
		if got.Lost > 0.002 || got.last > 25*time.Millisecond {
			t.Errorf("mixed %v: want lost <= 0.2%%, at the end <= 25 ms", mixed)
		}
	}
}

// A listener of Opus who reports loss gets a copy of each frame in the next packet.
func TestCopiesForAListenerWhoLosesPackets(t *testing.T) {
	if underRace {
		t.Skip("measures, and finds no races")
	}
	said := speech(t)
	hear := func(far func(*ear) media.Path) (corr float64) {
		synctest.Test(t, func(t *testing.T) {
			server := media.NewServer(media.Config{})
			defer server.Close()
			a, b := newLine(media.PCMU), &ear{line: newLine(media.Opus), begin: time.Now()}
			server.Attach("a", a)
			server.Attach("b", far(b))
			server.Do(core.Hear{Leg: "b", From: []core.LegID{"a"}})
			trial{from: media.PCMU, through: clean}.speak(t, a, said)
			dec, err := codec.NewDecoder(media.Opus, 8000)
			if err != nil {
				t.Fatal(err)
			}
			heard, pcm := make([]int16, 0, len(said)), make([]int16, 960)
			for n, packet := range b.came {
				if n%10 == 9 && n+1 < len(b.came) { // lost
					err = dec.Conceal(pcm[:160], b.came[n+1].data)
				} else {
					_, err = dec.Decode(pcm, packet.data)
				}
				if err != nil {
					t.Fatal(err)
				}
				heard = append(heard, pcm[:160]...)
			}
			begin := 6 * 8000 // reports come every 5 s
			corr = meter.Compare(said[begin:], heard[begin:], 8000).Corr
		})
		return corr
	}
	without := hear(func(e *ear) media.Path { return e })
	with := hear(func(e *ear) media.Path { return lossy{e} })
	if t.Logf("corr %.4f without, %.4f with copies", without, with); with < without+0.005 {
		t.Errorf("copies do not help: corr %.4f without, %.4f with", without, with)
	}
}
