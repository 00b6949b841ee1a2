package route

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// firm is a small company in Berlin.
func firm() Resources {
	return Resources{
		Dialling: Dialling{Country: "de"},
		Users:    []User{{Name: "anna", Number: "493055510"}, {Name: "ben"}, {Name: "dnd", DoNotDisturb: true}},
		Trunks:   []Trunk{{Name: "line", URI: "sip:line", CallerID: "4930555"}, {Name: "spare", URI: "sip:spare", Priority: 1}},
		Groups: []Group{
			{
				Name: "desk", Strategy: Sequential, RingTimeout: Duration(60 * time.Second), StepTimeout: Duration(10 * time.Second),
				CallerHears: "music", SkipBusy: true, Confirm: &Confirm{Key: "5", Timeout: Duration(20 * time.Second)},
				Endpoints: []Endpoint{
					{User: "anna", Timeout: Duration(20 * time.Second)},
					{User: "dnd"},
					{Phone: "0171 2345678", CallerID: "dialled", Delay: Duration(2 * time.Second)},
					{Group: "mobiles"},
				},
				NoAnswer: &Destination{User: "ben"}, Busy: &Destination{Group: "mobiles"},
				Unreachable: &Destination{Phone: "030 777777"}, Failed: &Destination{Announce: "file:sorry.wav"},
			},
			{Name: "mobiles", Endpoints: []Endpoint{{Phone: "+44 20 7946 0000", CallerID: "trunk", Weight: 7}}},
		},
		Schedules: []Schedule{office()},
		Numbers: []Number{
			{Number: "4930555", Group: "desk", Schedule: "office", Closed: &Destination{Announce: core.PromptClosed}},
			{Number: "4930556", User: "anna"},
			{Number: "4930557", User: "dnd"},
			{Number: "4930558", Phone: "030 555"},
			{Number: "4930559", Phone: "0171 9999999"},
			{Number: "4930560", Announce: "https://sounds.example/moved.wav"},
		},
		Callers: []CallerRule{
			{Name: "pest", From: []string{"4916*", "anonymous"}, Numbers: []string{"4930555"}, Block: true},
			{Name: "vip", From: []string{"4917100"}, To: &Destination{User: "ben"}},
		},
	}
}

var (
	byDay   = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	byNight = time.Date(2026, 11, 23, 22, 0, 0, 0, time.UTC)
)

func TestPlanFromOutside(t *testing.T) {
	d, err := NewDirectory(firm())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		caller  string
		dialled string
		at      time.Time
		want    string // see outcome
	}{
		{"by day", "4930111", "4930555", byDay, "group desk"},
		{"by night", "4930111", "4930555", byNight, "480 closed"},
		{"in national form", "4930111", "030 555", byDay, "group desk"},
		{"blocked", "491601", "4930555", byDay, "603 "},
		{"blocked, in national form", "0160 1", "4930555", byDay, "603 "},
		{"blocked, another number", "491601", "4930556", byDay, "user anna"},
		{"anonymous", "", "4930555", byDay, "603 "},
		{"anonymous by name", "anonymous", "4930555", byDay, "603 "},
		{"VIP by night", "+4917100", "4930555", byNight, "user ben"},
		{"VIP, any number", "4917100", "4930556", byDay, "user ben"},
		{"VIP to no number of ours", "4917100", "4930999", byDay, "404 "},
		{"not to be disturbed", "4930111", "4930557", byDay, "486 busy"},
		{"number that leads to a number", "4930111", "4930558", byDay, "group desk"},
		{"number that leads to a number, by night", "4930111", "4930558", byNight, "480 closed"},
		{"number that leads outside", "4930111", "4930559", byDay, "trunk line 491719999999"},
		{"announcement", "4930111", "4930560", byDay, "480 https://sounds.example/moved.wav"},
	}
	for _, tt := range tests {
		plan := d.Plan(Request{Now: tt.at, From: core.Party{Trunk: "line", Number: tt.caller}, Dialled: tt.dialled})
		if got := outcome(plan); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if plan.Dial != nil && !plan.Dial.By.IsZero() {
			t.Errorf("%s: counts against %v", tt.name, plan.Dial.By)
		}
	}
}

