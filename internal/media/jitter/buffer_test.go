package jitter

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media/meter"
)

// letters is a decoder of packets of 20 ms that hold one letter each, for tables:
// all samples are the letter. What is lost is '?', or '!' if the next packet told
// of it; silence is 0.
type letters struct{}

func (letters) Decode(pcm []int16, payload []byte) (int, error) {
	for i := range pcm[:160] {
		pcm[i] = int16(payload[0])
	}
	return 160, nil
}

func (letters) Conceal(pcm []int16, next []byte) error {
	mark := '?'
	if next != nil {
		mark = '!'
	}
	for i := range pcm {
		pcm[i] = int16(mark)
	}
	return nil
}

func (letters) Reset() {}

// put is one packet of a table: at a time in ms, with a number and a timestamp in
// packets, from a source.
type put struct {
	at, seq, stamp int
	ssrc           uint32
	letter         byte
}

// row makes packets that come in time, from number seq on.
func row(at, seq, stamp int, text string) (list []put) {
	for i, c := range []byte(text) {
		if c != ' ' { // lost
			list = append(list, put{at + 20*i, seq + i, stamp + i, 1, c})
		}
	}
	return list
}

func join(lists ...[]put) (all []put) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func TestWhatIsHeard(t *testing.T) {
	fromOther := func(list []put) []put {
		for i := range list {
			list[i].ssrc = 2
		}
		return list
	}
	for _, c := range []struct {
		name  string
		puts  []put // in order of time
		want  string
		stats Stats
	}{
		{"in order", row(0, 1, 1, "abcdef"), "abcdef", Stats{Received: 6}},
		{"numbers and timestamps wrap", row(0, 65533, 1<<32/160-3, "abcdef"), "abcdef", Stats{Received: 6}},
		{"one is lost", row(0, 1, 1, "abc efg"), "abc?efg", Stats{Received: 6, Lost: 1, Concealed: 160}},
		{"seven are lost, more than is made up", row(0, 1, 1, "abc       ghi"), "abc??????.ghi", Stats{Received: 6, Concealed: 960}},
		{"twice", join(row(0, 1, 1, "a"), row(0, 1, 1, "abc")), "abc", Stats{Received: 3, Doubled: 1}},
		{
			"two changed places before the first was needed",
			[]put{{0, 2, 2, 1, 'b'}, {1, 1, 1, 1, 'a'}, {40, 3, 3, 1, 'c'}},
			"abc",
			Stats{Received: 3},
		},
		{
			"comes when its place is over",
			join(row(0, 1, 1, "ab d"), row(70, 3, 3, "c")),
			"ab?d?",
			Stats{Received: 3, Lost: 1, Late: 1, Concealed: 320},
		},
		{
			"comes late, but before the one behind it was needed: the delay grows",
			join(row(0, 1, 1, "ab"), row(50, 3, 3, "c"), row(60, 4, 4, "de")),
			"ab?cde",
			Stats{Received: 5, Concealed: 160},
		},
		{"a pause is no loss", join(row(0, 1, 1, "abcd"), row(400, 5, 21, "efg")), "abcd??????..........efg", Stats{Received: 7, Concealed: 960}},
		{"two minutes of silence", join(row(0, 1, 1, "ab"), row(120000, 3, 6001, "cd")), "ab??????" + strings.Repeat(".", 5992) + "cd", Stats{Received: 4, Concealed: 960}},
		{"another source", join(row(0, 1, 1, "abc"), fromOther(row(60, 40000, 77777, "xyz"))), "abcxyz", Stats{Received: 6}},
		{"numbers begin anew", join(row(0, 1, 1, "abc"), row(60, 9000, 4, "xyz")), "abcxyz", Stats{Received: 6}},
		{"timestamps begin anew", join(row(0, 1, 1000, "abc"), row(60, 4, 1, "xyz")), "abcxyz", Stats{Received: 6}},
		{"timestamps jump ahead", join(row(0, 1, 1, "abc"), row(60, 4, 100000, "xyz")), "abcxyz", Stats{Received: 6}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := New(Config{Rate: 8000, Clock: 8000}, letters{})
			start := time.Unix(0, 0)
			var got []byte
			pcm := make([]int16, 160)
			for at := 3; len(got) < len(c.want); at += 20 {
				for ; len(c.puts) > 0 && c.puts[0].at <= at; c.puts = c.puts[1:] {
					p := c.puts[0]
					b.Put(start.Add(time.Duration(p.at)*time.Millisecond), uint16(p.seq), uint32(p.stamp*160), p.ssrc, []byte{p.letter})
				}
				if b.Read(start.Add(time.Duration(at)*time.Millisecond), pcm) == Silence {
					got = append(got, '.')
				} else {
					got = append(got, byte(pcm[0]))
				}
			}
			if string(got) != c.want {
				t.Errorf("heard %q, want %q", got, c.want)
			}
			if s := b.Stats(); s != c.stats {
				t.Errorf("%+v, want %+v", s, c.stats)
			}
		})
	}
}

