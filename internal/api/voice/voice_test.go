package voice

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/webhook"
)

const createBody = `{"to":[{"type":"phone","number":"12995551111"}],"from":{"type":"phone","number":"12995558888"},"answer_url":["https://app.test/answer_multi?peer_uuid=x"],"event_url":["https://app.test/event_multi"]}`

// slowWriter looks at what was told while the response is being written.
type slowWriter struct {
	*httptest.ResponseRecorder
	before func()
}

func (s slowWriter) Write(p []byte) (int, error) {
	s.before()
	return s.ResponseRecorder.Write(p)
}

func (s slowWriter) WriteString(text string) (int, error) { return s.Write([]byte(text)) }

// TestResponseBeforeStarted: an application learns from the response which leg the
// first webhooks are about, so they come after it. The exchange has told of the
// leg's beginning long before.
func TestResponseBeforeStarted(t *testing.T) {
	w := newWorld(t)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/calls", strings.NewReader(createBody))
	r.Header.Set("Authorization", "Bearer app")
	early := -1
	out := httptest.NewRecorder()
	w.api.ServeHTTP(slowWriter{out, func() {
		w.api.Flush()
		early = len(w.hooks.take())
	}}, r)
	if out.Code != http.StatusCreated || early != 0 {
		t.Fatalf("status %d, %d webhooks before the response", out.Code, early)
	}
	w.api.Flush()
	var got []string
	for _, j := range w.hooks.take() {
		got = append(got, paramText(j, "status"))
	}
	if !slices.Equal(got, []string{"started", "ringing"}) {
		t.Errorf("after the response: %v", got)
	}
}

// TestHead: who asks for the head alone gets that of GET.
func TestHead(t *testing.T) {
	w := newWorld(t)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodHead, "/v1/calls/"+string(legOut), nil)
	r.Header.Set("Authorization", "Bearer app")
	out := httptest.NewRecorder()
	w.api.ServeHTTP(out, r)
	if out.Code != http.StatusOK || out.Header().Get("Content-Type") != "application/json" {
		t.Errorf("status %d, %v", out.Code, out.Header())
	}
}

// TestStatusInCapitals: enumerations of SDKs may come as they are named.
func TestStatusInCapitals(t *testing.T) {
	w := newWorld(t)
	lists := make(map[string]string)
	for _, status := range []string{"busy", "BUSY"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/calls?page_index=1&status="+status, nil)
		r.Header.Set("Authorization", "Bearer app")
		out := httptest.NewRecorder()
		w.api.ServeHTTP(out, r)
		_, lists[status], _ = strings.Cut(out.Body.String(), `"_embedded"`)
	}
	if lists["BUSY"] == "" || lists["BUSY"] != lists["busy"] {
		t.Errorf("%.200s, want %.200s", lists["BUSY"], lists["busy"])
	}
}

// TestNextBehindProxy: the next page is where clients know us, though a proxy has taken
// the TLS off.
func TestNextBehindProxy(t *testing.T) {
	w := newWorld(t)
	for host, want := range map[string]string{"phone.test": "https://phone.test/v1/calls?", "10.0.0.7:8080": "http://10.0.0.7:8080/v1/calls?"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/calls?page_size=1", nil)
		r.Host = host
		r.Header.Set("Authorization", "Bearer app")
		out := httptest.NewRecorder()
		w.api.ServeHTTP(out, r)
		if !strings.Contains(out.Body.String(), `"next":{"href":"`+want) {
			t.Errorf("by %s: %.300s", host, out.Body)
		}
	}
}

// TestHeldNotForEver: should the response never be written, the webhooks come
// nevertheless.
func TestHeldNotForEver(t *testing.T) {
	w := newWorld(t)
	w.api.outbox.hold(legIn)
	w.api.Changed(noon, core.LegChange{Kind: core.ChangeAnswered, Leg: legIn, Call: callIn, App: testApp})
	w.api.Flush()
	if n := len(w.hooks.take()); n != 0 {
		t.Fatalf("%d webhooks of a leg that is held", n)
	}
	for deadline := time.Now().Add(20 * time.Second); len(w.hooks.take()) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("held for ever")
		}
	}
}

// TestRefusedCreateTellsNothing: an application that is refused a leg never hears of
// it.
func TestRefusedCreateTellsNothing(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		err  error
		want int
	}{
		{&core.Error{Op: "x", Kind: core.Unavailable, Err: core.ErrTooFast}, http.StatusTooManyRequests},
		{&core.Error{Op: "x", Kind: core.Unavailable, Err: errors.New("draining")}, http.StatusServiceUnavailable},
		{&core.Error{Op: "x", Kind: core.Invalid, Err: errors.New("no such trunk")}, http.StatusBadRequest},
	} {
		w.exchange.refuse = tt.err
		out := w.do(http.MethodPost, "/v1/calls", "app", createBody)
		if out.Code != tt.want {
			t.Errorf("%v: %d %s", tt.err, out.Code, out.Body)
		}
		if tt.want == http.StatusTooManyRequests && out.Header().Get("Retry-After") != "1" {
			t.Error("no Retry-After")
		}
	}
	w.api.Flush()
	if jobs := w.hooks.take(); len(jobs) != 0 {
		t.Errorf("told of %v", jobs)
	}
}

