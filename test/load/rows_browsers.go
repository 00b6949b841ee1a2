package main

import (
	"cmp"
	"fmt"
	"time"

	"github.com/offhook/offhook/internal/media/codec"
)

// webRow is one of the rows M5a to M5c: calls that stand.
type webRow struct {
	name           string
	calls          int
	caller, callee party
}

// webRows returns them with what their phones say.
func (b *bench) webRows() ([]webRow, error) {
	pcmu, err := tone(codec.PCMU, pcmuType)
	if err != nil {
		return nil, err
	}
	opus, err := tone(codec.Opus, opusType)
	if err != nil {
		return nil, err
	}
	return []webRow{
		{"M5a", b.pick(50, 3), party{true, pcmu}, party{false, pcmu}},
		{"M5b", b.pick(50, 3), party{true, opus}, party{true, opus}},
		{"M5c", b.pick(20, 3), party{true, opus}, party{false, pcmu}},
	}, nil
}

// browserMedia measures M5a, M5b and M5c.
func (b *bench) browserMedia() error {
	rows, err := b.webRows()
	if err != nil {
		return err
	}
	for _, row := range rows {
		for run := range b.runs {
			name := fmt.Sprintf("%s run %d", row.name, run+1)
			site, err := b.openWebSite(newHouse(row.calls, row.calls), row.caller, row.callee)
			if err != nil {
				return err
			}
			cost, _, err := b.standWeb(site, name, row.calls, true)
			site.close()
			if err != nil {
				return err
			}
			control, err := b.relayRun(name+" control", row.calls, coarse)
			if err != nil {
				return err
			}
			b.report.add(row.name, cost, control.cost)
		}
	}
	return nil
}

// standWeb sets calls up, one after the other, measures what they cost while they
// talk, and what memory each takes, in KB.
func (b *bench) standWeb(site *webSite, name string, calls int, talk bool) (cost, memory float64, err error) {
	empty, err := site.pss()
	if err != nil {
		return 0, 0, err
	}
	book, w := newLedger(), new(window)
	var standing []*webCall
	var streams []*stream
	for i := range calls {
		c, err := site.place(book, i, w)
		if err == nil {
			err = c.await()
		}
		if err != nil {
			return 0, 0, fmt.Errorf("%s: call %d: %w; %w", name, i, err, site.tail())
		}
		standing, streams = append(standing, c), append(streams, c.streams[0], c.streams[1])
	}
	pacer := startPacer(streams, coarse)
	time.Sleep(min(ramp, b.window))
	full, err := site.pss()
	if err != nil {
		return 0, 0, err
	}
	if talk {
		used, err := during(site.process, func() {
			w.open(b.window)
			time.Sleep(b.window)
		})
		if err != nil {
			return 0, 0, err
		}
		cost = used.Seconds() / (float64(calls) * b.window.Minutes())
	}
	pacer.end()
	time.Sleep(drain)
	deaf := 0
	for i, s := range streams {
		s.close()
		if talk && s.heard < streams[i^1].written/2 {
			deaf++
		}
	}
	for _, c := range standing {
		c.out.hangUp()
	}
	site.settleAll(b, name)
	b.report.fault(name, append(book.faults(1), problems(map[string]int{"parties that heard less than half": deaf})...)...)
	memory = (full - empty) / float64(calls)
	b.logf("%s: %.3f CPU-s a call-minute, %.0f KB a call", name, cost, memory)
	return cost, memory, nil
}

// browserMemory measures M5f and M5g on fresh servers.
func (b *bench) browserMemory() error {
	rows, err := b.webRows()
	if err != nil {
		return err
	}
	calls := b.pick(100, 5)
	for run := range b.runs {
		for _, row := range rows[:2] {
			name := fmt.Sprintf("M5f %s run %d", row.name, run+1)
			site, err := b.openWebSite(newHouse(calls, calls), row.caller, row.callee)
			if err != nil {
				return err
			}
			if err := site.collectGarbage(); err != nil {
				return err
			}
			_, memory, err := b.standWeb(site, name, calls, false)
			site.close()
			if err != nil {
				return err
			}
			b.report.add("M5f "+row.name, memory, 0)
		}
		if err := b.idleBrowsers(run); err != nil {
			return err
		}
	}
	return nil
}

