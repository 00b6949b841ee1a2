package wsedge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/pcm"
)

const (
	// writeTimeout is how long a server may take no byte before its connection is
	// given up.
	writeTimeout = 30 * time.Second
	// pingEvery and pingTimeout find connections that are dead.
	pingEvery, pingTimeout = 20 * time.Second, 20 * time.Second
	// maxMessage bounds a message of a server, in bytes.
	maxMessage = 1 << 20
)

// leg is one connection.
type leg struct {
	edge   *Edge
	id     core.LegID
	socket core.Socket
	first  []byte // the first message
	path   *pcm.Path
	out    outbox
	in     *queue

	ctx  context.Context //nolint:containedctx // ends the leg: its cause is an ended, or what went wrong
	stop context.CancelCauseFunc
}

// ended is why the exchange ended a leg.
type ended struct{ cause core.Cause }

func (ended) Error() string { return "ended" }

// errClosed is a server that closed, or was lost.
var errClosed = errors.New("closed by the far end")

func newLeg(e *Edge, cmd core.Ring) *leg {
	l := &leg{edge: e, id: cmd.Leg, socket: cmd.Target.Socket}
	l.ctx, l.stop = context.WithCancelCause(context.Background())
	l.first = connected(l.socket.Rate, cmd.Headers)
	l.out.init()
	l.path = pcm.New(pcm.Config{
		Rate:  l.socket.Rate,
		Heard: func(_ int64, samples []int16) { l.out.audio(samples) },
		Key:   func(key byte, lasted time.Duration) { l.out.text(pressed(key, lasted)) },
	})
	l.in = newQueue(l.path.Frame())
	return l
}

// end ends the leg for the exchange.
func (l *leg) end(cause core.Cause) { l.stop(ended{cause}) }

// run is the life of the leg.
func (l *leg) run() {
	conn, err := l.connect()
	if err != nil {
		l.edge.gone(l, l.failed(err))
		return
	}
	l.edge.cfg.Media.Attach(l.id, l.path)
	l.edge.post(core.LegAccepted{Leg: l.id})
	l.edge.post(core.LegUp{Leg: l.id})
	var serving sync.WaitGroup
	serving.Go(func() { l.fail(l.read(conn)) })
	serving.Go(func() { l.fail(l.write(conn)) })
	serving.Go(func() { l.fail(l.ping(conn)) })
	serving.Go(l.play)
	<-l.ctx.Done()
	l.edge.cfg.Media.Detach(l.id)
	gone := core.LegGone{Leg: l.id, Cause: core.CauseNormal}
	if why, ok := errors.AsType[ended](context.Cause(l.ctx)); ok {
		gone.Cause = why.cause
	} else {
		l.edge.post(core.LegClosed{Leg: l.id})
	}
	l.edge.gone(l, gone)
	_ = conn.Close(websocket.StatusNormalClosure, "") // the far end may be gone
	conn.CloseNow()
	serving.Wait()
	l.account()
}

// fail ends the leg because its connection does.
func (l *leg) fail(err error) {
	if l.ctx.Err() == nil {
		l.edge.cfg.Log.Debug("websocket closed", "leg", string(l.id), "why", err)
	}
	l.stop(errClosed)
}

// account adds up what was lost.
func (l *leg) account() {
	unsent, unheard := l.out.lost(), l.in.lost()
	l.edge.unsent.Add(unsent)
	l.edge.unheard.Add(unheard)
	if unsent+unheard > 0 {
		l.edge.cfg.Log.Warn("audio of a websocket was dropped", "leg", string(l.id), "unsent", unsent, "unheard", unheard)
	}
}

// connect upgrades, and sends the first message.
func (l *leg) connect() (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(l.ctx, l.edge.cfg.ConnectTimeout)
	defer cancel()
	header := http.Header{"User-Agent": {l.edge.cfg.Agent}}
	authorization, err := l.authorization(ctx)
	if err != nil {
		return nil, err
	}
	if authorization != "" {
		header.Set("Authorization", authorization)
	}
	//nolint:bodyclose // the package says that it need not be
	conn, res, err := websocket.Dial(ctx, l.socket.URI, &websocket.DialOptions{
		HTTPClient: l.edge.client(l.socket.App), HTTPHeader: header, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		if res != nil && res.StatusCode != http.StatusSwitchingProtocols {
			err = errors.New("the server answered " + strconv.Itoa(res.StatusCode))
		}
		return nil, err
	}
	conn.SetReadLimit(maxMessage)
	if err := conn.Write(ctx, websocket.MessageText, l.first); err != nil {
		conn.CloseNow()
		return nil, err
	}
	return conn, nil
}

// authorization returns the value of that header.
func (l *leg) authorization(ctx context.Context) (string, error) {
	if l.socket.Authorization != core.SocketToken {
		return l.socket.Authorization, nil
	}
	if l.edge.cfg.Tokens == nil {
		return "", nil
	}
	token, err := l.edge.cfg.Tokens.SocketToken(ctx, l.socket.App)
	if err != nil {
		return "", fmt.Errorf("no token: %w", err)
	}
	return "Bearer " + token, nil
}

// failed says how a leg ends that did not connect. Who does not answer in time is
// like a phone that does not; who refuses, or is nobody, cannot be reached.
func (l *leg) failed(err error) core.LegGone {
	if why, ok := errors.AsType[ended](context.Cause(l.ctx)); ok {
		return core.LegGone{Leg: l.id, Cause: why.cause}
	}
	l.edge.cfg.Log.Warn("a websocket cannot be reached", "leg", string(l.id), "uri", display(l.socket.URI), "error", err)
	if fault, ok := errors.AsType[net.Error](err); errors.Is(err, context.DeadlineExceeded) || ok && fault.Timeout() {
		return core.LegGone{Leg: l.id, Cause: core.CauseNoResponse, Code: 408}
	}
	return core.LegGone{Leg: l.id, Cause: core.CauseOutOfOrder, Code: 502}
}

// write sends what is in the outbox until the leg ends.
func (l *leg) write(conn *websocket.Conn) error {
	for {
		select {
		case <-l.ctx.Done():
			return nil
		case <-l.out.wake:
		}
		for m, ok := l.out.next(); ok; m, ok = l.out.next() {
			select {
			case <-l.ctx.Done(): // what is left is for nobody; the end must not wait for it
				return nil
			default:
			}
			// Not l.ctx: to end a write halfway would break the connection before its close.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), writeTimeout)
			err := conn.Write(ctx, m.kind, m.data)
			cancel()
			l.out.sent(m)
			if err != nil {
				return err
			}
		}
	}
}

// ping asks the server whether it is there.
func (l *leg) ping(conn *websocket.Conn) error {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return nil
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), pingTimeout)
		err := conn.Ping(ctx)
		cancel()
		if err != nil {
			return err
		}
	}
}

// play says what the server sent, at its time. Packets count its time, not timers.
func (l *leg) play() {
	frame := make([]int16, l.path.Frame())
	pcm.Every(l.ctx, func(at time.Time) {
		said, reached := l.in.frame(frame, at)
		if said {
			l.path.Say(frame)
		} else {
			l.path.Rest()
		}
		for _, payload := range reached {
			l.out.text(notified(payload))
		}
	})
}