// TestTransferByURL: the NCCO of a transfer is fetched after the response, with the
// parameters of an answer webhook, and replaces what runs.
func TestTransferByURL(t *testing.T) {
	transfer := func(t *testing.T, r webhook.Result) (*world, []core.Request) {
		t.Helper()
		w := newWorld(t)
		out := w.do(http.MethodPut, "/v1/calls/"+string(legOut), "app", `{"action":"transfer","destination":{"type":"ncco","url":["https://app.test/next"]}}`)
		jobs := w.hooks.take()
		if out.Code != http.StatusNoContent || len(jobs) != 1 || jobs[0].Method != http.MethodGet || jobs[0].URL != "https://app.test/next" || paramText(jobs[0], "uuid") != string(legOut) {
			t.Fatalf("%d, %+v", out.Code, jobs)
		}
		w.exchange.take()
		jobs[0].Done(r)
		w.api.Flush()
		asked, _ := w.exchange.take()
		return w, asked
	}
	_, asked := transfer(t, webhook.Result{Status: 200, Body: []byte(`[{"action":"wait"}]`)})
	if len(asked) != 1 {
		t.Fatalf("asked %v", asked)
	}
	of, ok := asked[0].(core.OfApp)
	if do, isReplace := of.Do.(flow.Replace); !ok || !isReplace || do.Leg != legOut || len(do.Verbs) != 1 || of.App != testApp {
		t.Errorf("asked %+v", asked[0])
	}
	for reason, r := range map[string]webhook.Result{
		core.ReasonSyntax:                    {Status: 200, Body: []byte(`[{"action":"dance"}]`)},
		"Webhook failed: Connection closed.": {Err: errors.New("x"), Reason: "Connection closed."},
	} {
		w, asked := transfer(t, r)
		jobs := w.hooks.take()
		if len(asked) != 0 || len(jobs) != 1 || paramText(jobs[0], "reason") != reason {
			t.Errorf("%s: asked %v, told %+v", reason, asked, jobs)
		}
	}
}

// TestAppsAreApart: an application sees and moves nothing of another.
func TestAppsAreApart(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct{ method, path, body string }{
		{"GET", "/v1/calls/" + string(legOther), ""},
		{"PUT", "/v1/calls/" + string(legOther), `{"action":"hangup"}`},
		{"PUT", "/v1/calls/" + string(legOther) + "/stream", `{"stream_url":["http://x.test/a"]}`},
		{"DELETE", "/v1/calls/" + string(legOther) + "/talk", ""},
		{"PUT", "/v1/calls/" + string(legOther), `{"action":"transfer","destination":{"type":"ncco","url":["http://x.test/a"]}}`},
	} {
		if out := w.do(tt.method, tt.path, "app", tt.body); out.Code != http.StatusNotFound {
			t.Errorf("%s %s: %d %s", tt.method, tt.path, out.Code, out.Body)
		}
	}
	for _, path := range []string{"/v1/files/" + recording, "/v1/users/alice", "/v1/calls/" + string(legDone)} {
		if out := w.do("GET", path, "other", ""); out.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, out.Code)
		}
	}
}

// TestOneAppTooMuch: an application that asks without end is told to slow down, and
// others notice nothing.
func TestOneAppTooMuch(t *testing.T) {
	w := newWorld(t)
	codes := make(map[int]int)
	for range 1000 {
		out := w.do("GET", "/v1/calls/"+string(legIn), "app", "")
		codes[out.Code]++
		if out.Code == http.StatusTooManyRequests && out.Header().Get("Retry-After") != "1" {
			t.Fatal("no Retry-After")
		}
	}
	if codes[200] < 15 || codes[429] < 500 || codes[200]+codes[429] != 1000 {
		t.Errorf("answers %v", codes)
	}
	if out := w.do("GET", "/v1/calls/"+string(legOther), "other", ""); out.Code != http.StatusOK {
		t.Errorf("another application: %d", out.Code)
	}
	if out := w.do("POST", "/v1/calls", "app", createBody); out.Code != http.StatusCreated {
		t.Errorf("a call, which the exchange counts: %d", out.Code)
	}
}

// endless is a body without an end, which notes how much of it was read.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '['
	}
	e.read += len(p)
	return len(p), nil
}

