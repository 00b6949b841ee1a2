//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestRingMany shows that there is no limit of ten endpoints, nor of one
// registration of a user.
func TestRingMany(t *testing.T) {
	const crowd = 24
	names := make([]string, crowd)
	endpoints := make([]string, crowd)
	for i := range names {
		names[i] = fmt.Sprintf("user%d", i)
		endpoints[i] = fmt.Sprintf("{user: %s}", names[i])
	}
	tellStories(t, nil, []story{
		{
			"24 endpoints ring at once, the last one takes the call",
			names,
			[]string{"name: crowd, endpoints: [" + strings.Join(endpoints, ", ") + "]"},
			func(s *scene) { s.crowd(names) },
		},
		{
			"every registration of a user rings, over every transport",
			[]string{"ann", "ben"},
			[]string{"name: devices, endpoints: [{user: ann}, {user: ben}]"},
			(*scene).devices,
		},
		{
			"a registration that comes while it rings joins in",
			[]string{"cid"},
			[]string{"name: joins, endpoints: [{user: cid}]"},
			(*scene).lateDevice,
		},
		{
			"who is in a group twice is rung once",
			[]string{"dan"},
			[]string{
				"name: twice, endpoints: [{user: dan}, {group: again}]",
				"name: again, endpoints: [{user: dan}]",
			},
			(*scene).rungOnce,
		},
	})
}

func (s *scene) crowd(names []string) {
	phones := s.users(names...)
	caller := s.dial()
	for _, p := range phones {
		s.ring(p)
	}
	first, last := s.invited(phones[0], 1), s.invited(phones[0], 1)
	for _, p := range phones[1:] {
		first, last = earlier(first, s.invited(p, 1)), later(last, s.invited(p, 1))
	}
	s.Logf("%d phones were rung within %v", len(phones), last.Sub(first))
	winner := phones[len(phones)-1].Calls()[0]
	winner.Answer()
	for _, p := range phones[:len(phones)-1] {
		s.cancelled(p, 1, whyElsewhere)
	}
	s.wantTalk(caller, winner, deskHz)
}

func (s *scene) devices() {
	var phones []*harness.Phone
	for _, transport := range []string{"udp", "udp", "tcp", "tls"} {
		phones = append(phones, s.house.user(s.T, "ann", phone.Config{
			Transport: transport, Say: says(deskHz), Codecs: []media.Codec{media.PCMU},
		}))
	}
	phones = append(phones, s.user("ben", deskHz))
	caller := s.dial()
	for _, p := range phones {
		s.ring(p)
	}
	winner := phones[2].Calls()[0]
	winner.Answer()
	for _, i := range []int{0, 1, 3, 4} {
		s.cancelled(phones[i], 1, whyElsewhere)
	}
	s.wantTalk(caller, winner, deskHz)
}

func (s *scene) lateDevice() {
	first := s.user("cid", deskHz)
	caller := s.dial()
	s.ring(first)
	second := s.user("cid", deskHz)
	call := s.ring(second)
	call.Answer()
	s.wantTalk(caller, call, deskHz)
	s.cancelled(first, 1, whyElsewhere)
}

func (s *scene) rungOnce() {
	dan := s.user("dan", deskHz)
	caller := s.dial()
	call := s.ring(dan)
	time.Sleep(300 * time.Millisecond) // time for an INVITE that must not come
	if n := len(messages(dan, "< INVITE ")); n != 1 {
		s.Errorf("dan was rung %d times", n)
	}
	call.Answer()
	s.wantTalk(caller, call, deskHz)
}
