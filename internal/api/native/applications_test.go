package native_test

import (
	"bufio"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
)

func (w *world) tryAccounts() {
	w.Helper()
	made := w.do("POST", "/api/v1/accounts", `{"name":"Generated","secret":"mine, not yours"}`, 201)
	key := fmt.Sprint(made["key"])
	wantSecrets := func(secret, signature any) {
		w.Helper()
		_, gotSecret, gotSignature, err := w.store.Account(w.Context(), key)
		if err != nil || gotSecret.Reveal() != secret || gotSignature.Reveal() != signature {
			w.Errorf("account %s has %q and %q, %v, want %v and %v", key, gotSecret.Reveal(), gotSignature.Reveal(), err, secret, signature)
		}
	}
	if secret, _ := made["secret"].(string); len(key) != 8 || len(secret) < 32 {
		w.Errorf("made %v", made)
	}
	wantSecrets(made["secret"], made["signature_secret"])

	path := "/api/v1/accounts/" + key + "/secrets"
	w.do("POST", "/api/v1/accounts/nobody/secrets", `{}`, 404)
	w.do("POST", "/api/v1/accounts/filed/secrets", `{}`, 409)
	w.bad("POST", path, `{"secret":"short"}`)
	if got := w.do("POST", path, `{"secret":"given by hand"}`, 201); got["secret"] != nil {
		w.Errorf("a given secret is shown: %v", got)
	}
	wantSecrets("given by hand", made["signature_secret"])
	rotated := w.do("POST", path, `{}`, 201)
	wantSecrets(rotated["secret"], rotated["signature_secret"])
	if rotated["signature_secret"] == made["signature_secret"] {
		w.Error("rotated to the same")
	}
}

func (w *world) tryApplications() {
	w.Helper()
	made := w.do("POST", "/api/v1/applications", `{"name":"Desk"}`, 201)
	id := fmt.Sprint(made["id"])
	one := "/api/v1/applications/" + id
	w.wantPair(made["public_key"], made["private_key"])
	changed := w.do("PUT", one, fmt.Sprintf(`{"id":%q,"name":"Other"}`, id), 200)
	if changed["public_key"] != made["public_key"] || changed["private_key"] != nil {
		w.Errorf("replaced without a key: %v", changed)
	}
	w.do("POST", "/api/v1/applications/none/keys", "", 404)
	w.do("POST", "/api/v1/applications/"+filedApp+"/keys", "", 409)
	keys := w.do("POST", one+"/keys", "", 201)
	w.wantPair(keys["public_key"], keys["private_key"])
	if app, _ := w.latest.Application(id); app.PublicKey != keys["public_key"] || app.PublicKey == made["public_key"] {
		w.Error("tokens are checked with another key")
	}

	w.do("PUT", "/api/v1/applications/none/numbers/300", "", 404)
	w.do("PUT", one+"/numbers/100", "", 409) // of the file
	w.do("PUT", one+"/numbers/letters", "", 422)
	w.do("PUT", one+"/numbers/300", "", 204)
	w.do("PUT", one+"/numbers/300", "", 204)
	if got := w.do("GET", one, "", 200); fmt.Sprint(got["numbers"]) != "[300]" {
		w.Errorf("numbers of %v", got)
	}
	w.do("DELETE", one, "", 409) // the number leads to it
	w.do("DELETE", "/api/v1/applications/"+filedApp+"/numbers/300", "", 404)
	w.do("POST", "/api/v1/callers", `{"name":"needs300","from":["1"],"numbers":["300"],"block":true}`, 201)
	w.do("DELETE", one+"/numbers/300", "", 409)
	w.do("DELETE", "/api/v1/callers/needs300", "", 204)
	w.do("DELETE", one+"/numbers/300", "", 204)
	w.do("GET", "/api/v1/numbers/300", "", 404)

	// A number that led elsewhere keeps its hours.
	w.do("POST", "/api/v1/numbers", `{"number":"301","group":"desk","schedule":"office","closed":{"announce":"closed"}}`, 201)
	w.do("PUT", one+"/numbers/301", "", 204)
	if got := w.do("GET", "/api/v1/numbers/301", "", 200); got["application"] != id || got["group"] != nil || got["schedule"] != "office" {
		w.Errorf("linked: %v", got)
	}
	for _, bad := range []string{"PUT", "POST"} {
		path := map[string]string{"PUT": one + "/numbers/" + strings.Repeat("1", 65), "POST": "/api/v1/applications/" + strings.Repeat("a", 65) + "/keys"}[bad]
		w.bad(bad, path, "")
	}
}