// outcome says in a few words where a plan leads.
func outcome(p Plan) string {
	switch {
	case p.Refusal != nil && p.Dial != nil:
		return "both"
	case p.Refusal != nil:
		return strings.Join([]string{itoa(p.Refusal.Code), p.Refusal.Sound.Name}, " ")
	case p.Dial.Group != "":
		return "group " + p.Dial.Group
	}
	t := p.Dial.Branches[0].Target
	if t.Trunk != "" {
		return "trunk " + t.Trunk + " " + t.Number
	}
	return "user " + t.User.String()
}

func itoa(code int) string {
	return string([]byte{byte('0' + code/100), byte('0' + code/10%10), byte('0' + code%10)})
}

// TestGroupDial wants every setting of a group in its hunt.
func TestGroupDial(t *testing.T) {
	d, err := NewDirectory(firm())
	if err != nil {
		t.Fatal(err)
	}
	dial := d.Plan(Request{Now: byDay, From: core.Party{Trunk: "line", Number: "4930111"}, Dialled: "4930555"}).Dial
	if dial.Strategy != Sequential || dial.Timeout != time.Minute || !dial.SkipBusy || dial.Confirm != '5' ||
		dial.Prompt.Name != core.PromptConfirm || dial.ConfirmTimeout != 20*time.Second || dial.Hears.Kind != core.SoundHold {
		t.Errorf("%+v", dial)
	}
	if key, prompt, timeout := (Confirm{}).ready(); key != '1' || prompt.Name != core.PromptConfirm || timeout != 15*time.Second {
		t.Errorf("confirm without settings: %c, %v, %v", key, prompt, timeout)
	}
	if len(dial.Branches) != 3 {
		t.Fatalf("%d branches, want anna, the mobile and the group, without who is not to be disturbed", len(dial.Branches))
	}
	anna, mobile, group := dial.Branches[0], dial.Branches[1], dial.Branches[2]
	if anna.Target.User.Name != "anna" || anna.Timeout != 20*time.Second || anna.Weight != 1 {
		t.Errorf("%+v", anna)
	}
	if mobile.Target != (core.Target{Trunk: "line", Number: "491712345678"}) || !slices.Equal(mobile.Trunks, []string{"line", "spare"}) ||
		mobile.Delay != 2*time.Second || mobile.Timeout != 10*time.Second || mobile.CallerID != "4930555" {
		t.Errorf("%+v", mobile)
	}
	if group.Group == nil || group.Group.Group != "mobiles" || group.Group.Strategy != Simultaneous || group.Group.Confirm != 0 ||
		group.Group.Branches[0].Weight != 7 || group.Group.Branches[0].CallerID != "trunk" || group.Group.Branches[0].Timeout != DefaultRingTimeout {
		t.Errorf("%+v", group.Group)
	}
	req := Request{Now: byDay, From: core.Party{Trunk: "line"}, Dialled: "4930555"}
	for want, to := range map[string]*Destination{
		"user ben": dial.NoAnswer, "group mobiles": dial.Busy, "trunk line 4930777777": dial.Unreachable, "480 sorry.wav": dial.Failed, "480 ": nil,
	} {
		if got := outcome(d.Divert(req, to)); got != want {
			t.Errorf("divert: %s, want %s", got, want)
		}
	}
}

