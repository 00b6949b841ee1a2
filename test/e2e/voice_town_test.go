//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// The addresses and names of contract 15.1. An application's face is at appFace, of
// which a proxy leads to the program itself; media.test has music and a voice.
const (
	apiAddress, appFace, mediaAddress = "127.0.0.2", "127.0.0.3", "127.0.0.4"
	appAddress                        = "127.0.0.1:8000"
)

var voiceHosts = map[string][]string{
	apiAddress: {
		"api.nexmo.com", "api-us-4.vonage.com", "ws-us-4.vonage.com", "cdn.jsdelivr.net", "api.opentok.com", "static.opentok.com", "sip.nexmo.com",
	},
	appFace:      {"app.test"},
	mediaAddress: {"media.test"},
}

const (
	voiceApp, voiceNumber  = "11111111-2222-3333-4444-555555555555", "12995558888"
	voiceKey, voiceSecret  = "abcd1234", "anything16chars00"
	voiceSignature         = "signature secret of more than 32 bytes"
	musicHz, talkHz        = 500.0, 1500.0
	coachHz                = 850.0
	oneNumber, twoNumber   = "12995551111", "12995551212"
	coachNumber, outNumber = "12995559999", "14155550100"
)

// voiceTown is an exchange under the names that applications know, and phones behind
// trunks: one, two and coach have a number each; outside calls.
type voiceTown struct {
	*harness.Private
	*harness.Offhook
	t      *testing.T
	folder string // with private.key

	one, two, coach, outside *harness.Phone
}

// newVoiceTown starts it. Calls is how many calls a second the application may begin;
// more are sections of the configuration.
func newVoiceTown(t *testing.T, p *harness.Private, answer, event, more string) *voiceTown {
	t.Helper()
	w := &voiceTown{Private: p, t: t, folder: t.TempDir()}
	p.Serve(t, mediaAddress+":80", false, mediaServer(t))
	p.Serve(t, mediaAddress+":443", true, mediaServer(t))
	trunk := func(name, number, address string) string {
		return fmt.Sprintf("    - {name: %s, uri: \"sip:%s:5060\", prefixes: [%q], accept_from: [%[2]s/32]}\n", name, address, number)
	}
	config := fmt.Sprintf(`voice: {url: "https://api.nexmo.com", region_url: "https://api-us-4.vonage.com", webhook_ca_file: %q, webhook_hosts: [127.0.0.0/8]}
media: {sound_hosts: [127.0.0.0/8]}
speech: {engine: http, url: "http://media.test/say", method: GET}
%sresources:
  trunks:
%s%s%s%s  accounts:
    - {key: %s, secret: %s, signature_secret: %q}
  applications:
    - id: %s
      account: %[7]s
      public_key: %[11]q
      calls_per_second: 3
      requests_per_second: 100
      answer: {url: %[12]q, method: GET}
      event: {url: %[13]q, method: %[14]s}
  numbers:
    - {number: %[15]q, application: %[10]s}
`, p.CA, more, trunk("one", oneNumber, "127.0.0.11"), trunk("two", twoNumber, "127.0.0.12"), trunk("coach", coachNumber, "127.0.0.13"),
		trunk("outside", "19", "127.0.0.14"), voiceKey, voiceSecret, voiceSignature, voiceApp, w.makeKey(), answer,
		strings.TrimPrefix(event, "GET "), map[bool]string{true: "GET", false: "POST"}[strings.HasPrefix(event, "GET ")], voiceNumber)
	w.Offhook = harness.NewOffhookPrivate(t, p, apiAddress, config)
	w.one, w.two = w.far("127.0.0.11", deskHz), w.far("127.0.0.12", mobileHz)
	w.coach, w.outside = w.far("127.0.0.13", coachHz), w.far("127.0.0.14", callerHz)
	return w
}

// far is a phone behind a trunk, which says a tone.
func (w *voiceTown) far(address string, hz float64) *harness.Phone {
	w.t.Helper()
	return harness.NewCarrier(w.t, w.Offhook, netip.AddrPortFrom(netip.MustParseAddr(address), 5060),
		phone.Config{Say: says(hz), Codecs: []media.Codec{media.PCMU}})
}

// makeKey writes private.key and returns the public one.
func (w *voiceTown) makeKey() string {
	w.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		w.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		w.t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		w.t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	if err := os.WriteFile(w.keyFile(), text, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
}

func (w *voiceTown) keyFile() string { return filepath.Join(w.folder, "private.key") }

// mediaServer has music under any name, and says every text as two seconds of tone.
func mediaServer(t *testing.T) http.Handler {
	t.Helper()
	sound := func(hz float64, d time.Duration) []byte {
		var b bytes.Buffer
		if err := file.EncodeWAV(&b, 8000, 1, harness.Sine(8000, hz, d)); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	music, words := sound(musicHz, 4*time.Second), sound(talkHz, 2*time.Second)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "audio/wav")
		if r.URL.Path == "/say" {
			_, _ = rw.Write(words)
			return
		}
		_, _ = rw.Write(music)
	})
}

// dial calls the application's number from outside.
func (w *voiceTown) dial() *placed {
	w.t.Helper()
	return dial(w.t, w.outside, voiceNumber, phone.DialOptions{From: phone.Party{Number: outNumber}})
}

// rings waits until a phone rings.
func (w *voiceTown) rings(p *harness.Phone) *phone.Call {
	w.t.Helper()
	call := p.Call(p.Await(phone.Incoming, soon).Call)
	if call == nil {
		w.t.Fatal("it stopped ringing at once")
	}
	return call
}

