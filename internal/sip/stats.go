package sip

// Stats counts what a stack holds right now, for metrics and leak tests. When
// nothing happens all but Connections are zero after 64 s.
type Stats struct {
	Connections int // TCP, TLS and WebSocket
	Sessions    int // INVITEs and their dialogs, up to 32 s after their end
	ServerTx    int // requests of peers that wait for an answer, an ACK or a timer
	ClientTx    int // requests of ours likewise
	Answers     int // answers kept for repeated requests
}

// Stats returns the counts. It may be called from any goroutine.
func (s *Stack) Stats() Stats {
	s.mu.Lock()
	st := Stats{Connections: len(s.links)}
	s.mu.Unlock()
	st.Sessions = s.sessions.len()
	st.ServerTx = s.servers.len()
	st.ClientTx = s.clients.len()
	st.Answers = s.answers.len()
	return st
}
