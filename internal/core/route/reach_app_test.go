package route

import (
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
)

const theApp, another = "11111111-2222-4333-8444-555555555555", "22222222-2222-4333-8444-555555555555"

func appHouse(t *testing.T) *Directory {
	t.Helper()
	d, err := NewDirectory(Resources{
		Users:        []User{{Name: "alice"}, {Name: "dora", DoNotDisturb: true}},
		Trunks:       []Trunk{{Name: "carrier", URI: "sip:127.0.0.1", Prefixes: []string{"49"}}, {Name: "other", URI: "sip:127.0.0.2", Prefixes: []string{"33"}}},
		Groups:       []Group{{Name: "g", Endpoints: []Endpoint{{User: "alice"}}}},
		Accounts:     []Account{{Key: "key"}},
		Applications: []Application{{ID: theApp, Account: "key", Answer: Webhook{URL: "https://x.example/a"}}, {ID: another}},
		Schedules:    []Schedule{{Name: "never", TimeZone: "UTC"}},
		Numbers: []Number{
			{Number: "4930100", Application: theApp},
			{Number: "49301xx", Application: theApp},
			{Number: "4930300", Application: another},
			{Number: "4930400", Group: "g", Schedule: "never", Closed: &Destination{Application: theApp}},
			{Number: "4930500", Group: "g"},
		},
		Limits: Limits{Prefixes: []string{"49"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestShown: which numbers an application may show, and in which form.
func TestShown(t *testing.T) {
	d := appHouse(t)
	for _, tt := range []struct{ number, want string }{
		{"+49 30 100", "4930100"},
		{"4930177", "4930177"}, // one of a pattern
		{"4930400", "4930400"}, // leads there when it is closed
		{"4930300", ""},        // another application's
		{"4930500", ""},        // the house's
		{"491711234567", ""},   // somebody else's
		{"", ""},
		{"alice", ""},
	} {
		if got := d.Shown(theApp, tt.number); got != tt.want {
			t.Errorf("%q is shown as %q, want %q", tt.number, got, tt.want)
		}
	}
}

// TestPlanApplication: what leads to an application.
func TestPlanApplication(t *testing.T) {
	d := appHouse(t)
	trunk := core.Party{Trunk: "carrier", Number: "1"}
	owner := core.Party{User: core.UserID{App: core.AccountApp, Name: "key"}}
	thief := core.Party{User: core.UserID{App: core.AccountApp, Name: "thief"}}
	user := core.Party{User: core.UserID{App: theApp, Name: "zoe"}}
	for _, tt := range []struct {
		name    string
		from    core.Party
		dialled string
		app     string
		code    int
	}{
		{"number", trunk, "4930100", theApp, 0},
		{"number of a pattern", trunk, "4930166", theApp, 0},
		{"closed", trunk, "4930400", theApp, 0},
		{"user of the house", core.Party{User: core.UserID{Name: "alice"}}, "4930100", theApp, 0},
		{"user of the application", user, "whatever it is", theApp, 0},
		{"account", owner, "4930100", theApp, 0},
		{"account to another's", owner, "4930300", "", 403},
		{"account to the house", owner, "4930500", "", 403},
		{"account to no number", owner, "alice", "", 404},
		{"account over a trunk", owner, "491711234567", "", 404},
		{"another account", thief, "4930100", "", 403},
	} {
		plan := d.Plan(Request{From: tt.from, Dialled: tt.dialled})
		switch {
		case plan.App != tt.app, plan.Dial != nil, tt.code == 0 && plan.Refusal != nil, tt.code != 0 && (plan.Refusal == nil || plan.Refusal.Code != tt.code):
			t.Errorf("%s: %+v %+v", tt.name, plan, plan.Refusal)
		}
	}
}

// TestAppBranch: what an endpoint of an application rings.
func TestAppBranch(t *testing.T) {
	d := appHouse(t)
	for _, tt := range []struct {
		name  string
		to    AppEndpoint
		want  core.Target
		cause core.Cause // of the refusal
	}{
		{"a mobile", AppEndpoint{Phone: "+491711234567"}, core.Target{Trunk: "carrier", Number: "491711234567"}, 0},
		{"over another trunk", AppEndpoint{Phone: "+491711234567", Trunk: "other"}, core.Target{Trunk: "other", Number: "491711234567"}, 0},
		{"over no trunk", AppEndpoint{Phone: "+491711234567", Trunk: "x"}, core.Target{Number: "491711234567"}, core.CauseNoRoute},
		{"abroad", AppEndpoint{Phone: "3312345678"}, core.Target{Number: "3312345678"}, core.CauseNotAllowed},
		{"112", AppEndpoint{Phone: "112"}, core.Target{Number: "112"}, core.CauseNotAllowed},
		{"no number", AppEndpoint{Phone: "x"}, core.Target{}, core.CauseInvalidNumber},
		{"a number of ours", AppEndpoint{Phone: "4930500"}, core.Target{Number: "4930500"}, 0},
		{"an application's number", AppEndpoint{Phone: "4930300"}, core.Target{Number: "4930300", Own: true}, 0},
		{"a user of its own", AppEndpoint{User: "zoe"}, core.Target{User: core.UserID{App: theApp, Name: "zoe"}}, 0},
		{"a user of the house", AppEndpoint{House: "alice"}, core.Target{User: core.UserID{Name: "alice"}}, 0},
		{"one not to be disturbed", AppEndpoint{House: "dora"}, core.Target{User: core.UserID{Name: "dora"}}, core.CauseBusy},
		{"nobody of the house", AppEndpoint{House: "zoe"}, core.Target{User: core.UserID{Name: "zoe"}}, core.CauseNoRoute},
		{"a URI", AppEndpoint{URI: "sips:x@y"}, core.Target{URI: "sips:x@y"}, 0},
		{"no URI", AppEndpoint{URI: "http://y"}, core.Target{URI: "http://y"}, core.CauseInvalidNumber},
		{"a socket", AppEndpoint{Socket: core.Socket{URI: "wss://x"}}, core.Target{Socket: core.Socket{URI: "wss://x"}}, 0},
	} {
		b := d.AppBranch(Request{}, theApp, tt.to, time.Minute)
		cause := core.Cause(0)
		if b.Refusal != nil {
			cause = b.Refusal.Cause
		}
		if b.Target != tt.want || cause != tt.cause || b.Timeout != time.Minute {
			t.Errorf("%s: %+v, refused by %d", tt.name, b, cause)
		}
		if (b.Group != nil) != (tt.to.Phone == "4930500") || b.Waits != (tt.to.User != "") {
			t.Errorf("%s: group %v, waits %v", tt.name, b.Group, b.Waits)
		}
	}
}

// TestNumbersToApplications: what is wrong with numbers and groups that lead there.
func TestNumbersToApplications(t *testing.T) {
	for name, n := range map[string]Number{
		"unknown": {Number: "1", Application: theApp},
		"two":     {Number: "1", Application: another, Announce: "closed"},
		"closed":  {Number: "1", Announce: "closed", Schedule: "s", Closed: &Destination{Application: "x"}},
	} {
		_, err := NewDirectory(Resources{
			Applications: []Application{{ID: another}}, Schedules: []Schedule{{Name: "s", TimeZone: "UTC"}}, Numbers: []Number{n},
		})
		if err == nil {
			t.Errorf("%s: fine", name)
		}
	}
}
