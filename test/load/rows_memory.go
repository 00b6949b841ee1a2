package main

import (
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
	folder, err := os.MkdirTemp(b.temp, "server-")
	if err != nil {
		return 0, err
	}
	h := newHouse(20, 20)
	// The first start hashes passwords, which leaves the heap with room that would
	// hide what calls take; the second finds them in the store.
	first, err := startServer(b.binary, folder, h)
	if err != nil {
		return 0, err
	}
	first.stop()
	second, err := startServer(b.binary, folder, h)
	if err != nil {
		return 0, err
	}
	site, err := joinSite(second, h)
	if err != nil {
		return 0, err
	}
	defer site.close()
	time.Sleep(time.Second) // what starting up needed is over
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
