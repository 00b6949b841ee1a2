package native_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/api/native"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/exchange"
	"github.com/offhook/offhook/internal/core/route"
)

// exchanged is a real exchange with edges that do all they are told. The call
// "broken" is a fault of ours, "stopped" a node that stops.
type exchanged struct {
	mu   sync.Mutex // guards the fields below
	x    *exchange.Exchange
	rung []core.LegID // in order
	over bool         // the node stops
}

func newExchanged(t *testing.T, d *route.Directory) *exchanged {
	t.Helper()
	e := &exchanged{x: exchange.New(exchange.Config{Directory: d})}
	for _, user := range []string{"boss", "clerk"} {
		e.apply(core.ContactUp{Contact: core.Contact{ID: core.ContactID(user), User: core.UserID{Name: user}, Edge: core.EdgeSIP}})
	}
	return e
}

// apply applies events, and reports that legs which are told to end are gone.
func (e *exchanged) apply(events ...core.Event) (reply core.Reply) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(events) > 0 {
		ev := events[0]
		events = events[1:]
		for _, cmd := range e.x.Apply(time.Now(), ev) {
			switch cmd := cmd.(type) {
			case core.Ring:
				e.rung = append(e.rung, cmd.Leg)
			case core.End:
				events = append(events, core.LegGone{Leg: cmd.Leg, Cause: cmd.Cause})
			case core.Reply:
				reply = cmd
			}
		}
	}
	return reply
}

// Ask implements native.Calls.
func (e *exchanged) Ask(_ context.Context, do core.Request) (core.Reply, error) {
	switch text := fmt.Sprint(do); {
	case strings.Contains(text, "broken"):
		return core.Reply{}, errors.New("secret fault")
	case strings.Contains(text, "stopped"), e.over:
		return core.Reply{}, &core.Error{Op: "test", Kind: core.Unavailable, Err: errors.New("the node has stopped")}
	}
	r := e.apply(core.Asked{Ask: 1, Do: do})
	return r, r.Err
}

// dials lets the trunk, or a user, call.
func (e *exchanged) dials(leg core.LegID, from core.Party, to string) {
	e.apply(core.Offered{Leg: leg, Edge: core.EdgeSIP, From: from, To: to})
}

// lastRung returns the leg that was rung last.
func (e *exchanged) lastRung() core.LegID {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.rung[len(e.rung)-1]
}

// answers lets the leg that was rung last take the call.
func (e *exchanged) answers() core.LegID {
	leg := e.lastRung()
	e.apply(core.LegRinging{Leg: leg}, core.LegAccepted{Leg: leg}, core.LegUp{Leg: leg})
	return leg
}

var (
	mallory = core.Party{Trunk: "line", Number: "4930", Name: `<"Mallory">`}
	boss    = core.Party{User: core.UserID{Name: "boss"}}
	clerk   = core.Party{User: core.UserID{Name: "clerk"}}
)

// talk lets the trunk call the boss, who answers, and returns the call and the
// boss's leg.
func (w *world) talk(caller core.LegID) (path string, callee core.LegID) {
	w.Helper()
	w.calls.dials(caller, mallory, "100")
	callee = w.calls.answers()
	return w.callOf(caller), callee
}

// callOf returns the path of the call that a leg is in.
func (w *world) callOf(leg core.LegID) string {
	w.Helper()
	for _, c := range w.calls.apply(core.Asked{Ask: 1, Do: core.Snapshot{Limit: 1000}}).Calls {
		for _, l := range c.Legs {
			if l.Leg == leg {
				return "/api/v1/calls/" + string(c.ID)
			}
		}
	}
	w.Fatalf("leg %s is in no call", leg)
	return ""
}

// states returns the legs of a call as "id state", without what they hear.
func (w *world) states(path string) (lines []string) {
	w.Helper()
	legs, _ := w.do("GET", path, "", 200)["legs"].([]any)
	for _, l := range legs {
		leg, _ := l.(map[string]any)
		lines = append(lines, fmt.Sprint(leg["id"], " ", leg["state"]))
	}
	return lines
}

func (w *world) wantStates(path string, want ...string) {
	w.Helper()
	if got := w.states(path); !slices.Equal(got, want) {
		w.Errorf("legs %q, want %q", got, want)
	}
}

