package config

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core/route"
)

const callControl = `resources:
  users:
    - {name: anna, role: admin, do_not_disturb: true, limits: {calls: 3, minutes: 60}}
    - {name: ben}
  trunks:
    - {name: carrier, uri: "sip:127.0.0.1:5080", prefixes: ["49", "4930"], priority: 1, weight: 3, limits: {calls: 30}}
    - {name: rest, uri: "sip:127.0.0.1:5081", priority: 2}
  groups:
    - name: front-desk
      strategy: sequential
      ring_timeout: 29s
      step_timeout: 10s
      caller_hears: music
      confirm: {key: "1", timeout: 9s}
      skip_busy: true
      endpoints:
        - {phone: "+49 171 2345678", delay: 2s, timeout: 15s, caller_id: dialled}
        - {user: ben, weight: 2}
        - {group: night}
      no_answer: {user: ben}
      busy: {announce: busy}
      unreachable: {phone: "+49 30 777777"}
      failed: {group: night}
    - {name: night, endpoints: [{user: ben}]}
  schedules:
    - name: office
      time_zone: Europe/Berlin
      weekly: [{days: [mon-fri], from: "09:00", to: "17:30"}]
      holidays: ["12-25", "2026-10-30"]
      dates: [{first: 2026-12-23, last: "2026-12-24", open: [{from: "10:00", to: "11:00"}]}]
  numbers:
    - {number: 4930555, group: front-desk, schedule: office, closed: {announce: closed}}
    - {number: "493055510xx", user: anna}
  callers:
    - {name: pest, from: [anonymous, "4916*"], numbers: ["4930555"], block: true}
    - {name: vip, from: ["4917100"], to: {user: ben}}
  dialling: {country: de, area: "30"}
  limits: {prefixes: ["49", "44"], blocked: ["4419"], user: {calls_per_second: 0.5}}
  parking: {first: 701, last: 709, timeout: 30s}
`

func TestLoadCallControl(t *testing.T) {
	c, err := Load(write(t, callControl))
	if err != nil {
		t.Fatal(err)
	}
	r := c.Resources
	desk := r.Groups[0]
	for _, check := range []struct {
		what      string
		got, want any
	}{
		{"role", r.Users[0].Role, route.RoleAdmin},
		{"limits of a user", *r.Users[0].Limits, route.Limit{Calls: 3, Minutes: 60}},
		{"prefixes", r.Trunks[0].Prefixes, []string{"49", "4930"}},
		{"strategy", desk.Strategy, route.Sequential},
		{"step", desk.StepTimeout, route.Duration(10 * time.Second)},
		{"confirm", *desk.Confirm, route.Confirm{Key: "1", Timeout: route.Duration(9 * time.Second)}},
		{"endpoint", desk.Endpoints[0], route.Endpoint{Phone: "+49 171 2345678", Delay: route.Duration(2 * time.Second), Timeout: route.Duration(15 * time.Second), CallerID: "dialled"}},
		{"busy", *desk.Busy, route.Destination{Announce: "busy"}},
		{"weekly", r.Schedules[0].Weekly[0], route.Hours{Days: []string{"mon-fri"}, Open: route.Open{From: "09:00", To: "17:30"}}},
		{"date without quotes", r.Schedules[0].Dates[0].First, "2026-12-23"},
		{"closed", *r.Numbers[0].Closed, route.Destination{Announce: "closed"}},
		{"number without quotes", r.Numbers[0].Number, "4930555"},
		{"callers", r.Callers[1], route.CallerRule{Name: "vip", From: []string{"4917100"}, To: &route.Destination{User: "ben"}}},
		{"dialling", r.Dialling, route.Dialling{Country: "de", Area: "30"}},
		{"limits", *r.Limits.User, route.Limit{CallsPerSecond: 0.5}},
		{"parking", r.Parking, route.Parking{First: 701, Last: 709, Timeout: route.Duration(30 * time.Second)}},
	} {
		if !reflect.DeepEqual(check.got, check.want) {
			t.Errorf("%s = %+v, want %+v", check.what, check.got, check.want)
		}
	}
}

// TestDocsExample loads the example of docs/routing.md.
func TestDocsExample(t *testing.T) {
	page, err := os.ReadFile("../../docs/routing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	if c, err := Load(write(t, example)); err != nil || len(c.Resources.Callers) != 2 {
		t.Errorf("%+v, %v", c.Resources.Callers, err)
	}
}

// TestCallControlMistakesHavePlaces wants all of them at once, where they were made.
func TestCallControlMistakesHavePlaces(t *testing.T) {
	text := strings.NewReplacer(
		"strategy: sequential", "strategy: loud", `confirm: {key: "1", timeout: 9s}`, `confirm: {key: "12", timeout: 9s}`,
		"busy: {announce: busy}", "busy: {announce: hello}", "Europe/Berlin", "Europe/Atlantis",
		"country: de", "country: xx", "last: 709", "last: 1", "closed: {announce: closed}", "closed: {user: nobody}",
	).Replace(callControl)
	path := write(t, text)
	_, err := Load(path)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		`:10:17: resources.groups[0].strategy: "loud" is none of`,
		`:14:22: resources.groups[0].confirm.key: "12" is not one of`,
		`:21:24: resources.groups[0].busy.announce: "hello" is none of`,
		`:27:18: resources.schedules[0].time_zone: "Europe/Atlantis" is not a time zone`,
		`resources.numbers[0].closed.user: no user "nobody"`,
		`resources.dialling.country: "xx" is not`,
		`resources.parking: 701 to 1 is not`,
	} {
		if strings.HasPrefix(want, ":") {
			want = path + want
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error\n%v\ndoes not contain\n%s", err, want)
		}
	}
	_, err = Load(write(t, "resources:\n  users:\n    - {name: a, limits: {calls: many}}\n"))
	if err == nil || !strings.Contains(err.Error(), ":3:33: ") {
		t.Errorf("a word for a number inside an optional part: %v", err)
	}
	_, err = Load(write(t, "resources:\n  groups:\n    - {name: a, ring_timeout: soon}\n"))
	if err == nil || !strings.Contains(err.Error(), ":3:31: ") || !strings.Contains(err.Error(), `"soon" is not a duration such as 30s`) {
		t.Errorf("a word for a duration: %v", err)
	}
}
