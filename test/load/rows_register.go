package main

import (
	"fmt"
	"sync"
	"time"
)

// registerPackets is how many packets a registration brings to the server:
// REGISTER, and REGISTER with credentials after the 401.
const registerPackets = 2

// register measures R1: phones refresh their registrations in turn.
func (b *bench) register() error {
	const rate = 1000.0
	site, err := b.openSite(newHouse(0, b.pick(200, 40)))
	if err != nil {
		return err
	}
	defer site.close()
	for run := range b.runs {
		name := fmt.Sprintf("R1 run %d", run+1)
		before, err := site.holdings()
		if err != nil {
			return err
		}
		b.refreshes(site, name, rate, time.Second)
		var took durations
		used, err := during(site.process, func() { took = b.refreshes(site, name, rate, b.window) })
		if err != nil {
			return err
		}
		control, err := signallingFloor(rate*registerPackets, b.window/2)
		if err != nil {
			return err
		}
		b.report.add("R1", milliseconds(used, len(took)), control.packet*registerPackets)
		b.logf("%s: %.3f ms, %d registrations, p50 %.2f ms, p99 %.2f ms (control %.3f)", name,
			milliseconds(used, len(took)), len(took), took.at(0.5), took.at(0.99), control.packet*registerPackets)
		if err := site.checkLeaks(b, name, before); err != nil {
			return err
		}
	}
	return nil
}

// registerMost measures R2: the rate rises until answers come late.
func (b *bench) registerMost() error {
	ladder := []float64{1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000}
	if b.quick {
		ladder = ladder[:1]
	}
	site, err := b.openSite(newHouse(0, b.pick(400, 40)))
	if err != nil {
		return err
	}
	defer site.close()
	best := 0.0
	for _, rate := range ladder {
		good, err := b.rung(func(b *bench) (bool, error) {
			took := b.refreshes(site, "R2", rate, b.window)
			done := float64(len(took)) / (rate * b.window.Seconds())
			b.logf("R2 at %.0f/s: %.1f %% done, p99 %.1f ms", rate, 100*done, took.at(0.99))
			return done > 0.99 && took.at(0.99) <= 500, nil
		})
		if err != nil {
			return err
		}
		if !good {
			break
		}
		best = rate
	}
	b.report.add("R2", best, 0)
	return nil
}

// refreshes lets the phones register in turn and returns how long each took.
func (b *bench) refreshes(site *site, name string, rate float64, d time.Duration) durations {
	var mu sync.Mutex // guards took and refused
	var took durations
	refused, busy := 0, 0
	openLoop(rate, d, func(i int) {
		phone := site.contacts[i%len(site.contacts)]
		begun := phone.refresh(func(status int, t time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			if status != 200 {
				refused++
				return
			}
			took = append(took, t)
		})
		if !begun {
			busy++
		}
	})
	left := site.callees.settle(2 * time.Second)
	mu.Lock()
	defer mu.Unlock()
	b.report.fault(name, problems(map[string]int{
		"registrations refused":           refused,
		"registrations without an answer": left,
	})...)
	if busy > 0 {
		b.report.remark("%s: %d refreshes could not begin: the last one was not answered yet", name, busy)
	}
	return took
}
