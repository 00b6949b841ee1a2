package speech

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/internal/core"
)

const (
	// socketConnect bounds the connection to a recogniser, socketWrite one message to it.
	socketConnect, socketWrite = 5 * time.Second, 5 * time.Second
	// maxFinals bounds how many pieces of text are taken from one.
	maxFinals = 1000
)

// SocketHearing recognises by a server that hears while somebody speaks.
// docs/speech.md has its messages.
type SocketHearing struct {
	cfg    HearConfig
	client *http.Client
}

// NewSocketHearing returns a Recogniser that streams to a server. Model and OpenAI
// mean nothing to it.
func NewSocketHearing(cfg HearConfig) *SocketHearing {
	return &SocketHearing{cfg: cfg, client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// stream is one connection.
type stream struct {
	ctx    context.Context //nolint:containedctx // of Open: ends all that is done here
	cancel context.CancelFunc
	conn   *websocket.Conn
	buf    []byte

	// What read found out; it is there when done is closed.
	done   chan struct{}
	finals []heardText
	err    error
}

// heardText is a message of the server.
type heardText struct {
	Text       string   `json:"text"`
	Confidence *float64 `json:"confidence"`
	Final      bool     `json:"final"`
	// Last says that nothing follows.
	Last bool `json:"last"`
}

// Open implements Recogniser.
func (s *SocketHearing) Open(ctx context.Context, h Hints) (Hearing, error) {
	ctx, cancel := context.WithCancel(ctx)
	st := &stream{ctx: ctx, cancel: cancel, done: make(chan struct{})}
	if err := st.connect(ctx, s, h); err != nil {
		cancel()
		return nil, fmt.Errorf("speech: %w", err)
	}
	go st.read() // ends with the connection, which Close ends
	return st, nil
}

func (st *stream) connect(ctx context.Context, s *SocketHearing, h Hints) error {
	ctx, cancel := context.WithTimeout(ctx, socketConnect)
	defer cancel()
	header := http.Header{}
	if s.cfg.Key != "" {
		header.Set("Authorization", "Bearer "+s.cfg.Key.Reveal())
	}
	address := strings.ReplaceAll(s.cfg.URL, "{language}", url.QueryEscape(h.Language))
	//nolint:bodyclose // the package says that it need not be
	conn, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: s.client, HTTPHeader: header, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return err
	}
	st.conn = conn
	start, err := json.Marshal(struct {
		Event       string   `json:"event"`
		ContentType string   `json:"content-type"`
		Language    string   `json:"language"`
		Hints       []string `json:"hints,omitempty"`
	}{"start", fmt.Sprintf("audio/l16;rate=%d", HearRate), cmp.Or(h.Language, defaultLanguage), h.Words})
	if err == nil {
		err = conn.Write(ctx, websocket.MessageText, start)
	}
	if err != nil {
		conn.CloseNow()
	}
	return err
}

// read collects the pieces that are final until the server closes or says that it
// was the last one.
func (st *stream) read() {
	defer close(st.done)
	for len(st.finals) < maxFinals {
		kind, data, err := st.conn.Read(st.ctx)
		if err != nil {
			if websocket.CloseStatus(err) != websocket.StatusNormalClosure {
				st.err = err
			}
			return
		}
		var t heardText
		if kind != websocket.MessageText || json.Unmarshal(data, &t) != nil {
			continue
		}
		if t.Final && strings.TrimSpace(t.Text) != "" {
			st.finals = append(st.finals, t)
		}
		if t.Last {
			return
		}
	}
}

// Write implements Hearing.
func (st *stream) Write(pcm []int16) error {
	st.buf = st.buf[:0]
	for _, s := range pcm {
		st.buf = binary.LittleEndian.AppendUint16(st.buf, uint16(s))
	}
	ctx, cancel := context.WithTimeout(st.ctx, socketWrite)
	defer cancel()
	return st.conn.Write(ctx, websocket.MessageBinary, st.buf)
}

// Finish implements Hearing.
func (st *stream) Finish() ([]core.SpeechText, error) {
	ctx, cancel := context.WithTimeout(st.ctx, socketWrite)
	defer cancel()
	if err := st.conn.Write(ctx, websocket.MessageText, []byte(`{"event":"end"}`)); err != nil {
		return nil, fmt.Errorf("speech: %w", err)
	}
	select {
	case <-st.done:
	case <-st.ctx.Done():
		return nil, fmt.Errorf("speech: %w", context.Cause(st.ctx))
	}
	var text []string
	sure := 1.0
	for _, t := range st.finals {
		text = append(text, strings.TrimSpace(t.Text))
		sure = min(sure, confidence(t.Confidence))
	}
	if len(text) == 0 {
		if st.err != nil {
			return nil, fmt.Errorf("speech: %w", st.err)
		}
		return nil, nil
	}
	return []core.SpeechText{{Text: strings.Join(text, " "), Confidence: sure}}, nil
}

// Close implements Hearing.
func (st *stream) Close() {
	st.cancel()
	st.conn.CloseNow()
	<-st.done
}
