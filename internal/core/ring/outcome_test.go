package ring

import (
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

func TestOutcome(t *testing.T) {
	tests := []struct {
		name    string
		answers []answer
		want    answer
	}{
		{"nobody registered", nil, answer{20, 480}},
		{"single: its own code", []answer{{17, 600}}, answer{17, 600}},
		{"single: a browser's decline", []answer{{21, 0}}, answer{21, 0}},
		{"single: 404", []answer{{1, 404}}, answer{1, 404}},
		{"single: 503", []answer{{41, 503}}, answer{41, 503}},
		{"single: 407 is about our request", []answer{{21, 407}}, answer{21, 0}},
		{"single: 302 is not passed on", []answer{{3, 302}}, answer{3, 0}},
		{"single: 487", []answer{{16, 487}}, answer{16, 0}},
		{"single: nonsense code", []answer{{127, 999}}, answer{127, 0}},
		{"all busy", []answer{{17, 486}, {17, 486}}, answer{17, 486}},
		{"all busy, in different words", []answer{{17, 486}, {17, 600}}, answer{17, 0}},
		{"all declined", []answer{{21, 603}, {21, 603}}, answer{21, 603}},
		{"all declined, one a browser", []answer{{21, 603}, {21, 0}}, answer{21, 0}},
		{"busy and declined", []answer{{17, 486}, {21, 603}}, answer{19, 480}},
		{"busy and unreachable", []answer{{17, 486}, {20, 480}}, answer{19, 480}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := Start(epoch, &route.Dial{Timeout: time.Minute, Branches: endpoints("alice")}, &Memory{}, nil)
			n := h.Advance(epoch).Try[0]
			for i, a := range tt.answers {
				leg := core.LegID(rune('a' + i))
				h.Add(n, Candidate{Leg: leg, Target: core.Target{Contact: core.ContactID(leg)}})
				h.Launch(leg, epoch)
				h.Gone(leg, a.cause, a.code)
			}
			h.Advance(epoch)
			if cause, code := h.Outcome(); (answer{cause, code}) != tt.want || !h.Over() {
				t.Errorf("got %d %d, over %v", cause, code, h.Over())
			}
		})
	}
}
