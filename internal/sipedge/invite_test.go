package sipedge

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// logs is a slog.Handler that calls itself with the text of each record.
type logs func(text string)

func (logs) Enabled(context.Context, slog.Level) bool { return true }
func (h logs) WithAttrs([]slog.Attr) slog.Handler     { return h }
func (h logs) WithGroup(string) slog.Handler          { return h }

func (h logs) Handle(_ context.Context, r slog.Record) error {
	h(r.Message)
	return nil
}

// A CANCEL by another connection that comes while its INVITE is still being taken in
// ends the leg after the exchange has heard of it: the other way round nobody would.
func TestCancelWhileTheInviteIsTakenIn(t *testing.T) {
	meanwhile := make(chan func(), 1) // what happens while the INVITE is taken in
	b := newBench(t, nobody, func(c *Config) {
		c.Log = slog.New(logs(func(text string) {
			if text == "incoming call" {
				(<-meanwhile)()
			}
		}))
	})
	other, err := b.edge.stack.ListenUDP(t.Context(), sip.Listen{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	caller, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 3)}) // the trunk's host
	if err != nil {
		t.Fatal(err)
	}
	defer caller.Close()
	send := func(method, body string, to net.Addr) {
		text := fmt.Sprintf("%s sip:12995550000@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKone;rport\r\nMax-Forwards: 70\r\n"+
			"From: <sip:1@127.0.0.3>;tag=a\r\nTo: <sip:2@127.0.0.1>\r\nCall-ID: early\r\nCSeq: 1 %s\r\nContact: <sip:1@%s>\r\n"+
			"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", method, caller.LocalAddr(), method, caller.LocalAddr(), len(body), body)
		if _, err := caller.WriteTo([]byte(text), to); err != nil {
			t.Error(err)
		}
	}
	meanwhile <- func() {
		send("CANCEL", "", net.UDPAddrFromAddrPort(other))
		await(t, caller, "SIP/2.0 487") // the stack has told the leg
	}
	send("INVITE", offerSDP, net.UDPAddrFromAddrPort(b.at))
	gone := wait(b, anyOf[core.LegGone])
	b.mu.Lock()
	defer b.mu.Unlock()
	events := slices.DeleteFunc(slices.Clone(b.events), func(ev core.Event) bool {
		le, ok := ev.(core.LegEvent)
		return !ok || le.LegID() != gone.Leg
	})
	if _, ok := events[0].(core.Offered); !ok || len(events) != 2 {
		t.Errorf("reported %+v", events)
	}
}

// await reads until something comes that begins like that.
func await(t *testing.T, conn net.Conn, begin string) {
	t.Helper()
	buf := make([]byte, 4096)
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Error(err)
	}
	for {
		n, err := conn.Read(buf)
		if err != nil {
			t.Errorf("no %s: %v", begin, err)
			return
		}
		if strings.HasPrefix(string(buf[:n]), begin) {
			return
		}
	}
}
