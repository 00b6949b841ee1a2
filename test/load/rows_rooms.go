package main

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/media/codec"
)

// rooms measures M6 and M7: phones in conversations of an application.
func (b *bench) rooms() error {
	site, err := b.openAppSite(100, func(*http.Request) any { return []any{} })
	if err != nil {
		return err
	}
	defer site.house.app.close()
	defer site.close()
	for run := range b.runs {
		for _, size := range []int{b.pick(30, 4), b.pick(100, 6)} {
			name := fmt.Sprintf("M6 run %d with %d", run+1, size)
			cost, err := b.roomRun(site, name, size, size, false)
			if err != nil {
				return err
			}
			b.report.add(fmt.Sprintf("M6 %d", b.roomRow(size)), cost, 0)
		}
		legs := b.pick(40, 4)
		plain, err := b.roomRun(site, fmt.Sprintf("M7 run %d, not recorded", run+1), legs, 2, false)
		if err != nil {
			return err
		}
		recorded, err := b.roomRun(site, fmt.Sprintf("M7 run %d", run+1), legs, 2, true)
		if err != nil {
			return err
		}
		b.report.add("M7", 2*(recorded-plain), 0) // two legs a call
	}
	return nil
}

// roomRow is the size that a row is named for.
func (b *bench) roomRow(size int) int {
	switch {
	case !b.quick:
		return size
	case size == 4:
		return 30
	}
	return 100
}

// roomRun puts phones into conversations of each members and returns what a
// phone costs, in CPU seconds a minute.
func (b *bench) roomRun(site *site, name string, legs, each int, record bool) (float64, error) {
	before, err := site.holdings()
	if err != nil {
		return 0, err
	}
	w := new(window)
	streams, inside, err := b.enterRooms(site, w, legs, each, record)
	if err != nil {
		return 0, err
	}
	pacer := startPacer(streams, coarse)
	time.Sleep(ramp)
	used, err := during(site.process, func() {
		w.open(b.window)
		time.Sleep(b.window)
	})
	pacer.end()
	if err != nil {
		return 0, err
	}
	for _, s := range streams {
		s.close()
		if s.heard < s.written/2 {
			b.report.fault(name, fmt.Sprintf("a phone heard %d packets of %d", s.heard, s.written))
		}
	}
	for _, leg := range inside {
		if err := site.house.app.hangUp(site.url, leg); err != nil {
			return 0, err
		}
	}
	site.settle(b, name)
	site.house.app.rest()
	cost := used.Seconds() / (float64(legs) * b.window.Minutes())
	b.logf("%s: %.3f CPU-s a participant-minute", name, cost)
	return cost, site.checkLeaks(b, name, before)
}

// enterRooms makes an application call phones and take them into conversations.
func (b *bench) enterRooms(site *site, w *window, legs, each int, record bool) (streams []*stream, inside []string, err error) {
	voice, err := tone(codec.PCMU, pcmuType)
	if err != nil {
		return nil, nil, err
	}
	var mu sync.Mutex // guards streams
	failed := make(chan error, legs)
	book := newLedger()
	site.callees.onInvite(func(m *message, _ time.Time) dialog {
		c := site.callees.ring(book, m)
		s, err := answerStream(site, m, w, voice, nil)
		if err != nil {
			failed <- err
			return c
		}
		c.answer = describe(s.addr, s.wanted)
		c.pickUp()
		mu.Lock()
		defer mu.Unlock()
		streams = append(streams, s)
		return c
	})
	room := func(i int) map[string]any {
		return map[string]any{"ncco": []any{map[string]any{
			"action": "conversation", "name": fmt.Sprintf("room %d of %d", i/each, each), "record": record,
		}}}
	}
	for i := range legs {
		user := site.house.callees[i].user
		book.add(pair{appNumber, user})
		leg, err := site.house.app.create(site.url, user, room(i))
		if err != nil {
			return nil, nil, err
		}
		inside = append(inside, leg)
		time.Sleep(time.Second / dialRate)
	}
	for end := time.Now().Add(setupLimit); ; time.Sleep(10 * time.Millisecond) {
		mu.Lock()
		all := len(streams) == legs
		mu.Unlock()
		select {
		case err := <-failed:
			return nil, nil, err
		default:
		}
		if all {
			return streams, inside, nil
		}
		if time.Now().After(end) {
			return nil, nil, fmt.Errorf("not all of %d phones came; %w", legs, site.tail())
		}
	}
}