// While packets get lost and may hold a copy of the one before, a Buffer waits for
// the next one.
func TestCopyInNextPacketIsUsed(t *testing.T) {
	for _, fec := range []bool{false, true} {
		b := New(Config{Rate: 8000, Clock: 8000, FEC: fec}, letters{})
		start, heard := time.Unix(0, 0), map[byte]int{}
		pcm := make([]int16, 160)
		for i := range 1000 {
			now := start.Add(time.Duration(i) * 20 * time.Millisecond)
			if i%20 != 7 {
				b.Put(now, uint16(i), uint32(i)*160, 1, []byte{'a'})
			}
			b.Read(now.Add(5*time.Millisecond), pcm)
			heard[byte(pcm[80])]++
		}
		if copies := heard['!']; fec != (copies > 30) {
			t.Errorf("FEC %v: %d of 50 lost packets heard from their copy", fec, copies)
		}
	}
}

func TestComfortNoiseFillsThePause(t *testing.T) {
	b := New(Config{Rate: 8000, Clock: 8000}, letters{})
	now := time.Unix(0, 0)
	pcm := make([]int16, 160)
	read := func() State {
		state := b.Read(now.Add(3*time.Millisecond), pcm)
		now = now.Add(20 * time.Millisecond)
		return state
	}
	b.Put(now, 1, 0, 1, []byte{'a'})
	read()
	b.PutNoise(now, 2, 160, 1, []byte{50, 3, 4}) // -50 dBov
	for range 50 {
		if read() != Speech {
			t.Fatal("the pause is silent")
		}
	}
	if l := meter.Level(pcm); math.Abs(l+50) > 1.5 {
		t.Errorf("noise of %.1f dBFS, want -50", l)
	}
	b.Put(now, 3, 160*51, 1, []byte{'c'})
	if read(); pcm[0] != 'c' {
		t.Errorf("%d is heard after the pause", pcm[0])
	}
	if s := b.Stats(); s.Lost+s.Concealed != 0 {
		t.Errorf("%+v", s)
	}
}

// A key is sent in place of audio, under numbers of the same stream.
func TestEventsAreNotLost(t *testing.T) {
	b := New(Config{Rate: 8000, Clock: 8000}, letters{})
	now := time.Unix(0, 0)
	pcm := make([]int16, 160)
	heard := ""
	for i := range 16 {
		if i < 4 || i >= 12 {
			b.Put(now, uint16(i), uint32(i)*160, 1, []byte{'a' + byte(i)})
		} else {
			b.PutEvent(uint16(i), 1)
		}
		if b.Read(now.Add(3*time.Millisecond), pcm) == Silence {
			heard += "."
		} else {
			heard += string(rune(pcm[0]))
		}
		now = now.Add(20 * time.Millisecond)
	}
	if s := b.Stats(); heard != "abcd........mnop" || s.Lost+s.Concealed > 0 {
		t.Errorf("heard %s; %+v", heard, s)
	}
}

func TestUnusedBufferIsSilent(t *testing.T) {
	b := New(Config{Rate: 8000, Clock: 8000}, letters{})
	pcm := []int16{1, 2, 3}
	if b.Read(time.Unix(0, 0), pcm) != Silence || pcm[2] != 0 {
		t.Error("heard something before the first packet")
	}
	if _, due := b.Due(); due {
		t.Error("something is due")
	}
}

// A reader that starts its clock when the first packet is due waits no longer.
func TestDue(t *testing.T) {
	b := New(Config{Rate: 8000, Clock: 8000}, letters{})
	now := time.Unix(0, 0)
	b.Put(now, 1, 0, 1, []byte{'a'})
	due, ok := b.Due()
	if !ok || due.Sub(now) != b.Target() {
		t.Fatalf("due after %v, %v", due.Sub(now), ok)
	}
	if pcm := make([]int16, 160); b.Read(due, pcm) != Speech || pcm[0] != 'a' {
		t.Error("not played when it is due")
	}
}

// After one packet that was late, and waited for, the delay is as it was.
func TestDelayGoesBack(t *testing.T) {
	h := simulate(t, network{stall: 50 * time.Millisecond}, 5*time.Millisecond, 1)
	end := h.delays[len(h.delays)-1]
	if most := h.percentile(100); most < 40*time.Millisecond || end > 8*time.Millisecond {
		t.Errorf("delay grew to %v and is %v at the end", most, end)
	}
}

// Another source has nothing to do with the times of the one before.
func TestAnotherSourceWaitsNoLonger(t *testing.T) {
	b := New(Config{Rate: 8000, Clock: 8000}, letters{})
	now := time.Unix(0, 0)
	pcm := make([]int16, 160)
	for i := range uint16(20) {
		ssrc := uint32(1)
		if i >= 5 {
			ssrc = 2
		}
		b.Put(now, i, uint32(i%5)*160, ssrc, []byte{'a'})
		b.Read(now.Add(3*time.Millisecond), pcm)
		if d := b.Delay(); i >= 5 && i < 10 && d > 30*time.Millisecond {
			t.Errorf("packet %d: delay %v", i, d)
		}
		now = now.Add(20 * time.Millisecond)
	}
}

