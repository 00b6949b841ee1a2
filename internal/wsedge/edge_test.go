package wsedge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/media/pcm"
)

// patience bounds what a test waits for; it is long, as machines of tests are busy.
const patience = 20 * time.Second

// inbox takes events.
type inbox chan core.Event

func (i inbox) Post(ev core.Event) error { i <- ev; return nil }

// expect waits for the next event and compares it.
func (i inbox) expect(t *testing.T, want core.Event) {
	t.Helper()
	select {
	case got := <-i:
		if got != want {
			t.Fatalf("event %#v, want %#v", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("no %T", want)
	}
}

// server is an application's WebSocket server.
type server struct {
	*httptest.Server

	conns  chan *websocket.Conn
	header chan http.Header
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{conns: make(chan *websocket.Conn, 8), header: make(chan http.Header, 8)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.header <- r.Header
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		conn.SetReadLimit(1 << 20)
		s.conns <- conn
		<-r.Context().Done() // of a hijacked request it never is, but for the server's end
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) uri() string { return "ws" + strings.TrimPrefix(s.URL, "http") + "/talk?x=1" }

// accept waits for a connection and its first message.
func (s *server) accept(t *testing.T) (*websocket.Conn, string) {
	t.Helper()
	select {
	case conn := <-s.conns:
		t.Cleanup(func() { conn.CloseNow() })
		return conn, nextText(t, conn)
	case <-time.After(patience):
		t.Fatal("nobody connects")
	}
	return nil, ""
}

// nextText waits for a text, whatever audio comes before it.
func nextText(t *testing.T, conn *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		kind, data, err := conn.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if kind == websocket.MessageText {
			return string(data)
		}
	}
}

func say(t *testing.T, conn *websocket.Conn, kind websocket.MessageType, data []byte) {
	t.Helper()
	if err := conn.Write(t.Context(), kind, data); err != nil {
		t.Fatal(err)
	}
}

// world is an edge with everything around it.
type world struct {
	edge   *Edge
	media  *media.Server
	events inbox
	server *server
}

func newWorld(t *testing.T, change func(*Config)) *world {
	t.Helper()
	w := &world{media: media.NewServer(media.Config{}), events: make(inbox, 64), server: newServer(t)}
	t.Cleanup(w.media.Close)
	cfg := Config{Post: w.events, Media: w.media, Agent: "offhook/test"}
	if change != nil {
		change(&cfg)
	}
	w.edge = New(cfg)
	t.Cleanup(w.edge.Close)
	return w
}

func ref(leg core.LegID) core.LegRef { return core.LegRef{Leg: leg, Edge: core.EdgeSocket} }

func (w *world) ring(s core.Socket, headers ...core.Header) {
	w.edge.Do(core.Ring{LegRef: ref("w"), Target: core.Target{Socket: s}, Headers: headers})
}

// up rings the server and waits until the leg is up.
func (w *world) up(t *testing.T, s core.Socket) *websocket.Conn {
	t.Helper()
	s.URI = w.server.uri()
	if s.Rate == 0 {
		s.Rate = 16000
	}
	w.ring(s)
	conn, _ := w.server.accept(t)
	w.events.expect(t, core.LegRinging{Leg: "w"})
	w.events.expect(t, core.LegAccepted{Leg: "w"})
	w.events.expect(t, core.LegUp{Leg: "w"})
	return conn
}

func TestFirstMessageHasFormatAndHeaders(t *testing.T) {
	for _, rate := range []int{8000, 16000, 24000} {
		w := newWorld(t, nil)
		w.ring(core.Socket{URI: w.server.uri(), Rate: rate, Authorization: "Basic abc"},
			core.Header{Name: "caller", Value: `"1299"`}, core.Header{Name: "n", Value: `{"a":[1]}`}, core.Header{Name: "raw", Value: "no \"JSON\""}, core.Header{Name: "event", Value: `"x"`})
		_, first := w.server.accept(t)
		want := fmt.Sprintf(`{"event":"websocket:connected","content-type":"audio/l16;rate=%d","caller":"1299","n":{"a":[1]},"raw":"no \"JSON\""}`, rate)
		if first != want {
			t.Errorf("first message %s, want %s", first, want)
		}
		h := <-w.server.header
		if h.Get("Authorization") != "Basic abc" || h.Get("User-Agent") != "offhook/test" || h.Get("caller") != "" {
			t.Errorf("upgrade with %v", h)
		}
	}
}

// tokens makes the token "signed for app".
type tokens struct{}

func (tokens) SocketToken(_ context.Context, app string) (string, error) {
	if app == "" {
		return "", errors.New("no application")
	}
	return "signed-for-" + app, nil
}

func TestTokenOfTheApplication(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Tokens = tokens{} })
	w.up(t, core.Socket{Authorization: core.SocketToken, App: "app1"})
	if got := (<-w.server.header).Get("Authorization"); got != "Bearer signed-for-app1" {
		t.Errorf("authorization %q", got)
	}
}

