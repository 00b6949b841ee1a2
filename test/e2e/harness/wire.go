//go:build e2e

package harness

import (
	"strings"
	"sync"

	"github.com/offhook/offhook/internal/sip"
)

// Wire collects the SIP messages of a phone, in order.
type Wire struct {
	mu       sync.Mutex // guards messages
	messages []string   // each with "> " (sent) or "< " in front
}

func (w *Wire) trace(t sip.Trace) {
	mark := "< "
	if t.Out {
		mark = "> "
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.messages = append(w.messages, mark+string(t.Data))
}

// Find returns the messages that begin with start, such as "< CANCEL ", and hold
// all of words.
func (w *Wire) Find(start string, words ...string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []string
next:
	for _, m := range w.messages {
		if !strings.HasPrefix(m, start) {
			continue
		}
		for _, word := range words {
			if !strings.Contains(m, word) {
				continue next
			}
		}
		found = append(found, m)
	}
	return found
}

// String returns all messages.
func (w *Wire) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.messages, "\n----\n")
}
