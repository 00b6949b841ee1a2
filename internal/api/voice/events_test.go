package voice

import (
	"slices"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// TestCutOff: an application hears how a leg ended that lived when the program was
// killed, like that of any other.
func TestCutOff(t *testing.T) {
	w := newWorld(t)
	record := core.CDR{
		Leg: legDone, Call: callOut, App: testApp, Edge: core.EdgeSIP, Direction: core.Outbound,
		From: core.Party{Number: "12995558888"}, To: core.Party{Number: "12995551111"}, Hook: core.Hook{URL: "https://app.test/e"},
		Begun: noon, Ended: noon.Add(time.Hour), Talk: 7 * time.Second, Cause: core.CauseTempFailure, Interrupted: true,
	}
	for _, tt := range []struct {
		name     string
		answered time.Time
		status   string
		field    string
		want     string
	}{
		{"while it rang", time.Time{}, "failed", "detail", "internal_error"},
		{"while it talked", noon.Add(time.Second), "completed", "disconnected_by", "platform"},
		{"for how long", noon.Add(time.Second), "completed", "duration", "7"},
	} {
		record.Answered = tt.answered
		w.api.CutOff(record)
		w.api.Flush()
		jobs := w.hooks.take()
		if len(jobs) != 1 || !jobs[0].Last || !jobs[0].Durable || jobs[0].URL != "https://app.test/e" {
			t.Fatalf("%s: told %+v", tt.name, jobs)
		}
		if paramText(jobs[0], "status") != tt.status || paramText(jobs[0], tt.field) != tt.want {
			t.Errorf("%s: %s", tt.name, params(jobs[0].Params).json())
		}
	}
}

// TestHandedOver: a leg that the house gives to an application late begins for it
// like any other, once.
func TestHandedOver(t *testing.T) {
	w := newWorld(t)
	change := lives()[legIn]
	change.Leg = "aaaaaaaa-0000-4000-8000-00000000000f"
	for _, change.Kind = range []core.ChangeKind{core.ChangeRinging, core.ChangeAnswered, core.ChangeEnded} {
		change.Answered = true
		w.api.Changed(noon, change)
	}
	w.api.Flush()
	var got []string
	for _, j := range w.hooks.take() {
		got = append(got, paramText(j, "status"))
	}
	if want := []string{"started", "ringing", "answered", "completed"}; !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
	if _, ok := w.api.legs.get(testApp, change.Leg); ok {
		t.Error("a leg that has ended is kept")
	}
}

// TestUnknownApplication: a question of an application that is gone is answered.
func TestUnknownApplication(t *testing.T) {
	w := newWorld(t)
	delete(w.apps, testApp)
	turn := core.Turn{Leg: legIn, No: 1}
	w.api.Do(noon, core.Consult{App: testApp, Turn: turn, Kind: core.ConsultAnswer, Leg: legIn})
	change := lives()[legIn]
	change.Leg, change.Kind, change.Turn = legIn, core.ChangeMachine, turn
	w.api.Changed(noon, change)
	w.api.Flush()
	if _, told := w.exchange.take(); len(told) != 2 || len(w.hooks.take()) != 0 {
		t.Errorf("told %v", told)
	}
}

// TestNoURL: who has no URL for something is not asked, and the call goes on.
func TestNoURL(t *testing.T) {
	w := newWorld(t)
	app := w.apps[testApp]
	app.Answer.URL, app.Event.URL = "", ""
	w.apps[testApp] = app
	for kind, want := range map[core.ConsultKind]string{
		core.ConsultAnswer: "Failed", core.ConsultOnAnswer: "Failed", core.ConsultInput: "Go", core.ConsultNotify: "Go",
	} {
		w.api.Do(noon, core.Consult{App: testApp, Turn: core.Turn{Leg: legIn, No: 1}, Kind: kind, Leg: legIn, Payload: "{}"})
		w.api.Flush()
		_, told := w.exchange.take()
		if len(told) != 1 || kindOf(t, told[0]) != want {
			t.Errorf("kind %d: told %+v, want %s", kind, told, want)
		}
	}
	change := lives()[legIn]
	change.Leg, change.Kind = legIn, core.ChangeAnswered
	w.api.Changed(noon, change)
	w.api.Flush()
	if jobs := w.hooks.take(); len(jobs) != 0 {
		t.Errorf("sent %+v", jobs)
	}
}

// TestUnsigned: who wants no signature gets none.
func TestUnsigned(t *testing.T) {
	w := newWorld(t)
	for _, unsigned := range []bool{false, true} {
		app := w.apps[testApp]
		app.Unsigned = unsigned
		w.apps[testApp] = app
		change := lives()[legIn]
		change.Leg, change.Kind = legIn, core.ChangeAnswered
		w.api.Changed(noon, change)
		w.api.Flush()
		jobs := w.hooks.take()
		if len(jobs) != 1 || (jobs[0].Sign == nil) != unsigned {
			t.Errorf("unsigned %v: %+v", unsigned, jobs)
		}
	}
}

// TestUserPages: a client that follows next and prev sees every user once in each
// direction.
func TestUserPages(t *testing.T) {
	w := newWorld(t)
	for i := range 6 {
		if _, err := w.store.CreateAppUser(t.Context(), core.AppUser{App: testApp, Name: string(rune('a' + i))}); err != nil {
			t.Fatal(err)
		}
	}
	q := func(at cursor) userPage {
		page, err := w.api.userPage(t.Context(), core.AppUserQuery{App: testApp, Limit: 3}, at)
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	var names []string
	add := func(p userPage) {
		for _, u := range p.users {
			names = append(names, u.Name)
		}
	}
	first := q(cursor{})
	second := q(first.next)
	third := q(second.next)
	back := q(third.prev)
	home := q(back.prev)
	for _, p := range []userPage{first, second, third, back, home} {
		add(p)
	}
	if want := []string{"alice", "a", "b", "c", "d", "e", "f", "c", "d", "e", "alice", "a", "b"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
	if first.prev.user != "" || third.next.user != "" || home.prev.user != "" {
		t.Errorf("pages beyond the ends: %v %v %v", first.prev, third.next, home.prev)
	}
}

func kindOf(t *testing.T, ev core.Event) string {
	t.Helper()
	it, ok := ev.(flow.Instructed)
	if !ok {
		t.Fatalf("posted %T", ev)
	}
	return map[flow.AnswerKind]string{flow.Run: "Run", flow.Go: "Go", flow.Idle: "Idle", flow.Failed: "Failed"}[it.Kind]
}
