//go:build e2e

package e2e

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestStolenDigestIsWorthless: somebody who read a phone's credentials off the
// wire can use them for nothing: not from another address, not for another
// method or user, not with another nonce. The phone stays registered meanwhile.
func TestStolenDigestIsWorthless(t *testing.T) {
	b := newBank(t, "")
	desk := harness.NewUser(t, b.Offhook, "desk", "purple-monkey", phone.Config{})
	stolen := ""
	for _, m := range desk.Wire().Messages() {
		if m.Is("> REGISTER ", "\r\nAuthorization: ") {
			stolen = m.Header("Authorization")
		}
	}
	if stolen == "" {
		t.Fatal("the phone sent no credentials")
	}
	// The phone's own request-URI, as its response was made for.
	uri, rest, found := strings.Cut(afterField(stolen, `uri="`), `"`)
	if !found || rest == "" {
		t.Fatalf("no uri in %s", stolen)
	}
	thief := newStranger(t, "127.0.0.9", b.SIP)
	fresh := thief.ask("REGISTER", "desk", "desk")
	nonce, _, _ := strings.Cut(afterField(fresh.header("WWW-Authenticate"), `nonce="`), `"`)
	old, _, _ := strings.Cut(afterField(stolen, `nonce="`), `"`)
	for _, c := range []struct {
		name, from, method, credentials string
		codes                           []int
	}{
		{"from another address", "127.0.0.9", "REGISTER", stolen, []int{401}},
		{"with a nonce of the thief's own", "127.0.0.9", "REGISTER", strings.Replace(stolen, old, nonce, 1), []int{403}},
		{"with a made-up nonce", "127.0.0.1", "REGISTER", strings.Replace(stolen, old, rand.Text(), 1), []int{401}},
		{"for a call, from the phone's own address", "127.0.0.1", "INVITE", stolen, []int{403}},
		{"for a call, from another address", "127.0.0.9", "INVITE", stolen, []int{401, 407}},
		{"as another user", "127.0.0.1", "REGISTER", strings.Replace(stolen, `username="desk"`, `username="sales"`, 1), []int{403}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStranger(t, c.from, b.SIP)
			s.t = t
			if a := s.replay(c.method, uri, c.credentials); !slices.Contains(c.codes, a.code) {
				t.Errorf("answered %d, want one of %v:\n%s", a.code, c.codes, a.text)
			}
		})
	}
	b.wantNothing(t)
	b.AwaitMetric("offhook_contacts", 1, soon) // the desk alone
	call := newLine(t, b.Offhook)
	if _, err := call.Dial("+"+fraudNumber, phone.DialOptions{From: phone.Party{Number: "+12995550100"}}); err != nil {
		t.Fatal(err)
	}
	desk.Await(phone.Incoming, 10*time.Second)
}

// afterField returns what follows a mark, "" if it is not there.
func afterField(s, mark string) string {
	_, after, _ := strings.Cut(s, mark)
	return after
}

// replay sends a request to uri with credentials of another one.
func (s *stranger) replay(method, uri, credentials string) answer {
	s.t.Helper()
	me, id := s.conn.LocalAddr().String(), rand.Text()
	head := func(method string) string {
		return fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\n"+
			"From: <sip:desk@offhook.local>;tag=%s\r\nTo: <sip:desk@offhook.local>\r\nCall-ID: %s\r\nCSeq: 99 %s\r\nContact: <sip:thief@%s>\r\n",
			method, uri, me, id, id[:8], id, method, me)
	}
	begun := time.Now()
	s.send(head(method) + "Authorization: " + credentials + "\r\nContent-Length: 0\r\n\r\n")
	a := s.final(id, begun)
	if method == "INVITE" {
		s.send(head("ACK") + "Content-Length: 0\r\n\r\n")
	}
	return a
}
