package wsedge

import (
	"encoding/binary"
	"sync"

	"github.com/coder/websocket"
)

const (
	// maxFrames is how many frames of audio wait for a slow server: a second. Behind
	// that it would hear the past.
	maxFrames = 50
	// maxTexts is how many texts wait for one, and maxTextBytes how long all of them
	// may be: a server may ask for an answer as long as its question, and not read.
	maxTexts, maxTextBytes = 256, 1 << 20
)

// message is one message to a server.
type message struct {
	kind websocket.MessageType
	data []byte
}

// outbox holds what is to be sent. Whoever puts something in never waits.
type outbox struct {
	wake chan struct{} // has one when there is something

	mu      sync.Mutex // guards what follows
	texts   [][]byte
	written int      // bytes of texts
	frames  [][]byte // oldest first
	spare   [][]byte
	dropped uint64
}

func (o *outbox) init() { o.wake = make(chan struct{}, 1) }

// audio adds a frame, in place of the oldest one if there are too many.
func (o *outbox) audio(pcm []int16) {
	o.mu.Lock()
	var data []byte
	switch n := len(o.spare); {
	case len(o.frames) >= maxFrames:
		data = o.frames[0]
		o.frames = o.frames[:copy(o.frames, o.frames[1:])]
		o.dropped++
	case n > 0:
		data, o.spare = o.spare[n-1], o.spare[:n-1]
	}
	data = data[:0]
	for _, s := range pcm {
		data = binary.LittleEndian.AppendUint16(data, uint16(s))
	}
	o.frames = append(o.frames, data)
	o.mu.Unlock()
	o.signal()
}

// text adds a text, unless there are too many.
func (o *outbox) text(data []byte) {
	o.mu.Lock()
	if len(o.texts) < maxTexts && o.written+len(data) <= maxTextBytes {
		o.texts = append(o.texts, data)
		o.written += len(data)
	}
	o.mu.Unlock()
	o.signal()
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// next takes the next message out: texts first.
func (o *outbox) next() (message, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.texts) > 0 {
		data := o.texts[0]
		o.texts = o.texts[:copy(o.texts, o.texts[1:])]
		o.written -= len(data)
		return message{websocket.MessageText, data}, true
	}
	if len(o.frames) > 0 {
		data := o.frames[0]
		o.frames = o.frames[:copy(o.frames, o.frames[1:])]
		return message{websocket.MessageBinary, data}, true
	}
	return message{}, false
}

// sent gives the memory of a message back.
func (o *outbox) sent(m message) {
	if m.kind != websocket.MessageBinary {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.spare) < maxFrames {
		o.spare = append(o.spare, m.data)
	}
}

// lost returns how many frames were dropped.
func (o *outbox) lost() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.dropped
}