// idleBrowsers measures M5g: browsers that registered and do nothing.
func (b *bench) idleBrowsers(run int) error {
	h := newHouse(b.pick(500, 20), 1)
	site, err := b.openSite(house{callees: h.callees}.with(h))
	if err != nil {
		return err
	}
	w := &webSite{site: site, web: make(map[string]*agent)}
	defer w.close()
	if err := site.collectGarbage(); err != nil {
		return err
	}
	empty, err := site.pss()
	if err != nil {
		return err
	}
	var failed error
	used, err := during(site.process, func() { failed = w.connect(h.callers) })
	if err != nil || failed != nil {
		return fmt.Errorf("M5g: %w", cmp.Or(err, failed))
	}
	time.Sleep(min(b.window, 3*time.Second))
	full, err := site.pss()
	if err != nil {
		return err
	}
	each, cost := (full-empty)/float64(len(h.callers)), milliseconds(used, len(h.callers))
	b.report.add("M5g", each, 0)
	b.report.add("M5g connect", cost, 0)
	b.logf("M5g run %d: %.1f KB, %.2f ms to connect and register", run+1, each, cost)
	return nil
}

// browserCalls measures M5d and M5e: calls that come and go.
func (b *bench) browserCalls() error {
	rows, err := b.webRows()
	if err != nil {
		return err
	}
	for _, row := range rows[:2] {
		site, err := b.openWebSite(newHouse(20, 20), row.caller, row.callee)
		if err != nil {
			return err
		}
		for run := range b.runs {
			if err := b.webCalls(site, row.name, fmt.Sprintf("M5d %s run %d", row.name, run+1)); err != nil {
				site.close()
				return err
			}
		}
		site.close()
	}
	return nil
}

const (
	// webRate is in calls a second.
	webRate = 5.0
	// webTalk is how long both talk: long enough to hear each other, and short, for
	// the row is about set-up and BYE, and a second of talk takes half as much.
	webTalk = 200 * time.Millisecond
)

func (b *bench) webCalls(site *webSite, row, name string) error {
	book, w := newLedger(), new(window)
	var calls []*webCall
	var failed error
	begin := func(i int) {
		c, err := site.place(book, i, w)
		if err != nil {
			failed = err
			return
		}
		calls = append(calls, c)
		go c.greet()
	}
	openLoop(webRate, 2*talk, begin)
	placed := 0
	used, err := during(site.process, func() { openLoop(webRate, b.window, func(i int) { placed++; begin(i) }) })
	if err = cmp.Or(err, failed); err != nil {
		return err
	}
	time.Sleep(2 * talk)
	site.settleAll(b, name)
	b.report.fault(name, book.faults(1)...)
	var heard durations
	for _, c := range calls {
		first := max(c.streams[0].first.Load(), c.streams[1].first.Load())
		if min(c.streams[0].first.Load(), c.streams[1].first.Load()) == 0 {
			b.report.fault(name, "a call in which somebody heard nothing")
			continue
		}
		heard = append(heard, time.Unix(0, first).Sub(c.begun))
	}
	cost := milliseconds(used, placed)
	b.report.add("M5d "+row, cost, 0)
	b.report.add("M5e "+row, heard.at(0.5), 0)
	b.report.add("M5e p99 "+row, heard.at(0.99), 0)
	b.logf("%s: %.2f ms a call; both hear media after p50 %.1f ms, p99 %.1f ms", name, cost, heard.at(0.5), heard.at(0.99))
	return nil
}

// greet lets both parties speak, each on its own clock, until the call has lasted
// for talk, and hangs up.
func (c *webCall) greet() {
	if c.await() != nil {
		return // counted as a call in which somebody heard nothing
	}
	pacer := startPacer(c.streams[:], coarse)
	time.Sleep(webTalk)
	c.out.hangUp()
	pacer.end()
	for _, s := range c.streams {
		s.close()
	}
}
