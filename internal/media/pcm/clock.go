package pcm

import (
	"context"
	"time"
)

// maxBehind is how much Every catches up after a stall of this machine.
const maxBehind = 100 * time.Millisecond

// Every calls frame when each frame is due, from now on until ctx ends. at is that
// time, a little before the present after a stall of this machine; what is due for
// longer than 100 ms is left out.
func Every(ctx context.Context, frame func(at time.Time)) {
	next := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		for now := time.Now(); !next.After(now); next = next.Add(FrameTime) {
			if now.Sub(next) > maxBehind {
				next = now
			}
			frame(next)
		}
		timer.Reset(time.Until(next))
	}
}
