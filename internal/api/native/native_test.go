package native_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/store"
)

// file is what the configuration file of the tests keeps.
func file() store.Resources {
	return store.Resources{
		Users:        []store.User{{User: route.User{Name: "boss", Role: route.RoleAdmin}, Password: "correct horse"}, {User: route.User{Name: "clerk"}}},
		Trunks:       []store.Trunk{{Trunk: route.Trunk{Name: "line", URI: "sip:127.0.0.1:5080"}}},
		Groups:       []route.Group{{Name: "desk", Endpoints: []route.Endpoint{{User: "boss"}}}},
		Numbers:      []route.Number{{Number: "100", Group: "desk"}},
		Schedules:    []route.Schedule{{Name: "office", TimeZone: "UTC"}},
		Callers:      []route.CallerRule{{Name: "pest", From: []string{"4916*"}, Block: true}},
		Parking:      route.Parking{First: 70, Last: 79},
		Accounts:     []store.Account{{Account: route.Account{Key: "filed"}, Secret: "anything16chars00"}},
		Applications: []route.Application{{ID: filedApp, Account: "filed"}},
	}
}

// resource is one kind with bodies to try.
type resource struct {
	path, field string
	kept        string // the name of the file's
	name        string // the name of ours
	body        string // ours, complete
	changed     string // ours, changed
	other       string // the body of the file's
	bad         []string
	badFit      string // fits the description, not the other resources
}

