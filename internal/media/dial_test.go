package media_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
)

// timed is dialled that writes down when keys begin, from the first.
type timed struct {
	*dialled
	begin time.Time
	at    []time.Duration
}

func (d *timed) Send(p *media.Packet) {
	d.mu.Lock()
	before := len(d.keys) + len(d.heard)
	d.mu.Unlock()
	d.dialled.Send(p)
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.keys)+len(d.heard) == before {
		return
	}
	if d.begin.IsZero() {
		d.begin = time.Now()
	}
	d.at = append(d.at, time.Since(d.begin))
}

// Twenty digits and a pause come in order and 200 ms apart, in each form, whether the
// party hears somebody at that time, a sound, or nothing.
func TestSendDigits(t *testing.T) {
	const digits = "0123456789*#p33333333"
	want := strings.ReplaceAll(digits, "p", "")
	for _, f := range []struct {
		name   string
		format media.Format
	}{
		{"PCMU", formatOf(media.PCMU)},
		{"Opus", formatOf(media.Opus)},
		{"in the voice, PCMA", silent(formatOf(media.PCMA))},
		{"in the voice, Opus", silent(formatOf(media.Opus))},
	} {
		for name, row := range map[string]core.Hear{
			"nothing": {Leg: "b"},
			"a voice": {Leg: "b", From: []core.LegID{"a"}},
			"music":   {Leg: "b", Sound: core.Sound{Kind: core.SoundHold}},
			"both":    over("b", []core.LegID{"a"}, core.Sound{Kind: core.SoundRingback, Name: "us"}, core.Sound{}),
		} {
			t.Run(f.name+" over "+name, func(t *testing.T) {
				inStudio(t, func(s *studio) {
					s.call("a", media.PCMU, 0)
					b := &timed{dialled: newDialled(t, f.format)}
					s.server.Attach("b", b)
					s.server.Do(row)
					time.Sleep(503 * time.Millisecond)
					s.server.SendDigits("b", digits[:5])
					s.server.SendDigits("b", digits[5:])
					time.Sleep(6 * time.Second)
					b.mu.Lock()
					defer b.mu.Unlock()
					if got := b.keys + b.heard; got != want || f.format.SendDTMF != 0 && b.heard != "" {
						t.Errorf("%q by events, %q by tones, want %q", b.keys, b.heard, want)
					}
					for i, at := range b.at {
						should := time.Duration(i) * 200 * time.Millisecond
						if i > 11 {
							should += 500 * time.Millisecond
						}
						if off := at - should; off.Abs() > 60*time.Millisecond {
							t.Errorf("key %d begins at %v, want %v", i, at, should)
						}
					}
					if len(b.faults) > 0 || b.open || b.unended > 0 {
						t.Errorf("faults %v, %d keys without end", b.faults, b.unended)
					}
				})
			})
		}
	}
}

// Who wants INFO gets that, an application by WebSocket its own form; what is no key
// is left out, and there is an end to what waits.
func TestSendDigitsElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := media.NewServer(media.Config{})
		defer server.Close()
		info := informed{newDialled(t, silent(formatOf(media.PCMU)))}
		server.Attach("info", info)
		ws := &tape{line: &line{format: media.Format{Codec: media.L16x16, PTime: 20}}}
		server.Attach("ws", ws)
		server.SendDigits("info", "1Ax2p3")
		server.SendDigits("ws", "*#")
		server.SendDigits("nobody", strings.Repeat("1", 2000))
		time.Sleep(2 * time.Second)
		info.mu.Lock()
		defer info.mu.Unlock()
		ws.mu.Lock()
		defer ws.mu.Unlock()
		if info.keys != "123" || fmt.Sprint(ws.keys) != "[* 100ms # 100ms]" {
			t.Errorf("by INFO %q, by WebSocket %q", info.keys, ws.keys)
		}
	})
}