// TestHugeBodies: of a body that says how long it is nothing is read, of one that
// does not, no more than the limit.
func TestHugeBodies(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name   string
		length int64
		reads  int
	}{{"10 MB", 10 << 20, 0}, {"endless", -1, maxBody + 64<<10}} {
		body := &endless{}
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/calls", body)
		r.ContentLength = tt.length
		r.Header.Set("Authorization", "Bearer app")
		r.Header.Set("Content-Type", "application/json")
		out := httptest.NewRecorder()
		w.api.ServeHTTP(out, r)
		if out.Code != http.StatusRequestEntityTooLarge || body.read > tt.reads {
			t.Errorf("%s: %d after %d bytes", tt.name, out.Code, body.read)
		}
	}
}

// paramText is a parameter of a webhook as text.
func paramText(j webhook.Job, name string) string {
	for _, p := range j.Params {
		if p.Name == name {
			text, _ := asText(p.Value)
			return text
		}
	}
	return ""
}

// TestFallbackOfRequest: a leg that a request made with a fallback has it for all
// questions about it, whichever leg they tell of; others have the application's.
func TestFallbackOfRequest(t *testing.T) {
	w := newWorld(t)
	made := func() core.LegID {
		t.Helper()
		body := strings.Replace(createBody, "{", `{"fallback_url":["http://app.test:8000/spare?x=1"],"fallback_method":"POST",`, 1)
		w.do(http.MethodPost, "/v1/calls", "app", body)
		asked, _ := w.exchange.take()
		if len(asked) != 1 {
			t.Fatalf("asked %v", asked)
		}
		return asked[0].(flow.Create).Leg
	}
	leg := made()
	fallback := func(what string, tell func(), want string) {
		t.Helper()
		w.api.Flush()
		w.hooks.take()
		tell()
		w.api.Flush()
		for _, j := range w.hooks.take() {
			if j.Done == nil {
				continue
			}
			if got := j.Fallback.Method + " " + j.Fallback.URL + " " + j.Fallback.Type; got != want {
				t.Errorf("%s: falls back to %s, want %s", what, got, want)
			}
			return
		}
		t.Errorf("%s: nobody is asked", what)
	}
	answer := core.Hook{URL: "https://app.test/answer"}
	asks := func(leg core.LegID, kind core.ConsultKind) func() {
		return func() {
			w.api.Do(noon, core.Consult{App: testApp, Turn: core.Turn{Leg: leg, No: 1}, Kind: kind, Hook: answer, Leg: leg, Call: callOut, Payload: "{}"})
		}
	}
	fallback("the answer", asks(leg, core.ConsultAnswer), "POST http://app.test:8000/spare?x=1 answer")
	fallback("an input", asks(leg, core.ConsultInput), "POST http://app.test:8000/spare?x=1 event")
	fallback("a synchronous connect", func() {
		w.api.Changed(noon, core.LegChange{Kind: core.ChangeEnded, Leg: legOut, Call: callOut, App: testApp, Direction: core.Outbound, Cause: core.CauseBusy, Turn: core.Turn{Leg: leg, No: 2}})
	}, "POST http://app.test:8000/spare?x=1 event")
	fallback("another leg", asks(legIn, core.ConsultAnswer), "GET http://fallback.test/ answer")

	w.exchange.refuse = &core.Error{Op: "test", Kind: core.Unavailable, Err: core.ErrTooFast}
	made()
	if n := len(w.api.legs.fallbacks); n != 0 {
		t.Errorf("%d fallbacks are kept of legs that never began", n)
	}
}

// TestNothingAfterTheEnd: what is wrong with an NCCO that comes when its leg is gone
// is told to nobody; with one that comes in time it is.
func TestNothingAfterTheEnd(t *testing.T) {
	for _, ended := range []bool{false, true} {
		w := newWorld(t)
		w.do(http.MethodPut, "/v1/calls/"+string(legOut), "app", `{"action":"transfer","destination":{"type":"ncco","url":["https://app.test/next"]}}`)
		jobs := w.hooks.take()
		if len(jobs) != 1 || jobs[0].Done == nil {
			t.Fatalf("asked %v", jobs)
		}
		if ended {
			change := lives()[legOut]
			change.Leg, change.Kind, change.Answered = legOut, core.ChangeEnded, true
			w.api.Changed(noon, change)
		}
		jobs[0].Done(webhook.Result{Status: http.StatusOK, Body: []byte("nope")})
		w.api.Flush()
		var told []string
		for _, j := range w.hooks.take() {
			told = append(told, paramText(j, "status")+paramText(j, "reason"))
		}
		want := []string{core.ReasonSyntax}
		if ended {
			want = []string{statusCompleted}
		}
		if !slices.Equal(told, want) {
			t.Errorf("ended %v: told %v, want %v", ended, told, want)
		}
	}
}
