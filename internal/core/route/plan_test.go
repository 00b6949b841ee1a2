package route

import (
	"slices"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
)

func TestPlan(t *testing.T) {
	d, err := NewDirectory(Resources{
		Users: []User{
			{Name: "alice", DisplayName: "Alice", Number: "1555"},
			{Name: "1234"},
			{App: "app", Name: "alice"},
		},
		Trunks: []Trunk{{Name: "first", URI: "sip:first"}, {Name: "second", URI: "sip:second"}},
		Groups: []Group{{Name: "g", RingTimeout: Duration(time.Second), CallerHears: "de", Endpoints: []Endpoint{
			{Phone: "+1 (299) 555"}, {User: "alice"}, {SIP: "sip:bob@10.0.0.7"},
		}}},
		Numbers: []Number{{Number: "12995558888", Group: "g"}, {Number: "17", User: "alice"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var (
		trunk     = core.Party{Trunk: "second", Number: "1777"}
		house     = core.Party{User: core.UserID{Name: "alice"}}
		app       = core.Party{User: core.UserID{App: "app", Name: "bob"}}
		toAlice   = []core.Target{{User: core.UserID{Name: "alice"}}}
		toGroup   = []core.Target{{Trunk: "first", Number: "1299555"}, {User: core.UserID{Name: "alice"}}, {URI: "sip:bob@10.0.0.7"}}
		toTrunk   = func(digits string) []core.Target { return []core.Target{{Trunk: "first", Number: digits}} }
		toApp     = func(name string) []core.Target { return []core.Target{{User: core.UserID{App: "app", Name: name}}} }
		unknown   = &unknownNumber
		silent404 = &Refusal{Cause: core.CauseUnallocated, Code: 404}
		forbidden = &notAllowed
	)
	tests := []struct {
		name    string
		from    core.Party
		dialled string
		targets []core.Target
		refusal *Refusal
	}{
		{"trunk calls a group", trunk, "12995558888", toGroup, nil},
		{"trunk calls in E.164", trunk, "+12995558888", toGroup, nil},
		{"trunk calls with 00", trunk, "0012995558888", toGroup, nil},
		{"trunk calls with 011", trunk, "01112995558888", toGroup, nil},
		{"trunk calls a user's number", trunk, "17", toAlice, nil},
		{"trunk calls an unknown number", trunk, "+442079460000", nil, silent404},
		{"trunk calls a user by name", trunk, "alice", nil, silent404},
		{"trunk calls a user's caller id", trunk, "1555", nil, silent404},
		{"trunk calls an emergency number", trunk, "112", nil, silent404},
		{"trunk calls nothing", trunk, "", nil, silent404},
		{"user calls a user", house, "alice", toAlice, nil},
		{"user calls a user whose name is digits", house, "1234", []core.Target{{User: core.UserID{Name: "1234"}}}, nil},
		{"user calls a user's caller id", house, "+1555", toAlice, nil},
		{"user calls our own number", house, "+1 299 555-8888", toGroup, nil},
		{"user calls a mobile", house, "+44 20 7946 0000", toTrunk("442079460000"), nil},
		{"user calls a short number", house, "333", toTrunk("333"), nil},
		{"user calls 911", house, "911", nil, forbidden},
		{"user calls +112", house, "+112", nil, forbidden},
		{"user calls 00112", house, "00112", nil, forbidden},
		{"user calls 1-1-2", house, "1-1-2", nil, forbidden},
		{"user calls an unknown name", house, "nobody", nil, unknown},
		{"user calls an application's user", house, "app/alice", nil, unknown},
		{"user calls a feature code", house, "*67", nil, unknown},
		{"user calls a URI", house, "sip:x@evil.example", nil, unknown},
		{"user calls too many digits", house, "1234567890123456", nil, unknown},
		{"application's user calls one of its own", app, "alice", toApp("alice"), nil},
		{"application's user calls one known by token only", app, "zoe", toApp("zoe"), nil},
		{"application's user dials our number", app, "17", toApp("17"), nil},
		{"application's user dials out, and reaches nobody but its own", app, "+442079460000", toApp("+442079460000"), nil},
		{"application's user names another application's", app, "other/alice", toApp("other/alice"), nil},
		{"application's user dials nothing", app, "", nil, unknown},
		{"nobody calls", core.Party{Number: "1"}, "17", nil, &Refusal{Cause: core.CauseNotAllowed, Code: 403}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plan := d.Plan(Request{From: tt.from, Dialled: tt.dialled})
			if got := targets(plan); !slices.Equal(got, tt.targets) {
				t.Errorf("targets %+v", got)
			}
			switch {
			case tt.refusal == nil && plan.Refusal != nil, tt.refusal != nil && plan.Refusal == nil:
				t.Errorf("refusal %+v", plan.Refusal)
			case tt.refusal != nil && *plan.Refusal != *tt.refusal:
				t.Errorf("refusal %+v", *plan.Refusal)
			case tt.refusal == nil && (plan.Dial.Timeout < time.Second || plan.Dial.Hears.IsZero() || plan.Dial.Branches[0].Timeout < time.Second):
				t.Errorf("plan without limits: %+v", plan.Dial)
			}
		})
	}
	if dial := d.Plan(Request{From: trunk, Dialled: "12995558888"}).Dial; dial.Group != "g" || dial.Timeout != time.Second || dial.Hears.Name != "de" {
		t.Errorf("the group's own settings are lost: %+v", dial)
	}
}

// targets returns what a plan rings.
func targets(p Plan) (all []core.Target) {
	if p.Dial == nil {
		return nil
	}
	for _, b := range p.Dial.Branches {
		all = append(all, b.Target)
	}
	return all
}

// TestNilDirectory knows nobody and does not crash.
func TestNilDirectory(t *testing.T) {
	var d *Directory
	for _, from := range []core.Party{{Trunk: "t"}, {User: core.UserID{Name: "a"}}, {User: core.UserID{App: "x", Name: "a"}}, {}} {
		for _, to := range []string{"", "17", "a", "112"} {
			if plan := d.Plan(Request{From: from, Dialled: to}); plan.Refusal == nil && from.User.App == "" {
				t.Errorf("%+v reaches %q: %+v", from, to, plan)
			}
		}
	}
}

// TestCaller says who is shown to whom.
func TestCaller(t *testing.T) {
	d, err := NewDirectory(Resources{
		Users:  []User{{Name: "alice", DisplayName: "Alice", Number: "1555"}, {Name: "bob"}},
		Trunks: []Trunk{{Name: "c", URI: "sip:c", CallerID: "1000"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	alice, bob := core.UserID{Name: "alice"}, core.UserID{Name: "bob"}
	tests := []struct {
		name   string
		from   core.Party
		target core.Target
		show   string
		want   core.Party
	}{
		{"own number on a trunk", core.Party{User: alice}, core.Target{Trunk: "c"}, "", core.Party{User: alice, Number: "1555", Name: "Alice"}},
		{"trunk's number for who has none", core.Party{User: bob}, core.Target{Trunk: "c"}, "", core.Party{User: bob, Number: "1000"}},
		{"no number inside", core.Party{User: bob}, core.Target{User: alice}, "", core.Party{User: bob}},
		{"forged number and name", core.Party{User: bob, Number: "911", Name: "Alice"}, core.Target{Trunk: "c"}, "", core.Party{User: bob, Number: "1000"}},
		{"number of the endpoint", core.Party{Trunk: "x", Number: "1777"}, core.Target{Trunk: "c"}, "1888", core.Party{Trunk: "x", Number: "1888"}},
		{"trunk's own number", core.Party{Trunk: "x", Number: "1777"}, core.Target{Trunk: "c"}, "trunk", core.Party{Trunk: "x", Number: "1000"}},
		{"caller from a trunk, forwarded", core.Party{Trunk: "x", Number: "1777", Name: "Zed"}, core.Target{Trunk: "c"}, "", core.Party{Trunk: "x", Number: "1777", Name: "Zed"}},
	}
	for _, tt := range tests {
		if got := d.Caller(tt.from, tt.target, tt.show); got != tt.want {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// FuzzNormalise checks that whatever is dialled comes out as digits that mean
// the same number when dialled again as E.164.
func FuzzNormalise(f *testing.F) {
	for _, s := range []string{"+1 299", "00", "011", "0049 30", "\xff", "1e5", "١٢"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		digits := Normalise(s)
		if digits == "" {
			return
		}
		if !isNumber(digits) || Normalise("+"+digits) != digits {
			t.Errorf("%q became %q", s, digits)
		}
	})
}
