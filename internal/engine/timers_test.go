package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// TestTimers tells a timer that fired just before it was stopped or replaced
// from the one that runs.
func TestTimers(t *testing.T) {
	id := core.TimerID{Kind: core.TimerRing, Leg: "a"}
	tests := []struct {
		name string
		then func(*timers)
		want bool // the first firing counts
	}{
		{"fires", func(*timers) {}, true},
		{"stopped after it fired", func(tm *timers) { tm.stop(id) }, false},
		{"replaced after it fired", func(tm *timers) { tm.start(id, time.Second) }, false},
		{"another one stopped", func(tm *timers) { tm.stop(core.TimerID{Kind: core.TimerPlay, Leg: "a"}) }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inbox := newInbox(legCap)
				tm := newTimers(func(ev core.Event) { inbox.put(ev, false) })
				defer tm.stopAll()
				tm.start(id, time.Second)
				time.Sleep(time.Second)
				synctest.Wait()
				events := inbox.take()
				if len(events) != 1 {
					t.Fatalf("%d events", len(events))
				}
				ev, ok := events[0].(fired)
				if !ok {
					t.Fatalf("posted %T", events[0])
				}
				tt.then(tm)
				if got := tm.done(ev); got != tt.want {
					t.Errorf("counts: %v", got)
				}
			})
		})
	}
}

// TestInboxCap keeps the last event of a leg whatever its number.
func TestInboxCap(t *testing.T) {
	b := newInbox(2)
	digit := core.LegDigit{Leg: "a", Digit: '1'}
	for i, want := range []verdict{taken, taken, dropped, dropped} {
		if got, _ := b.put(digit, false); got != want {
			t.Errorf("put %d: %v", i, got)
		}
	}
	other, _ := b.put(core.LegDigit{Leg: "b"}, false)
	if end, _ := b.put(core.LegGone{Leg: "a"}, false); other != taken || end != taken {
		t.Error("another leg, or the end of this one, was refused")
	}
	if b.shutIfEmpty() {
		t.Error("shut over waiting events")
	}
	want := []core.Event{digit, digit, core.Broken{Leg: "a"}, core.LegDigit{Leg: "b"}, core.LegGone{Leg: "a"}}
	got := b.take()
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("event %d: %#v", i, got[i])
		}
	}
	if got, _ := b.put(digit, false); got != taken {
		t.Error("the count goes on after take")
	}
	b.take()
	shut := b.shutIfEmpty()
	if got, _ := b.put(digit, false); !shut || got != refused {
		t.Error("not shut")
	}
}
