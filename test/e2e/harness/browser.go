//go:build e2e

package harness

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/testkit"
)

// Browser is a headless Chromium or Firefox. Each Page has storage and cookies of its own.
type Browser struct {
	t      testing.TB
	engine engine

	// ICE is added to the RTCConfiguration of every page opened from now on.
	ICE string
}

// engine is how a kind of browser is driven.
type engine interface {
	// open opens an empty tab that runs script before those of every page.
	open(name, script string) (tab, error)
}

// tab is what a Page asks of its browser.
type tab interface {
	navigate(ctx context.Context, url string) error
	waitVisible(ctx context.Context, selector string) error
	// click clicks the first visible element, as a person does.
	click(ctx context.Context, selector string) error
	// keys types text into an element.
	keys(ctx context.Context, selector, text string) error
	// eval returns the value of an expression, a string or a promise of one.
	eval(ctx context.Context, expression string) (string, error)
	screenshot(ctx context.Context) ([]byte, error)
}

// Page is one tab, in a browser context of its own.
type Page struct {
	t    testing.TB
	tab  tab
	name string
}

// pageScript makes a tone of the microphone and lets tests hear what the page plays.
//
//go:embed page.js
var pageScript string

// Open opens url in a new tab called name, whose microphone gives a tone of freq Hz.
func (b *Browser) Open(name, url string, freq float64) *Page {
	b.t.Helper()
	script := strings.NewReplacer("TONE_HZ", fmt.Sprint(freq), "ICE_CONFIG", cmp.Or(b.ICE, "{}")).Replace(pageScript)
	opened, err := b.engine.open(name, script)
	if err != nil {
		b.t.Fatalf("%s: no new tab: %v", name, err)
	}
	p := &Page{t: b.t, tab: opened, name: name}
	p.do("open "+url, func(ctx context.Context) error { return opened.navigate(ctx, url) })
	return p
}

// actionTime bounds one action in a page.
const actionTime = 15 * time.Second

func (p *Page) do(what string, action func(ctx context.Context) error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(background(), actionTime)
	defer cancel()
	if err := action(ctx); err != nil {
		p.Screenshot("failed")
		p.t.Fatalf("%s: %s: %v", p.name, what, err)
	}
}

// Click clicks the first visible element that matches a CSS selector.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.do("click "+selector, func(ctx context.Context) error { return p.tab.click(ctx, selector) })
}

// Type types text into a field, over what is in it.
func (p *Page) Type(selector, text string) {
	p.t.Helper()
	p.Click(selector)
	Eval[bool](p, "document.activeElement.select(), true")
	p.do("type into "+selector, func(ctx context.Context) error { return p.tab.keys(ctx, selector, text) })
}

// WaitVisible waits until an element that matches a CSS selector is visible.
func (p *Page) WaitVisible(selector string) {
	p.t.Helper()
	p.do("see "+selector, func(ctx context.Context) error { return p.tab.waitVisible(ctx, selector) })
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
	ctx, cancel := context.WithTimeout(background(), actionTime)
	defer cancel()
	var v T
	text, err := p.tab.eval(ctx, "(async () => JSON.stringify(await ("+expression+")) ?? \"null\")()")
	if err == nil {
		err = json.Unmarshal([]byte(text), &v)
	}
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
	ctx, cancel := context.WithTimeout(background(), actionTime)
	defer cancel()
	png, err := p.tab.screenshot(ctx)
	if err != nil {
		p.t.Logf("%s: no screenshot: %v", p.name, err)
		return
	}
	write(p.t, filepath.Join(Artifacts(p.t), p.name+"-"+name+".png"), string(png))
}