// hears waits until a call has heard these tones for a second, and no others.
func (w *voiceTown) hears(who string, c *phone.Call, hz ...float64) {
	w.t.Helper()
	testkit.Eventually(w.t, soon, fmt.Sprintf("%s hears %v Hz", who, hz), func() bool {
		return harness.HasTones(c.Heard(1250*time.Millisecond), phone.Rate, time.Second, hz...)
	})
}

// wantIdle checks that nothing is left of any call.
func (w *voiceTown) wantIdle() {
	w.t.Helper()
	w.AwaitMetric("offhook_legs", 0, soon)
	w.AwaitMetric("offhook_calls", 0, soon)
}

// program starts a Node program as the application at https://app.test, behind the
// proxy that keeps the Host header, and waits until it listens.
func (w *voiceTown) program(script string, env ...string) *harness.Process {
	w.t.Helper()
	w.Serve(w.t, appFace+":443", true, &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: appAddress})
			r.Out.Host = r.In.Host
		},
	})
	return w.node("app", "node", script, env...)
}

// node starts a Node program of testdata/voice.
func (w *voiceTown) node(name, binary, script string, env ...string) *harness.Process {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), binary, filepath.Join(voiceData(w.t), script)) //nolint:gosec // our own program
	cmd.Dir = w.folder
	cmd.Env = append(os.Environ(), "API_KEY="+voiceKey, "API_SECRET="+voiceSecret, "APP_ID="+voiceApp, "SERVICE_NUMBER="+voiceNumber,
		"API_REGION=api-us-4.vonage.com", "PRIVATE_KEY="+w.keyFile())
	cmd.Env = append(cmd.Env, env...)
	p := harness.Start(w.t, name, cmd)
	p.WaitFor(3*soon, "listening on") // loading an SDK takes its time
	return p
}

func voiceData(t *testing.T) string {
	t.Helper()
	return filepath.Join(harness.Root(t), "test", "e2e", "testdata", "voice")
}

// hook is a webhook as it came.
type hook struct {
	Method, Path string
	Query        url.Values
	RawQuery     string
	Body         []byte
	Fields       map[string]any // of the body or the query
	Token        string
}

func (h hook) text(name string) string {
	text, _ := h.Fields[name].(string)
	return text
}

// hooks are the webhooks of an application that the test itself is, at
// https://app.test.
type hooks struct {
	t *testing.T

	mu     sync.Mutex
	all    []hook
	answer map[string]string // JSON by path, 200; others get 204
}

// hooks serves the application's URLs.
func (w *voiceTown) hooks() *hooks {
	w.t.Helper()
	h := &hooks{t: w.t, answer: make(map[string]string)}
	w.Serve(w.t, appFace+":443", true, h)
	return h
}

// ServeHTTP takes a webhook.
func (h *hooks) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	got := hook{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), RawQuery: r.URL.RawQuery, Body: body, Fields: make(map[string]any),
		Token: strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "),
	}
	for name := range got.Query {
		got.Fields[name] = got.Query.Get(name)
	}
	if len(body) > 0 {
		_ = json.Unmarshal(body, &got.Fields) // what is not JSON has no fields
	}
	h.mu.Lock()
	h.all = append(h.all, got)
	answer, ok := h.answer[r.URL.Path]
	h.mu.Unlock()
	if !ok {
		rw.WriteHeader(http.StatusNoContent)
		return
	}
	rw.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(rw, answer)
}

// answers sets what a path is answered with.
func (h *hooks) answers(path, ncco string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer[path] = ncco
}

// got returns the webhooks so far for which is holds.
func (h *hooks) got(is func(hook) bool) (list []hook) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, one := range h.all {
		if is(one) {
			list = append(list, one)
		}
	}
	return list
}

// await waits for a webhook.
func (h *hooks) await(what string, is func(hook) bool) hook {
	h.t.Helper()
	var list []hook
	testkit.Eventually(h.t, soon, what+" is told", func() bool { list = h.got(is); return len(list) > 0 })
	return list[0]
}

// status waits until a status of a leg is told.
func (h *hooks) status(leg, status string) hook {
	h.t.Helper()
	return h.await(status+" of "+leg, func(k hook) bool { return k.text("uuid") == leg && k.text("status") == status })
}

// statuses returns what was told of a leg so far.
func (h *hooks) statuses(leg string) (list []string) {
	for _, k := range h.got(func(k hook) bool { return k.text("uuid") == leg && (k.text("status") != "" || k.text("type") != "") }) {
		list = append(list, cmp.Or(k.text("status"), k.text("type")))
	}
	return list
}

// checkHash checks that the payload_hash of a webhook's token is of what came.
func (h hook) checkHash() error {
	payload := h.Body
	if h.Method == http.MethodGet {
		payload = []byte{'{'}
		for pair := range strings.SplitSeq(h.RawQuery, "&") { // as receivers do: in the order sent
			name, value, _ := strings.Cut(pair, "=")
			name, _ = url.QueryUnescape(name)
			value, _ = url.QueryUnescape(value)
			if len(payload) > 1 {
				payload = append(payload, ',')
			}
			n, _ := json.Marshal(name)
			v, _ := json.Marshal(value)
			payload = append(append(append(payload, n...), ':'), v...)
		}
		payload = append(payload, '}')
	}
	parts := strings.Split(h.Token, ".")
	if len(parts) != 3 {
		return fmt.Errorf("%s %s has no token", h.Method, h.Path)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	var claims struct {
		Hash string `json:"payload_hash"`
	}
	if err := json.Unmarshal(text, &claims); err != nil {
		return err
	}
	if sum := sha256.Sum256(payload); claims.Hash != hex.EncodeToString(sum[:]) {
		return fmt.Errorf("payload_hash of %s %s is not of %s", h.Method, h.Path, payload)
	}
	return nil
}
