package media

import (
	"fmt"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media/codec"
)

// A speaker who sends nothing while he is silent, up to the longest pause that is
// taken for one: the listener's timestamps go on by the same time.
func TestTimestampsAfterLongPause(t *testing.T) {
	for _, pair := range [][2]Codec{{PCMU, Opus}, {Opus, PCMU}, {PCMU, PCMA}, {G722, Opus}} {
		for _, pause := range []time.Duration{5 * time.Second, 30 * time.Second, 90 * time.Second, (maxPause - 1) * time.Second} {
			t.Run(fmt.Sprint(pair[0], "-", pair[1], "/", pause), func(t *testing.T) {
				out := outputOf(&deaf{})
				x := newTranscoder(new(codec.Pool), new(pacer), Format{Codec: pair[0]}, out, Format{Codec: pair[1], PTime: 20})
				out.own(x.feeder())
				enc, err := codec.NewEncoder(pair[0], x.rate)
				if err != nil || !x.open() {
					t.Fatal(err)
				}
				p := Packet{Buf: make([]byte, HeaderRoom+MaxPayload+TailRoom), Seq: 65535, Timestamp: 1<<32 - 100}
				if p.Len, err = enc.Encode(p.Buf[HeaderRoom:], make([]int16, x.rate/50)); err != nil {
					t.Fatal(err)
				}
				now := time.Now()
				x.align(&p, now)
				x.take(&p, now)
				before := x.at
				p.Seq++
				p.Timestamp += units(pause, pair[0].ClockRate())
				x.take(&p, now.Add(pause))
				if got, want := x.at-before, units(pause, pair[1].ClockRate()); got != want {
					t.Errorf("timestamps go on by %d, want %d", got, want)
				}
			})
		}
	}
}
