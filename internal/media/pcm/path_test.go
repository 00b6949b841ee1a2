package pcm

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
)

// talk lets p say a level for n frames, at their times.
func talk(p *Path, level int16, n int) {
	frame := slices.Repeat([]int16{level}, p.Frame())
	for range n {
		p.Say(frame)
		time.Sleep(FrameTime)
	}
}

func TestWhatOnePathSaysTheOtherHears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := media.NewServer(media.Config{})
		defer server.Close()
		type frame struct {
			at    int64
			level int16
		}
		var mu sync.Mutex
		var got []frame
		count := func() int { mu.Lock(); defer mu.Unlock(); return len(got) }
		speaker := New(Config{Rate: 16000})
		listener := New(Config{Rate: 16000, Heard: func(at int64, pcm []int16) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, frame{at, pcm[len(pcm)/2]})
		}})
		time.Sleep(3 * time.Millisecond) // not at the mixer's instants
		server.Attach("a", speaker)
		server.Attach("rec-a", listener)
		server.Do(core.Hear{Leg: "rec-a", From: []core.LegID{"a"}})
		talk(speaker, 5000, 50)
		time.Sleep(time.Second)
		server.Detach("rec-a")
		heard := count()
		time.Sleep(time.Second)
		if n := count(); n > heard+1 {
			t.Errorf("it hears %d frames after Detach", n-heard)
		}
		mu.Lock()
		defer mu.Unlock()
		loud := 0
		for i, f := range got {
			if f.at != int64(i)*320 {
				t.Fatalf("frame %d is at %d", i, f.at)
			}
			if f.level > 4500 && f.level < 5500 {
				loud++
			}
		}
		if len(got) < 95 || len(got) > 101 || loud < 45 || loud > 51 {
			t.Errorf("%d frames in 2 s, %d of them loud", len(got), loud)
		}
	})
}

func TestGapsInTimeAreTold(t *testing.T) {
	var at []int64
	p := New(Config{Rate: 8000, Heard: func(n int64, _ []int16) { at = append(at, n) }})
	k := media.Packet{Buf: make([]byte, media.HeaderRoom+320+media.TailRoom), Len: 320}
	for _, timestamp := range []uint32{0xffffffff - 159, 0, 160, 1600, 100, 260} {
		k.Timestamp = timestamp
		p.Send(&k)
	}
	if want := []int64{0, 160, 320, 1760, 1920, 2080}; !slices.Equal(at, want) {
		t.Errorf("at %v, want %v", at, want)
	}
}

func TestSayAndRestCountTime(t *testing.T) {
	p := New(Config{Rate: 24000})
	var stamps []uint32
	var markers []bool
	p.Receive(func(k *media.Packet) { stamps, markers = append(stamps, k.Timestamp), append(markers, k.Marker) })
	frame := make([]int16, p.Frame())
	p.Say(frame)
	p.Say(frame)
	p.Rest()
	p.Say(frame)
	if len(stamps) != 3 || stamps[1]-stamps[0] != 480 || stamps[2]-stamps[1] != 960 || !slices.Equal(markers, []bool{true, false, true}) {
		t.Errorf("%v, %v", stamps, markers)
	}
	p.Receive(nil)
	p.Say(frame) // nobody hears it
}
