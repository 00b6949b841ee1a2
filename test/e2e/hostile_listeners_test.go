//go:build e2e

package e2e

import (
	"bytes"
	"crypto/rand"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// crowd is how many connections of a kind an attacker holds open.
const crowd = 150

// TestHostileConnectionsHoldNobodyUp occupies every TCP listener with connections
// that are silent, slow, endless or senseless, while phones, tabs and pages must be
// served as ever. Nothing may be left of them.
func TestHostileConnectionsHoldNobodyUp(t *testing.T) {
	b := newBank(t, "")
	alone := serve(t, b)
	b.AwaitMetric("offhook_contacts", 0, 10*time.Second)
	before := b.Holds()
	var open []net.Conn
	attacker := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 5, 1)}, Timeout: 5 * time.Second}
	attack := func(address, first string) {
		for range crowd {
			conn, err := attacker.Dial("tcp", address)
			if err != nil {
				t.Fatalf("%s: %v", address, err)
			}
			open = append(open, conn)
			_, _ = io.WriteString(conn, first) // the server may have closed it
		}
	}
	noise := make([]byte, 2000)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	upgrade := func(path, protocol string) string {
		return "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" + protocol + "\r\n"
	}
	const sipProtocol = "Sec-WebSocket-Protocol: sip\r\n"
	// A text frame that begins and never ends, and one of 2^62 bytes, both masked.
	const endless, huge = "\x01\x82\x00\x00\x00\x00ab", "\x81\xff\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	for _, a := range []struct{ what, address, first string }{
		{"silent", b.HTTP, ""},
		{"silent", b.SIP, ""},
		{"silent", b.TLS, ""},
		{"noise", b.HTTP, string(noise)},
		{"noise", b.SIP, string(noise)},
		{"noise", b.TLS, string(noise)},
		{"half a request", b.HTTP, "GET /healthz HTTP/1.1\r\nHost: x\r\nX: "},
		{"half a request", b.SIP, "REGISTER sip:x SIP/2.0\r\nVia: "},
		{"header of 64 KB", b.HTTP, "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 64<<10) + "\r\n\r\n"},
		{"header of 64 KB", b.SIP, "OPTIONS sip:x SIP/2.0\r\nX: " + strings.Repeat("a", 64<<10) + "\r\n\r\n"},
		{"body that never comes", b.HTTP, "POST /api/v1/users HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n"},
		{"silent WebSocket", b.HTTP, upgrade("/ws", "")},
		{"silent SIP WebSocket", b.HTTP, upgrade("/", sipProtocol)},
		{"fragments without end", b.HTTP, upgrade("/ws", "") + strings.Repeat(endless, 1) + strings.Repeat("\x00\x82\x00\x00\x00\x00ab", 2000)},
		{"fragments without end", b.HTTP, upgrade("/", sipProtocol) + endless + strings.Repeat("\x00\x82\x00\x00\x00\x00ab", 2000)},
		{"frame of 2^62 bytes", b.HTTP, upgrade("/ws", "") + huge},
		{"frame of 2^62 bytes", b.HTTP, upgrade("/", sipProtocol) + huge},
	} {
		attack(a.address, a.first)
		t.Logf("%d connections to %s: %s", crowd, a.address, a.what)
	}
	wantServed(t, b, alone)
	for _, conn := range open {
		_ = conn.Close()
	}
	b.AwaitMetric("offhook_contacts", 0, 10*time.Second)
	b.AwaitIdle(harness.Held{UDPSockets: before.UDPSockets, Goroutines: before.Goroutines + 5}, 60*time.Second)
	b.wantNothing(t)
}

// wantServed fails the test for every honest user who waits for longer than half a
// second, or three times as long as when the server was alone with them. Each comes
// up to three times: a machine that is busy elsewhere holds up one visit, a server
// that is busy with strangers all.
func wantServed(t *testing.T, b *bank, alone map[string]time.Duration) {
	t.Helper()
	best := serve(t, b)
	late := func(what string) bool { return best[what] > max(500*time.Millisecond, 3*alone[what]) }
	for range 2 {
		if slices.ContainsFunc(slices.Collect(maps.Keys(best)), late) {
			for what, took := range serve(t, b) {
				best[what] = min(best[what], took)
			}
		}
	}
	for what, took := range best {
		if late(what) {
			t.Errorf("%s took %v, alone %v", what, took, alone[what])
		}
	}
}

// serve lets one honest user of each kind come and measures how long it takes.
func serve(t *testing.T, b *bank) map[string]time.Duration {
	t.Helper()
	times := make(map[string]time.Duration)
	timed := func(what string, do func()) {
		begun := time.Now()
		do()
		times[what] = time.Since(begun)
	}
	for _, transport := range []string{"udp", "tcp", "tls"} {
		var p *harness.Phone
		timed("registering over "+transport, func() {
			p = harness.NewUser(t, b.Offhook, "desk", "purple-monkey", phone.Config{Transport: transport})
		})
		p.Close()
	}
	timed("a page", func() {
		res, err := http.Get(b.URL("/healthz"))
		if err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("page: %v", err)
			return
		}
		_ = res.Body.Close()
	})
	timed("a login on /ws", func() {
		d := connect(t, b.Offhook)
		if answer := d.logIn(map[string]any{"user": "desk", "password": "purple-monkey"}); answer["type"] == "error" {
			t.Errorf("login: %v", answer)
		}
		_ = d.conn.CloseNow()
	})
	timed("a SIP WebSocket", func() {
		conn, _, err := websocket.Dial(t.Context(), "ws://"+b.HTTP+"/", &websocket.DialOptions{Subprotocols: []string{"sip"}})
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.CloseNow() }()
		options := "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:x>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(options)); err != nil {
			t.Error(err)
		}
		if _, data, err := conn.Read(t.Context()); err != nil || !bytes.HasPrefix(data, []byte("SIP/2.0 200")) {
			t.Errorf("%.40q, %v", data, err)
		}
	})
	return times
}
