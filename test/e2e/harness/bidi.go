//go:build e2e

package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// bidi is a connection to a browser that speaks WebDriver BiDi, W3C's protocol for
// driving any browser: commands with an id, and events.
type bidi struct {
	socket *websocket.Conn
	events func(method string, params json.RawMessage)

	mu      sync.Mutex // guards what follows
	last    int
	waiting map[int]chan bidiMessage
	err     error // why it ended
}

// bidiMessage is a result, an error or an event.
type bidiMessage struct {
	Type    string          `json:"type"`
	ID      int             `json:"id"`
	Result  json.RawMessage `json:"result"`
	Error   string          `json:"error"`
	Message string          `json:"message"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
}

// dialBidi connects and begins a session, the only one that the browser has.
// Events are called in order, from a goroutine of the connection's.
func dialBidi(ctx context.Context, url string, events func(method string, params json.RawMessage)) (*bidi, error) {
	socket, resp, err := websocket.Dial(ctx, url+"/session", nil)
	if err != nil {
		return nil, err
	}
	if resp.Body != nil {
		resp.Body.Close()
	}
	socket.SetReadLimit(64 << 20) // audio and screenshots come as base64
	b := &bidi{socket: socket, events: events, waiting: map[int]chan bidiMessage{}}
	go b.read(context.WithoutCancel(ctx))
	return b, nil
}

func (b *bidi) close() { _ = b.socket.CloseNow() } // the browser is about to be killed

func (b *bidi) read(ctx context.Context) {
	for {
		var m bidiMessage
		if err := wsjson.Read(ctx, b.socket, &m); err != nil {
			b.end(err)
			return
		}
		if m.Type == "event" {
			b.events(m.Method, m.Params)
			continue
		}
		b.mu.Lock()
		reply := b.waiting[m.ID]
		delete(b.waiting, m.ID)
		b.mu.Unlock()
		if reply != nil {
			reply <- m
		}
	}
}

func (b *bidi) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
	for _, reply := range b.waiting {
		close(reply)
	}
	b.waiting = nil
}

// await registers a new command.
func (b *bidi) await() (id int, reply chan bidiMessage, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0, nil, b.err
	}
	b.last++
	reply = make(chan bidiMessage, 1)
	b.waiting[b.last] = reply
	return b.last, reply, nil
}

// call sends a command and returns its result into result, which may be nil.
func (b *bidi) call(ctx context.Context, method string, params map[string]any, result any) error {
	id, reply, err := b.await()
	if err != nil {
		return err
	}
	if err := wsjson.Write(ctx, b.socket, map[string]any{"id": id, "method": method, "params": params}); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", method, ctx.Err())
	case m, more := <-reply:
		switch {
		case !more:
			return fmt.Errorf("%s: the browser is gone", method)
		case m.Type == "error":
			return fmt.Errorf("%s: %s: %s", method, m.Error, m.Message)
		case result == nil:
			return nil
		}
		return json.Unmarshal(m.Result, result)
	}
}
