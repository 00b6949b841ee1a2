package demo

import "sync"

const (
	frame   = 160        // samples in 20 ms
	micMost = 10 * frame // 200 ms
	micLead = 3 * frame  // 60 ms gathered before it speaks, against jitter
)

// mic holds what a page's microphone sent until a phone says it.
type mic struct {
	mu       sync.Mutex // guards the fields below
	pcm      []int16
	speaking bool // false until micLead samples are there
}

// add appends samples and drops the oldest beyond 200 ms.
func (m *mic) add(pcm []int16) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pcm = append(m.pcm, pcm...)
	if extra := len(m.pcm) - micMost; extra > 0 {
		m.pcm = append(m.pcm[:0], m.pcm[extra:]...)
	}
}

// fill is a phone.Source: what comes next, silence where there is nothing.
func (m *mic) fill(pcm []int16) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.speaking && len(m.pcm) < micLead {
		clear(pcm)
		return
	}
	n := copy(pcm, m.pcm)
	m.pcm = append(m.pcm[:0], m.pcm[n:]...)
	clear(pcm[n:])
	m.speaking = n == len(pcm)
}
