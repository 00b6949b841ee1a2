package sip

import (
	"context"
	"log/slog"
	"net/netip"
	"testing"

	sipmsg "github.com/emiago/sipgo/sip"
)

// captureLink is a link that shows what is sent.
type captureLink struct {
	proto  string
	got    func([]byte)
	failed error
}

func (l *captureLink) transport() string     { return l.proto }
func (l *captureLink) local() netip.AddrPort { return netip.MustParseAddrPort(stackAddr) }
func (l *captureLink) peer() netip.AddrPort  { return netip.MustParseAddrPort(peerAddr) }
func (l *captureLink) alive() bool           { return l.failed == nil }
func (l *captureLink) fail(why error)        { l.failed = why }

func (l *captureLink) sentBy(netip.AddrPort) hostPort { return hostPort{host: "192.0.2.1", port: 5060} }

func (l *captureLink) send(data []byte, _ netip.AddrPort) error {
	l.got(data)
	return nil
}

var testParser = sipmsg.NewParser()

// panicLog fails the test if the stack logs a panic.
func panicLog(t *testing.T) *slog.Logger {
	t.Helper()
	return slog.New(panicHandler{slog.DiscardHandler, t})
}

type panicHandler struct {
	slog.Handler
	t *testing.T
}

func (h panicHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }

func (h panicHandler) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "sip: panic" {
		r.Attrs(func(a slog.Attr) bool {
			h.t.Log(a)
			return true
		})
		h.t.Error("panic")
	}
	return nil
}
