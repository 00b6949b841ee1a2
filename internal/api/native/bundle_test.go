package native_test

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/store"
)

// applied returns what an answer of POST /apply says of each resource.
func applied(body map[string]any) (all []string) {
	resources, done := items(body, "resource"), items(body, "done")
	for i := range resources {
		all = append(all, resources[i]+" "+done[i])
	}
	return all
}

// tryApply is the part of TestContract about many resources at once.
func (w *world) tryApply() {
	w.Helper()
	const path = "/api/v1/apply"
	all := `{"users":[{"name":"max","password":"correct horse"}],"trunks":[{"name":"out","uri":"sip:out.example","password":"p"}],
		"accounts":[{"key":"ffff0000","secret":"anything16chars00"}],"applications":[{"id":"` + strings.ReplaceAll(ourApp, "a", "b") + `","account":"ffff0000"}],
		"groups":[{"name":"outer","endpoints":[{"group":"inner"}]},{"name":"inner","endpoints":[{"user":"max"}]}],
		"numbers":[{"number":"300","group":"outer","schedule":"always","closed":{"user":"max"}}],"schedules":[{"name":"always","time_zone":"UTC"}],
		"callers":[{"name":"friend","from":["1*"],"to":{"user":"max"}}],"dialling":{"country":"de"},"limits":{"silence":"90s"}}`
	names := []string{
		"dialling", "limits", "schedules/always", "users/max", "trunks/out", "accounts/ffff0000", "applications/" + strings.ReplaceAll(ourApp, "a", "b"),
		"groups/outer", "groups/inner", "numbers/300", "callers/friend",
	}
	for _, done := range []string{"created", "changed"} { // twice is as good as once
		var want []string
		for _, name := range names {
			want = append(want, name+" "+done)
		}
		if got := applied(w.do(http.MethodPost, path, all, http.StatusOK)); !slices.Equal(got, want) {
			w.Errorf("applied %q, want %q", got, want)
		}
	}
	before := w.latest
	for _, refused := range []struct {
		body   string
		status int
		fits   bool // the description
		where  string
	}{
		{`{"users":[{"name":"new1"},{"name":"new2","role":"root"}],"groups":[{"name":"g","endpoints":[{"user":"nobody"}]}]}`, http.StatusUnprocessableEntity, true, "users/new2.role groups/g.endpoints[0].user"},
		{`{"users":[{"name":"new1"},{"name":"boss"}]}`, http.StatusConflict, true, ""},
		{`{"users":[{"name":"new1","pasword":"x"}]}`, http.StatusUnprocessableEntity, false, "body.users[0].pasword"},
		{`{"user":[{"name":"new1"}]}`, http.StatusUnprocessableEntity, false, "body.user"},
		{`{"users":`, http.StatusBadRequest, false, "body"},
	} {
		var places []string
		problem := w.exchange(http.MethodPost, path, refused.body, refused.status, refused.fits)
		errors, _ := problem["errors"].([]any)
		for _, e := range errors {
			place, _ := e.(map[string]any)["location"].(string)
			places = append(places, place)
		}
		if got := strings.Join(places, " "); got != refused.where {
			w.Errorf("%.80s: mistakes at %q, want %q", refused.body, got, refused.where)
		}
		w.do(http.MethodGet, "/api/v1/users/new1", "", http.StatusNotFound)
	}
	if w.latest != before {
		w.Error("what was refused was told to the exchange")
	}
	slices.Sort(names[7:9]) // groups/inner is needed by groups/outer
	if status, header, text := w.raw(http.MethodPost, path, strings.Repeat(" ", 17<<20)); status != http.StatusRequestEntityTooLarge {
		w.Errorf("17 MiB: %d %s", status, text)
	} else {
		w.decode(http.MethodPost, path, status, header, text)
		w.done["apply"][status] = true
	}
	for _, name := range slices.Backward(names) { // the rest of the test has its own
		w.do(http.MethodDelete, "/api/v1/"+name, "", http.StatusNoContent)
	}
}

// TestOneUserIsOneUser: a change of one user is told as that, and a failure to tell it
// makes the next one tell all.
func TestOneUserIsOneUser(t *testing.T) {
	w := newWorld(t, file())
	anna := core.UserID{Name: "anna"}
	for _, step := range []struct {
		method, path, body string
		status             int
		only               core.UserID
	}{
		{http.MethodPost, "/api/v1/users", `{"name":"anna"}`, http.StatusCreated, anna},
		{http.MethodPost, "/api/v1/users/anna/credentials", `{"password":"correct horse"}`, http.StatusCreated, anna},
		{http.MethodPut, "/api/v1/users/anna", `{"name":"anna","display_name":"Anna"}`, http.StatusOK, anna},
		{http.MethodPost, "/api/v1/groups", `{"name":"g","endpoints":[{"user":"anna"}]}`, http.StatusCreated, core.UserID{}},
		{http.MethodDelete, "/api/v1/groups/g", "", http.StatusNoContent, core.UserID{}},
		{http.MethodDelete, "/api/v1/users/anna/credentials", "", http.StatusNoContent, anna},
	} {
		w.do(step.method, step.path, step.body, step.status)
		if w.only != step.only {
			t.Errorf("%s %s is told as a change of %q", step.method, step.path, w.only)
		}
		kept, err := w.store.Resources(t.Context())
		if err != nil || !reflect.DeepEqual(w.latest.Resources().Users, kept.Users) {
			t.Errorf("%s %s: told %+v, kept %+v, %v", step.method, step.path, w.latest.Resources().Users, kept.Users, err)
		}
	}
	w.refuse = true
	w.do(http.MethodPut, "/api/v1/users/anna", `{"name":"anna"}`, http.StatusInternalServerError)
	w.refuse = false
	w.do(http.MethodPut, "/api/v1/users/anna", `{"name":"anna"}`, http.StatusOK)
	if !w.only.IsZero() {
		t.Errorf("after a failure only %q is told", w.only)
	}
}

// BenchmarkCreateUser makes users one by one where there are ten thousand.
func BenchmarkCreateUser(b *testing.B) {
	s := manyUsers(b, 10_000)
	made := 0
	for b.Loop() {
		name := fmt.Sprintf("n%d", made)
		if err := s.Create(b.Context(), route.KindUsers, name, route.User{Name: name}); err != nil {
			b.Fatal(err)
		}
		made++
	}
}

// BenchmarkApply applies ten thousand users at once.
func BenchmarkApply(b *testing.B) {
	s := manyUsers(b, 0)
	for b.Loop() {
		if _, err := s.Apply(b.Context(), manyEdits(10_000), "house"); err != nil {
			b.Fatal(err)
		}
	}
}

func manyEdits(n int) (edits []route.Edit) {
	for i := range n {
		name := fmt.Sprintf("u%05d", i)
		edits = append(edits, route.Edit{Kind: route.KindUsers, Name: name, Body: route.User{Name: name}, Secret: "correct horse"})
	}
	return edits
}

func manyUsers(b *testing.B, n int) *store.Store {
	b.Helper()
	s := openStore(b, store.Resources{})
	if _, err := s.Apply(b.Context(), manyEdits(n), "house"); err != nil {
		b.Fatal(err)
	}
	return s
}
