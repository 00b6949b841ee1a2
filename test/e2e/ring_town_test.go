//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// story is one option of ring groups, shown on the wire by phones of its own.
type story struct {
	name   string
	users  []string // names, unique in a test; options may follow: "ann, decline_all: true"
	groups []string // between the braces; callers reach the first
	show   func(*scene)
}

// scene is where a story happens.
type scene struct {
	*house
	*testing.T
	number string // of the story's first group
}

// tellStories runs stories at the same time against one exchange, and wants
// nothing left of any call. Trunks, each what stands between the braces, are those
// beside the one over which calls come in, which leads nowhere.
func tellStories(t *testing.T, trunks []string, stories []story) {
	t.Helper()
	var users, groups, numbers, more strings.Builder
	for _, trunk := range trunks {
		fmt.Fprintf(&more, "    - {%s}\n", trunk)
	}
	for i, s := range stories {
		for _, u := range s.users {
			name, _, _ := strings.Cut(u, ",")
			fmt.Fprintf(&users, "    - {password: %s, name: %s}\n", password(name), u)
		}
		for _, g := range s.groups {
			fmt.Fprintf(&groups, "    - {%s}\n", g)
		}
		if len(s.groups) > 0 {
			name, _, _ := strings.Cut(strings.TrimPrefix(s.groups[0], "name: "), ",")
			fmt.Fprintf(&numbers, "    - {number: \"%s\", group: %s}\n", number(i), name)
		}
	}
	h := &house{Offhook: harness.NewOffhook(t, "resources:\n"+
		"  trunks:\n    - {name: carrier, uri: \"sip:127.0.0.2:5999\", prefixes: [\"999\"], accept_from: [127.0.0.32/27]}\n"+more.String()+
		"  users:\n"+users.String()+"  groups:\n"+groups.String()+"  numbers:\n"+numbers.String())}
	t.Cleanup(func() { // when all stories are told
		h.AwaitMetric("offhook_legs", 0, soon)
		h.AwaitMetric("offhook_calls", 0, soon)
		h.AwaitLegs(t, soon)
	})
	for i, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.show(&scene{house: h, T: t, number: number(i)})
		})
	}
}

// user starts a registered phone of a user, which says a tone of hz.
func (s *scene) user(name string, hz float64) *harness.Phone {
	s.Helper()
	return s.house.user(s.T, name, phone.Config{Say: says(hz), Codecs: []media.Codec{media.PCMU}})
}

// users starts phones of users, who all say 600 Hz.
func (s *scene) users(names ...string) (phones []*harness.Phone) {
	s.Helper()
	for _, name := range names {
		phones = append(phones, s.user(name, deskHz))
	}
	return phones
}

// dial calls the story's number from outside, from a phone and a number of its own.
func (s *scene) dial() *placed {
	s.Helper()
	return s.dialNumber(s.number)
}

func (s *scene) dialNumber(to string) *placed {
	s.Helper()
	return dial(s.T, s.line(), to, phone.DialOptions{From: phone.Party{Number: "+" + outsider}})
}

// line is a phone outside, whose calls come over the trunk.
func (s *scene) line() *harness.Phone {
	s.Helper()
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(32 + s.outsiders.Add(1)%32)}), 0)
	return harness.NewCarrier(s, s.Offhook, at, phone.Config{Say: says(callerHz), Codecs: []media.Codec{media.PCMU}})
}

// outsider is the number of every caller.
const outsider = "12025550199"

// freeCarrier returns an address for the far end of a trunk.
func freeCarrier(t *testing.T) netip.AddrPort {
	t.Helper()
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), testkit.FreePort(t, "127.0.0.2"))
}

// carrier starts the far end of a trunk, or who is called by a SIP URI.
func (s *scene) carrier(at netip.AddrPort) *harness.Phone {
	s.Helper()
	return harness.NewCarrier(s, s.Offhook, at, phone.Config{Say: says(mobileHz), Codecs: []media.Codec{media.PCMU}})
}

