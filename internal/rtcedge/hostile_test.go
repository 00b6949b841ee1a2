package rtcedge

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/internal/core"
)

func TestHostileFrames(t *testing.T) {
	for _, tc := range []struct {
		name, frame string
		want        websocket.StatusCode
	}{
		{"no JSON", `hello`, closeNotObject},
		{"array", `[]`, closeNotObject},
		{"no type", `{"id":"1"}`, closeNotObject},
		{"type is a number", `{"type":1}`, closeNotObject},
		{"null", `null`, closeNotObject},
		{"deep nesting", `{"type":"ping","x":` + strings.Repeat("[", 20000), closeNotObject},
		{"huge", `{"type":"ping","id":"1","x":"` + strings.Repeat("x", 64<<10) + `"}`, websocket.StatusMessageTooBig},
	} {
		for _, loggedIn := range []bool{false, true} {
			t.Run(tc.name, func(t *testing.T) {
				r := newRig(t, nil)
				c := r.dial()
				if loggedIn {
					c, _ = r.login("sales")
				}
				c.send("%s", tc.frame)
				if code := c.closed(); code != tc.want {
					t.Fatalf("closed with %v, want %v", code, tc.want)
				}
			})
		}
	}
}

func TestBadRequestsAreAnsweredAndHarmless(t *testing.T) {
	r := newRig(t, nil)
	c, _ := r.login("sales")
	for _, tc := range []struct{ frame, id, kind string }{
		{`{"type":"nonsense","id":"1"}`, "1", "invalid"},
		{`{"type":"hold","id":"2"}`, "2", "invalid"},
		{`{"type":"ping"}`, "<nil>", "invalid"},
		{`{"type":"ping","id":7}`, "<nil>", "invalid"},
		{`{"type":"ping","id":"` + strings.Repeat("x", 65) + `"}`, "<nil>", "invalid"},
		{`{"type":"accept","id":"3","leg":5}`, "3", "invalid"},
		{`{"type":"call","id":"4"}`, "4", "invalid"},
		{`{"type":"call","id":"5","to":"` + strings.Repeat("1", 129) + `"}`, "5", "invalid"},
		{`{"type":"call","id":"6","to":"12\r\nVia: x"}`, "6", "invalid"},
		{`{"type":"call","id":"7","to":"5","path":"nope"}`, "7", "not_found"},
		{`{"type":"login","id":"8","protocol":1,"user":"support","password":"right"}`, "8", "conflict"},
	} {
		c.send("%s", tc.frame)
		c.want("error", "id", tc.id, "kind", tc.kind)
	}
	r.post.none(t)
	c.send(`{"type":"ping","id":"9","unknown_field":{"x":[1]}}`)
	c.want("reply", "id", "9")
}

func TestBinaryFrameIsRefused(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.login("sales")
	if err := c.conn.Write(t.Context(), websocket.MessageBinary, []byte(`{"type":"ping","id":"1"}`)); err != nil {
		t.Fatal(err)
	}
	if code := c.closed(); code != websocket.StatusUnsupportedData {
		t.Fatalf("closed with %v", code)
	}
	device, _ := h["device"].(string)
	r.post.want(t, core.ContactGone{ID: core.ContactID(device)})
}

func TestFloodIsCutOff(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.Burst = 5; c.Limits.PerSecond = 1 })
	c, _ := r.login("sales")
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		err := c.conn.Write(ctx, websocket.MessageText, []byte(`{"type":"ping","id":"1"}`))
		cancel()
		if err != nil {
			break // closed already
		}
	}
	if code := c.closed(); code != closeFlood {
		t.Fatalf("closed with %v", code)
	}
}

func TestSlowReaderIsDroppedAndItsCallLives(t *testing.T) {
	r := newRig(t, func(c *Config) {
		c.Limits.Queue = 4
		c.Limits.PongWithin = 100 * time.Millisecond
	})
	c, h := r.login("sales")
	p := r.answered(c, h, "b1")
	device, _ := h["device"].(string)
	// The client stops reading; its socket buffers and then the queue fill up.
	ref := core.LegRef{Leg: "b1", Edge: core.EdgeBrowser}
	deadline := time.Now().Add(patience)
	for i := 0; ; i++ {
		if time.Now().After(deadline) {
			t.Fatal("a client that does not read is kept")
		}
		p.ev.Down()
		p.ev.Up()
		r.edge.Do(core.Progress{LegRef: ref}) // never blocks
		r.post.mu.Lock()
		gone := len(r.post.events) > 0
		r.post.mu.Unlock()
		if gone {
			break
		}
	}
	r.post.want(t, core.ContactGone{ID: core.ContactID(device)})
	if r.media.of("b1") != p {
		t.Fatal("the call ended with its slow socket")
	}
}

func TestSilentClientIsCutOffByPing(t *testing.T) {
	r := newRig(t, func(c *Config) {
		c.Limits.PingEvery = 20 * time.Millisecond
		c.Limits.PongWithin = 20 * time.Millisecond
	})
	_, h := r.login("sales") // nobody reads on this socket: no pong is sent
	device, _ := h["device"].(string)
	r.post.want(t, core.ContactGone{ID: core.ContactID(device)})
}

func TestStrangersAreLimited(t *testing.T) {
	for name, limit := range map[string]func(*Limits){
		"on the node":     func(l *Limits) { l.Strangers = 2 },
		"from one source": func(l *Limits) { l.SourceStrangers = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(c *Config) { limit(&c.Limits) })
			r.login("sales") // is no stranger any more
			r.dial()
			r.dial()
			_, resp, err := websocket.Dial(t.Context(), r.url, nil)
			if err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
				t.Fatalf("third stranger was let in: %v", err)
			}
		})
	}
}

func TestHalfAnUpgradeIsHarmless(t *testing.T) {
	r := newRig(t, nil)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(r.url, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: nothing\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64)
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	n, _ := conn.Read(buf)
	if !strings.HasPrefix(string(buf[:n]), "HTTP/1.1 4") {
		t.Fatalf("answer %q", buf[:n])
	}
	_ = conn.Close()
	r.login("sales")
}

func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte(`{"type":"login","id":"1","protocol":1,"user":"a","password":"b"}`))
	f.Add([]byte(`{"type":"mute","id":"1","leg":"x","muted":null}`))
	f.Add([]byte(`{"type":"media","id":"1","path":"p","sdp":"v=0\r\n"}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		req, err := decodeRequest(frame)
		if err == nil && (req.ID == "" || len(req.ID) > 64) {
			t.Fatalf("accepted id %q", req.ID)
		}
		encode(failureOf(req.ID, err))
	})
}