// TestMayDial is the guard's list of numbers.
func TestMayDial(t *testing.T) {
	german := firm()
	opened := firm()
	opened.Limits = Limits{Prefixes: []string{"49", "44", "1", "1876"}, Blocked: []string{"4419", "1876", "1"}}
	everywhere := firm()
	everywhere.Dialling, everywhere.Callers, everywhere.Groups, everywhere.Numbers = Dialling{}, nil, nil, nil
	tests := []struct {
		name    string
		set     Resources
		dialled string
		want    string
	}{
		{"at home", german, "0171 1234567", "trunk line 491711234567"},
		{"abroad", german, "+44 20 7946 0000", "403 not-allowed"},
		{"premium at home", german, "0900 1234567", "403 not-allowed"},
		{"emergency", german, "112", "403 not-allowed"},
		{"opened country", opened, "+44 20 7946 0000", "trunk line 442079460000"},
		{"blocked part of it", opened, "+44 19 7946 0000", "403 not-allowed"},
		{"equal prefixes allow", opened, "+1 876 555 1234", "trunk line 18765551234"},
		{"a list of ours replaces the default one", opened, "0900 1234567", "trunk line 499001234567"},
		{"no country: abroad", everywhere, "+44 20 7946 0000", "trunk line 442079460000"},
		{"no country: satellite", everywhere, "+881 6 1234", "403 not-allowed"},
		{"no country: island", everywhere, "18765551234", "403 not-allowed"},
	}
	for _, tt := range tests {
		d, err := NewDirectory(tt.set)
		if err != nil {
			t.Fatal(err)
		}
		plan := d.Plan(Request{Now: byDay, From: core.Party{User: core.UserID{Name: "anna"}}, Dialled: tt.dialled})
		if got := outcome(plan); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if plan.Dial != nil && plan.Dial.By.Name != "anna" {
			t.Errorf("%s: counts against %q", tt.name, plan.Dial.By)
		}
	}
}