func (w *world) tryCalls() {
	w.Helper()
	const list = "/api/v1/calls"
	if got := w.do("GET", list, "", 200); len(items(got, "id")) != 0 {
		w.Errorf("calls %v", got)
	}
	w.do("GET", list+"/one", "", 404)
	w.do("DELETE", list+"/one", "", 404)
	w.do("GET", list+"/broken", "", 500)
	w.do("GET", list+"/stopped", "", 503)
	w.do("DELETE", list+"/broken", "", 500)
	w.do("DELETE", list+"/stopped", "", 503)
	w.calls.over = true
	w.do("GET", list, "", 503)
	w.calls.over = false

	w.calls.dials("a", mallory, "100")
	w.wantStates(w.callOf("a"), "a trying", fmt.Sprint(w.calls.lastRung(), " trying"))
	w.calls.dials("b", clerk, "112")
	var all []string
	for page := w.do("GET", list+"?limit=1", "", 200); ; {
		all = append(all, items(page, "id")...)
		next, _ := page["next"].(string)
		if next == "" {
			break
		}
		page = w.do("GET", list+"?limit=1&cursor="+next, "", 200)
	}
	if got := items(w.do("GET", list, "", 200), "id"); len(all) != 2 || !slices.Equal(all, got) || list+"/"+all[0] != w.callOf("a") {
		w.Errorf("page by page %v, at once %v", all, got)
	}
	for _, query := range []string{"limit=0", "limit=1001", "cursor=x", "cursor=-1"} {
		w.bad("GET", list+"?"+query, "")
	}
	w.do("GET", list+"?cursor=99999999999999999999", "", 422)
	for _, path := range []string{w.callOf("a"), w.callOf("b")} {
		w.do("DELETE", path, "", 204)
		w.do("GET", path, "", 404)
		w.do("DELETE", path, "", 404)
	}
}

// move is an operation on live calls: requests that the description refuses,
// and those that fit and cannot be done. CALL and LEG in a path are of a call of
// "a" and the boss, FREE in a body is the clerk's leg that talks with nobody.
type move struct {
	method, path string
	good         string // only to be tried on other calls
	bad          []string
	status       map[string]int // by body
}

func movesToTry() []move {
	const boss = "CALL/legs/LEG"
	return []move{
		{"DELETE", boss, "", nil, nil},
		{"PUT", boss + "/hold", `{"on":true}`, []string{`{}`, `{"on":1}`, `[]`}, nil},
		{"PUT", boss + "/mute", `{"on":true}`, []string{`{}`, `{"on":"yes"}`}, nil},
		{
			"POST", boss + "/transfer", `{"to":"clerk"}`,
			[]string{`{"to":""}`, `{"to":1}`, `{"towards":"x"}`, `{"with":""}`},
			map[string]int{`{}`: 422, `{"to":"clerk","with":"a"}`: 422, `{"to":"nobody"}`: 404, `{"to":"112"}`: 403, `{"with":"nobody"}`: 404, `{"with":"FREE"}`: 403, `{"to":"idle"}`: 503},
		},
		{"POST", boss + "/park", `{}`, []string{`{"slot":70}`, `{"slot":"first"}`}, map[string]int{`{"slot":"1"}`: 422}},
		{"POST", boss + "/retrieve", `{"by":"a"}`, []string{`{}`, `{"by":""}`}, map[string]int{`{"by":"FREE"}`: 409, `{"by":"nobody"}`: 404}},
		{"POST", boss + "/pickup", `{"by":"a"}`, []string{`{}`, `{"by":7}`}, map[string]int{`{"by":"FREE"}`: 409, `{"by":"nobody"}`: 404}},
		{
			"POST", "CALL/legs", `{"by":"LEG","to":"clerk"}`,
			[]string{`{}`, `{"by":"a"}`, `{"to":"clerk"}`},
			map[string]int{`{"by":"nobody","to":"clerk"}`: 404, `{"by":"FREE","to":"clerk"}`: 404, `{"by":"LEG","to":"nobody"}`: 404, `{"by":"LEG","to":"idle"}`: 503, `{"by":"LEG","to":"112"}`: 403},
		},
		{"POST", "CALL/merge", `{"leg":"LEG","with":"x"}`, []string{`{}`, `{"leg":"a"}`}, map[string]int{`{"leg":"LEG","with":"a"}`: 409, `{"leg":"LEG","with":"FREE"}`: 409, `{"leg":"LEG","with":"nobody"}`: 404}},
		{
			"PUT", "CALL/supervise", `{"leg":"FREE","mode":"monitor"}`,
			[]string{`{}`, `{"leg":"FREE"}`, `{"leg":"FREE","mode":"shout"}`},
			map[string]int{`{"mode":"barge"}`: 422, `{"leg":"FREE","to":"clerk","mode":"barge"}`: 422, `{"leg":"nobody","mode":"barge"}`: 404, `{"leg":"a","mode":"barge"}`: 409, `{"leg":"FREE","target":"FREE","mode":"whisper"}`: 404, `{"to":"idle","mode":"whisper"}`: 503},
		},
		{"DELETE", "CALL/supervise/LEG", "", nil, map[string]int{"": 409}},
		{
			"PUT", "CALL/hear", `{"pairs":[{"from":"a","to":"LEG","hears":false}]}`,
			[]string{`{}`, `{"pairs":[]}`, `{"pairs":[{"from":"a","to":"LEG"}]}`, `{"pairs":{}}`},
			map[string]int{`{"pairs":[{"from":"a","to":"a","hears":true}]}`: 422, `{"pairs":[{"from":"FREE","to":"a","hears":true}]}`: 404},
		},
	}
}

