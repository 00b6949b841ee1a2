package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"syscall"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/rtc"
	"github.com/offhook/offhook/internal/media/rtp"
	"github.com/offhook/offhook/internal/media/udp"
	"github.com/offhook/offhook/internal/record"
	"github.com/offhook/offhook/internal/rtcedge"
	"github.com/offhook/offhook/internal/sip"
	"github.com/offhook/offhook/internal/sipedge"
	"github.com/offhook/offhook/internal/speech"
)

// poster makes the Poster of every package of a function.
type poster func(core.Event) error

// Post implements the packages' Poster.
func (p poster) Post(ev core.Event) error { return p(ev) }

// sipPoster is the Poster of the SIP edge.
type sipPoster struct{ *node }

// Post implements sipedge.Poster.
func (p sipPoster) Post(ev core.Event) error { return p.post(ev) }

// PostHere implements sipedge.Poster.
func (p sipPoster) PostHere(ev core.Event) error { return p.loop.PostHere(ev) }

// hearing gives each media command to who carries it out.
type hearing struct {
	media    *media.Server
	recorder *record.Recorder
	listener *speech.Listener
}

// Do implements engine.MediaDriver.
func (h hearing) Do(cmd core.MediaCommand) {
	switch cmd := cmd.(type) {
	case core.Hear:
		h.media.Do(cmd)
	case core.SendDigits:
		h.media.SendDigits(cmd.Leg, cmd.Digits)
	case core.Detect:
		h.media.Detect(cmd)
	case core.Record, core.SetRecord, core.StopRecord:
		h.recorder.Do(cmd)
	case core.Listen, core.StopListen:
		h.listener.Do(cmd)
	}
}

// rtcPaths lets the browser edge make WebRTC paths.
type rtcPaths struct{ server *rtc.Server }

// NewPath implements rtcedge.Paths.
func (p rtcPaths) NewPath(ev rtcedge.PathEvents) (rtcedge.Path, error) {
	path, err := p.server.NewPath(rtc.PathConfig{OnUp: ev.Up, OnDown: func(error) { ev.Down() }, OnDigit: ev.Digit})
	if err != nil {
		return nil, err // not a typed nil
	}
	return path, nil
}

// webPaths lets the SIP edge make WebRTC paths for browsers that speak SIP.
type webPaths struct{ server *rtc.Server }

// New implements sipedge.WebPaths.
func (p webPaths) New(ev sipedge.WebEvents) (sipedge.WebPath, error) {
	path, err := p.server.NewPath(rtc.PathConfig{OnUp: ev.Up, OnDown: func(error) { ev.Down() }, OnDigit: ev.Digit})
	if err != nil {
		return nil, err // not a typed nil
	}
	return path, nil
}

// ports lets the SIP edge make RTP paths.
type ports struct {
	allocator *rtp.Allocator
	log       *slog.Logger
}

func newPorts(loop *udp.Loop, r config.PortRange, log *slog.Logger) ports {
	return ports{rtp.NewAllocatorOn(loop, r.First, r.Last), log}
}

// New implements sipedge.Ports.
func (p ports) New(local, peer netip.Addr, digit func(byte)) (sipedge.Path, error) {
	path, err := p.allocator.New(rtp.Config{LocalIP: local, Peer: peer, OnDigit: digit, Log: p.log})
	if err != nil {
		return nil, err // not a typed nil
	}
	return path, nil
}

// sipSocket serves SIP over WebSocket (RFC 7118).
type sipSocket struct{ stack *sip.Stack }

// ServeHTTP upgrades the request and lets the stack serve the socket.
func (s sipSocket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		http.Error(w, "unknown remote address", http.StatusInternalServerError)
		return
	}
	// Any Origin may connect: the socket carries no cookie, digest proves the user.
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"sip"}, InsecureSkipVerify: true})
	if err != nil {
		return // Accept has answered
	}
	s.stack.ServeWebSocket(conn, remote, r.TLS != nil)
}

// resolveListen turns host:port into an address; an empty host is every one.
func resolveListen(listen string) (netip.AddrPort, error) {
	addr, err := net.ResolveUDPAddr("udp", listen)
	if err != nil {
		return netip.AddrPort{}, err
	}
	at := addr.AddrPort()
	if !at.Addr().IsValid() {
		at = netip.AddrPortFrom(netip.IPv6Unspecified(), at.Port())
	}
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), nil
}

// busy explains why an address of the configuration cannot be listened on.
func busy(key, addr string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s %q: another program uses this port; stop it, or choose another one in %s: %w", key, addr, key, err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s %q: this port needs more rights (below 1024 is root's): %w", key, addr, err)
	}
	return fmt.Errorf("%s %q: %w", key, addr, err)
}