// wantPair wants a public key and the private one that belongs to it.
func (w *world) wantPair(public, private any) {
	w.Helper()
	publicBlock, _ := pem.Decode([]byte(fmt.Sprint(public)))
	privateBlock, _ := pem.Decode([]byte(fmt.Sprint(private)))
	if publicBlock == nil || privateBlock == nil {
		w.Fatalf("no PEM in %v and %v", public, private)
	}
	key, err := x509.ParsePKCS8PrivateKey(privateBlock.Bytes)
	if err != nil {
		w.Fatal(err)
	}
	pair, ok := key.(*rsa.PrivateKey)
	if !ok || pair.N.BitLen() != 2048 {
		w.Fatalf("a key of type %T", key)
	}
	if der, err := x509.MarshalPKIXPublicKey(&pair.PublicKey); err != nil || string(der) != string(publicBlock.Bytes) {
		w.Errorf("the keys are no pair: %v", err)
	}
}

// published is a bus of events.
type published struct {
	mu   sync.Mutex // guards subs
	subs []chan core.LegEntry
}

// Subscribe implements native.Events.
func (p *published) Subscribe(buffer int) (<-chan core.LegEntry, func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := make(chan core.LegEntry, buffer)
	p.subs = append(p.subs, c)
	return c, func() {}
}

// send publishes to all; wait is how many there must be.
func (p *published) send(t *testing.T, wait int, entries ...core.LegEntry) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		p.mu.Lock()
		subs := p.subs
		p.mu.Unlock()
		if len(subs) >= wait {
			for _, e := range entries {
				for _, c := range subs {
					c <- e
				}
			}
			return
		}
		if time.Now().After(end) {
			t.Fatal("nobody subscribed")
		}
	}
}

// tryEvents follows events with every filter.
func (w *world) tryEvents() {
	w.Helper()
	w.bad("GET", "/api/v1/events?limit=-1", "")
	w.bad("GET", "/api/v1/events?leg="+strings.Repeat("x", 65), "")
	entry := func(leg core.LegID, call core.CallID, app string, kind core.ChangeKind) core.LegEntry {
		return core.LegEntry{At: time.Unix(1_800_000_000, 0), Seq: 2, LegChange: core.LegChange{
			Kind: kind, Leg: leg, Call: call, App: app, Edge: core.EdgeSIP, Direction: core.Inbound, From: core.Party{Number: "4930"}, Cause: core.CauseBusy, Code: 486,
		}}
	}
	all := []core.LegEntry{
		entry("a", "one", "", core.ChangeRinging), entry("b", "two", ourApp, core.ChangeRinging),
		entry("c", "one", ourApp, core.ChangeBridged), entry("a", "two", "", core.ChangeEnded),
	}
	for i, tt := range []struct{ query, want string }{
		{"limit=4", "a ringing 0, b ringing 0, c bridged 0, a ended 17"},
		{"leg=a&limit=2", "a ringing 0, a ended 17"},
		{"call=one&limit=2", "a ringing 0, c bridged 0"},
		{"app=" + ourApp + "&limit=2", "b ringing 0, c bridged 0"},
		{"app=" + ourApp + "&call=one&limit=1", "c bridged 0"},
	} {
		var sending sync.WaitGroup
		sending.Go(func() { w.events.send(w.T, i+1, all...) })
		if got := w.follow(tt.query); strings.Join(got, ", ") != tt.want {
			w.Errorf("%s: %v, want %s", tt.query, got, tt.want)
		}
		sending.Wait()
	}
	w.done["stream-events"][200] = true
	w.crowd()
}

// follow returns what a stream brings until it ends.
func (w *world) follow(query string) (got []string) {
	w.Helper()
	status, header, body := w.raw("GET", "/api/v1/events?"+query, "")
	if status != http.StatusOK || header.Get("Content-Type") != "text/event-stream" || header.Get("Cache-Control") != "no-store" {
		w.Fatalf("%s: %d %v %s", query, status, header, body)
	}
	for line := range strings.Lines(string(body)) {
		if text, ok := strings.CutPrefix(line, "data: "); ok {
			var e struct {
				At, Leg, Kind string
				Cause         int
			}
			if err := json.Unmarshal([]byte(text), &e); err != nil || e.At != "2027-01-15T08:00:00Z" {
				w.Errorf("%s: %v", text, err)
			}
			got = append(got, fmt.Sprint(e.Leg, " ", e.Kind, " ", e.Cause))
		}
	}
	return got
}

// crowd opens as many streams as there may be.
func (w *world) crowd() {
	w.Helper()
	for range 64 {
		resp, err := w.server.Client().Do(w.request("GET", "/api/v1/events", ""))
		if err != nil {
			w.Fatal(err)
		}
		defer resp.Body.Close()
		if line, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil || line != ": offhook\n" {
			w.Fatalf("a stream begins with %q, %v", line, err)
		}
	}
	w.do("GET", "/api/v1/events", "", 503)
	w.api.Close() // ends them all, or the server of the test would wait
}
