package exchange

import (
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// TestCallerAsTold: a callee sees a number of the application or nobody; the
// application reads in its events what it has written itself.
func TestCallerAsTold(t *testing.T) {
	created := func(from string) []core.Event {
		c := create(phone("1001"), say("hello"))
		c.From = core.Party{Number: from}
		return events(creates(c))
	}
	connected := func(from string) []core.Event {
		return events(fromPSTN, instructs("a", 1, flow.Call{Endpoints: []flow.Endpoint{phone("1001")}, From: from}))
	}
	for _, tt := range []struct {
		name       string
		given      []core.Event
		seen, told string
	}{
		{"a number of its own", created("40"), "40", "40"},
		{"another's", created("14155550100"), "", "14155550100"},
		{"connect, of its own", connected("40"), "40", "40"},
		{"connect, another's", connected("14155550100"), "", "14155550100"},
		{"connect, nobody", connected(""), "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t)
			var seen, told []string
			for _, ev := range tt.given {
				for _, cmd := range s.x.Apply(s.now, s.rename(ev)) {
					switch cmd := cmd.(type) {
					case core.Ring:
						seen = append(seen, cmd.From.Number)
					case core.Publish:
						if cmd.Change.Direction == core.Outbound && cmd.Change.Kind == core.ChangeBegan {
							told = append(told, cmd.Change.From.Number)
						}
					}
				}
			}
			if len(seen) != 1 || seen[0] != tt.seen || len(told) != 1 || told[0] != tt.told {
				t.Errorf("the callee sees %q, the application is told %q", seen, told)
			}
		})
	}
}
