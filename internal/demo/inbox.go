package demo

import "sync"

// inbox queues functions for the loop. Posting never blocks; those who post are
// bounded in number: calls, pages and their commands.
type inbox struct {
	wake chan struct{} // one slot

	mu    sync.Mutex // guards queue
	queue []func()
}

func (b *inbox) post(f func()) {
	b.mu.Lock()
	b.queue = append(b.queue, f)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *inbox) take() []func() {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.queue
	b.queue = nil
	return list
}