func TestAudioOfOthersComesInFramesOf20ms(t *testing.T) {
	for rate, size := range map[int]int{8000: 320, 16000: 640, 24000: 960} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			w := newWorld(t, nil)
			conn := w.up(t, core.Socket{Rate: rate})
			frames := func(n int) (pcm []int16) {
				for range n {
					kind, data, err := conn.Read(t.Context())
					if err != nil || kind != websocket.MessageBinary || len(data) != size {
						t.Fatalf("%v with %d bytes, %v", kind, len(data), err)
					}
					for i := 0; i < len(data); i += 2 {
						pcm = append(pcm, int16(uint16(data[i])|uint16(data[i+1])<<8))
					}
				}
				return pcm
			}
			if l := meter.Level(frames(10)); l > -80 {
				t.Errorf("silence is at %.0f dBFS", l)
			}
			voice := speaker(t, w.media, "a", 440)
			w.media.Do(core.Hear{Leg: "w", From: []core.LegID{"a"}})
			deadline := time.Now().Add(patience)
			for {
				heard := frames(25)
				if p := meter.Purity(heard, rate, 440); p > 0.9 {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("the voice of the other leg does not come")
				}
			}
			voice()
		})
	}
}

// speaker attaches a leg that hums until stop.
func speaker(t *testing.T, m *media.Server, leg core.LegID, freq float64) (stop func()) {
	t.Helper()
	path := pcm.New(pcm.Config{Rate: 16000})
	m.Attach(leg, path)
	quit := make(chan struct{})
	var humming sync.WaitGroup
	humming.Go(func() {
		hum := sine(freq, 16000, 16000)
		tick := time.NewTicker(pcm.FrameTime)
		defer tick.Stop()
		for at := 0; ; at = (at + 320) % 16000 {
			select {
			case <-quit:
				return
			case <-tick.C:
				path.Say(hum[at : at+320])
			}
		}
	})
	stop = sync.OnceFunc(func() { close(quit); humming.Wait() })
	t.Cleanup(stop)
	return stop
}

// sine is n samples of a tone.
func sine(freq float64, rate, n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(4600 * math.Sin(2*math.Pi*freq*float64(i)/float64(rate)))
	}
	return pcm
}

