package main

import (
	"runtime"
	"sync"
	"syscall"
	"time"
)

// clock is when the pacers' packets leave. It decides what a packet costs: a
// server that is woken once for several packets is cheaper than one that is
// woken for each.
type clock func(until time.Time)

// coarse wakes up once a millisecond, like the timers of most programs, and sends
// what is due then: packets of several phones arrive together.
func coarse(until time.Time) { time.Sleep(time.Until(until)) }

// fine spreads packets evenly, to some 50 us: each one wakes the server.
func fine(until time.Time) {
	if d := time.Until(until); d > 0 {
		wait := syscall.NsecToTimespec(d.Nanoseconds())
		_ = syscall.Nanosleep(&wait, nil) // a signal makes it shorter: the packet is early by less than a gap
	}
}

// pacer sends the packets of many streams, 50 a second each, their phases spread
// over the 20 ms.
type pacer struct {
	stop chan struct{}
	done sync.WaitGroup
}

func startPacer(streams []*stream, wait clock) *pacer {
	p := &pacer{stop: make(chan struct{})}
	p.done.Go(func() {
		runtime.LockOSThread() // fine blocks it
		defer runtime.UnlockOSThread()
		p.run(streams, wait)
	})
	return p
}

func (p *pacer) run(streams []*stream, wait clock) {
	gap := packetTime / time.Duration(len(streams))
	for round := time.Now(); ; round = round.Add(packetTime) {
		for i, s := range streams {
			wait(round.Add(time.Duration(i) * gap))
			s.send()
		}
		select {
		case <-p.stop:
			return
		default:
		}
	}
}

// end stops sending.
func (p *pacer) end() {
	close(p.stop)
	p.done.Wait()
}
