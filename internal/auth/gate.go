package auth

import (
	"context"
	"sync/atomic"
)

// gate lets a few in at a time and bounds the queue before it.
type gate struct {
	inside  chan struct{}
	waiting atomic.Int32
	queue   int32
}

func newGate(inside int, queue int32) *gate {
	return &gate{inside: make(chan struct{}, inside), queue: queue}
}

// enter waits for a place. It returns errBusy at once if too many wait already.
func (g *gate) enter(ctx context.Context) error {
	if g.waiting.Add(1) > g.queue {
		g.waiting.Add(-1)
		return errBusy
	}
	defer g.waiting.Add(-1)
	select {
	case g.inside <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave gives the place back.
func (g *gate) leave() { <-g.inside }