// TestMistakesOfCallControl gives one wrong resource each and wants it named.
func TestMistakesOfCallControl(t *testing.T) {
	tests := []struct {
		name string
		do   func(*Resources)
		want string
	}{
		{"nothing", func(*Resources) {}, ""},
		{"unknown country", func(r *Resources) { r.Dialling.Country = "xx" }, "dialling.country"},
		{"area of letters", func(r *Resources) { r.Dialling.Area = "a" }, "dialling.area"},
		{"prefix with +", func(r *Resources) { r.Limits.Prefixes = []string{"+1"} }, "limits.prefixes[0]"},
		{"negative limit", func(r *Resources) { r.Limits.User = &Limit{Calls: -1} }, "limits.user.calls"},
		{"longest of a user", func(r *Resources) { r.Users[0].Limits = &Limit{Longest: 1} }, "users[0].limits.longest"},
		{"limit of a user", func(r *Resources) { r.Users[0].Limits = &Limit{Minutes: -1} }, "users[0].limits.minutes"},
		{"unknown role", func(r *Resources) { r.Users[0].Role = "root" }, "users[0].role"},
		{"admin of an application", func(r *Resources) { r.Users = append(r.Users, User{App: "x", Name: "a", Role: RoleAdmin}) }, "users[3].role"},
		{"priority", func(r *Resources) { r.Trunks[0].Priority = 101 }, "trunks[0].priority"},
		{"prefix of a trunk", func(r *Resources) { r.Trunks[0].Prefixes = []string{""} }, "trunks[0].prefixes[0]"},
		{"unknown strategy", func(r *Resources) { r.Groups[0].Strategy = "loud" }, "groups[0].strategy"},
		{"step too long", func(r *Resources) { r.Groups[0].StepTimeout = Duration(time.Hour) }, "groups[0].step_timeout"},
		{"sound of a folder above", func(r *Resources) { r.Groups[0].CallerHears = "file:../x" }, "groups[0].caller_hears"},
		{"confirm with two keys", func(r *Resources) { r.Groups[0].Confirm.Key = "11" }, "groups[0].confirm.key"},
		{"confirm with nothing said", func(r *Resources) { r.Groups[0].Confirm.Prompt = "hello" }, "groups[0].confirm.prompt"},
		{"confirm in no time", func(r *Resources) { r.Groups[0].Confirm.Timeout = Duration(time.Millisecond) }, "groups[0].confirm.timeout"},
		{"confirm too long", func(r *Resources) { r.Groups[0].Confirm.Timeout = Duration(61 * time.Second) }, "groups[0].confirm.timeout"},
		{"delay", func(r *Resources) { r.Groups[0].Endpoints[0].Delay = -1 }, "groups[0].endpoints[0].delay"},
		{"weight", func(r *Resources) { r.Groups[0].Endpoints[0].Weight = 101 }, "groups[0].endpoints[0].weight"},
		{"caller id", func(r *Resources) { r.Groups[0].Endpoints[0].CallerID = "mine" }, "groups[0].endpoints[0].caller_id"},
		{"unknown nested group", func(r *Resources) { r.Groups[0].Endpoints[3].Group = "x" }, `groups[0].endpoints[3].group: no group "x"`},
		{"group within itself", func(r *Resources) { r.Groups[1].Endpoints = []Endpoint{{Group: "desk"}} }, `"desk" leads back to itself`},
		{"groups that divert to each other", func(r *Resources) { r.Groups[1].NoAnswer = &Destination{Group: "desk"} }, "leads back to itself"},
		{"group diverts to a number of its own", func(r *Resources) { r.Groups[0].Failed = &Destination{Phone: "030 555"} }, "leads back to itself"},
		{"number that leads to itself", func(r *Resources) { r.Numbers[3].Phone = "030 558" }, `"4930558" leads back to itself`},
		{"destination with two", func(r *Resources) { r.Groups[0].Busy.User = "anna" }, "groups[0].busy: needs exactly one"},
		{"destination unknown", func(r *Resources) { r.Groups[0].NoAnswer.User = "x" }, "groups[0].no_answer.user"},
		{"destination rings the police", func(r *Resources) { r.Groups[0].Unreachable.Phone = "110" }, "groups[0].unreachable.phone"},
		{"unknown announcement", func(r *Resources) { r.Numbers[5].Announce = "hello" }, "numbers[5].announce"},
		{"closed without schedule", func(r *Resources) { r.Numbers[0].Schedule = "" }, "numbers[0]: schedule and closed"},
		{"unknown schedule", func(r *Resources) { r.Numbers[0].Schedule = "x" }, "numbers[0].schedule"},
		{"unknown zone", func(r *Resources) { r.Schedules[0].TimeZone = "Europe/Atlantis" }, "schedules[0].time_zone"},
		{"zone of the machine", func(r *Resources) { r.Schedules[0].TimeZone = "Local" }, "schedules[0].time_zone"},
		{"unknown day", func(r *Resources) { r.Schedules[0].Weekly[0].Days[0] = "monday" }, "schedules[0].weekly[0].days[0]"},
		{"no days", func(r *Resources) { r.Schedules[0].Weekly[0].Days = nil }, "schedules[0].weekly[0].days: none"},
		{"time", func(r *Resources) { r.Schedules[0].Weekly[0].From = "9:00" }, "schedules[0].weekly[0].from"},
		{"time too late", func(r *Resources) { r.Schedules[0].Weekly[0].To = "24:01" }, "schedules[0].weekly[0].to"},
		{"holiday", func(r *Resources) { r.Schedules[0].Holidays = []string{"31.12."} }, "schedules[0].holidays[0]"},
		{"no such day", func(r *Resources) { r.Schedules[0].Holidays = []string{"2026-02-29"} }, "schedules[0].holidays[0]"},
		{"dates the wrong way round", func(r *Resources) { r.Schedules[0].Dates[0].Last = "2026-12-01" }, "schedules[0].dates[0].last"},
		{"hours of a date", func(r *Resources) { r.Schedules[0].Dates[0].Open[0].To = "x" }, "schedules[0].dates[0].open[0].to"},
		{"rule without effect", func(r *Resources) { r.Callers[0].Block = false }, "callers[0]: needs exactly one of block, to"},
		{"rule for nobody", func(r *Resources) { r.Callers[0].From = nil }, "callers[0].from"},
		{"rule for no number of ours", func(r *Resources) { r.Callers[0].Numbers = []string{"1"} }, "callers[0].numbers[0]"},
		{"rule twice", func(r *Resources) { r.Callers[1].Name = "pest" }, "callers[1].name"},
		{"parking upside down", func(r *Resources) { r.Parking = Parking{First: 720, Last: 701} }, "parking"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := firm()
			tt.do(&r)
			_, err := NewDirectory(r)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
