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
