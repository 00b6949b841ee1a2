package route

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestNewDirectoryMistakes gives one wrong resource each and wants it named.
func TestNewDirectoryMistakes(t *testing.T) {
	user, trunk := User{Name: "alice"}, Trunk{Name: "carrier", URI: "sip:127.0.0.1:5080"}
	group := Group{Name: "all", Endpoints: []Endpoint{{User: "alice"}}}
	endpoint := func(e Endpoint) Resources {
		return Resources{
			Users: []User{user}, Trunks: []Trunk{trunk}, Groups: []Group{{Name: "all", Endpoints: []Endpoint{e}}},
			Numbers: []Number{{Number: "18", Group: "all"}},
		}
	}
	tests := []struct {
		name string
		give Resources
		want string // "" if nothing is wrong
	}{
		{"nothing", Resources{}, ""},
		{"all right", Resources{
			Users:  []User{user, {App: "x", Name: "alice"}},
			Trunks: []Trunk{{Name: "c", URI: "sips:c.example;transport=tls", AcceptFrom: []netip.Prefix{netip.MustParsePrefix("::1/128")}, CallsPerSecond: 0.5, CallerID: "1"}},
			Groups: []Group{{Name: "g", Strategy: "simultaneous", RingTimeout: Duration(time.Second), CallerHears: "de", Endpoints: []Endpoint{{Phone: "+1 299"}, {SIP: "sip:bob@[::1]:5070"}, {User: "alice"}}}},
		}, ""},
		{"user without name", Resources{Users: []User{{}}}, "users[0].name"},
		{"name in capitals", Resources{Users: []User{{Name: "Alice"}}}, "users[0].name"},
		{"name too long", Resources{Users: []User{{Name: strings.Repeat("a", 65)}}}, "users[0].name"},
		{"user twice", Resources{Users: []User{user, user}}, `users[1].name: "alice" is there twice`},
		{"user like an emergency number", Resources{Users: []User{{Name: "112"}}}, "users[0].name"},
		{"long display name", Resources{Users: []User{{Name: "a", DisplayName: strings.Repeat("x", 129)}}}, "users[0].display_name"},
		{"caller id with +", Resources{Users: []User{{Name: "a", Number: "+1"}}}, "users[0].number"},
		{"trunk twice", Resources{Trunks: []Trunk{trunk, trunk}}, "trunks[1].name"},
		{"trunk without host", Resources{Trunks: []Trunk{{Name: "c", URI: "sip:"}}}, "trunks[0].uri"},
		{"trunk of another scheme", Resources{Trunks: []Trunk{{Name: "c", URI: "http://c"}}}, "trunks[0].uri"},
		{"trunk with a line break", Resources{Trunks: []Trunk{{Name: "c", URI: "sip:c\r\nX: y"}}}, "trunks[0].uri"},
		{"zero prefix", Resources{Trunks: []Trunk{{Name: "c", URI: "sip:c", AcceptFrom: make([]netip.Prefix, 1)}}}, "trunks[0].accept_from[0]"},
		{"negative rate", Resources{Trunks: []Trunk{{Name: "c", URI: "sip:c", CallsPerSecond: -1}}}, "trunks[0].calls_per_second"},
		{"rate too high", Resources{Trunks: []Trunk{{Name: "c", URI: "sip:c", CallsPerSecond: 1001}}}, "trunks[0].calls_per_second"},
		{"asked too often", Resources{Trunks: []Trunk{{Name: "c", URI: "sip:c", Probe: Duration(time.Second)}}}, "trunks[0].probe"},
		{"asked too seldom", Resources{Trunks: []Trunk{{Name: "c", URI: "sip:c", Probe: Duration(2 * time.Hour)}}}, "trunks[0].probe"},
		{"group twice", Resources{Users: []User{user}, Groups: []Group{group, group}}, "groups[1].name"},
		{"group without endpoints", Resources{Groups: []Group{{Name: "g"}}}, "groups[0].endpoints"},
		{"unknown strategy", Resources{Users: []User{user}, Groups: []Group{{Name: "g", Strategy: "loud", Endpoints: group.Endpoints}}}, "groups[0].strategy"},
		{"time-out too short", Resources{Users: []User{user}, Groups: []Group{{Name: "g", RingTimeout: 1, Endpoints: group.Endpoints}}}, "groups[0].ring_timeout"},
		{"no country", Resources{Users: []User{user}, Groups: []Group{{Name: "g", CallerHears: "jazz", Endpoints: group.Endpoints}}}, "groups[0].caller_hears"},
		{"empty endpoint", endpoint(Endpoint{}), "groups[0].endpoints[0]: needs exactly one"},
		{"endpoint with two", endpoint(Endpoint{User: "alice", Phone: "1"}), "groups[0].endpoints[0]: needs exactly one"},
		{"endpoint user unknown", endpoint(Endpoint{User: "bob"}), `groups[0].endpoints[0].user: no user "bob"`},
		{"endpoint of no URI", endpoint(Endpoint{SIP: "bob"}), "groups[0].endpoints[0].sip"},
		{"endpoint of no number", endpoint(Endpoint{Phone: "call me"}), "groups[0].endpoints[0].phone"},
		{"endpoint rings the police", endpoint(Endpoint{Phone: "911"}), "groups[0].endpoints[0].phone"},
		{"endpoint is the group itself", endpoint(Endpoint{Phone: "+18"}), "groups[0].endpoints[0].phone: \"+18\" is one of our own"},
		{"phone without trunk", Resources{Groups: []Group{{Name: "g", Endpoints: []Endpoint{{Phone: "1"}}}}}, "needs a trunk"},
		{"number with +", Resources{Users: []User{user}, Numbers: []Number{{Number: "+1", User: "alice"}}}, "numbers[0].number"},
		{"number twice", Resources{Users: []User{user}, Numbers: []Number{{Number: "1", User: "alice"}, {Number: "1", User: "alice"}}}, "numbers[1].number"},
		{"number is an emergency", Resources{Users: []User{user}, Numbers: []Number{{Number: "110", User: "alice"}}}, "numbers[0].number"},
		{"number leads nowhere", Resources{Numbers: []Number{{Number: "1"}}}, "numbers[0]: needs exactly one"},
		{"number of an unknown group", Resources{Numbers: []Number{{Number: "1", Group: "g"}}}, "numbers[0].group"},
		{"number of an application's user", Resources{Users: []User{{App: "x", Name: "a"}}, Numbers: []Number{{Number: "1", User: "a"}}}, "numbers[0].user"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewDirectory(tt.give)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// TestNewDirectoryReportsAll wants every mistake in one error.
func TestNewDirectoryReportsAll(t *testing.T) {
	_, err := NewDirectory(Resources{
		Users: []User{{}}, Trunks: []Trunk{{}}, Groups: []Group{{}}, Numbers: []Number{{}},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"users[0].name", "trunks[0].name", "trunks[0].uri", "groups[0].name", "groups[0].endpoints", "numbers[0].number"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not reported in:\n%v", want, err)
		}
	}
}
