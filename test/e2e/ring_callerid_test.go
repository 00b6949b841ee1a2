//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/sip"
	"github.com/offhook/offhook/test/e2e/harness"
)

// Numbers of TestRingCallerID.
const (
	trunkNumber = "4930900"
	fixedNumber = "4930777"
	lenasNumber = "4930123"
)

// TestRingCallerID shows what each endpoint of a group sees of the caller: in
// From, and on a trunk in P-Asserted-Identity too.
func TestRingCallerID(t *testing.T) {
	first, second, third, fourth := freeCarrier(t), freeCarrier(t), freeCarrier(t), freeCarrier(t)
	trunk := `name: far%s, uri: "sip:%s", prefixes: ["%[1]s"], domain: far.example, caller_id: "` + trunkNumber + `"`
	var trunks []string
	for i, at := range []netip.AddrPort{first, second, third, fourth} {
		trunks = append(trunks, fmt.Sprintf(trunk, strconv.Itoa(41+i), at))
	}
	tellStories(t, trunks, []story{
		{
			"caller from outside",
			[]string{"ann", "ben", "cid"},
			[]string{`name: outside, endpoints: [{phone: "41001"}, {phone: "41002", caller_id: caller}, {phone: "41003", caller_id: dialled},
      {phone: "41004", caller_id: trunk}, {phone: "41005", caller_id: "` + fixedNumber + `"},
      {user: ann}, {user: ben, caller_id: dialled}, {user: cid, caller_id: "` + fixedNumber + `"}]`},
			func(s *scene) { s.calledFromOutside(s.carrier(first)) },
		},
		{
			"users with and without a number",
			[]string{`lena, number: "` + lenasNumber + `", display_name: Lena L`, "max"},
			[]string{`name: inside, endpoints: [{phone: "42001"}, {phone: "42002", caller_id: dialled}, {user: max}]`},
			func(s *scene) { s.calledFromInside(s.carrier(second)) },
		},
		{
			"caller without a number",
			nil,
			[]string{`name: nobody, endpoints: [{phone: "43001"}, {phone: "43002", caller_id: trunk}]`},
			func(s *scene) { s.calledAnonymously(s.carrier(third)) },
		},
		{
			"caller who is not to be shown",
			[]string{"ned"},
			[]string{`name: hidden, endpoints: [{phone: "44001"}, {user: ned}]`},
			func(s *scene) { s.calledPrivately(s.carrier(fourth)) },
		},
	})
}

func (s *scene) calledFromOutside(far *harness.Phone) {
	phones := s.users("ann", "ben", "cid")
	call := dial(s.T, s.line(), s.number, phone.DialOptions{From: phone.Party{Number: "+" + outsider, Name: "Zed"}})
	for mobile, want := range map[string]string{
		"41001": "+" + outsider, "41002": "+" + outsider, "41003": s.number, "41004": trunkNumber, "41005": fixedNumber,
	} {
		s.wantShown(far, mobile, want)
	}
	for i, want := range []string{"+" + outsider, s.number, fixedNumber} {
		m := s.message(phones[i], 1, "< INVITE ")
		wantFrom(s.T, m, "<sip:"+want+"@offhook.local>")
		if got := m.Header("P-Asserted-Identity"); got != "" {
			s.Errorf("phone %d is asserted %s", i, got)
		}
	}
	if m := messages(phones[0], "< INVITE ")[0]; !strings.HasPrefix(m.Header("From"), `"Zed" `) {
		s.Errorf("the caller's name is not in From %s", m.Header("From"))
	}
	call.call.HangUp()
	call.Await(phone.Ended, soon)
}

// calledFromInside lets both users call: max is shown as the trunk's number,
// because he has none, and cannot say that he is somebody else.
func (s *scene) calledFromInside(far *harness.Phone) {
	lena, most := s.user("lena", deskHz), s.user("max", deskHz)
	call := dial(s.T, lena, s.number, phone.DialOptions{From: phone.Party{Number: "110", Name: "Police"}})
	s.wantShown(far, "42001", lenasNumber)
	s.wantShown(far, "42002", s.number)
	wantFrom(s.T, s.message(most, 1, "< INVITE "), `"Lena L" <sip:`+lenasNumber+`@offhook.local>`)
	call.call.HangUp()
	call.Await(phone.Ended, soon)
	s.message(far, 2, "< CANCEL ")

	call = dial(s.T, most, s.number, phone.DialOptions{From: phone.Party{Number: "110", Name: "Police"}})
	m := s.message(far, 2, "< INVITE sip:42001@")
	wantFrom(s.T, m, "<sip:"+trunkNumber+"@far.example>")
	call.call.HangUp()
	call.Await(phone.Ended, soon)
}

func (s *scene) calledAnonymously(far *harness.Phone) {
	call := dial(s.T, s.line(), s.number, phone.DialOptions{From: phone.Party{Number: "anonymous"}})
	hidden := s.message(far, 1, "< INVITE sip:43001@")
	wantFrom(s.T, hidden, "<sip:anonymous@far.example>")
	if got := hidden.Header("P-Asserted-Identity"); got != "" {
		s.Errorf("somebody without a number is asserted as %s", got)
	}
	s.wantShown(far, "43002", trunkNumber)
	call.call.HangUp()
	call.Await(phone.Ended, soon)
}

// calledPrivately has a network that knows the caller, who withholds the number.
func (s *scene) calledPrivately(far *harness.Phone) {
	ned := s.user("ned", deskHz)
	call := dial(s.T, s.line(), s.number, phone.DialOptions{
		From: phone.Party{Number: "anonymous", Name: "Anonymous"},
		Headers: []sip.Header{
			sip.NewHeader("P-Asserted-Identity", "<sip:+"+outsider+"@carrier.example>"), sip.NewHeader("Privacy", "id"),
		},
	})
	for _, m := range []harness.Message{s.message(far, 1, "< INVITE "), s.message(ned, 1, "< INVITE ")} {
		wantFrom(s.T, m, "<sip:anonymous@")
		if strings.Contains(m.Text, outsider) {
			s.Errorf("the number is in\n%s", m.Text)
		}
	}
	call.call.HangUp()
	call.Await(phone.Ended, soon)
}

// wantShown checks what a mobile behind a trunk sees of the caller.
func (s *scene) wantShown(far *harness.Phone, mobile, number string) {
	s.Helper()
	m := s.message(far, 1, "< INVITE sip:"+mobile+"@")
	wantFrom(s.T, m, "<sip:"+number+"@far.example>")
	if got, want := m.Header("P-Asserted-Identity"), "<sip:"+number+"@far.example>"; got != want {
		s.Errorf("%s is asserted %s, want %s", mobile, got, want)
	}
}

// wantFrom checks that From holds an address.
func wantFrom(t *testing.T, m harness.Message, address string) {
	t.Helper()
	if got := m.Header("From"); !strings.Contains(got, address) {
		t.Errorf("From is %s, want %s", got, address)
	}
}
