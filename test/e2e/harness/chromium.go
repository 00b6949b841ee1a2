//go:build e2e

package harness

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/offhook/offhook/internal/testkit"
)

// chromiumFlags are why media works without people, sound cards and the internet.
var chromiumFlags = map[string]any{
	"headless": true, "no-sandbox": true, "disable-gpu": true, "disable-quic": true, "no-first-run": true,
	"disable-sync": true, "disable-background-networking": true, "disable-component-update": true,
	"disable-default-apps": true, "disable-extensions": true, "disable-dev-shm-usage": true, "mute-audio": true,
	"use-fake-ui-for-media-stream":      true, // the question for the microphone is answered yes
	"use-fake-device-for-media-stream":  true,
	"autoplay-policy":                   "no-user-gesture-required",
	"allow-loopback-in-peer-connection": true, // else 127.0.0.1 is no candidate
	"disable-features":                  "WebRtcHideLocalIpsWithMdns",
	"ignore-certificate-errors":         true,
	// A page of another namespace may use its microphone without HTTPS.
	"unsafely-treat-insecure-origin-as-secure": "http://" + ServerIP + ":8080",
	"disable-background-timer-throttling":      true, "disable-renderer-backgrounding": true,
	"disable-backgrounding-occluded-windows": true,
}

// NewBrowser starts Chromium, or Firefox if OFFHOOK_BROWSER says so.
func NewBrowser(t testing.TB) *Browser {
	t.Helper()
	if os.Getenv("OFFHOOK_BROWSER") == "firefox" {
		return NewFirefox(t)
	}
	return NewChromium(t)
}

// NewChromium starts Chromium.
func NewChromium(t testing.TB) *Browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("%v (make setup installs it)", err)
	}
	log, err := os.Create(filepath.Join(Artifacts(t), "chromium.log"))
	if err != nil {
		t.Fatal(err)
	}
	opts := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.CombinedOutput(io.Writer(log)),
		chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) {
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
			cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
		}),
	}
	for name, value := range chromiumFlags {
		opts = append(opts, chromedp.Flag(name, value))
	}
	alloc, stop := chromedp.NewExecAllocator(background(), opts...)
	ctx, quit := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		quit()
		stop()
		log.Close()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	return &Browser{t: t, engine: &chromium{t: t, ctx: ctx}}
}

// chromium is an engine.
type chromium struct {
	t   testing.TB
	ctx context.Context //nolint:containedctx // chromedp's handle of a browser
}

// open implements engine.
func (c *chromium) open(name, script string) (tab, error) {
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	c.t.Cleanup(cancel)
	log, _ := testkit.NewLog(c.t)
	console := chromedp.Console(ctx)
	go func() {
		for m, err := range console { // until the tab closes
			if err != nil {
				return
			}
			_, _ = fmt.Fprintf(log, "%s console: %s\n", name, m) // memory
		}
	}()
	t := &chromiumTab{ctx: ctx}
	return t, t.do(background(), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		// The tap's worklet is a blob, which a good policy of the page forbids.
		if _, err := chromedp.Call(ctx, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}); err != nil {
			return err
		}
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument,
			page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	}))
}

// chromiumTab is a tab.
type chromiumTab struct {
	ctx context.Context //nolint:containedctx // chromedp's handle of a tab
}

// within returns the tab's handle, which ends with ctx, too.
func (t *chromiumTab) within(ctx context.Context) (context.Context, context.CancelFunc) {
	own, cancel := context.WithCancel(t.ctx)
	stop := context.AfterFunc(ctx, cancel)
	return own, func() { stop(); cancel() }
}

func (t *chromiumTab) do(ctx context.Context, a chromedp.Action[chromedp.Void]) error {
	ctx, cancel := t.within(ctx)
	defer cancel()
	return chromedp.Do(ctx, a)
}

func (t *chromiumTab) navigate(ctx context.Context, url string) error {
	return t.do(ctx, chromedp.Navigate(url))
}

func (t *chromiumTab) click(ctx context.Context, selector string) error {
	return t.do(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

func (t *chromiumTab) keys(ctx context.Context, selector, text string) error {
	return t.do(ctx, chromedp.SendKeys(chromedp.CSS(selector), text))
}

func (t *chromiumTab) waitVisible(ctx context.Context, selector string) error {
	return t.do(ctx, chromedp.WaitVisible(chromedp.CSS(selector)))
}

func (t *chromiumTab) eval(ctx context.Context, expression string) (string, error) {
	ctx, cancel := t.within(ctx)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
}

func (t *chromiumTab) screenshot(ctx context.Context) ([]byte, error) {
	ctx, cancel := t.within(ctx)
	defer cancel()
	return chromedp.Run(ctx, chromedp.CaptureScreenshot())
}
