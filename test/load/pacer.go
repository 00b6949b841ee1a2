package main

import (
	"runtime"
	"sync"
	"syscall"
	"time"
)

// pacer sends the packets of many streams, 50 a second each, evenly spread over
// the 20 ms. It owns a thread: the runtime's timers wake up once a millisecond,
// which would make bursts that no real phones make.
type pacer struct {
	stop chan struct{}
	done sync.WaitGroup
}

func startPacer(streams []*stream) *pacer {
	p := &pacer{stop: make(chan struct{})}
	p.done.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		p.run(streams)
	})
	return p
}

func (p *pacer) run(streams []*stream) {
	gap := packetTime / time.Duration(len(streams))
	for round := time.Now(); ; round = round.Add(packetTime) {
		for i, s := range streams {
			sleepUntil(round.Add(time.Duration(i) * gap))
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

// sleepUntil blocks the thread until t; it returns at once if t is over.
func sleepUntil(t time.Time) {
	if d := time.Until(t); d > 0 {
		wait := syscall.NsecToTimespec(d.Nanoseconds())
		_ = syscall.Nanosleep(&wait, nil) // a signal makes it shorter: the packet is early by less than a gap
	}
}
