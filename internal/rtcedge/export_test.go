package rtcedge

// Cut breaks every socket without a close frame, as a lost network does.
func (e *Edge) Cut() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for s := range e.sockets {
		s.drop(closeCut)
	}
}
