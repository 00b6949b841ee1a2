package voice

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/webhook"
)

var update = flag.Bool("update", false, "write what comes out into testdata/cases")

// contractCase is a row of the contract: what somebody sends, and what comes of it.
// The fields below the line are golden.
type contractCase struct {
	Shows string `json:"shows"`

	// A request of a client, and what the exchange says to what it is asked for.
	Request *caseRequest `json:"request,omitempty"`
	Refuse  string       `json:"refuse,omitempty"`
	// Or what the exchange tells: a change of a leg, a question or a notice, and how
	// the application answers.
	Change   *caseChange     `json:"change,omitempty"`
	Consult  *core.Consult   `json:"consult,omitempty"`
	Notice   *core.Notice    `json:"notice,omitempty"`
	Answer   *caseAnswer     `json:"answer,omitempty"`
	Recorded *core.Recording `json:"recorded,omitempty"`
	// ---
	Asked    []string      `json:"asked,omitempty"`    // the exchange, for the client
	Response *caseResponse `json:"response,omitempty"` // to the client
	Webhooks []caseWebhook `json:"webhooks,omitempty"` // to the application
	Told     []string      `json:"told,omitempty"`     // the exchange, for the application
}

type caseRequest struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Token   string            `json:"token,omitempty"` // "app" if left out
	Headers map[string]string `json:"headers,omitempty"`
	Body    any               `json:"body,omitempty"`
	// Wrong says that the description refuses the request, too.
	Wrong bool `json:"wrong,omitempty"`
}

type caseResponse struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    any               `json:"body,omitempty"`
}

// caseChange is a core.LegChange of one of the legs that live.
type caseChange struct {
	Leg      core.LegID  `json:"leg"`
	Kind     string      `json:"kind"`
	After    string      `json:"after,omitempty"` // since noon, 4s
	Answered bool        `json:"answered,omitempty"`
	ByUs     bool        `json:"by_us,omitempty"`
	Cause    core.Cause  `json:"cause,omitempty"`
	Reason   core.Reason `json:"reason,omitempty"`
	Code     int         `json:"code,omitempty"`
	Left     core.CallID `json:"left,omitempty"`
	Turn     uint32      `json:"turn,omitempty"`
}

type caseAnswer struct {
	Status int    `json:"status,omitempty"`
	Body   any    `json:"body,omitempty"`
	Text   string `json:"text,omitempty"` // a body that is no JSON
	Failed string `json:"failed,omitempty"`
}

type caseWebhook struct {
	Method    string   `json:"method"`
	URL       string   `json:"url"`
	Timeouts  string   `json:"timeouts"`
	Flags     []string `json:"flags,omitempty"`
	Fallback  string   `json:"fallback,omitempty"`
	Body      any      `json:"body"`
	BodyOrder string   `json:"order"` // the names in the body, as they are written
}

// TestContract: one file for each row of the contract, in testdata/cases. -update
// writes what comes out; the difference is for people to judge.
func TestContract(t *testing.T) {
	files, err := filepath.Glob("testdata/cases/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	spec := readSpec(t)
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var c contractCase
			d := json.NewDecoder(bytes.NewReader(text))
			d.DisallowUnknownFields()
			if err := d.Decode(&c); err != nil {
				t.Fatal(err)
			}
			got := c
			got.Asked, got.Response, got.Webhooks, got.Told = nil, nil, nil, nil
			got.play(newWorld(t), spec)
			out := pretty(t, got)
			switch {
			case *update:
				if err := os.WriteFile(name, out, 0o644); err != nil { //nolint:gosec // test data
					t.Fatal(err)
				}
			case !bytes.Equal(out, text):
				t.Errorf("%s\ngot\n%s\nwant\n%s", c.Shows, out, text)
			}
		})
	}
}