// tryMoves does every operation on live calls in vain, and then well.
func (w *world) tryMoves() {
	w.Helper()
	w.do("POST", "/api/v1/users", `{"name":"idle"}`, 201)
	w.do("PUT", "/api/v1/users/boss/do_not_disturb", `{"on":false}`, 204)
	w.calls.apply(exchange.DirectoryChanged{Directory: w.latest})
	w.calls.dials("free", clerk, "112")
	call, leg := w.talk("a")
	names := strings.NewReplacer("CALL", call, "LEG", string(leg), "FREE", "free")
	before := w.states(call)
	for _, m := range movesToTry() {
		path := names.Replace(m.path)
		for _, bad := range m.bad {
			w.bad(m.method, path, names.Replace(bad))
		}
		if m.good != "" && m.method != "DELETE" {
			w.exchange(m.method, path, "{", 400, false)
		}
		for body, want := range m.status {
			w.do(m.method, path, names.Replace(body), want)
		}
		for id, want := range map[string]int{"nothing": 404, "broken": 500, "stopped": 503} {
			w.do(m.method, strings.Replace(path, call, "/api/v1/calls/"+id, 1), names.Replace(m.good), want)
		}
		if strings.Contains(path, string(leg)) { // of another call
			w.do(m.method, strings.Replace(path, string(leg), "free", 1), names.Replace(m.good), 404)
		}
	}
	if now := w.states(call); !slices.Equal(now, before) {
		w.Errorf("what was refused changed %q to %q", before, now)
	}
	w.silent(call)
	w.holdAndMute(call, leg)
	w.parkAndRetrieve(call, leg)
	w.superviseAndHear()
	w.conference()
	w.transfers()
	w.tooEarly()
	for _, id := range items(w.do("GET", "/api/v1/calls", "", 200), "id") {
		w.do("DELETE", "/api/v1/calls/"+id, "", 204)
	}
}

// tooEarly does to a leg that rings what needs one that talks.
func (w *world) tooEarly() {
	w.Helper()
	w.calls.dials("early", mallory, "100")
	call, leg := w.callOf("early"), w.calls.lastRung()
	for _, path := range []string{"/transfer", "/park"} {
		body := map[string]string{"/transfer": `{"to":"clerk"}`, "/park": `{}`}[path]
		w.do("POST", call+"/legs/"+string(leg)+path, body, 409)
	}
	w.do("POST", call+"/legs", fmt.Sprintf(`{"by":%q,"to":"clerk"}`, leg), 409)
	w.do("PUT", call+"/hear", fmt.Sprintf(`{"pairs":[{"from":"early","to":%q,"hears":true}]}`, leg), 409)
	w.do("PUT", call+"/legs/"+string(leg)+"/hold", `{"on":true}`, 409)
	w.do("PUT", call+"/legs/"+string(leg)+"/mute", `{"on":true}`, 204)
	w.calls.dials("picker", clerk, "112")
	taken := w.do("POST", call+"/legs/"+string(leg)+"/pickup", `{"by":"picker"}`, 200)
	if "/api/v1/calls/"+fmt.Sprint(taken["call"]) != call {
		w.Errorf("picked up into %v", taken)
	}
	w.wantStates(call, "early answered", "picker answered")
}

