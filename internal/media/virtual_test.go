package media_test

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/meter"
)

// tape is the path of a recorder: it keeps what it hears.
type tape struct {
	*line
	mu   sync.Mutex // guards what follows
	pcm  []int16
	last media.Packet // without payload
	when time.Time
	bad  []string // what is wrong with the stream
	keys []string
}

func (s *studio) record(leg core.LegID, rate int) *tape {
	p := &tape{line: newLine(codec.L16(rate))}
	p.format = media.Format{Codec: codec.L16(rate), PTime: 20}
	s.server.Attach(leg, p)
	return p
}

// Send implements media.Path.
func (p *tape) Send(packet *media.Packet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rate, now := int(p.format.Codec.ClockRate()), time.Now()
	samples := packet.Len / 2
	if samples != rate/50 {
		p.bad = append(p.bad, fmt.Sprintf("%d samples", samples))
	}
	if !p.when.IsZero() && (packet.Seq != p.last.Seq+1 || packet.Timestamp != p.last.Timestamp+uint32(samples) || now.Sub(p.when) > 40*time.Millisecond) {
		p.bad = append(p.bad, fmt.Sprintf("%d at %d after %v behind %d at %d", packet.Seq, packet.Timestamp, now.Sub(p.when), p.last.Seq, p.last.Timestamp))
	}
	p.last, p.when = *packet, now
	for i := range samples {
		p.pcm = append(p.pcm, int16(uint16(packet.Payload()[2*i])|uint16(packet.Payload()[2*i+1])<<8))
	}
}

// HearKey is told of keys.
func (p *tape) HearKey(key byte, lasted time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = append(p.keys, fmt.Sprintf("%c %v", key, lasted))
}

// end returns the last d of what was heard.
func (p *tape) end(d time.Duration) []int16 {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := int(d.Seconds() * float64(p.format.Codec.ClockRate()))
	return slices.Clone(p.pcm[max(0, len(p.pcm)-n):])
}

// A virtual leg hears one leg, several or nobody at any rate, every 20 ms.
func TestVirtualLegHears(t *testing.T) {
	for _, rate := range []int{8000, 16000, 24000} {
		for _, k := range []media.Codec{media.PCMU, media.G722, media.Opus} {
			if underRace && k == media.Opus && rate != 16000 {
				continue // it only takes longer
			}
			t.Run(fmt.Sprintf("%v at %d", k, rate), func(t *testing.T) {
				inStudio(t, func(s *studio) {
					all := []*phone{s.call("a", k, 400), s.call("b", media.PCMA, 1000)}
					s.conference(all)
					time.Sleep(3 * time.Millisecond)
					rec := s.record("rec", rate)
					begin := time.Now()
					for _, row := range [][]core.LegID{nil, {"a"}, {"a", "b"}, nil, {"b"}, {"nobody"}} {
						s.server.Do(core.Hear{Leg: "rec", From: row})
						time.Sleep(time.Second)
						pcm := rec.end(400 * time.Millisecond)
						for _, p := range all {
							tone := math.Sqrt(2*meter.Purity(pcm, rate, p.freq)) * math.Pow(10, meter.Level(pcm)/20) * math.MaxInt16 / voicePeak
							if wanted := slices.Contains(row, p.leg); wanted && math.Abs(tone-1) > 0.15 || !wanted && tone > 0.01 {
								t.Errorf("row %v: %s is heard at %.3f", row, p.leg, tone)
							}
						}
					}
					s.server.Detach("rec")
					passed := time.Since(begin)
					rec.mu.Lock()
					defer rec.mu.Unlock()
					if len(rec.bad) > 0 {
						t.Errorf("%d faults, first: %s", len(rec.bad), rec.bad[0])
					}
					if length := time.Duration(len(rec.pcm)) * time.Second / time.Duration(rate); (passed - length).Abs() > 40*time.Millisecond {
						t.Errorf("%v were recorded in %v", length, passed)
					}
				})
			})
		}
	}
}

// What an application says by WebSocket is heard by one, and by several.
func TestVirtualLegSpeaks(t *testing.T) {
	for _, rate := range []int{8000, 16000, 24000} {
		for _, others := range []int{1, 2} {
			inStudio(t, func(s *studio) {
				all := []*phone{s.call("ws", codec.L16(rate), 700), s.call("a", media.PCMU, 0), s.call("b", media.Opus, 0)}
				all = all[:1+others]
				s.conference(all)
				time.Sleep(time.Second)
				for _, p := range all[1:] {
					if purity := meter.Purity(p.sound(500*time.Millisecond), 8000, 700); purity < 0.97 {
						t.Errorf("at %d to %d: purity %.3f", rate, others, purity)
					}
				}
			})
		}
	}
}

// A virtual leg is told of each key of those it hears, with its length, in whatever
// form it came, and its audio goes on.
func TestVirtualLegHearsKeys(t *testing.T) {
	inStudio(t, func(s *studio) {
		caller := s.call("a", media.PCMU, 0)
		rec := s.record("rec", 16000)
		s.server.Do(core.Hear{Leg: "rec", From: []core.LegID{"a"}})
		time.Sleep(103 * time.Millisecond)
		s.server.Press("a", '1')
		time.Sleep(50 * time.Millisecond)
		caller.key(7, 260, true)
		time.Sleep(200 * time.Millisecond)
		caller.key(8, 180, false) // its end is lost
		time.Sleep(200 * time.Millisecond)
		rec.mu.Lock()
		defer rec.mu.Unlock()
		if want := []string{"1 100ms", "7 260ms", "8 180ms"}; !slices.Equal(rec.keys, want) {
			t.Errorf("keys %q, want %q", rec.keys, want)
		}
		if len(rec.bad) > 0 {
			t.Errorf("faults: %q", rec.bad)
		}
	})
}

// key presses a key for so many ms, with or without saying that it ended.
func (p *phone) key(code byte, ms int, ends bool) {
	pressing := party{t: p.t, format: p.party.format, stamp: 777 + uint32(code)}
	for at := 20; at <= ms; at += 20 {
		p.mu.Lock()
		pressing.seq = p.seq
		p.seq++
		p.mu.Unlock()
		event := make([]byte, 16)
		pressing.head(event, pressing.format.RecvDTMF)
		copy(event[12:], []byte{code, 10, byte(8 * at >> 8), byte(8 * at)})
		if at == ms && ends {
			event[13] |= 0x80
		}
		p.arrive(parsed(event))
		time.Sleep(20 * time.Millisecond)
	}
}

// Who is nobody's is neither silent nor carried.
func TestVirtualLegsAreNotReported(t *testing.T) {
	o := newOffice(t)
	rec := &tape{line: newLine(media.L16x8)}
	rec.format = media.Format{Codec: media.L16x8, PTime: 20}
	o.server.Attach("rec", rec)
	a := o.join("a", media.PCMU)
	o.talk("a", "rec")
	a.say(sine(160, 1000))
	o.server.Detach("rec")
	o.server.Detach("a")
	if ev := <-o.events; ev.(core.LegCarried).Leg != "a" || len(o.events) > 0 {
		t.Errorf("%v, and %d more events", ev, len(o.events))
	}
}
