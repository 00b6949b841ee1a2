package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/obs"
	"github.com/offhook/offhook/internal/outward"
	"github.com/offhook/offhook/internal/webhook"
	"github.com/offhook/offhook/internal/wsedge"
)

// openSockets makes the edge of WebSocket legs. It asks the applications for their
// secrets, which are loaded before the first call.
func (n *node) openSockets() error {
	guard, err := outward.NewGuard("voice.webhook_hosts", n.cfg.Voice.WebhookHosts)
	if err != nil {
		return err
	}
	roots, err := webhookRoots(n.cfg.Voice.WebhookCAFile)
	if err != nil {
		return fmt.Errorf("voice.webhook_ca_file: %w", err)
	}
	dialer := socketDialer{n, guard}
	n.sockets = wsedge.New(wsedge.Config{
		Post: poster(n.post), Media: n.media, Tokens: socketTokens{n}, Dial: dialer.dial,
		TLS: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, Agent: "offhook/" + version, Log: n.log,
	})
	n.onClose(n.sockets.Close)
	return nil
}

// socketDialer connects to the sockets of applications: to what route.Application.Trusts
// wherever it is, to others as voice.webhook_hosts allows.
type socketDialer struct {
	node  *node
	guard outward.Guard
}

func (d socketDialer) dial(ctx context.Context, app, network, hostPort string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	if a, ok := d.node.apps.App(app); ok && a.Trusts(host, port, true) {
		return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, hostPort)
	}
	return d.guard.Dial(ctx, network, hostPort)
}

// socketTokens signs the tokens of WebSocket legs as those of webhooks.
type socketTokens struct{ node *node }

// SocketToken implements wsedge.Tokens.
func (t socketTokens) SocketToken(_ context.Context, app string) (string, error) {
	a, ok := t.node.apps.App(app)
	if !ok {
		return "", &core.Error{Op: "wsedge", Kind: core.NotFound, Err: fmt.Errorf("no application %q", app)}
	}
	return webhook.Signer{Key: []byte(a.Signature.Reveal()), APIKey: a.APIKey, App: app}.Token(nil, time.Now()), nil
}

// socketMetrics adds what /metrics shows of WebSocket legs.
func (n *node) socketMetrics(m *obs.Metrics) {
	m.Gauge("websocket_legs", "WebSockets of applications that take part in calls.", nil, func() float64 { return float64(n.sockets.Stats().Legs) })
	m.Counter("websocket_unsent_total", "Frames of 20 ms that WebSockets did not take in time.", nil, func() uint64 { return n.sockets.Stats().Unsent })
	m.Counter("websocket_unheard_total", "Frames of 20 ms that WebSockets sent beyond the minute that is kept.", nil, func() uint64 { return n.sockets.Stats().Unheard })
}
