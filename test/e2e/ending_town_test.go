//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// password returns the password of each user of these tests.
func password(user string) string { return user + "-secret-word" }

// house is an offhook whose numbers 1202555 01xx each lead to one group, and to
// which outsiders from 127.0.0.32 to 127.0.0.63 call over a trunk.
type house struct {
	*harness.Offhook
	outsiders atomic.Int32
}

// number returns the number of the i-th group.
func number(i int) string { return fmt.Sprintf("120255501%02d", i) }

// usualTrunk leads nowhere; calls come from it.
const usualTrunk = "  trunks: [{name: carrier, uri: \"sip:127.0.0.2:5999\", accept_from: [127.0.0.32/27]}]\n"

// newHouse starts it with a trunk, users and groups; a group is what stands
// between the braces of its configuration.
func newHouse(t *testing.T, sections, trunks string, users []string, groups ...string) *house {
	t.Helper()
	var c strings.Builder
	c.WriteString(sections + "resources:\n" + trunks + "  users:\n")
	for _, u := range users {
		fmt.Fprintf(&c, "    - {name: %s, password: %s}\n", u, password(u))
	}
	c.WriteString("  groups:\n")
	for i, g := range groups {
		fmt.Fprintf(&c, "    - {name: group%d, %s}\n", i, g)
	}
	c.WriteString("  numbers:\n")
	for i := range groups {
		fmt.Fprintf(&c, "    - {number: \"%s\", group: group%d}\n", number(i), i)
	}
	return &house{Offhook: harness.NewOffhook(t, c.String())}
}

// user starts a registered phone of a user.
func (h *house) user(t *testing.T, name string, c phone.Config) *harness.Phone {
	t.Helper()
	return harness.NewUser(t, h.Offhook, name, password(name), c)
}

// dialIn calls a number from outside.
func (h *house) dialIn(t *testing.T, to string) *placed {
	t.Helper()
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(32 + h.outsiders.Add(1)%32)}), 0)
	return dial(t, harness.NewCarrier(t, h.Offhook, at, phone.Config{}), to, phone.DialOptions{From: phone.Party{Number: "+12025550199"}})
}

// placed is a call that a phone placed.
type placed struct {
	*harness.Phone
	t    *testing.T
	call *phone.Call
}

func dial(t *testing.T, p *harness.Phone, to string, opts phone.DialOptions) *placed {
	t.Helper()
	call, err := p.Dial(to, opts)
	if err != nil {
		t.Fatal(err)
	}
	return &placed{Phone: p, t: t, call: call}
}

// longestAnnouncement bounds the wait for a final response, which comes after
// the announcement.
const longestAnnouncement = 20 * time.Second

// wantRefused waits for the final response and checks it, its Reason, and the
// announcement before it, "" for none.
func (p *placed) wantRefused(code int, cause core.Cause, prompt string) {
	p.t.Helper()
	ended := p.Await(phone.Ended, longestAnnouncement)
	if ended.Code != code {
		p.t.Errorf("the caller got %d %s, want %d", ended.Code, ended.Reason, code)
	}
	reason := fmt.Sprintf("\r\nReason: Q.850;cause=%d", cause)
	if len(p.Wire().Find(fmt.Sprintf("< SIP/2.0 %d ", code), "INVITE\r\n", reason)) == 0 {
		p.t.Errorf("no %d with%s came", code, reason)
	}
	if n := len(p.Wire().Find("< SIP/2.0 200", " INVITE\r\n")); n > 0 {
		p.t.Errorf("the caller was answered, and charged")
	}
	if prompt == "" {
		if n := len(p.Wire().Find("< SIP/2.0 183")); n > 0 {
			p.t.Error("early media came before the refusal")
		}
		return
	}
	harness.WantPrompt(p.t, "caller", p.call.Heard(20*time.Second), prompt)
}

// ring waits for a call at a phone.
func ring(p *harness.Phone) *phone.Call {
	return p.Call(p.Await(phone.Incoming, 10*time.Second).Call)
}

// wantCancelled waits for the end of the ringing at a phone, with a reason.
func wantCancelled(t *testing.T, p *harness.Phone, reason string) {
	t.Helper()
	p.Await(phone.Ended, 10*time.Second)
	if len(p.Wire().Find("< CANCEL ", "\r\nReason: "+reason)) == 0 {
		t.Errorf("no CANCEL with Reason: %s came", reason)
	}
}

// freeAt returns a free address of 127.0.0.1.
func freeAt(t *testing.T) netip.AddrPort {
	t.Helper()
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), testkit.FreePort(t, "127.0.0.1"))
}