// play lets the case happen and writes down what came of it.
func (c *contractCase) play(w *world, spec *spec) {
	w.Helper()
	switch {
	case c.Request != nil:
		c.ask(w, spec)
	case c.Change != nil:
		w.api.Changed(noon.Add(c.Change.after(w.T)), c.Change.of(w.T))
	case c.Consult != nil:
		w.api.Do(noon, *c.Consult)
	case c.Recorded != nil && c.Recorded.Kind == core.RecordedText:
		w.api.Transcribed(*c.Recorded)
	case c.Recorded != nil:
		w.api.Recorded(*c.Recorded)
	case c.Notice != nil:
		w.api.Do(noon, *c.Notice)
	default:
		w.Fatal("nothing happens")
	}
	w.api.Flush()
	for _, j := range w.hooks.take() {
		spec.webhook(w.T, j)
		c.Webhooks = append(c.Webhooks, toCase(w.T, j))
		if j.Done != nil && c.Answer != nil {
			j.Done(c.Answer.result(w.T))
		}
	}
	asked, told := w.exchange.take()
	if c.Request == nil && len(asked) > 0 {
		w.Errorf("asked %v", asked)
	}
	for _, do := range asked {
		c.Asked = append(c.Asked, stable(fmt.Sprintf("%+v", shown(do))))
	}
	for _, ev := range told {
		c.Told = append(c.Told, fmt.Sprintf("%+v", ev))
	}
}

// shown is a value as text that shows what its pointers lead to.
func shown(v any) string {
	text := fmt.Sprintf("%T%+v", v, v)
	of, ok := v.(core.OfApp)
	if ok {
		return "OfApp " + of.App + ": " + shown(of.Do)
	}
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Struct {
		return text
	}
	out := r.Type().Name() + "{"
	for i := range r.NumField() {
		if f := r.Field(i); !f.IsZero() {
			out += " " + r.Type().Field(i).Name + ":" + shownValue(f)
		}
	}
	return out + " }"
}

func shownValue(f reflect.Value) string {
	if f.Kind() == reflect.Pointer && !f.IsNil() {
		return fmt.Sprintf("&%+v", f.Elem().Interface())
	}
	if f.Kind() == reflect.Struct && f.Type().Name() == "Endpoint" {
		return shown(f.Interface())
	}
	return fmt.Sprintf("%+v", f.Interface())
}

// ask does the request, and holds it and the answer against the description.
func (c *contractCase) ask(w *world, spec *spec) {
	w.Helper()
	switch c.Refuse {
	case "":
	case "too fast":
		w.exchange.refuse = &core.Error{Op: "test", Kind: core.Unavailable, Err: core.ErrTooFast}
	case "draining":
		w.exchange.refuse = &core.Error{Op: "test", Kind: core.Unavailable, Err: errors.New("the node stops")}
	case "conflict":
		w.exchange.refuse = &core.Error{Op: "test", Kind: core.Conflict, Err: errors.New("the leg has not answered")}
	default:
		w.Fatalf("refuse %q", c.Refuse)
	}
	q := c.Request
	r := func() *http.Request { return q.request(w.T) }
	if spec != nil {
		spec.request(w.T, r(), q.Wrong)
	}
	out := httptest.NewRecorder()
	w.api.Extensions(w.api).ServeHTTP(out, r())
	c.Response = toResponse(w.T, out)
	if spec != nil {
		spec.response(w.T, r(), out)
	}
}

func (q *caseRequest) request(t *testing.T) *http.Request {
	t.Helper()
	var body io.Reader = http.NoBody
	if text, isText := q.Body.(string); isText {
		body = strings.NewReader(text)
	} else if q.Body != nil {
		text, err := json.Marshal(q.Body)
		if err != nil {
			t.Fatal(err)
		}
		body = bytes.NewReader(text)
	}
	r := httptest.NewRequestWithContext(t.Context(), q.Method, "https://api.nexmo.com"+q.Path, body)
	if q.Body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	switch q.Token {
	case "none":
	case "jwt":
		r.Header.Set("Authorization", "Bearer "+jwt)
	case "":
		r.Header.Set("Authorization", "Bearer app")
	default:
		r.Header.Set("Authorization", "Bearer "+q.Token)
	}
	for name, value := range q.Headers {
		r.Header.Set(name, value)
	}
	return r
}

