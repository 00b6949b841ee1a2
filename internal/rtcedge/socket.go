package rtcedge

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"
)

// The close codes of docs/protocol/ws.md section 9.
const (
	closeNotObject websocket.StatusCode = 4400
	closeRefused   websocket.StatusCode = 4401
	closeLoginTime websocket.StatusCode = 4408
	closeTakenOver websocket.StatusCode = 4409
	closeEnded     websocket.StatusCode = 4410
	closeFlood     websocket.StatusCode = 4429
	// closeCut is never written: the connection is cut off, because its client
	// does not read.
	closeCut = websocket.StatusAbnormalClosure
)

// errDropped ends the read loop of a socket that we close.
var errDropped = errors.New("socket dropped")

// socket is one WebSocket. Its HTTP handler's goroutine reads, write's goroutine
// writes, keepAlive's pings. send and drop may be called by anybody and never
// block.
type socket struct {
	conn   *websocket.Conn
	limits Limits
	source netip.Addr
	out    chan []byte               // messages in order; bounded by limits.Queue
	closes chan websocket.StatusCode // one slot: the first wish to close wins
	quit   chan struct{}             // closed when the reader is done
	pace   *rate.Limiter
}

func newSocket(conn *websocket.Conn, limits Limits, source netip.Addr) *socket {
	conn.SetReadLimit(int64(limits.Frame))
	return &socket{
		conn: conn, limits: limits, source: source,
		out:    make(chan []byte, limits.Queue),
		closes: make(chan websocket.StatusCode, 1),
		quit:   make(chan struct{}),
		pace:   rate.NewLimiter(rate.Limit(limits.PerSecond), limits.Burst),
	}
}

// send queues one message. A client that lets the queue overflow is dropped:
// after a resume it gets the whole state again, so nothing is lost.
func (s *socket) send(v any) {
	select {
	case s.out <- encode(v):
	default:
		s.drop(closeCut)
	}
}

// drop orders the socket to be closed with code once what is queued is written.
func (s *socket) drop(code websocket.StatusCode) {
	select {
	case s.closes <- code:
	default: // it is being closed already
	}
}

// read returns the next text frame. Any error is final.
func (s *socket) read(ctx context.Context) ([]byte, error) {
	kind, frame, err := s.conn.Read(ctx)
	if err != nil {
		return nil, err
	}
	if kind != websocket.MessageText {
		s.drop(websocket.StatusUnsupportedData)
		return nil, errDropped
	}
	if !s.pace.Allow() {
		s.drop(closeFlood)
		return nil, errDropped
	}
	return frame, nil
}

// write is the only writer of messages. It returns after the socket is closed.
func (s *socket) write(ctx context.Context) {
	for {
		select {
		case frame := <-s.out:
			if !s.writeFrame(ctx, frame) {
				return
			}
		case code := <-s.closes:
			s.finish(ctx, code)
			return
		case <-s.quit:
			// The reader is done: after a drop of its own the code waits in closes.
			select {
			case code := <-s.closes:
				s.finish(ctx, code)
			default:
				s.shut(websocket.StatusNormalClosure)
			}
			return
		}
	}
}

// finish writes what is queued and closes with code.
func (s *socket) finish(ctx context.Context, code websocket.StatusCode) {
	if code == closeCut {
		_ = s.conn.CloseNow() // wakes the reader, which reports the end
		return
	}
	for {
		select {
		case frame := <-s.out:
			if !s.writeFrame(ctx, frame) {
				return
			}
		default:
			s.shut(code)
			return
		}
	}
}

// shut closes the connection; the close handshake is bounded by the library. The
// far end may have gone: then the error says so and helps nobody.
func (s *socket) shut(code websocket.StatusCode) {
	_ = s.conn.Close(code, "")
}

// writeFrame writes one message; on failure the connection is closed.
func (s *socket) writeFrame(ctx context.Context, frame []byte) bool {
	ctx, cancel := context.WithTimeout(ctx, s.limits.PongWithin)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageText, frame); err != nil {
		_ = s.conn.CloseNow() // the write error already says that it is broken
		return false
	}
	return true
}

// keepAlive pings until the socket is over. A client without a pong is cut off:
// its device may be resumed elsewhere sooner than TCP would tell us.
func (s *socket) keepAlive(ctx context.Context) {
	tick := time.NewTicker(s.limits.PingEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.quit:
			return
		case <-tick.C:
		}
		pong, cancel := context.WithTimeout(ctx, s.limits.PongWithin)
		err := s.conn.Ping(pong)
		cancel()
		if err != nil {
			_ = s.conn.CloseNow() // wakes the reader, which reports the end
			return
		}
	}
}
