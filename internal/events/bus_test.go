package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/offhook/offhook/internal/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a Log in memory.
type memory struct {
	mu      sync.Mutex
	batches [][]core.LegEntry
	fail    error         // what Append returns while set
	takes   time.Duration // how long Append takes
	tries   int
}

func (m *memory) Append(_ context.Context, entries []core.LegEntry) (int, error) {
	time.Sleep(m.takes) // in the time of synctest
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tries++
	if m.fail != nil {
		return 0, m.fail
	}
	m.batches = append(m.batches, append([]core.LegEntry(nil), entries...))
	return 0, nil
}

func (m *memory) setFail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// all returns everything written, in order, and in how many batches.
func (m *memory) all() (entries []core.LegEntry, batches int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.batches {
		entries = append(entries, b...)
	}
	return entries, len(m.batches)
}

// bubble is the test inside the time of synctest.
type bubble struct{ *testing.T }

// inBubble runs test with a Bus over m, in the time of synctest, and closes it.
func inBubble(t *testing.T, m *memory, test func(t bubble, b *Bus)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := New(m, slog.New(slog.DiscardHandler))
		test(bubble{t}, b)
		if err := b.Close(t.Context()); err != nil && m.fail == nil {
			t.Error(err)
		}
	})
}

func change(leg string, kind core.ChangeKind) core.LegChange {
	return core.LegChange{Leg: core.LegID(leg), Kind: kind}
}

func TestWrittenWithinFiveMilliseconds(t *testing.T) {
	m := &memory{}
	inBubble(t, m, func(t bubble, b *Bus) {
		start := time.Now()
		for i := range 100 {
			b.Publish(start, change(fmt.Sprint(i), core.ChangeBegan))
			time.Sleep(20 * time.Microsecond)
		}
		time.Sleep(3 * time.Millisecond)
		synctest.Wait()
		if entries, batches := m.all(); len(entries) != 100 || batches != 1 {
			t.Errorf("after 5 ms %d entries in %d batches, want 100 in 1", len(entries), batches)
		}
	})
}

func TestOrderAndSequence(t *testing.T) {
	m := &memory{takes: time.Millisecond}
	kinds := []core.ChangeKind{core.ChangeBegan, core.ChangeRinging, core.ChangeAnswered, core.ChangeBridged, core.ChangeHeld, core.ChangeResumed, core.ChangeEnded}
	inBubble(t, m, func(t bubble, b *Bus) {
		start := time.Now()
		for i, kind := range kinds {
			for _, leg := range []string{"a", "b"} {
				b.Publish(start.Add(time.Duration(i)*time.Second), change(leg, kind))
			}
			time.Sleep(3 * time.Millisecond)
		}
	})
	entries, _ := m.all()
	next := map[core.LegID]int{}
	for _, e := range entries {
		if e.Kind != kinds[next[e.Leg]] || e.Seq != next[e.Leg]+1 {
			t.Errorf("%s: entry %d is %v with sequence %d", e.Leg, next[e.Leg]+1, e.Kind, e.Seq)
		}
		next[e.Leg]++
	}
	if len(entries) != 2*len(kinds) {
		t.Errorf("%d entries", len(entries))
	}
}

func TestSubscribersAreToldAfterTheLog(t *testing.T) {
	m := &memory{}
	inBubble(t, m, func(t bubble, b *Bus) {
		sub := b.Subscribe(10)
		defer sub.Close()
		b.Publish(time.Now(), change("a", core.ChangeBegan))
		e := <-sub.C()
		if written, _ := m.all(); len(written) != 1 || !reflect.DeepEqual(written[0], e) {
			t.Errorf("told %+v, written %+v", e, written)
		}
	})
}

func TestSlowSubscriberIsDropped(t *testing.T) {
	m := &memory{}
	inBubble(t, m, func(t bubble, b *Bus) {
		slow, quick := b.Subscribe(3), b.Subscribe(100)
		for range 10 {
			b.Publish(time.Now(), change("a", core.ChangeRinging))
		}
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		var got []int
		for e := range slow.C() { // ends: it was closed
			got = append(got, e.Seq)
		}
		if len(got) != 3 || got[2] != 3 {
			t.Errorf("slow subscriber got %v, want what it had room for", got)
		}
		if len(quick.C()) != 10 || b.Stats().Slow != 1 {
			t.Errorf("quick subscriber has %d, %d dropped", len(quick.C()), b.Stats().Slow)
		}
		slow.Close()
		quick.Close()
		quick.Close()
		if _, open := <-quick.C(); !open {
			t.Error("entries that had arrived are gone after Close")
		}
	})
}

