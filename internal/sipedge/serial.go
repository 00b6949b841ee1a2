package sipedge

import "sync"

// serial runs functions one after the other in the order posted, on a goroutine
// that lives only while there is work. Posting never blocks.
type serial struct {
	group   *sync.WaitGroup // counts running goroutines for the edge's Close
	mu      sync.Mutex      // guards queue and running
	queue   []func()
	running bool
}

// post adds f to the queue.
func (s *serial) post(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, f)
	if s.running {
		return
	}
	s.running = true
	s.group.Go(s.run)
}

func (s *serial) run() {
	for {
		s.mu.Lock()
		work := s.queue
		s.queue = nil
		s.running = len(work) > 0
		s.mu.Unlock()
		if len(work) == 0 {
			return
		}
		for _, f := range work {
			f()
		}
	}
}
