package dtmf

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// sent asks s for all it has, every 20 ms.
func sent(s *Sender, step uint32) (list []Event, times []uint32) {
	for at := uint32(0xffffff00); s.Busy(); at += step {
		if e, ok := s.Next(at); ok {
			list, times = append(list, e), append(times, at)
		}
	}
	return list, times
}

func TestSenderSpeaksRFC4733(t *testing.T) {
	for _, clock := range []uint32{8000, 48000} {
		s := NewSender(clock, clock)
		for _, key := range []byte("5#") {
			if !s.Press(key) {
				t.Fatal("refused")
			}
		}
		list, times := sent(s, clock/50)
		if len(list) != 14 {
			t.Fatalf("%d packets for two keys", len(list))
		}
		for i, e := range list {
			n := i % 7
			duration := binary.BigEndian.Uint16(e.Payload[2:])
			want := uint16(uint32(min(n+1, 5)) * clock / 50)
			if e.Payload[0] != []byte{5, 11}[i/7] || e.Marker != (n == 0) || e.End != (n >= 4) ||
				(e.Payload[1]&0x80 != 0) != e.End || duration != want || e.Timestamp != times[i/7*7] {
				t.Errorf("%d Hz, packet %d: %+v", clock, i, e)
			}
		}
		if pause := times[7] - times[0]; pause != clock*160/1000 {
			t.Errorf("the second key begins %d after the first", pause)
		}
	}
}

// A key that is held is one event until it is let go of, with packets of any length.
func TestHeldKeyIsOneEvent(t *testing.T) {
	s := NewSender(48000, 8000)
	if !s.Hold('7') {
		t.Fatal("refused")
	}
	var list []Event
	for at := uint32(0); s.Busy(); at += 30 * 48 {
		if at == 20*30*48 {
			s.Release()
		}
		if e, ok := s.Next(at); ok {
			list = append(list, e)
		}
	}
	last := list[len(list)-1]
	if n := len(list); n != 23 || !last.End || list[n-ends-1].End || last.Timestamp != 0 {
		t.Fatalf("%d packets, the last %+v", n, last)
	}
	if d := binary.BigEndian.Uint16(last.Payload[2:]); d != (20*30+20)*8 {
		t.Errorf("lasts %d", d)
	}
}

// Audio that comes out of order, or after a jump of its timestamps, neither cuts a
// press short nor makes one that lasts for ever.
func TestPressAmongAudioOutOfOrder(t *testing.T) {
	for _, c := range []struct {
		name  string
		times []uint32 // of the audio, in packets of 20 ms
		want  []uint16 // durations in packets; 0 is no event
	}{
		{"a packet from before the press", []uint32{10, 9, 11, 12, 13, 14, 15, 16}, []uint16{1, 0, 2, 3, 4, 5, 5, 5}},
		{"two packets of the press change places", []uint32{10, 12, 11, 13, 14, 15, 16}, []uint16{1, 3, 2, 4, 5, 5, 5}},
		{"a jump of a minute", []uint32{10, 3010, 3011, 3012}, []uint16{1, 65, 65, 65}},
	} {
		s := NewSender(8000, 8000)
		if !s.Press('5') {
			t.Fatal("refused")
		}
		for i, at := range c.times {
			e, ok := s.Next(at * 160)
			if d := binary.BigEndian.Uint16(e.Payload[2:]) / 160; ok != (c.want[i] > 0) || d != c.want[i] {
				t.Errorf("%s: audio %d: event %v of %d, want %d", c.name, i, ok, d, c.want[i])
			}
		}
		if _, ok := s.Next(1_000_000); ok || s.Busy() {
			t.Errorf("%s: it goes on", c.name)
		}
	}
}

// FuzzSender presses, holds and lets go of keys while audio comes in any order: each
// key is received once and in its turn, and no press lasts longer than one may.
func FuzzSender(f *testing.F) {
	f.Add([]byte("\x05\x80\x80\x80\x80\x80\x80\x80\x80\x15\x80\x80\x20\x80"))
	f.Add([]byte("\x01\x40\x80\x11\x12\xff\x80"))
	f.Fuzz(func(t *testing.T, steps []byte) {
		var r Receiver
		s := NewSender(8000, 8000)
		pressed, received, at := "", "", uint32(0xffffff00)
		next := func(timestamp uint32) {
			e, ok := s.Next(timestamp)
			if !ok {
				return
			}
			if d := binary.BigEndian.Uint16(e.Payload[2:]); d == 0 || d > maxPress*8 {
				t.Fatalf("%x: a press of %d", steps, d)
			}
			if key, ok := r.Key(e.Payload[:], e.Timestamp); ok {
				received += string(key)
			}
		}
		for _, b := range steps {
			switch key := Keys[b%16]; {
			case b < 0x10 && s.Press(key), b >= 0x10 && b < 0x20 && s.Hold(key):
				pressed += string(key)
			case b < 0x20: // one too many
			case b < 0x40:
				s.Release()
			case b < 0x80: // overtaken
				next(at - 160*uint32(b-0x3f))
			default:
				at += 160 * uint32(b-0x7f)
				next(at)
			}
		}
		for n := 0; s.Busy() && n < 100*(maxKeys+1); n++ {
			at += 160
			next(at)
		}
		if s.Busy() || received != pressed {
			t.Errorf("%x: received %q of %q", steps, received, pressed)
		}
	})
}

func TestSenderRefusesWhatIsNoKey(t *testing.T) {
	s := NewSender(8000, 8000)
	if s.Press('x') || s.Busy() {
		t.Error("x is sent")
	}
	for range maxKeys {
		s.Press('1')
	}
	if s.Press('1') {
		t.Error("more keys than anybody dials")
	}
}

// D2: with 5 % loss every key is received, once.
func TestSentKeysSurviveLoss(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var r Receiver
	s := NewSender(8000, 8000)
	got, pressed, unended := 0, 0, 0
	for at, ended := uint32(0), true; pressed < 8000 || s.Busy(); at += 160 {
		if !s.Busy() {
			s.Press(Keys[pressed%16])
			pressed++
			if !ended {
				unended++
			}
			ended = false
		}
		e, ok := s.Next(at)
		if !ok || rng.Float64() < 0.05 {
			continue
		}
		ended = ended || e.End
		if key, ok := r.Key(e.Payload[:], e.Timestamp); ok {
			if key != Keys[got%16] {
				t.Fatalf("key %d is %c", got, key)
			}
			got++
		}
	}
	if got != 8000 || unended > 5 {
		t.Errorf("%d of 8000 keys, %d without end", got, unended)
	}
}

func TestToneIsFound(t *testing.T) {
	for _, rate := range []int{8000, 16000, 48000} {
		for _, key := range []byte(Keys) {
			tone, ok := NewTone(key, rate)
			if !ok {
				t.Fatal(key)
			}
			pcm := make([]int16, rate/10)
			tone.Fill(pcm[:rate/50])
			tone.Fill(pcm[rate/50:])
			if got := heard(pcm, rate); got != string(key) {
				t.Errorf("%c at %d Hz is heard as %q", key, rate, got)
			}
		}
	}
	if _, ok := NewTone('x', 8000); ok {
		t.Error("x has a tone")
	}
}
