//go:build e2e

package harness

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/offhook/offhook/internal/testkit"
)

// Browser is a headless Chromium. Each Page has storage and cookies of its own.
type Browser struct {
	t   testing.TB
	ctx context.Context //nolint:containedctx // chromedp's handle of a browser

	// ICE is added to the RTCConfiguration of every page opened from now on.
	ICE string
}

// browserFlags are why media works without people, sound cards and the internet.
var browserFlags = map[string]any{
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

// NewBrowser starts Chromium.
func NewBrowser(t testing.TB) *Browser {
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
	for name, value := range browserFlags {
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
	return &Browser{t: t, ctx: ctx}
}

// Page is one tab, in a browser context of its own.
type Page struct {
	t    testing.TB
	ctx  context.Context //nolint:containedctx // chromedp's handle of a tab
	name string
}

// pageScript makes a tone of the microphone and lets tests hear what the page plays.
//
//go:embed page.js
var pageScript string

// Open opens url in a new tab called name, whose microphone gives a tone of freq Hz.
func (b *Browser) Open(name, url string, freq float64) *Page {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	b.t.Cleanup(cancel)
	log, _ := testkit.NewLog(b.t)
	p := &Page{t: b.t, ctx: ctx, name: name}
	console := chromedp.Console(ctx)
	go func() {
		for m, err := range console { // until the tab closes
			if err != nil {
				return
			}
			_, _ = fmt.Fprintf(log, "%s console: %s\n", name, m) // memory
		}
	}()
	p.do("set up", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		// The tap's worklet is a blob, which a good policy of the page forbids.
		if _, err := chromedp.Call(ctx, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}); err != nil {
			return err
		}
		script := strings.NewReplacer("TONE_HZ", fmt.Sprint(freq), "ICE_CONFIG", cmp.Or(b.ICE, "{}")).Replace(pageScript)
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument,
			page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	}))
	p.do("open "+url, chromedp.Navigate(url))
	return p
}

// actionTime bounds one action in a page.
const actionTime = 15 * time.Second

func (p *Page) do(what string, a chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, actionTime)
	defer cancel()
	if err := chromedp.Do(ctx, a); err != nil {
		p.Screenshot("failed")
		p.t.Fatalf("%s: %s: %v", p.name, what, err)
	}
}

// Click clicks the first visible element that matches a CSS selector.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.do("click "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// Type types text into a field, over what is in it.
func (p *Page) Type(selector, text string) {
	p.t.Helper()
	p.Click(selector)
	Eval[bool](p, "document.activeElement.select(), true")
	p.do("type into "+selector, chromedp.SendKeys(chromedp.CSS(selector), text))
}

// WaitVisible waits until an element that matches a CSS selector is visible.
func (p *Page) WaitVisible(selector string) {
	p.t.Helper()
	p.do("see "+selector, chromedp.WaitVisible(chromedp.CSS(selector)))
}

// WaitText waits until the page shows text, whatever its letter case.
func (p *Page) WaitText(text string, within time.Duration) {
	p.t.Helper()
	testkit.Eventually(p.t, within, p.name+" shows "+text, func() bool {
		return strings.Contains(strings.ToLower(Eval[string](p, "document.body.innerText")), strings.ToLower(text))
	})
}

// Eval runs an expression in the page, awaits it if it is a promise, and returns
// its value.
func Eval[T any](p *Page, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, actionTime)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %s: %v", p.name, expression, err)
	}
	return v
}

// HearRate is the sample rate of Hear.
const HearRate = 48000

// Hear returns the next d of what the page plays of its remote party, silence
// where it plays nothing.
func (p *Page) Hear(d time.Duration) []int16 {
	p.t.Helper()
	encoded := Eval[string](p, fmt.Sprintf("__lab.hear(%d)", d.Milliseconds()))
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	pcm := make([]int16, len(raw)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return pcm
}

// Codec returns what the page's newest call is sent and received in, such as
// "audio/opus".
func (p *Page) Codec() string { p.t.Helper(); return Eval[string](p, "__lab.codec()") }

// WantTone waits until the page hears the tone for a second without a break: on
// a busy machine the first look may be rough.
func (p *Page) WantTone(freq float64) {
	p.t.Helper()
	var pcm []int16
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); {
		if pcm = p.Hear(2 * time.Second); HasTone(pcm, HearRate, freq, time.Second) {
			return
		}
	}
	WantTone(p.t, p.name, pcm, HearRate, freq)
}

// Way returns how the page's newest call reaches the server: the kind of its own
// candidate and the transport, such as "host udp" or "relay tcp".
func (p *Page) Way() string { p.t.Helper(); return Eval[string](p, "__lab.way()") }

// Screenshot saves what the page looks like to artifacts.
func (p *Page) Screenshot(name string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, actionTime)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Logf("%s: no screenshot: %v", p.name, err)
		return
	}
	write(p.t, filepath.Join(Artifacts(p.t), p.name+"-"+name+".png"), string(png))
}
