//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/test/e2e/harness"
)

// fall is a call that nobody of a group takes, and where it goes then.
type fall struct {
	why, where string
	user, next string         // of the group, of where it goes
	member     netip.AddrPort // of the group, when why is "failed"
	mobile     string         // a number over a trunk
	trunk      netip.AddrPort // its far end
}

// TestRingFallThrough shows where a group sends a call that nobody of it took: by
// why, to each kind of destination.
func TestRingFallThrough(t *testing.T) {
	var stories []story
	var trunks []string
	for _, why := range []string{"no_answer", "busy", "unreachable", "failed"} {
		for _, where := range []string{"announce", "user", "group", "phone"} {
			i := len(stories)
			f := fall{
				why: why, where: where, user: fmt.Sprintf("member%d", i), next: fmt.Sprintf("next%d", i),
				member: freeAt(t), mobile: fmt.Sprintf("49%02d1", i), trunk: freeCarrier(t),
			}
			trunks = append(trunks, fmt.Sprintf(`name: far%d, uri: "sip:%s", prefixes: ["%s"]`, i, f.trunk, f.mobile))
			stories = append(stories, f.story())
		}
	}
	stories = append(stories, story{
		"declined by all goes where the busy go",
		[]string{"ann", "ben", "cid"},
		[]string{"name: declined, endpoints: [{user: ann}, {user: ben}], busy: {user: cid}"},
		(*scene).declinedFallsThrough,
	}, story{
		"from group to group to user",
		[]string{"dan", "eve", "fay"},
		[]string{
			"name: chain, ring_timeout: 1s, endpoints: [{user: dan}], no_answer: {group: link}",
			"name: link, caller_hears: de, endpoints: [{user: eve}], busy: {user: fay}",
		},
		(*scene).fallsTwice,
	})
	tellStories(t, trunks, stories)
}

func (f fall) story() story {
	endpoint := "user: " + f.user
	if f.why == "failed" {
		endpoint = fmt.Sprintf(`sip: "sip:far@%s"`, f.member)
	}
	to := map[string]string{"announce": "closed", "user": f.next, "group": "on-" + f.next, "phone": f.mobile}[f.where]
	return story{
		f.why + " to " + f.where,
		[]string{f.user, f.next},
		[]string{
			fmt.Sprintf(`name: from-%s, ring_timeout: 1s, endpoints: [{%s}], %s: {%s: "%s"}`, f.user, endpoint, f.why, f.where, to),
			fmt.Sprintf("name: on-%s, endpoints: [{user: %[1]s}]", f.next),
		},
		f.show,
	}
}

func (f fall) show(s *scene) {
	member := f.startMember(s)
	next := f.startNext(s)
	caller := s.dial()
	switch f.why {
	case "no_answer":
		s.wantAfter("the member was given up", s.invited(member, 1), s.cancelled(member, 1, whyTimeout), time.Second)
	case "busy":
		s.ring(member).Decline(486)
	case "failed":
		s.ring(member).Decline(503)
	}
	if f.where == "announce" {
		caller.wantRefused(480, core.CauseNormal, core.PromptClosed)
		return
	}
	call := s.ring(next)
	s.wantUnanswered(caller)
	call.Answer()
	s.wantTalk(caller, call, mobileHz)
}

// startMember starts the phone of the group; who is unreachable has none.
func (f fall) startMember(s *scene) *harness.Phone {
	switch f.why {
	case "unreachable":
		return nil
	case "failed":
		return s.carrier(f.member)
	}
	return s.user(f.user, deskHz)
}

// startNext starts who gets the call then.
func (f fall) startNext(s *scene) *harness.Phone {
	if f.where == "phone" {
		return s.carrier(f.trunk)
	}
	return s.user(f.next, mobileHz)
}

func (s *scene) declinedFallsThrough() {
	phones := s.users("ann", "ben", "cid")
	caller := s.dial()
	s.ring(phones[0]).Decline(603)
	s.ring(phones[1]).Decline(603)
	cid := s.ring(phones[2])
	cid.Answer()
	s.wantTalk(caller, cid, deskHz)
}

// fallsTwice wants the caller to hear it ring all the time, by one 183, and as
// each group says.
func (s *scene) fallsTwice() {
	phones := s.users("dan", "eve", "fay")
	caller := s.dial()
	s.cancelled(phones[0], 1, whyTimeout)
	eve := s.ring(phones[1])
	awaitRingback(s.T, caller.call, 500*time.Millisecond, 425)
	eve.Decline(486)
	fay := s.ring(phones[2])
	awaitRingback(s.T, caller.call, time.Second, 440, 480)
	s.wantEarly(caller)
	fay.Answer()
	s.wantTalk(caller, fay, deskHz)
}