func (w *world) holdAndMute(call string, leg core.LegID) {
	w.Helper()
	path := call + "/legs/" + string(leg)
	for _, on := range []bool{true, false} {
		w.do("PUT", path+"/hold", fmt.Sprintf(`{"on":%v}`, on), 204)
		w.do("PUT", path+"/hold", fmt.Sprintf(`{"on":%v}`, on), 204) // twice is once
		legs, _ := w.do("GET", call, "", 200)["legs"].([]any)
		a, b := legs[0].(map[string]any), legs[1].(map[string]any)
		if (a["sound"] == "music") != on || (b["held"] == true) != on || (len(a["hears"].([]any)) == 0) != on {
			w.Errorf("hold %v: %v, %v", on, a, b)
		}
	}
	for _, on := range []bool{true, false} {
		w.do("PUT", path+"/mute", fmt.Sprintf(`{"on":%v}`, on), 204)
		legs, _ := w.do("GET", call, "", 200)["legs"].([]any)
		a, b := legs[0].(map[string]any), legs[1].(map[string]any)
		if (b["muted"] == true) != on || (len(a["hears"].([]any)) == 0) != on {
			w.Errorf("mute %v: %v, %v", on, a, b)
		}
	}
}

// silent wants a leg that is not heard to be shown with the reason.
func (w *world) silent(call string) {
	w.Helper()
	for _, ev := range []core.Event{core.LegSilent{Leg: "a", Silence: core.SilenceNoRTP, Diagnosis: "no RTP comes"}, core.LegHeard{Leg: "a"}} {
		w.calls.apply(ev)
		legs, _ := w.do("GET", call, "", 200)["legs"].([]any)
		a, _ := legs[0].(map[string]any)
		if _, silent := ev.(core.LegSilent); (a["silence"] == "no_rtp") != silent || (a["diagnosis"] == "no RTP comes") != silent {
			w.Errorf("after %T: %v", ev, a)
		}
	}
}

func (w *world) parkAndRetrieve(call string, leg core.LegID) {
	w.Helper()
	if parked := w.do("POST", call+"/legs/a/park", `{"slot":"75"}`, 200); parked["slot"] != "75" {
		w.Errorf("parked %v", parked)
	}
	w.do("DELETE", call+"/legs/"+string(leg), "", 404) // it was released
	w.wantStates(call, "a parked")
	taken := w.do("POST", call+"/legs/a/retrieve", `{"by":"free"}`, 200)
	if "/api/v1/calls/"+fmt.Sprint(taken["call"]) != call {
		w.Errorf("taken %v", taken)
	}
	w.wantStates(call, "a answered", "free answered")
	w.do("DELETE", call+"/legs/free", "", 204)
	w.do("DELETE", call+"/legs/a", "", 404) // it went with the other
}

