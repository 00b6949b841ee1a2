package sip

import (
	"context"
	"time"
)

// settlePoll is how often Settle looks. It is called once in a life.
const settlePoll = 5 * time.Millisecond

// Settle waits until every request of ours has its final response, so that the
// BYEs sent before Close arrive, or until ctx ends. Begin nothing new meanwhile.
func (s *Stack) Settle(ctx context.Context) {
	tick := time.NewTicker(settlePoll)
	defer tick.Stop()
	for s.leaving.Load() > 0 || s.clients.waiting() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// waiting reports whether any transaction has no final response yet.
func (t *clientTable) waiting() bool {
	for _, tx := range t.on(nil) {
		if tx.waits() {
			return true
		}
	}
	return false
}

func (tx *clientTx) waits() bool {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.state <= clientProceeding
}