func TestWhatTheServerSendsIsHeard(t *testing.T) {
	w := newWorld(t, nil)
	conn := w.up(t, core.Socket{Rate: 16000})
	var mu sync.Mutex
	var heard []int16
	w.media.Attach("b", pcm.New(pcm.Config{Rate: 16000, Heard: func(_ int64, pcm []int16) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, pcm...)
	}}))
	w.media.Do(core.Hear{Leg: "b", From: []core.LegID{"w"}})
	var speech []byte
	for _, s := range sine(500, 16000, 2*16000) {
		speech = append(speech, byte(s), byte(uint16(s)>>8))
	}
	for piece := range slices.Chunk(speech, 777) { // all at once, in pieces of odd size
		say(t, conn, websocket.MessageBinary, piece)
	}
	say(t, conn, websocket.MessageText, []byte(`{"action":"notify","payload":{"id":"end"}}`))
	if got := nextText(t, conn); got != `{"event":"websocket:notify","payload":{"id":"end"}}` {
		t.Errorf("got %s", got)
	}
	deadline := time.Now().Add(patience)
	for loud := 0; loud < 70; loud = 0 {
		mu.Lock()
		for frame := range slices.Chunk(heard, 320) {
			if meter.Level(frame) > -26 && meter.Purity(frame, 16000, 500) > 0.8 {
				loud++
			}
		}
		n := len(heard)
		mu.Unlock()
		if loud >= 70 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("only %d of 100 frames are heard in %d", loud, n/320)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestClearAndUnknownTexts(t *testing.T) {
	w := newWorld(t, nil)
	conn := w.up(t, core.Socket{})
	say(t, conn, websocket.MessageBinary, make([]byte, 640*500)) // 10 s
	for _, text := range []string{`{"action":"notify","payload":1}`, `{"action":"dance"}`, `no JSON`, `[]`, `{"action":7}`, `{"action":"clear"}`, `{"action":"notify"}`} {
		say(t, conn, websocket.MessageText, []byte(text))
	}
	for _, want := range []string{`{"event":"websocket:cleared"}`, `{"event":"websocket:notify","payload":null}`} {
		if got := nextText(t, conn); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestKeysOfOthersAreTold(t *testing.T) {
	w := newWorld(t, nil)
	conn := w.up(t, core.Socket{})
	w.edge.mu.Lock()
	path := w.edge.legs["w"].path
	w.edge.mu.Unlock()
	path.HearKey('5', 260*time.Millisecond)
	path.HearKey('#', 100*time.Millisecond)
	for _, want := range []string{`{"event":"websocket:dtmf","digit":"5","duration":260}`, `{"event":"websocket:dtmf","digit":"#","duration":100}`} {
		if got := nextText(t, conn); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestFarEndCloses(t *testing.T) {
	for name, closing := range map[string]func(*websocket.Conn){
		"with 1000":      func(c *websocket.Conn) { _ = c.Close(websocket.StatusNormalClosure, "") },
		"without a word": func(c *websocket.Conn) { _ = c.CloseNow() },
		"by a long text": func(c *websocket.Conn) {
			_ = c.Write(context.Background(), websocket.MessageText, make([]byte, maxText+1))
		},
		"by a long sound": func(c *websocket.Conn) {
			_ = c.Write(context.Background(), websocket.MessageBinary, make([]byte, maxMessage+1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			conn := w.up(t, core.Socket{})
			closing(conn)
			w.events.expect(t, core.LegClosed{Leg: "w"})
			w.events.expect(t, core.LegGone{Leg: "w", Cause: core.CauseNormal})
			w.edge.Do(core.End{LegRef: ref("w"), Cause: core.CauseNormal}) // crosses it
			if n := w.edge.Stats().Legs; n != 0 {
				t.Errorf("%d legs are left", n)
			}
		})
	}
}

func TestWeCloseWith1000(t *testing.T) {
	w := newWorld(t, nil)
	conn := w.up(t, core.Socket{})
	w.edge.Do(core.End{LegRef: ref("w"), Cause: core.CauseElsewhere})
	w.events.expect(t, core.LegGone{Leg: "w", Cause: core.CauseElsewhere}) // and no LegClosed
	for {
		_, _, err := conn.Read(t.Context())
		if err == nil {
			continue // audio that was on its way
		}
		if s := websocket.CloseStatus(err); s != websocket.StatusNormalClosure {
			t.Errorf("closed with %v: %v", s, err)
		}
		return
	}
}

func TestServersThatCannotBeReached(t *testing.T) {
	refusing := httptest.NewServer(http.NotFoundHandler())
	defer refusing.Close()
	leading := httptest.NewServer(http.RedirectHandler("ws://127.0.0.1:1/", http.StatusFound))
	defer leading.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ws := func(url string) string { return "ws" + strings.TrimPrefix(url, "http") }
	for _, c := range []struct {
		name, uri string
		want      core.LegGone
	}{
		{"nobody listens", "ws://127.0.0.1:1/", core.LegGone{Leg: "w", Cause: core.CauseOutOfOrder, Code: 502}},
		{"404", ws(refusing.URL), core.LegGone{Leg: "w", Cause: core.CauseOutOfOrder, Code: 502}},
		{"leads elsewhere", ws(leading.URL), core.LegGone{Leg: "w", Cause: core.CauseOutOfOrder, Code: 502}},
		{"no TLS there", "wss" + strings.TrimPrefix(refusing.URL, "http"), core.LegGone{Leg: "w", Cause: core.CauseOutOfOrder, Code: 502}},
		{"no answer", "ws://" + silent.Addr().String(), core.LegGone{Leg: "w", Cause: core.CauseNoResponse, Code: 408}},
		{"no URI", "::", core.LegGone{Leg: "w", Cause: core.CauseOutOfOrder, Code: 502}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, func(cfg *Config) {
				if c.name == "no answer" {
					cfg.ConnectTimeout = 100 * time.Millisecond
				}
			})
			w.ring(core.Socket{URI: c.uri, Rate: 8000})
			w.events.expect(t, core.LegRinging{Leg: "w"})
			w.events.expect(t, c.want)
		})
	}
}

func TestEndWhileItConnects(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	w := newWorld(t, nil)
	w.ring(core.Socket{URI: "ws://" + silent.Addr().String(), Rate: 8000})
	w.ring(core.Socket{URI: "ws://" + silent.Addr().String(), Rate: 8000}) // twice means once
	w.edge.Do(core.End{LegRef: ref("w"), Cause: core.CauseNormal})
	w.events.expect(t, core.LegRinging{Leg: "w"})
	w.events.expect(t, core.LegGone{Leg: "w", Cause: core.CauseNormal})
}

func TestASlowServerHoldsUpNobody(t *testing.T) {
	w := newWorld(t, nil)
	w.up(t, core.Socket{Rate: 24000}) // the server reads nothing from here on
	w.edge.mu.Lock()
	l := w.edge.legs["w"]
	w.edge.mu.Unlock()
	frame := make([]int16, 480)
	deadline := time.Now().Add(patience)
	for l.out.lost() == 0 { // until the buffers of the connection are full
		for range 100 {
			l.out.audio(frame)
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing is dropped")
		}
	}
	for range 2 * maxTexts {
		l.path.HearKey('1', time.Millisecond)
	}
	began := time.Now()
	w.edge.Do(core.End{LegRef: ref("w"), Cause: core.CauseNormal})
	w.events.expect(t, core.LegGone{Leg: "w", Cause: core.CauseNormal})
	if d := time.Since(began); d > patience/2 {
		t.Errorf("its end took %v", d)
	}
}

func TestTooManySockets(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Legs = 1 })
	w.up(t, core.Socket{})
	w.edge.Do(core.Ring{LegRef: ref("x"), Target: core.Target{Socket: core.Socket{URI: w.server.uri(), Rate: 8000}}})
	w.events.expect(t, core.LegGone{Leg: "x", Cause: core.CauseNoResource, Code: 503})
}

func TestMessagesAreJSON(t *testing.T) {
	for _, m := range [][]byte{connected(8000, []core.Header{{Name: "a\"\x01", Value: "\xff"}}), pressed('#', time.Second), pressed('"', 0), cleared(), notified(nil), notified(json.RawMessage(`{"a":1}`))} {
		if !json.Valid(m) {
			t.Errorf("%s", m)
		}
	}
}