func TestFailedWriteIsTriedAgain(t *testing.T) {
	m := &memory{fail: errors.New("disk full")}
	inBubble(t, m, func(t bubble, b *Bus) {
		sub := b.Subscribe(10)
		b.Publish(time.Now(), change("a", core.ChangeBegan))
		time.Sleep(10 * time.Millisecond)
		b.Publish(time.Now(), change("a", core.ChangeEnded))
		if e := <-sub.C(); e.Kind != core.ChangeBegan {
			t.Errorf("a full disk blinds subscribers: %+v", e)
		}
		time.Sleep(3 * time.Second)
		m.setFail(nil)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if e := <-sub.C(); e.Kind != core.ChangeEnded || len(sub.C()) != 0 {
			t.Errorf("subscriber got %+v and %d more, each change must come once", e, len(sub.C()))
		}
		if entries, _ := m.all(); len(entries) != 2 || entries[0].Kind != core.ChangeBegan || entries[1].Kind != core.ChangeEnded {
			t.Errorf("written %+v", entries)
		}
		if s := b.Stats(); s.Failures < 3 || s.Written != 2 || s.Lost != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestCloseWritesWhatIsQueued(t *testing.T) {
	m := &memory{takes: 2 * time.Second}
	inBubble(t, m, func(t bubble, b *Bus) {
		sub := b.Subscribe(3 * maxBatch)
		for i := range 3 * maxBatch {
			b.Publish(time.Now(), change(fmt.Sprint(i), core.ChangeBegan))
		}
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
		n := 0
		for range sub.C() { // ends: Close closes it
			n++
		}
		if n != 3*maxBatch {
			t.Errorf("subscriber got %d", n)
		}
	})
	if entries, batches := m.all(); len(entries) != 3*maxBatch || batches != 3 {
		t.Errorf("%d entries in %d batches, want %d in 3", len(entries), batches, 3*maxBatch)
	}
}

func TestCloseSaysWhatIsLost(t *testing.T) {
	m := &memory{fail: errors.New("disk full")}
	inBubble(t, m, func(t bubble, b *Bus) {
		b.Publish(time.Now(), change("a", core.ChangeBegan))
		time.Sleep(10 * time.Millisecond)
		b.Publish(time.Now(), change("a", core.ChangeEnded))
		if err := b.Close(t.Context()); err == nil || b.Stats().Lost != 2 {
			t.Errorf("Close = %v, stats %+v", err, b.Stats())
		}
		b.Publish(time.Now(), change("b", core.ChangeBegan))
		if b.Stats().Lost != 3 {
			t.Errorf("a change after Close is not counted: %+v", b.Stats())
		}
		if _, open := <-b.Subscribe(1).C(); open {
			t.Error("a subscription of a closed bus is open")
		}
	})
}

func TestCloseDoesNotWaitForEver(t *testing.T) {
	m := &memory{takes: time.Hour}
	inBubble(t, m, func(t bubble, b *Bus) {
		b.Publish(time.Now(), change("a", core.ChangeBegan))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close = %v", err)
		}
	})
}

func TestOverflowKeepsWhatMatters(t *testing.T) {
	m := &memory{takes: time.Second}
	inBubble(t, m, func(t bubble, b *Bus) {
		b.Publish(time.Now(), change("first", core.ChangeBegan))
		time.Sleep(10 * time.Millisecond) // its write takes a second, everything else must queue
		for range 2 * maxQueue {
			b.Publish(time.Now(), change("noisy", core.ChangeHeld))
		}
		for _, kind := range []core.ChangeKind{core.ChangeBegan, core.ChangeRinging, core.ChangeAnswered, core.ChangeEnded} {
			b.Publish(time.Now(), change("leg", kind))
		}
		if s := b.Stats(); s.Dropped != maxQueue+1 || s.Queued != maxQueue+3 {
			t.Errorf("stats %+v", s)
		}
		for i := range maxVital {
			b.Publish(time.Now(), change(fmt.Sprint(i), core.ChangeEnded))
		}
		if s := b.Stats(); s.Queued != maxVital {
			t.Errorf("the queue has no bound: %+v", s)
		}
		if len(b.legs) > 2 {
			t.Errorf("%d ended legs are remembered", len(b.legs))
		}
	})
	entries, _ := m.all()
	var kept []string
	for _, e := range entries {
		if e.Leg == "leg" {
			kept = append(kept, fmt.Sprint(e.Seq, " ", e.Kind))
		}
	}
	if want := []string{"1 began", "3 answered", "4 ended"}; !slices.Equal(kept, want) {
		t.Errorf("kept %v, want %v", kept, want)
	}
}

func TestPublishNeverWaits(t *testing.T) {
	m := &memory{takes: time.Hour}
	inBubble(t, m, func(t bubble, b *Bus) {
		b.Subscribe(1) // never read
		start := time.Now()
		for range 3 * maxQueue {
			b.Publish(start, change("a", core.ChangeHeld))
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("Publish waited %v", waited)
		}
	})
}

func TestManyPublishers(t *testing.T) {
	m := &memory{}
	b := New(m, slog.New(slog.DiscardHandler))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			sub := b.Subscribe(16)
			defer sub.Close()
			for j := range 200 {
				leg := fmt.Sprint(i, " ", j)
				b.Publish(time.Now(), change(leg, core.ChangeBegan))
				b.Publish(time.Now(), change(leg, core.ChangeEnded))
			}
		})
	}
	wg.Wait()
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if entries, _ := m.all(); len(entries) != 8*200*2 {
		t.Errorf("%d entries", len(entries))
	}
}