func (w *world) superviseAndHear() {
	w.Helper()
	call, agent := w.talk("b")
	w.calls.dials("coach", clerk, "112")
	for _, mode := range []string{"monitor", "whisper", "barge", "whisper"} {
		w.do("PUT", call+"/supervise", fmt.Sprintf(`{"leg":"coach","mode":%q}`, mode), 200)
		legs, _ := w.do("GET", call, "", 200)["legs"].([]any)
		hears := func(i int) int { return len(legs[i].(map[string]any)["hears"].([]any)) }
		want := map[string][3]int{"monitor": {1, 1, 2}, "whisper": {1, 2, 2}, "barge": {2, 2, 2}}[mode]
		coach, _ := legs[2].(map[string]any)
		if got := [3]int{hears(0), hears(1), hears(2)}; got != want || coach["state"] != "supervising" ||
			fmt.Sprint(coach["supervises"]) != fmt.Sprint(map[string]any{"leg": string(agent), "mode": mode}) {
			w.Errorf("%s: hear %v, want %v; %v", mode, got, want, coach)
		}
	}
	w.do("PUT", call+"/hear", fmt.Sprintf(`{"pairs":[{"from":"coach","to":"b","hears":true},{"from":"coach","to":%q,"hears":false}]}`, agent), 204)
	legs, _ := w.do("GET", call, "", 200)["legs"].([]any)
	if got := fmt.Sprint(legs[0].(map[string]any)["hears"]); !strings.Contains(got, "coach") {
		w.Errorf("by order b hears %s", got)
	}
	w.do("DELETE", call+"/supervise/coach", "", 204)
	w.do("DELETE", call+"/supervise/coach", "", 404)
	w.wantStates(call, "b answered", string(agent)+" answered")
	w.do("PUT", call+"/supervise", `{"to":"clerk","mode":"monitor"}`, 200)
	rung := w.calls.answers()
	w.wantStates(call, "b answered", string(agent)+" answered", string(rung)+" supervising")
	w.do("DELETE", call, "", 204)
}

func (w *world) conference() {
	w.Helper()
	call, agent := w.talk("c")
	w.do("POST", call+"/legs", fmt.Sprintf(`{"by":%q,"to":"clerk"}`, agent), 200)
	third := w.calls.answers()
	w.wantStates(call, "c answered", string(agent)+" answered", string(third)+" answered")
	other, second := w.talk("d")
	merged := w.do("POST", call+"/merge", fmt.Sprintf(`{"leg":%q,"with":"d"}`, agent), 200)
	if "/api/v1/calls/"+fmt.Sprint(merged["call"]) != call {
		w.Errorf("merged %v", merged)
	}
	w.do("GET", other, "", 404)
	w.wantStates(call, "c answered", string(agent)+" answered", string(third)+" answered", "d answered", string(second)+" answered")
	w.do("DELETE", call, "", 204)
}

func (w *world) transfers() {
	w.Helper()
	call, agent := w.talk("e")
	w.do("POST", call+"/legs/"+string(agent)+"/transfer", `{"to":"clerk"}`, 200)
	w.wantStates(call, "e answered", string(agent)+" answered", string(w.calls.lastRung())+" trying")
	w.do("POST", call+"/legs/"+string(agent)+"/transfer", `{"to":"clerk"}`, 409) // one at a time
	rung := w.calls.answers()
	w.wantStates(call, "e answered", string(rung)+" answered")

	call, agent = w.talk("f")
	w.calls.dials("second", boss, "clerk")
	rung = w.calls.answers()
	meet := w.do("POST", call+"/legs/"+string(agent)+"/transfer", `{"with":"second"}`, 200)
	w.do("GET", call, "", 404)
	w.wantStates("/api/v1/calls/"+fmt.Sprint(meet["call"]), string(rung)+" answered", "f answered")
}

// TestRate: a client that asks too much is told to wait, before anything else.
func TestRate(t *testing.T) {
	w := newLimitedWorld(t, file(), native.Rate{PerSecond: 0.01, Burst: 6})
	w.token = "nonsense"
	for i := range 8 {
		status, header, text := w.raw(http.MethodGet, "/api/v1/users", "")
		want := http.StatusUnauthorized
		if i >= 5 { // the description was one
			want = http.StatusTooManyRequests
			if s, err := strconv.Atoi(header.Get("Retry-After")); err != nil || s < 50 || s > 100 {
				t.Errorf("Retry-After %q", header.Get("Retry-After"))
			}
		}
		if status != want {
			t.Errorf("request %d: %d, want %d", i, status, want)
		}
		w.decode(http.MethodGet, "/api/v1/users", status, header, text)
	}
}

func TestEveryEdgeIsInTheDescription(t *testing.T) {
	for _, of := range []any{native.Leg{}, native.Record{}} {
		field, _ := reflect.TypeOf(of).FieldByName("Edge")
		described := strings.Split(field.Tag.Get("enum"), ",")
		for edge := core.EdgeSIP; edge.String() != core.Edge(0).String(); edge++ {
			if !slices.Contains(described, edge.String()) {
				t.Errorf("%T: edge %q is not among %q", of, edge, described)
			}
		}
	}
}