func resourcesToTry() []resource {
	return []resource{
		{
			path: "users", field: "name", kept: "boss", name: "anna",
			body:    `{"name":"anna","display_name":"Anna","number":"4930555","limits":{"calls":2,"minutes":10,"calls_per_second":0.5}}`,
			changed: `{"name":"anna","decline_all":true,"do_not_disturb":true,"role":"admin","origin":"file"}`, other: `{"name":"boss"}`,
			bad: []string{`{}`, `{"name":1}`, `{"name":"anna","password":"x"}`, `[]`, `{"name":"anna","limits":{"calls":"many"}}`}, badFit: `{"name":"anna","role":"root"}`,
		},
		{
			path: "trunks", field: "name", kept: "line", name: "carrier",
			body:    `{"name":"carrier","uri":"sip:carrier.example","accept_from":["192.0.2.0/24","2001:db8::/32"],"calls_per_second":2.5,"prefixes":["49","*"],"priority":1,"weight":3}`,
			changed: `{"name":"carrier","uri":"sips:carrier.example","caller_id":"4930555","username":"u","domain":"d.example"}`, other: `{"name":"line","uri":"sip:x"}`,
			bad: []string{`{"name":"carrier"}`, `{"name":"carrier","uri":"sip:x","priority":"high"}`, `{"name":"carrier","uri":"sip:x","accept_from":["here"]}`}, badFit: `{"name":"carrier","uri":"http://x"}`,
		},
		{
			path: "groups", field: "name", kept: "desk", name: "team",
			body: `{"name":"team","strategy":"sequential","ring_timeout":"29s","step_timeout":"10s","caller_hears":"music","skip_busy":true,
				"confirm":{"key":"1","prompt":"confirm","timeout":"20s"},"no_answer":{"user":"boss"},"busy":{"announce":"busy"},
				"endpoints":[{"user":"boss","delay":"2s","timeout":"15s","weight":2},{"phone":"+49 30 555","caller_id":"dialled"},{"sip":"sip:bob@10.0.0.7"},{"group":"desk"}]}`,
			changed: `{"name":"team","endpoints":[{"user":"clerk"}]}`, other: `{"name":"desk","endpoints":[{"user":"clerk"}]}`,
			bad:    []string{`{"name":"team"}`, `{"name":"team","endpoints":{}}`, `{"name":"team","endpoints":[{"user":"boss"}],"ring_timeout":29}`, `{"name":"team","endpoints":[{"users":"boss"}]}`, `{"name":"team","endpoints":[{"user":"boss"}],"ring_timeout":"soon"}`},
			badFit: `{"name":"team","endpoints":[{"user":"nobody"}]}`,
		},
		{
			path: "numbers", field: "number", kept: "100", name: "200",
			body:    `{"number":"200","group":"desk","schedule":"office","closed":{"announce":"closed"}}`,
			changed: `{"number":"200","user":"clerk"}`, other: `{"number":"100","user":"clerk"}`,
			bad: []string{`{"user":"clerk"}`, `{"number":200,"user":"clerk"}`}, badFit: `{"number":"200","group":"nobody"}`,
		},
		{
			path: "schedules", field: "name", kept: "office", name: "shop",
			body: `{"name":"shop","time_zone":"Europe/Berlin","weekly":[{"days":["mon-fri"],"from":"09:00","to":"17:30"}],
				"holidays":["12-25"],"dates":[{"first":"2026-12-23","last":"2026-12-24","open":[{"from":"10:00","to":"11:00"}]}]}`,
			changed: `{"name":"shop","time_zone":"UTC","weekly":[{"days":["sat","sun"],"from":"00:00","to":"24:00"}]}`, other: `{"name":"office","time_zone":"UTC"}`,
			bad: []string{`{"name":"shop"}`, `{"name":"shop","time_zone":"UTC","weekly":[{"days":["mon"]}]}`}, badFit: `{"name":"shop","time_zone":"Europe/Atlantis"}`,
		},
		{
			path: "callers", field: "name", kept: "pest", name: "vip",
			body: `{"name":"vip","from":["4917100","anonymous"],"numbers":["100"],"to":{"user":"boss"}}`, changed: `{"name":"vip","from":["1*"],"block":true}`,
			other: `{"name":"pest","from":["1"],"block":true}`, bad: []string{`{"name":"vip"}`, `{"name":"vip","from":"1"}`}, badFit: `{"name":"vip","from":["1"]}`,
		},
		{
			path: "accounts", field: "key", kept: "filed", name: "abcd1234",
			body: `{"key":"abcd1234","name":"The firm"}`, changed: `{"key":"abcd1234","name":"Another"}`, other: `{"key":"filed"}`,
			bad: []string{`{"key":1}`, `{"key":"abcd1234","password":"x"}`}, badFit: `{"key":"abcd1234","name":"` + strings.Repeat("x", 129) + `"}`,
		},
		{
			path: "applications", field: "id", kept: filedApp, name: ourApp,
			body: `{"id":"` + ourApp + `","public_key":` + publicKey() + `,"name":"Desk","account":"filed","answer":{"url":"http://localhost:8000/answer","socket_timeout":"2s"},
				"event":{"url":"http://localhost:8000/event","method":"GET"},"calls_per_second":5,"members":9,"limits":{"calls":3},"users":{"alice":"boss"}}`,
			changed: `{"id":"` + ourApp + `","name":"Other","unsigned":true}`, other: `{"id":"` + filedApp + `","public_key":` + publicKey() + `}`,
			bad:    []string{`{"id":1}`, `{"answer":{"method":"GET"}}`, `{"answer":"http://localhost/"}`, `{"answer":{"url":"http://localhost/","socket_timeout":2}}`},
			badFit: `{"id":"` + ourApp + `","account":"nobody","public_key":` + publicKey() + `}`,
		},
	}
}

// publicKey is the key of a pair that nobody has, as JSON.
var publicKey = sync.OnceValue(func() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err)
	}
	text, err := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	if err != nil {
		panic(err)
	}
	return string(text)
})

const (
	filedApp = "11111111-2222-3333-4444-555555555555"
	ourApp   = "aaaaaaaa-2222-3333-4444-555555555555"
)

// TestContract does every operation, well and badly, and holds each request and
// each answer against the description.
func TestContract(t *testing.T) {
	w := newWorld(t, file())
	for _, r := range resourcesToTry() {
		w.tryResource(r)
	}
	w.tryApply()
	w.tryCredentials()
	w.tryAccounts()
	w.tryApplications()
	w.trySwitches()
	w.trySettings()
	w.tryCalls()
	w.tryMoves()
	w.tryRecords()
	w.tryEvents()
	w.tryLongNames()
	w.tryBadBodies()
	w.complete()
}