// A busy machine may see the later of two messages late by slack, and the earlier
// one by haste. Whatever a test tells apart by time is further apart.
const (
	slack = 1500 * time.Millisecond
	haste = 400 * time.Millisecond
)

// wantAfter checks that later comes d behind earlier.
func (s *scene) wantAfter(what string, earlier, later time.Time, d time.Duration) {
	s.Helper()
	if got := later.Sub(earlier); got < d-haste || got > d+slack {
		s.Errorf("%s after %.2f s, want %v", what, got.Seconds(), d)
	}
}

// message waits for the n-th message of a phone that begins with start and holds
// all of words, retransmissions left out.
func (s *scene) message(p *harness.Phone, n int, start string, words ...string) harness.Message {
	s.Helper()
	var found []harness.Message
	testkit.Eventually(s, soon, fmt.Sprintf("message %d %q %q", n, start, words), func() bool {
		found = messages(p, start, words...)
		return len(found) >= n
	})
	return found[n-1]
}

// messages returns the messages of a phone that begin with start and hold all of
// words, retransmissions left out.
func messages(p *harness.Phone, start string, words ...string) (found []harness.Message) {
	known := map[string]bool{}
	for _, m := range p.Wire().Messages() {
		if m.Is(start, words...) && !known[m.Text] {
			known[m.Text] = true
			found = append(found, m)
		}
	}
	return found
}

// invited waits for the n-th INVITE of a phone and returns when it came.
func (s *scene) invited(p *harness.Phone, n int) time.Time {
	s.Helper()
	return s.message(p, n, "< INVITE ").At
}

// cancelled waits for the n-th CANCEL of a phone and returns when it came. Its
// Reason must begin with why.
func (s *scene) cancelled(p *harness.Phone, n int, why string) time.Time {
	s.Helper()
	m := s.message(p, n, "< CANCEL ")
	if got := m.Header("Reason"); !strings.HasPrefix(got, why) {
		s.Errorf("CANCEL with Reason %q, want %q", got, why)
	}
	return m.At
}

// The Reasons of RFC 3326 that phones are told.
const (
	whyElsewhere  = `SIP;cause=200;text="Call completed elsewhere"`
	whyTimeout    = `SIP;cause=408`
	whyCallerGone = `SIP;cause=487`
	whyDeclined   = `SIP;cause=603`
)

// ring waits for a call at a phone.
func (s *scene) ring(p *harness.Phone) *phone.Call {
	s.Helper()
	return p.Call(p.Await(phone.Incoming, soon).Call)
}

// wantNotRung fails the test if a phone was ever rung.
func (s *scene) wantNotRung(who string, p *harness.Phone) {
	s.Helper()
	if n := len(messages(p, "< INVITE ")); n > 0 {
		s.Errorf("%s was rung %d times", who, n)
	}
}

// wantTalk waits until the caller, who says callerHz, and a callee, who says hz,
// hear each other, and lets the caller hang up.
func (s *scene) wantTalk(caller *placed, callee *phone.Call, hz float64) {
	s.Helper()
	caller.Await(phone.Answered, soon)
	awaitTone(s.T, "caller", caller.call, hz)
	awaitTone(s.T, "callee", callee, callerHz)
	caller.call.HangUp()
	caller.Await(phone.Ended, soon)
}

// byed waits for the BYE of a phone that answered and returns when it came. Its
// Reason must begin with why.
func (s *scene) byed(p *harness.Phone, why string) time.Time {
	s.Helper()
	m := s.message(p, 1, "< BYE ")
	if got := m.Header("Reason"); !strings.HasPrefix(got, why) {
		s.Errorf("BYE with Reason %q, want %q", got, why)
	}
	return m.At
}

// awaitPrompt waits until a call has heard an announcement to its end.
func (s *scene) awaitPrompt(who string, c *phone.Call, prompt string) {
	s.Helper()
	testkit.Eventually(s, soon, who+" hears "+prompt, func() bool {
		return harness.HearsPrompt(s, c.Heard(5*time.Second), prompt)
	})
}
