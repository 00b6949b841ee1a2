//go:build e2e

package harness

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/testkit"
)

// firefoxPrefs are why media works without people, sound cards and the internet.
const firefoxPrefs = `
user_pref("media.cubeb.force_mock_context", true); // a sound card: without one no audio of a page ever runs
user_pref("media.cubeb.force_sample_rate", 48000);
user_pref("media.autoplay.default", 0);
user_pref("media.autoplay.blocking_policy", 0);
user_pref("media.navigator.permission.disabled", true); // the question for the microphone is answered yes
user_pref("media.navigator.streams.fake", true);
user_pref("media.devices.insecure.enabled", true);
user_pref("media.getusermedia.insecure.enabled", true);
user_pref("media.gmp-manager.updateEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("dom.min_background_timeout_value", 4);
user_pref("dom.timeout.enable_budget_timer_throttling", false);
`

// NewFirefox starts Firefox.
func NewFirefox(t testing.TB) *Browser {
	t.Helper()
	profile := t.TempDir()
	write(t, filepath.Join(profile, "user.js"), firefoxPrefs)
	cmd := exec.CommandContext(background(), "firefox-esr", "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0", "about:blank") //nolint:gosec // Debian's
	cmd.Env = append(cmd.Environ(), "HOME="+profile)
	run := Start(t, "firefox", cmd)
	line := run.WaitFor(30*time.Second, "WebDriver BiDi listening on ")
	_, url, _ := strings.Cut(strings.TrimSpace(line), "WebDriver BiDi listening on ")

	log, _ := testkit.NewLog(t)
	f := &firefox{log: log, names: map[string]string{}}
	ctx, cancel := context.WithTimeout(background(), actionTime)
	defer cancel()
	var err error
	if f.bidi, err = dialBidi(ctx, url, f.event); err != nil {
		t.Fatalf("firefox: %v", err)
	}
	t.Cleanup(f.close)
	always := map[string]any{"alwaysMatch": map[string]any{"acceptInsecureCerts": true}}
	if err := f.call(ctx, "session.new", map[string]any{"capabilities": always}, nil); err != nil {
		t.Fatalf("firefox: %v", err)
	}
	if err := f.call(ctx, "session.subscribe", map[string]any{"events": []string{"log.entryAdded"}}, nil); err != nil {
		t.Fatalf("firefox: %v", err)
	}
	return &Browser{t: t, engine: f}
}

// firefox is an engine.
type firefox struct {
	*bidi
	log *testkit.Log

	mu    sync.Mutex        // guards names
	names map[string]string // of tabs
}

// event logs what pages print.
func (f *firefox) event(_ string, params json.RawMessage) {
	var entry struct {
		Level, Text string
		Source      struct{ Context string }
	}
	if err := json.Unmarshal(params, &entry); err != nil {
		return // not an entry
	}
	f.mu.Lock()
	name := f.names[entry.Source.Context]
	f.mu.Unlock()
	_, _ = fmt.Fprintf(f.log, "%s console: %s: %s\n", name, entry.Level, entry.Text) // memory
}

// open implements engine: each tab is a window, because those behind others are
// slowed down.
func (f *firefox) open(name, script string) (tab, error) {
	ctx, cancel := context.WithTimeout(background(), actionTime)
	defer cancel()
	var user struct{ UserContext string }
	if err := f.call(ctx, "browser.createUserContext", map[string]any{}, &user); err != nil {
		return nil, err
	}
	t := &firefoxTab{firefox: f}
	var made struct{ Context string }
	if err := f.call(ctx, "browsingContext.create", map[string]any{"type": "window", "userContext": user.UserContext}, &made); err != nil {
		return nil, err
	}
	t.context = made.Context
	f.mu.Lock()
	f.names[t.context] = name
	f.mu.Unlock()
	return t, f.call(ctx, "script.addPreloadScript", map[string]any{
		"functionDeclaration": "() => {" + script + "}", "contexts": []string{t.context},
	}, nil)
}

// firefoxTab is a tab.
type firefoxTab struct {
	*firefox
	context string
}

func (t *firefoxTab) navigate(ctx context.Context, url string) error {
	return t.call(ctx, "browsingContext.navigate", map[string]any{"context": t.context, "url": url, "wait": "complete"}, nil)
}

func (t *firefoxTab) eval(ctx context.Context, expression string) (string, error) {
	var done struct {
		Type   string
		Result struct{ Value string }
		// ExceptionDetails are what was thrown.
		ExceptionDetails struct{ Text string }
	}
	err := t.call(ctx, "script.evaluate", map[string]any{
		"expression": expression, "target": map[string]any{"context": t.context}, "awaitPromise": true, "userActivation": true,
	}, &done)
	if err == nil && done.Type == "exception" {
		err = fmt.Errorf("threw %s", done.ExceptionDetails.Text)
	}
	return done.Result.Value, err
}

// where finds the middle of the first visible element that matches a selector.
const where = `(() => {
	for (const e of document.querySelectorAll(%q)) {
		if (!e.checkVisibility({ visibilityProperty: true })) continue;
		e.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
		const at = e.getBoundingClientRect();
		if (at.width && at.height) return JSON.stringify([Math.floor(at.x + at.width / 2), Math.floor(at.y + at.height / 2)]);
	}
	return "";
})()`

// find waits until an element is visible and returns its middle.
func (t *firefoxTab) find(ctx context.Context, selector string) (at [2]int, err error) {
	for {
		text, err := t.eval(ctx, fmt.Sprintf(where, selector))
		if err != nil {
			return at, err
		}
		if text != "" {
			return at, json.Unmarshal([]byte(text), &at)
		}
		select {
		case <-ctx.Done():
			return at, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (t *firefoxTab) waitVisible(ctx context.Context, selector string) error {
	_, err := t.find(ctx, selector)
	return err
}

func (t *firefoxTab) click(ctx context.Context, selector string) error {
	at, err := t.find(ctx, selector)
	if err != nil {
		return err
	}
	return t.perform(ctx, map[string]any{"type": "pointer", "id": "mouse"}, []map[string]any{
		{"type": "pointerMove", "x": at[0], "y": at[1]}, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0},
	})
}

// keys types into what has the focus, which is the element after a click.
func (t *firefoxTab) keys(ctx context.Context, _, text string) error {
	var actions []map[string]any
	for _, key := range text {
		actions = append(actions, map[string]any{"type": "keyDown", "value": string(key)}, map[string]any{"type": "keyUp", "value": string(key)})
	}
	return t.perform(ctx, map[string]any{"type": "key", "id": "keyboard"}, actions)
}

func (t *firefoxTab) perform(ctx context.Context, by map[string]any, actions []map[string]any) error {
	by["actions"] = actions
	return t.call(ctx, "input.performActions", map[string]any{"context": t.context, "actions": []any{by}}, nil)
}

func (t *firefoxTab) screenshot(ctx context.Context) ([]byte, error) {
	var shot struct{ Data string }
	if err := t.call(ctx, "browsingContext.captureScreenshot", map[string]any{"context": t.context}, &shot); err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(shot.Data)
}