// tryLongNames puts a name that nothing can have into every path.
func (w *world) tryLongNames() {
	w.Helper()
	for path, item := range w.doc.Paths.Map() {
		for method, op := range item.Operations() {
			if begin := strings.Index(path, "{"); begin >= 0 && op.RequestBody == nil {
				end := strings.Index(path, "}")
				w.bad(method, path[:begin]+strings.Repeat("a", 65)+path[end+1:], "")
			}
		}
	}
}

// tryBadBodies sends every operation that takes a body what is no JSON, no JSON by
// its content type, and too long.
func (w *world) tryBadBodies() {
	w.Helper()
	for path, item := range w.doc.Paths.Map() {
		path = strings.NewReplacer("{name}", "x", "{call}", "x", "{leg}", "x").Replace(path)
		for method, op := range item.Operations() {
			if op.RequestBody == nil {
				continue
			}
			w.exchange(method, path, "{", 400, false)
			if op.OperationID != "apply" { // see tryApply
				w.exchange(method, path, "["+strings.Repeat(" ", 300<<10)+"]", 413, false)
			}
			req := w.request(method, path, "name: anna")
			req.Header.Set("Content-Type", "application/yaml")
			resp, err := w.server.Client().Do(req)
			if err != nil {
				w.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			if err := errors.Join(err, resp.Body.Close()); err != nil || resp.StatusCode != http.StatusUnsupportedMediaType {
				w.Errorf("%s %s: YAML got %d, %v", method, path, resp.StatusCode, err)
			}
			w.decode(method, path, resp.StatusCode, resp.Header, text)
		}
	}
}

func (w *world) tryResource(r resource) {
	w.Helper()
	list, one, kept := "/api/v1/"+r.path, "/api/v1/"+r.path+"/"+r.name, "/api/v1/"+r.path+"/"+r.kept
	w.do("GET", one, "", 404)
	w.do("PUT", one, r.body, 404)
	w.do("DELETE", one, "", 404)
	for _, bad := range r.bad {
		w.bad("POST", list, bad)
		w.bad("PUT", one, bad)
	}
	problem := w.do("POST", list, r.badFit, 422)
	if errs, _ := problem["errors"].([]any); len(errs) == 0 || !strings.HasPrefix(fmt.Sprint(errs[0].(map[string]any)["location"]), r.path+"/"+r.name) {
		w.Errorf("%s does not say where: %v", r.path, problem)
	}
	w.exchange("POST", list, "{", 400, false)

	created := w.do("POST", list, r.body, 201)
	if created["origin"] != "api" || created[r.field] != r.name {
		w.Errorf("created %v", created)
	}
	w.do("POST", list, r.body, 409)
	w.do("POST", list, r.other, 409)
	for _, once := range []string{"secret", "signature_secret", "private_key"} {
		delete(created, once)
	}
	if got := w.do("GET", one, "", 200); fmt.Sprint(got) != fmt.Sprint(created) {
		w.Errorf("read %v, created %v", got, created)
	}
	before := w.latest
	if got := w.do("PUT", one, r.changed, 200); fmt.Sprint(got) == fmt.Sprint(created) || got["origin"] != "api" {
		w.Errorf("changed %v", got)
	}
	if w.latest == before {
		w.Errorf("the exchange does not know of the change of %s", r.path)
	}
	w.do("PUT", one, r.badFit, 422)
	w.do("PUT", one, r.other, 422) // another name

	if got := w.do("GET", kept, "", 200); got["origin"] != "file" {
		w.Errorf("of the file: %v", got)
	}
	w.do("PUT", kept, r.other, 409)
	w.do("DELETE", kept, "", 409)
	if got := items(w.do("GET", list, "", 200), "origin"); !slices.Contains(got, "api") || got[0] != "file" {
		w.Errorf("origins %v", got)
	}
	w.do("DELETE", one, "", 204)
	if got := items(w.do("GET", list, "", 200), r.field); slices.Contains(got, r.name) {
		w.Errorf("deleted, and still there: %v", got)
	}
}

func (w *world) tryCredentials() {
	w.Helper()
	const path = "/api/v1/users/anna/credentials"
	w.do("POST", path, `{}`, 404)
	w.do("DELETE", path, "", 404)
	w.do("POST", "/api/v1/users", `{"name":"anna"}`, 201)
	generated := w.do("POST", path, `{}`, 201)
	if p, _ := generated["password"].(string); len(p) < 20 || generated["realm"] != "house" {
		w.Errorf("generated %v", generated)
	}
	wantPassword := func(password string) {
		w.Helper()
		_, want := store.HA1("anna", "house", core.Secret(password))
		if realm, _, got, err := w.store.DigestOf(w.Context(), core.UserID{Name: "anna"}); err != nil || got != want || realm != "house" {
			w.Errorf("digest %q, %v, want that of %q", got, err, password)
		}
	}
	wantPassword(fmt.Sprint(generated["password"]))
	if given := w.do("POST", path, `{"password":"battery staple"}`, 201); given["password"] != nil {
		w.Errorf("a given password is shown: %v", given)
	}
	wantPassword("battery staple")
	w.bad("POST", path, `{"password":"short"}`)
	w.do("POST", "/api/v1/users/boss/credentials", `{}`, 409)
	w.do("DELETE", "/api/v1/users/boss/credentials", "", 409)
	w.do("DELETE", path, "", 204)
	if _, _, _, err := w.store.DigestOf(w.Context(), core.UserID{Name: "anna"}); core.KindOf(err) != core.NotFound {
		w.Errorf("the password was taken away: %v", err)
	}

	const trunk = "/api/v1/trunks/carrier/password"
	w.do("PUT", trunk, `{"password":"x"}`, 404)
	w.bad("PUT", trunk, `{}`)
	w.do("PUT", "/api/v1/trunks/line/password", `{"password":"x"}`, 409)
	w.do("POST", "/api/v1/trunks", `{"name":"carrier","uri":"sip:x"}`, 201)
	w.do("PUT", trunk, `{"password":"digest of the trunk"}`, 204)
	if p, err := w.store.TrunkPassword(w.Context(), "carrier"); err != nil || p.Reveal() != "digest of the trunk" {
		w.Errorf("trunk password %q, %v", p.Reveal(), err)
	}
}

func (w *world) trySwitches() {
	w.Helper()
	w.do("PUT", "/api/v1/users/nobody/do_not_disturb", `{"on":true}`, 404)
	w.bad("PUT", "/api/v1/users/boss/do_not_disturb", `{}`)
	w.do("PUT", "/api/v1/users/boss/do_not_disturb", `{"on":true}`, 204) // of the file, and yet
	if u, _ := w.latest.User(core.UserID{Name: "boss"}); !u.DoNotDisturb {
		w.Error("the exchange still rings the boss")
	}
	const state, override = "/api/v1/schedules/office/state", "/api/v1/schedules/office/override"
	w.do("GET", "/api/v1/schedules/nothing/state", "", 404)
	w.bad("GET", state+"?at=noon", "")
	w.do("PUT", "/api/v1/schedules/nothing/override", `{"open":true}`, 404)
	w.do("DELETE", "/api/v1/schedules/nothing/override", "", 404)
	w.bad("PUT", override, `{"open":"yes"}`)
	open := func() any { return w.do("GET", state, "", 200)["open"] }
	if open() != false {
		w.Error("open without hours")
	}
	w.do("PUT", override, `{"open":true}`, 204)
	if open() != true || !w.latest.Open("office", time.Now()) {
		w.Error("closed in spite of the override")
	}
	w.do("PUT", override, `{"open":true,"until":"2026-01-02T03:04:05Z"}`, 204)
	if w.do("GET", state+"?at=2026-01-02T03:04:04Z", "", 200)["open"] != true || w.do("GET", state+"?at=2026-01-02T03:04:05Z", "", 200)["open"] != false {
		w.Error("the override ends at another time")
	}
	w.do("DELETE", override, "", 204)
}

func (w *world) trySettings() {
	w.Helper()
	for _, s := range []struct{ name, body, bad, badFit string }{
		{"limits", `{"prefixes":["49"],"blocked":["4900"],"user":{"calls":3}}`, `{"user":3}`, `{"prefixes":["+49"]}`},
		{"dialling", `{"country":"de","area":"30"}`, `{"country":49}`, `{"country":"xx"}`},
	} {
		path := "/api/v1/" + s.name
		w.do("DELETE", path, "", 204) // the default already
		w.bad("PUT", path, s.bad)
		w.do("PUT", path, s.badFit, 422)
		w.do("PUT", path, s.body, 200)
		set := w.do("PUT", path, s.body, 200) // twice is once
		if got := w.do("GET", path, "", 200); fmt.Sprint(got) != fmt.Sprint(set) || got["origin"] != "api" {
			w.Errorf("%s: read %v, set %v", s.name, got, set)
		}
		w.do("DELETE", path, "", 204)
	}
	if got := w.do("GET", "/api/v1/parking", "", 200); got["origin"] != "file" || got["first"] != float64(70) {
		w.Errorf("parking %v", got)
	}
	w.bad("PUT", "/api/v1/parking", `{"first":1}`)
	w.do("PUT", "/api/v1/parking", `{"first":700,"last":709}`, 409)
	w.do("DELETE", "/api/v1/parking", "", 409)
	// A setting of the file is refused as such; the others are tried the same way here.
	kept := newWorld(w.T, store.Resources{
		Users:  []store.User{{User: route.User{Name: "boss", Role: route.RoleAdmin}}},
		Limits: route.Limits{Prefixes: []string{"1"}}, Dialling: route.Dialling{Country: "us"},
	})
	for _, name := range []string{"limits", "dialling"} {
		kept.do("PUT", "/api/v1/"+name, `{}`, 409)
		kept.do("DELETE", "/api/v1/"+name, "", 409)
		w.done["set-"+name][409], w.done["reset-"+name][409] = true, true
	}
	kept.do("PUT", "/api/v1/parking", `{"first":700,"last":709,"timeout":"30s"}`, 200)
	kept.do("DELETE", "/api/v1/parking", "", 204)
	w.done["set-parking"][200], w.done["reset-parking"][204] = true, true
}

// legs writes legs that live into the log.
func (w *world) legs(call core.CallID, at time.Time, legs ...core.LegID) {
	w.Helper()
	for i, leg := range legs {
		change := core.LegChange{
			Kind: core.ChangeBegan, Leg: leg, Call: call, Edge: core.EdgeSIP, Direction: core.Inbound,
			From: core.Party{Trunk: "line", Number: "4930", Name: `<"Mallory">`}, To: core.Party{User: core.UserID{Name: "boss"}},
		}
		entries := []core.LegEntry{{At: at.Add(time.Duration(i) * time.Second), Seq: 1, LegChange: change}}
		if i == 0 {
			change.Kind = core.ChangeAnswered
			entries = append(entries, core.LegEntry{At: at.Add(time.Minute), Seq: 2, LegChange: change})
		}
		if _, err := w.store.Append(w.Context(), entries); err != nil {
			w.Fatal(err)
		}
	}
}

func (w *world) tryRecords() {
	w.Helper()
	w.do("GET", "/api/v1/cdrs/nobody", "", 404)
	now := time.Now()
	w.legs("one", now.Add(-time.Hour), "a", "b", "gone")
	w.legs("two", now, "stuck", "c")
	if got := w.do("GET", "/api/v1/cdrs/a", "", 200); got["edge"] != "sip" || got["answered"] == nil || got["ended"] != nil {
		w.Errorf("record %v", got)
	}
	var all []string
	page := w.do("GET", "/api/v1/cdrs?limit=2", "", 200)
	for {
		all = append(all, items(page, "leg")...)
		next, _ := page["next"].(string)
		if next == "" {
			break
		}
		page = w.do("GET", "/api/v1/cdrs?limit=2&cursor="+next, "", 200)
	}
	if want := []string{"c", "stuck", "gone", "b", "a"}; !slices.Equal(all, want) {
		w.Errorf("records %v, want %v", all, want)
	}
	if got := items(w.do("GET", "/api/v1/cdrs?user=boss", "", 200), "leg"); len(got) != 5 {
		w.Errorf("records of the boss: %v", got)
	}
	if got := items(w.do("GET", "/api/v1/cdrs?user=x%2Fboss", "", 200), "leg"); len(got) != 0 {
		w.Errorf("records of an application's user: %v", got)
	}
	for _, query := range []string{"limit=0", "limit=1001", "limit=many", "cursor=" + strings.Repeat("x", 201)} {
		w.bad("GET", "/api/v1/cdrs?"+query, "")
	}
	for _, query := range []string{"cursor=x", "cursor=!"} {
		w.do("GET", "/api/v1/cdrs?"+query, "", 422)
	}
}

// TestWhoMayAsk tries every operation without the right to it.
func TestWhoMayAsk(t *testing.T) {
	w := newWorld(t, file())
	for token, want := range map[string]int{
		"": 401, "nonsense": 401, "for-clerk": 403, "for-app/boss": 403, "for-nobody": 403, "locked": 429,
	} {
		w.token = token
		for path, item := range w.doc.Paths.Map() {
			for method, op := range item.Operations() {
				body := ""
				if op.RequestBody != nil {
					body = "{"
				}
				status, header, text := w.raw(method, strings.NewReplacer("{name}", "boss", "{call}", "x", "{leg}", "x").Replace(path), body)
				if status != want {
					t.Errorf("token %q: %s %s: %d, want %d", token, method, path, status, want)
				}
				w.decode(method, path, status, header, text)
				if op.Responses.Status(want) == nil {
					t.Errorf("%s %s does not say that it answers %d", method, path, want)
				}
				if want == 401 && header.Get("WWW-Authenticate") == "" || want == 429 && header.Get("Retry-After") == "" {
					t.Errorf("%d without its header: %v", want, header)
				}
			}
		}
	}
}

// TestOtherWaysIn wants a token in the header and nowhere else.
func TestOtherWaysIn(t *testing.T) {
	w := newWorld(t, file())
	w.token = ""
	for name, set := range map[string]func(*http.Request){
		"cookie": func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "token", Value: "for-boss"}) },
		"query":  func(r *http.Request) { r.URL.RawQuery = "access_token=for-boss" },
		"basic":  func(r *http.Request) { r.SetBasicAuth("boss", "correct horse") },
		"empty":  func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") },
	} {
		req := w.request("GET", "/api/v1/users", "")
		set(req)
		resp, err := w.server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %d, %v", name, resp.StatusCode, err)
		}
	}
}

