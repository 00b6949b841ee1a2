package main

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// memory measures K1: what the first 200 relayed calls of a fresh server add
// to its memory.
func (b *bench) memory() error {
	calls := b.pick(200, 20)
	for run := range b.runs {
		name := fmt.Sprintf("K1 run %d", run+1)
		grown, err := b.growth(name, calls)
		if err != nil {
			return err
		}
		b.report.add("K1", grown, 0)
	}
	return nil
}

// growth returns the memory of a standing call, in KB.
func (b *bench) growth(name string, calls int) (float64, error) {
	site, err := b.openSite(newHouse(20, 20))
	if err != nil {
		return 0, err
	}
	defer site.close()
	if err := site.collectGarbage(); err != nil {
		return 0, err
	}
	before, err := site.holdings()
	if err != nil {
		return 0, err
	}
	empty, err := site.pss()
	if err != nil {
		return 0, err
	}
	up, err := b.stand(site, calls, stampedG711(), nil)
	if err != nil {
		return 0, err
	}
	pacer := startPacer(up.streams, coarse)
	time.Sleep(min(b.window, 3*time.Second))
	full, err := site.pss()
	pacer.end()
	for _, s := range up.streams {
		s.close()
	}
	up.hangUp()
	site.settle(b, name)
	b.report.fault(name, up.book.faults(1)...)
	if err != nil {
		return 0, err
	}
	each := (full - empty) / float64(calls)
	b.logf("%s: %.0f KB a call (%.1f MB, then %.1f MB)", name, each, empty/1024, full/1024)
	return each, site.checkLeaks(b, name, before)
}

// collectGarbage makes the server give back what starting up took, which leaves
// room in the heap that would hide what calls take. Scrapes are garbage for it and
// nothing else.
func (s *server) collectGarbage() error {
	const cycles = "go_gc_duration_seconds_count"
	var first float64
	for i := range 5000 {
		page, err := s.get("/metrics")
		if err != nil {
			return err
		}
		n, err := metric(page, cycles)
		if err != nil {
			return err
		}
		if i == 0 {
			first = n
		}
		if n >= first+4 {
			time.Sleep(2 * time.Second) // the runtime returns pages in the background
			return nil
		}
	}
	return errors.New("the server does not collect its garbage")
}

// idle measures K2: a server with one user, started again in its folder, as
// after an update.
func (b *bench) idle() error {
	folder, err := os.MkdirTemp(b.temp, "server-")
	if err != nil {
		return err
	}
	for run := range b.runs + 1 {
		s, err := startServer(b.binary, folder, newHouse(1, 0))
		if err != nil {
			return err
		}
		if run == 0 {
			b.report.remark("K2: the very first start, which makes keys and database, took %d ms", s.ready.Milliseconds())
			s.stop()
			continue
		}
		time.Sleep(min(b.window, 3*time.Second))
		pss, err := s.pss()
		s.stop()
		if err != nil {
			return err
		}
		b.report.add("K2", pss/1024, 0)
		b.report.add("K2 ready", float64(s.ready.Microseconds())/1000, 0)
		b.logf("K2 run %d: %.1f MB, ready after %d ms", run, pss/1024, s.ready.Milliseconds())
	}
	return nil
}
