package media_test

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/file"
)

// answerers writes down who answered, and when.
type answerers struct {
	begin time.Time
	mu    sync.Mutex // guards what follows
	known []string
}

func (a *answerers) Post(ev core.Event) error {
	if ev, ok := ev.(core.AnswererKnown); ok {
		word := map[core.Answerer]string{core.Human: "human", core.Machine: "machine", core.Beep: "beep", core.NoBeep: "no beep"}[ev.Who]
		a.mu.Lock()
		defer a.mu.Unlock()
		a.known = append(a.known, fmt.Sprintf("%s %s %d", ev.Leg, word, time.Since(a.begin).Round(time.Second)/time.Second))
	}
	return nil
}

// Who answers is known while two talk, through any codec, and what listens for it goes
// when all is known, or the leg does.
func TestDetect(t *testing.T) {
	for _, c := range []struct {
		call  string
		codec media.Codec
		order core.Detect
		want  string
	}{
		{"human-01", media.PCMU, core.Detect{}, "[b human 2]"},
		{"human-18", media.Opus, core.Detect{Beep: true}, "[b human 4]"},
		{"machine-01", media.PCMA, core.Detect{}, "[b machine 4]"},
		{"machine-02", media.G722, core.Detect{Beep: true}, "[b machine 4 b beep 8]"},
		{"machine-14", media.Opus, core.Detect{Beep: true, BeepTimeout: 2 * time.Second}, "[b machine 4 b no beep 6]"},
		{"", media.PCMU, core.Detect{}, "[b human 5]"},
		{"gone", media.PCMU, core.Detect{}, "[]"},
	} {
		t.Run(fmt.Sprintf("%s in %v, %v", c.call, c.codec, c.order.Beep), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				known := &answerers{begin: time.Now()}
				server := media.NewServer(media.Config{Events: known})
				defer server.Close()
				a, b := newLine(media.PCMU), newLine(c.codec)
				server.Attach("a", a)
				server.Attach("b", b)
				server.Do(core.Hear{Leg: "a", From: []core.LegID{"b"}})
				server.Do(core.Hear{Leg: "b", From: []core.LegID{"a"}})
				time.Sleep(3 * time.Millisecond)
				c.order.Leg = "b"
				server.Detect(c.order)
				if c.call == "gone" {
					time.Sleep(time.Second)
					server.Detach("b")
				} else {
					b.plays(t, c.call)
				}
				time.Sleep(10 * time.Second)
				known.mu.Lock()
				defer known.mu.Unlock()
				if got := fmt.Sprint(known.known); got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
				server.Detach("b")
				server.Detach("a")
				if n := server.Legs(); n != 0 {
					t.Errorf("%d legs are left", n)
				}
			})
		})
	}
}

// plays lets the party of l play a call.
func (l *line) plays(t *testing.T, call string) {
	t.Helper()
	if call == "" {
		return
	}
	f, err := os.Open("amd/testdata/" + call + ".wav")
	if err != nil {
		t.Fatal(err)
	}
	_, pcm, err := file.DecodeWAV(f)
	_ = f.Close()
	if err != nil {
		t.Fatal(err)
	}
	p := party{t: t, format: formatOf(l.format.Codec)}
	if p.enc, err = codec.NewEncoder(l.format.Codec, 8000); err != nil {
		t.Fatal(err)
	}
	for ; len(pcm) >= 160; pcm = pcm[160:] {
		l.arrive(parsed(p.packet(pcm[:160])))
		time.Sleep(20 * time.Millisecond)
	}
}