func toResponse(t *testing.T, out *httptest.ResponseRecorder) *caseResponse {
	t.Helper()
	r := &caseResponse{Status: out.Code, Headers: make(map[string]string)}
	for name := range out.Header() {
		switch name {
		case "Cache-Control", "Last-Modified", "Access-Control-Allow-Origin":
		case "Content-Length": // without it a client could read on after what it waits for was told
			if got := out.Header().Get(name); got != strconv.Itoa(out.Body.Len()) && out.Body.Len() > 0 {
				t.Errorf("Content-Length %s of %d bytes", got, out.Body.Len())
			}
		case "Content-Type":
			if value := out.Header().Get(name); value != "application/json" {
				r.Headers[name] = value
			}
		default:
			r.Headers[name] = out.Header().Get(name)
		}
	}
	if out.Body.Len() == 0 {
		return r
	}
	if out.Header().Get("Content-Length") == "" {
		t.Error("no Content-Length")
	}
	if err := json.Unmarshal([]byte(stable(out.Body.String())), &r.Body); err != nil || out.Header().Get("Content-Type") != "application/json" {
		r.Body = out.Body.String()
	}
	return r
}

func (c *caseChange) after(t *testing.T) time.Duration {
	t.Helper()
	if c.After == "" {
		return 4 * time.Second
	}
	d, err := time.ParseDuration(c.After)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (c *caseChange) of(t *testing.T) core.LegChange {
	t.Helper()
	out, ok := lives()[c.Leg]
	if !ok {
		t.Fatalf("no leg %q", c.Leg)
	}
	for out.Kind = core.ChangeBegan; out.Kind.String() != c.Kind; out.Kind++ {
		if out.Kind > 50 {
			t.Fatalf("no change is called %q", c.Kind)
		}
	}
	out.Leg, out.Answered, out.ByUs, out.Cause, out.Reason, out.Code, out.Left = c.Leg, c.Answered, c.ByUs, c.Cause, c.Reason, c.Code, c.Left
	if c.Turn != 0 {
		out.Turn = core.Turn{Leg: c.Leg, No: c.Turn}
	}
	return out
}

func (a *caseAnswer) result(t *testing.T) webhook.Result {
	t.Helper()
	if a.Failed != "" {
		return webhook.Result{Err: errors.New(a.Failed), Reason: a.Failed, Status: a.Status}
	}
	r := webhook.Result{Status: a.Status, Body: []byte(a.Text)}
	if a.Body != nil {
		text, err := json.Marshal(a.Body)
		if err != nil {
			t.Fatal(err)
		}
		r.Body = text
	}
	return r
}

func toCase(t *testing.T, j webhook.Job) caseWebhook {
	t.Helper()
	out := caseWebhook{Method: j.Method, URL: j.URL, Timeouts: fmt.Sprintf("%v %v", j.ConnectTimeout, j.Timeout)}
	for _, f := range []struct {
		name string
		on   bool
	}{
		{"durable", j.Durable},
		{"last", j.Last},
		{"overtaken", j.Overtaken},
		{"foreign", j.Foreign},
		{"signed", j.Sign != nil},
		{fmt.Sprintf("after %v", j.After), j.After != 0},
		{"answer wanted", j.Done != nil},
	} {
		if f.on {
			out.Flags = append(out.Flags, f.name)
		}
	}
	if j.Queue == "" {
		t.Error("a job without a queue")
	}
	if j.Fallback != nil {
		out.Fallback = j.Fallback.Method + " " + j.Fallback.URL + " " + j.Fallback.Type
	}
	var names []string
	for _, p := range j.Params {
		names = append(names, p.Name)
	}
	out.BodyOrder = strings.Join(names, " ")
	if err := json.Unmarshal([]byte(stable(params(j.Params).json())), &out.Body); err != nil {
		t.Fatal(err)
	}
	return out
}

// stable replaces the identifiers that are new each time.
func stable(text string) string {
	text = today.ReplaceAllString(text, "<now>")
	text = anInstance.ReplaceAllString(text, `"instance":"<32 hex>"`)
	return anyUUID.ReplaceAllStringFunc(text, func(id string) string {
		if strings.Contains(id, "-0000-4000-8000-") || strings.HasSuffix(id, "-2222-3333-4444-555555555555") {
			return id
		}
		return "<uuid>"
	})
}

var anyUUID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// anInstance is the name of one problem (contract 3).
var anInstance = regexp.MustCompile(`"instance":"[0-9a-f]{32}"`)

// today are the times that are not noon.
var today = regexp.MustCompile(`20(2[7-9]|26-(0[4-9]|1))[-0-9]*T[0-9:.]+Z`)

func pretty(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// spec is our description, as a client reads it.
type spec struct {
	doc    *openapi3.T
	router routers.Router
}

func readSpec(t *testing.T) *spec {
	t.Helper()
	out := newWorld(t).do(http.MethodGet, "/api/voice/openapi.json", "", "")
	doc, err := openapi3.NewLoader().LoadFromData(out.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	doc.Servers = openapi3.Servers{{URL: "https://api.nexmo.com"}}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	openapi3filter.RegisterBodyDecoder("audio/mpeg", openapi3filter.FileBodyDecoder)
	return &spec{doc, router}
}

func (s *spec) input(t *testing.T, r *http.Request) *openapi3filter.RequestValidationInput {
	t.Helper()
	r.URL.Path = strings.TrimSuffix(r.URL.Path, "/")
	at, found, err := s.router.FindRoute(r)
	if err != nil {
		return nil
	}
	return &openapi3filter.RequestValidationInput{
		Request: r, PathParams: found, Route: at,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true},
	}
}

// request holds a request against the description.
func (s *spec) request(t *testing.T, r *http.Request, wrong bool) {
	t.Helper()
	input := s.input(t, r)
	if input == nil {
		if !wrong {
			t.Errorf("the description has no %s %s", r.Method, r.URL.Path)
		}
		return
	}
	switch err := openapi3filter.ValidateRequest(t.Context(), input); {
	case err != nil && !wrong:
		t.Errorf("the request does not fit the description: %v", err)
	case err == nil && wrong:
		t.Error("the description does not refuse the request")
	}
}

// response holds an answer against the description.
func (s *spec) response(t *testing.T, r *http.Request, out *httptest.ResponseRecorder) {
	t.Helper()
	input := s.input(t, r)
	if input == nil {
		return
	}
	err := openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: out.Code, Header: out.Header(), Body: io.NopCloser(bytes.NewReader(out.Body.Bytes())), Options: input.Options,
	})
	if err != nil {
		t.Errorf("the answer does not fit the description: %v\n%s", err, out.Body)
	}
}

// webhook holds the body of a webhook against the description of its kind.
func (s *spec) webhook(t *testing.T, j webhook.Job) {
	t.Helper()
	kind := webhookKind(j)
	schema := s.doc.Components.Schemas[kind]
	if schema == nil {
		t.Fatalf("the description has no %s", kind)
	}
	var body any
	if err := json.Unmarshal([]byte(params(j.Params).json()), &body); err != nil {
		t.Fatal(err)
	}
	if err := schema.Value.VisitJSON(body); err != nil {
		t.Errorf("the webhook is no %s: %v", kind, err)
	}
}

func webhookKind(j webhook.Job) string {
	has := func(name string) bool {
		return slices.ContainsFunc(j.Params, func(p webhook.Param) bool { return p.Name == name })
	}
	switch {
	case has("recording_url") || has("transcription_url"):
		return "RecordingEvent"
	case has("status"):
		return "StatusEvent"
	case has("conversation_uuid_from"):
		return "TransferEvent"
	case has("reason"):
		return "ErrorEvent"
	case has("payload"):
		return "NotifyEvent"
	case has("speech"):
		return "InputEvent"
	case has("timed_out"):
		return "LegacyInputEvent"
	}
	return "AnswerRequest"
}