// TestBadRequests are those that no operation has, or that are no JSON.
func TestBadRequests(t *testing.T) {
	w := newWorld(t, file())
	for _, r := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/api/v1", "", 404},
		{"GET", "/api/v1/nothing", "", 404},
		{"PATCH", "/api/v1/users/boss", `{}`, 405},
		{"POST", "/api/v1/users", "", 400},
		{"POST", "/api/v1/users", "{", 400},
		{"POST", "/api/v1/users", "\xff", 400},
		{"POST", "/api/v1/users", `{"name":"` + strings.Repeat("a", 300<<10) + `"}`, 413},
		{"GET", "/api/v1/users/" + strings.Repeat("a", 65), "", 422},
	} {
		status, header, text := w.raw(r.method, r.path, r.body)
		if status != r.want {
			t.Errorf("%s %s: %d %s, want %d", r.method, r.path, status, text, r.want)
		}
		w.decode(r.method, r.path, status, header, text)
	}
}

// TestDemotedAdminIsOut wants a change of roles to hold for the very next request.
func TestDemotedAdminIsOut(t *testing.T) {
	w := newWorld(t, file())
	w.do("POST", "/api/v1/users", `{"name":"deputy","role":"admin"}`, 201)
	w.token = "for-deputy"
	w.do("PUT", "/api/v1/users/deputy", `{"name":"deputy"}`, 200)
	w.do("GET", "/api/v1/users", "", 403)
}
