package demo

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/internal/phone"
)

// Limits of one page's socket.
const (
	maxText     = 4096 // bytes of a command
	maxAudio    = 3200 // bytes of samples in a frame
	maxCommands = 100  // in commandTime
	commandTime = 10 * time.Second
	writeTime   = 10 * time.Second
	pingTime    = 25 * time.Second
	maxFailures = 20 // that wait to be sent
	maxFrames   = 10 // of audio that wait to be sent
)

// Close codes of docs/protocol/demo.md.
const (
	closeNonsense websocket.StatusCode = 4400
	closeTooMany  websocket.StatusCode = 4429
)

// page is one open page: its socket, its microphone, and what waits to be sent.
type page struct {
	conn *websocket.Conn
	mic  mic
	wake chan struct{} // one slot: something waits
	gone chan struct{} // closed when the socket is

	mu       sync.Mutex // guards what waits
	state    *state     // the newest
	levels   *levels    // the newest
	entries  []entry
	failures []failure
	audio    [][]byte
}

// accept upgrades a request and shows the page the network.
func (d *Demo) accept(w http.ResponseWriter, r *http.Request) (*page, bool) {
	if !d.admit() {
		http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
		return nil, false
	}
	// Without options Accept refuses an Origin that is not the request's own host.
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		d.open.Add(-1)
		d.log.Debug("demo: upgrade refused", "err", err)
		return nil, false
	}
	conn.SetReadLimit(maxText)
	p := &page{conn: conn, wake: make(chan struct{}, 1), gone: make(chan struct{})}
	d.inbox.post(func() { d.joined(p) })
	return p, true
}

// admit counts a page in, unless there are too many.
func (d *Demo) admit() bool {
	if d.open.Add(1) > maxPages {
		d.open.Add(-1)
		return false
	}
	return true
}

// Errors that end a socket with a code of their own.
var (
	errNonsense = errors.New("not a command")
	errTooMany  = errors.New("too many commands")
)

// read takes frames until the socket fails or breaks the rules.
func (p *page) read(ctx context.Context, obey func(command)) error {
	began, commands := time.Now(), 0
	for {
		kind, data, err := p.conn.Read(ctx)
		if err != nil {
			return err
		}
		if kind == websocket.MessageBinary {
			if !p.hear(data) {
				return errNonsense
			}
			continue
		}
		if time.Since(began) > commandTime {
			began, commands = time.Now(), 0
		}
		if commands++; commands > maxCommands {
			return errTooMany
		}
		var c command
		if len(data) == 0 || data[0] != '{' || json.Unmarshal(data, &c) != nil {
			return errNonsense
		}
		obey(c)
	}
}

// hear takes a frame of the page's microphone.
func (p *page) hear(data []byte) bool {
	if len(data) == 0 || len(data) > maxAudio || len(data)%2 != 0 {
		return false
	}
	pcm := make([]int16, len(data)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(data[2*i:]))
	}
	p.mic.add(pcm)
	return true
}

// ear returns a phone.Sink that sends what a phone hears to the page, in frames
// of 160 samples. A page that is slow loses the oldest.
func (p *page) ear() phone.Sink {
	var rest []int16
	return func(pcm []int16) {
		rest = append(rest, pcm...)
		for len(rest) >= frame {
			data := make([]byte, 2*frame)
			for i, s := range rest[:frame] {
				binary.LittleEndian.PutUint16(data[2*i:], uint16(s))
			}
			rest = append(rest[:0], rest[frame:]...)
			p.wait(func() {
				p.audio = append(p.audio, data)
				p.audio = p.audio[max(0, len(p.audio)-maxFrames):]
			})
		}
	}
}

func (p *page) show(s state)   { p.wait(func() { p.state = &s }) }
func (p *page) meter(l levels) { p.wait(func() { p.levels = &l }) }
func (p *page) fail(f failure) {
	p.wait(func() { p.failures = newest(append(p.failures, f), maxFailures) })
}

func (p *page) climb(e ...entry) {
	p.wait(func() { p.entries = newest(append(p.entries, e...), ladderLength) })
}

// newest returns the last n of list.
func newest[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }

// wait changes what waits to be sent and wakes the writer. It never blocks.
func (p *page) wait(change func()) {
	p.mu.Lock()
	change()
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// write sends what waits until the socket fails or ctx ends, and pings a page
// that has nothing to say.
func (p *page) write(ctx context.Context) {
	ticker := time.NewTicker(pingTime)
	defer ticker.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			_ = p.conn.Close(websocket.StatusGoingAway, "offhook stops") // the peer may be gone
			return
		case <-p.gone:
			return
		case <-ticker.C:
			err = p.ping(ctx)
		case <-p.wake:
			err = p.flush(ctx)
		}
		if err != nil {
			p.conn.CloseNow()
			return
		}
	}
}

func (p *page) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	return p.conn.Ping(ctx)
}

// flush sends all that waits, the network's state first.
func (p *page) flush(ctx context.Context) error {
	p.mu.Lock()
	var messages []any
	if p.state != nil {
		messages = append(messages, p.state)
	}
	for _, f := range p.failures {
		messages = append(messages, f)
	}
	if len(p.entries) > 0 {
		messages = append(messages, ladderMessage{Type: "ladder", Entries: p.entries})
	}
	if p.levels != nil {
		messages = append(messages, p.levels)
	}
	audio := p.audio
	p.state, p.failures, p.entries, p.levels, p.audio = nil, nil, nil, nil, nil
	p.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	for _, m := range messages {
		data, err := json.Marshal(m)
		if err != nil {
			return err
		}
		if err := p.conn.Write(ctx, websocket.MessageText, data); err != nil {
			return err
		}
	}
	for _, frame := range audio {
		if err := p.conn.Write(ctx, websocket.MessageBinary, frame); err != nil {
			return err
		}
	}
	return nil
}

// close ends the socket after read, with the code for err, and the writer.
func (p *page) close(err error) {
	switch {
	case errors.Is(err, errNonsense):
		_ = p.conn.Close(closeNonsense, err.Error()) // the peer may be gone
	case errors.Is(err, errTooMany):
		_ = p.conn.Close(closeTooMany, err.Error())
	default:
		p.conn.CloseNow()
	}
	close(p.gone)
}
