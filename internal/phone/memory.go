package phone

import (
	"sync"
	"time"
)

// memorySamples is what a call remembers of what it heard: 20 s.
const memorySamples = 20 * Rate

// memory keeps the newest samples.
type memory struct {
	mu  sync.Mutex // guards the fields below
	pcm []int16    // a ring once it is full
	at  int        // where the next sample goes
}

func (m *memory) add(pcm []int16) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pcm == nil {
		m.pcm = make([]int16, 0, memorySamples)
	}
	if room := memorySamples - len(m.pcm); room > 0 {
		n := min(room, len(pcm))
		m.pcm = append(m.pcm, pcm[:n]...)
		pcm = pcm[n:]
	}
	for len(pcm) > 0 {
		n := copy(m.pcm[m.at:], pcm)
		m.at = (m.at + n) % memorySamples
		pcm = pcm[n:]
	}
}

// last returns a copy of the newest d, oldest first.
func (m *memory) last(d time.Duration) []int16 {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := min(len(m.pcm), int(d.Seconds()*Rate))
	out := make([]int16, 0, n)
	for i := len(m.pcm) - n; i < len(m.pcm); i++ {
		out = append(out, m.pcm[(m.at+i)%len(m.pcm)])
	}
	return out
}
