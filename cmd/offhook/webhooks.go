package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/events"
	"github.com/offhook/offhook/internal/obs"
	"github.com/offhook/offhook/internal/webhook"
)

// webhookFarewell bounds the wait for receivers when the program ends. What is not
// delivered then is delivered after the next start.
const webhookFarewell = 5 * time.Second

// openWebhooks makes what delivers webhooks, and goes on with those of the last run.
func (n *node) openWebhooks(ctx context.Context) error {
	roots, err := webhookRoots(n.cfg.Voice.WebhookCAFile)
	if err != nil {
		return fmt.Errorf("voice.webhook_ca_file: %w", err)
	}
	n.webhookTime = obs.NewHistogram("webhook_attempt_seconds", "How long an attempt to deliver a webhook took, whatever came of it.",
		10*time.Millisecond, 50*time.Millisecond, 200*time.Millisecond, time.Second, 5*time.Second, 10*time.Second)
	n.webhooks, err = webhook.New(ctx, webhook.Config{
		Agent: "offhook/" + version, Rewrite: webhookRewrite(n.cfg.Voice), Hosts: n.cfg.Voice.WebhookHosts, Setting: "voice.webhook_hosts",
		RootCAs: roots, Folder: n.cfg.Store.Folder, Store: n.store, Before: n.logLegs, Observe: n.webhookTime.Took, Log: n.log,
	})
	if err != nil {
		return err
	}
	n.onClose(func() { n.logged("close webhooks", withTimeout(webhookFarewell, n.webhooks.Close)) })
	return nil
}

// webhookRoots are the system's authorities and those of a file; nil if there is no
// file.
func webhookRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // the system's
	}
	text, err := os.ReadFile(file) //nolint:gosec // the operator's own
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, errors.New("has no certificate")
	}
	return roots, nil
}

func webhookRewrite(c config.Voice) map[string]string {
	rewrite := make(map[string]string)
	for from, to := range c.WebhookRewrite {
		rewrite[strings.ToLower(from)] = to
	}
	return rewrite
}

// toldFirst is the journal of legs, written after what applications shall be told of
// the same changes is safe. A leg whose end is not in the log is ended at the next
// start; that its application was told, Deliverer.Ended knows.
type toldFirst struct {
	*events.Journal
	node *node
}

// logTime bounds how long webhooks wait for the log of legs: a full disk must not
// silence them.
const logTime = time.Second

// logLegs has the changes so far written into the log of legs, so that no application
// is told of a leg that a kill in the same moment would make us forget.
func (n *node) logLegs() {
	if n.bus.Trouble() != nil { // which is logged, and keeps no application waiting
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), logTime)
	defer cancel()
	if err := n.bus.Sync(ctx); err != nil {
		n.log.Error("applications are told of changes that are not in the log of legs", "error", err)
	}
}

// Append implements events.Log.
func (t toldFirst) Append(ctx context.Context, entries []core.LegEntry) (int, error) {
	if t.node.voice != nil { // it is made before the loop publishes anything
		t.node.voice.Flush()
	}
	t.node.webhooks.Sync()
	return t.Journal.Append(ctx, entries)
}

// webhookMetrics adds what /metrics shows of webhooks.
func (n *node) webhookMetrics(m *obs.Metrics) {
	m.Histogram(n.webhookTime)
	m.Counter("webhooks_delivered_total", "Webhooks that were answered with 2xx.", nil, func() uint64 { return n.webhooks.Stats().Delivered })
	m.Counter("webhooks_failed_total", "Webhooks that were given up after all their attempts.", nil, func() uint64 { return n.webhooks.Stats().Failed })
	m.Counter("webhooks_retried_total", "Second attempts to deliver a webhook.", nil, func() uint64 { return n.webhooks.Stats().Retried })
	m.Counter("webhooks_dropped_total", "Webhooks that were not tried: too many waited, or for too long.", nil, func() uint64 { return n.webhooks.Stats().Dropped })
	m.Gauge("webhooks_queued", "Webhooks that wait or are being delivered.", nil, func() float64 { return float64(n.webhooks.Stats().Queued) })
}
