//go:build e2e

package harness

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/sip"
)

// Wire collects the SIP messages of a phone, in order.
type Wire struct {
	mu       sync.Mutex // guards messages
	messages []Message
}

// Message is one SIP message of a Wire.
type Message struct {
	At   time.Time
	Text string // with "> " (sent) or "< " in front
}

// Is reports whether the message begins with start, such as "< CANCEL ", and
// holds all of words.
func (m Message) Is(start string, words ...string) bool {
	if !strings.HasPrefix(m.Text, start) {
		return false
	}
	for _, word := range words {
		if !strings.Contains(m.Text, word) {
			return false
		}
	}
	return true
}

// Header returns the first value of a header, spelled as on the wire, "" if
// there is none.
func (m Message) Header(name string) string {
	for line := range strings.Lines(m.Text) {
		if value, found := strings.CutPrefix(line, name+": "); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (w *Wire) trace(t sip.Trace) {
	mark := "< "
	if t.Out {
		mark = "> "
	}
	m := Message{At: time.Now(), Text: mark + string(t.Data)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.messages = append(w.messages, m)
}

// Messages returns all messages so far, in order.
func (w *Wire) Messages() []Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.messages)
}

// Find returns the messages that begin with start, such as "< CANCEL ", and hold
// all of words.
func (w *Wire) Find(start string, words ...string) []string {
	var found []string
	for _, m := range w.Messages() {
		if m.Is(start, words...) {
			found = append(found, m.Text)
		}
	}
	return found
}

// String returns all messages.
func (w *Wire) String() string {
	var all []string
	for _, m := range w.Messages() {
		all = append(all, m.Text)
	}
	return strings.Join(all, "\n----\n")
}