// What is put in or left out is faded in: of a ramp, which resembles itself
// nowhere, no sample is far from the next.
func TestCutsAreFaded(t *testing.T) {
	for name, change := range map[string]func(*Buffer) int{
		"insert": (*Buffer).insert, "remove": func(b *Buffer) int { return b.remove(maxPeriod, -1) },
	} {
		b := New(Config{Rate: 8000, Clock: 8000}, letters{})
		ramp := b.fifo.room(640)
		for i := range ramp {
			ramp[i] = int16(1000 + 8*i)
		}
		b.fifo.commit(640)
		b.fifo.play(make([]int16, 240))
		n, before := change(b), b.fifo.buf[b.fifo.r-1]
		if n < minPeriod || n > maxPeriod {
			t.Fatalf("%s: %d samples", name, n)
		}
		for i := b.fifo.r; i < b.fifo.w; i++ {
			if step := int(b.fifo.buf[i]) - int(before); i > b.fifo.r && max(step, -step) > 8+8*n/fade+1 {
				t.Fatalf("%s: a step of %d at %d", name, step, i-b.fifo.r)
			}
			before = b.fifo.buf[i]
		}
	}
}

func TestArrivalSeesJitterAndForgetsIt(t *testing.T) {
	var a Arrival
	now := time.Unix(0, 0)
	for i := range uint32(500) {
		at := now.Add(time.Duration(i) * 20040 * time.Microsecond) // 2000 ppm slow
		if i < 200 && i%10 == 3 {
			at = at.Add(40 * time.Millisecond)
		}
		a.Observe(at, 4294967000+i*960, 48000)
		late := a.Lateness()
		if i == 199 && (late < 40*time.Millisecond || late > 47*time.Millisecond) || i == 499 && late > 7*time.Millisecond {
			t.Errorf("lateness %v after %d packets", late, i)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	b := New(Config{Rate: 16000, Clock: 8000}, &ramp{samples: 320})
	now := time.Unix(0, 0)
	i := uint32(0)
	pcm, payload := make([]int16, 320), make([]byte, 160)
	if n := testing.AllocsPerRun(2000, func() {
		i++
		binary.BigEndian.PutUint32(payload, i)
		if i%7 != 0 {
			b.Put(now.Add(time.Duration(i%5)*5*time.Millisecond), uint16(i), i*160, 1, payload)
		}
		b.Read(now.Add(10*time.Millisecond), pcm)
		now = now.Add(20 * time.Millisecond)
	}); n > 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

func BenchmarkPutAndRead(b *testing.B) {
	buf := New(Config{Rate: 8000, Clock: 8000}, letters{})
	now := time.Unix(0, 0)
	i := uint32(0)
	pcm, payload := make([]int16, 160), make([]byte, 160)
	b.ReportAllocs()
	for b.Loop() {
		i++
		buf.Put(now, uint16(i), i*160, 1, payload)
		buf.Read(now.Add(10*time.Millisecond), pcm)
		now = now.Add(20 * time.Millisecond)
	}
}

// Whatever comes, a Buffer neither panics nor waits for long, and fills what it is
// given.
func FuzzBuffer(f *testing.F) {
	f.Add([]byte{0, 1, 0, 1, 5, 0, 2, 1, 2, 5, 9, 9, 9, 9, 9})
	f.Fuzz(func(t *testing.T, script []byte) {
		b := New(Config{Rate: 8000, Clock: 8000, FEC: true}, letters{})
		now := time.Unix(0, 0)
		var seq uint16
		var stamp, ssrc uint32
		pcm := make([]int16, 480)
		for ; len(script) >= 3; script = script[3:] {
			op, x := script[0], int(binary.BigEndian.Uint16(script[1:]))
			now = now.Add(time.Duration(op%64) * time.Millisecond)
			switch op / 64 {
			case 0:
				seq, stamp = seq+1, stamp+160
			case 1:
				seq, stamp = seq+uint16(x), stamp+uint32(x)*160
			case 2:
				stamp += uint32(x) << 12
			case 3:
				ssrc = uint32(x)
			}
			switch x % 8 {
			case 6:
				b.PutEvent(seq, ssrc)
			case 7:
				b.PutNoise(now, seq, stamp, ssrc, []byte{byte(x)})
			default:
				b.Put(now, seq, stamp, ssrc, []byte{'a'})
			}
			out := pcm[:80+80*(x%6)]
			for i := range out {
				out[i] = -1
			}
			b.Read(now, out)
			for _, s := range out {
				if s == -1 && !b.noise.on {
					t.Fatal("not all was filled")
				}
			}
			if d := b.Target(); d < 0 || d > maxTarget {
				t.Fatalf("target %v", d)
			}
		}
	})
}
