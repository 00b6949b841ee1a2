//go:build e2e

package e2e

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// The numbers of these tests. The premium one is nobody's, the outside one a
// number that only the trunk could reach.
const (
	fraudNumber   = "12995558888"
	outsideNumber = "12995550199"
	premiumNumber = "19005551234"
)

const fraudResources = `resources:
  users:
    - {name: sales, password: "correct-horse"}
    - {name: desk, password: "purple-monkey"}
  trunks: [{name: carrier, uri: "sip:%[1]s", accept_from: [127.0.0.2/32]}]
  groups: [{name: all, ring_timeout: 20s, endpoints: [{user: desk}, {phone: "` + outsideNumber + `"}]}]
  numbers: [{number: "` + fraudNumber + `", group: all}]
%[2]s`

// bank is an exchange that somebody wants to rob: its trunk shows whether a call
// leaves that must not.
type bank struct {
	*harness.Offhook
	carrier *harness.Phone
}

func newBank(t *testing.T, more string) *bank {
	t.Helper()
	at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), testkit.FreePort(t, "127.0.0.2"))
	b := &bank{Offhook: harness.NewOffhook(t, fmt.Sprintf(fraudResources, at, more))}
	b.carrier = harness.NewCarrier(t, b.Offhook, at, phone.Config{})
	return b
}

// wantNothing checks that nobody's request became a leg, and none left by the trunk.
func (b *bank) wantNothing(t *testing.T) {
	t.Helper()
	if legs := b.Count("cdrs"); legs != 0 {
		t.Errorf("%d legs are recorded", legs)
	}
	if out := b.carrier.Wire().Find("< INVITE"); len(out) != 0 {
		t.Errorf("%d calls left by the trunk: %s", len(out), out[0])
	}
}

func TestStrangersAreRefused(t *testing.T) {
	b := newBank(t, "")
	desk := harness.NewUser(t, b.Offhook, "desk", "purple-monkey", phone.Config{})
	someone := newStranger(t, "127.0.0.9", b.SIP)
	trunk := newStranger(t, "127.0.0.2", b.SIP)
	for _, c := range []struct {
		name string
		ask  func() answer
		code int
	}{
		{"INVITE to a number", func() answer { return someone.ask("INVITE", fraudNumber, "x") }, 407},
		{"INVITE as a user, without credentials", func() answer { return someone.ask("INVITE", "desk", "sales") }, 407},
		{"INVITE to the world", func() answer { return someone.ask("INVITE", "+"+premiumNumber, "x") }, 407},
		{"INVITE with a wrong password", func() answer { return someone.askAs("sales", "wrong", "INVITE", "desk", "sales") }, 403},
		{"INVITE of an unknown user", func() answer { return someone.askAs("nobody", "wrong", "INVITE", "desk", "nobody") }, 403},
		{"INVITE with made-up credentials from the trunk's address", func() answer {
			return trunk.ask("INVITE", "desk", "sales", `Proxy-Authorization: Digest username="sales", realm="offhook.local",`+
				` nonce="x", uri="sip:desk@`+b.SIP+`", response="00000000000000000000000000000000"`)
		}, 407},
		{"REGISTER", func() answer { return someone.ask("REGISTER", "sales", "sales", "Expires: 60") }, 401},
		{"REGISTER with a wrong password", func() answer { return someone.askAs("sales", "wrong", "REGISTER", "sales", "sales") }, 403},
		{"REGISTER of another user's address", func() answer { return someone.askAs("sales", "correct-horse", "REGISTER", "desk", "desk") }, 403},
		{"REGISTER from the trunk's address", func() answer { return trunk.ask("REGISTER", "sales", "sales") }, 401},
		{"REFER", func() answer {
			return someone.ask("REFER", "desk", "x", "Refer-To: <sip:+"+premiumNumber+"@127.0.0.2>")
		}, 407},
		{"REFER from the trunk's address", func() answer { return trunk.ask("REFER", "desk", "x", "Refer-To: <sip:+"+premiumNumber+"@127.0.0.2>") }, 407},
		{"MESSAGE", func() answer { return someone.ask("MESSAGE", "desk", "x") }, 407},
		{"SUBSCRIBE", func() answer { return someone.ask("SUBSCRIBE", "desk", "x", "Event: presence") }, 489},
		{"BYE outside a dialog", func() answer { return someone.ask("BYE", "desk", "x") }, 481},
	} {
		t.Run(c.name, func(t *testing.T) {
			if a := c.ask(); a.code != c.code {
				t.Errorf("answered %d, want %d:\n%s", a.code, c.code, a.text)
			}
		})
	}
	b.wantNothing(t)
	if rung := desk.Wire().Find("< INVITE"); len(rung) != 0 {
		t.Error("a stranger rang the desk")
	}
	b.AwaitMetric("offhook_contacts", 1, soon) // the desk alone; the exchange hears of it after the phone does
}

// changing is what differs between any two answers.
var changing = regexp.MustCompile(`(?m)^(Via|Call-ID|From|To|Contact): .*$|nonce="[^"]*"`)

// TestUnknownUserLooksLikeWrongPassword compares answers and times, each time
// from another address so that no lock-out steps in.
func TestUnknownUserLooksLikeWrongPassword(t *testing.T) {
	b := newBank(t, "")
	times := map[string][]time.Duration{}
	texts := map[string]string{}
	for i := range 50 {
		s := newStranger(t, fmt.Sprintf("127.0.1.%d", i+1), b.SIP)
		for _, user := range []string{"sales", "nobody"} {
			a := s.askAs(user, "wrong", "REGISTER", user, user)
			times[user] = append(times[user], a.took)
			texts[user] = changing.ReplaceAllString(a.text, "")
		}
	}
	if texts["sales"] != texts["nobody"] {
		t.Errorf("answers differ:\n%s\n%s", texts["sales"], texts["nobody"])
	}
	known, unknown := median(times["sales"]), median(times["nobody"])
	if diff := (known - unknown).Abs(); diff > max(known, unknown)/4+200*time.Microsecond {
		t.Errorf("medians of 50: known user %v, unknown user %v", known, unknown)
	}
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

// TestTrunkReachesNumbersOnly: what a trunk may call are our numbers, never
// another trunk, never a user, never an emergency service.
func TestTrunkReachesNumbersOnly(t *testing.T) {
	b := newBank(t, "")
	desk := harness.NewUser(t, b.Offhook, "desk", "purple-monkey", phone.Config{})
	for _, to := range []string{"+" + outsideNumber, outsideNumber, "+" + premiumNumber, "desk", "911", "112"} {
		if _, err := b.carrier.Dial(to, phone.DialOptions{From: phone.Party{Number: "+12995550100"}}); err != nil {
			t.Fatal(err)
		}
		if end := b.carrier.Await(phone.Ended, soon); end.Code != 404 && end.Code != 403 {
			t.Errorf("call from the trunk to %s ended %d %s, want 404 or 403", to, end.Code, end.Reason)
		}
	}
	if out := b.carrier.Wire().Find("< INVITE"); len(out) != 0 {
		t.Errorf("a call came back by the trunk: %s", out[0])
	}
	if rung := desk.Wire().Find("< INVITE"); len(rung) != 0 {
		t.Error("the trunk rang a user by name")
	}
	b.AwaitLegs(t, soon)
}

// TestEmergencyNumbersAreRefused also to users, who may call everything else.
func TestEmergencyNumbersAreRefused(t *testing.T) {
	b := newBank(t, "")
	desk := harness.NewUser(t, b.Offhook, "desk", "purple-monkey", phone.Config{})
	for _, to := range []string{"911", "112"} {
		if _, err := desk.Dial(to, phone.DialOptions{}); err != nil {
			t.Fatal(err)
		}
		if end := desk.Await(phone.Ended, soon); end.Code != 403 {
			t.Errorf("call to %s ended %d %s, want 403", to, end.Code, end.Reason)
		}
	}
	if out := b.carrier.Wire().Find("< INVITE"); len(out) != 0 {
		t.Errorf("an emergency call left by the trunk: %s", out[0])
	}
}

// TestRedirectionIsNotFollowed: a callee that answers 302 cannot make us call
// where it says, neither a mobile on the trunk nor a user's phone.
func TestRedirectionIsNotFollowed(t *testing.T) {
	b := newBank(t, "")
	desk := harness.NewUser(t, b.Offhook, "desk", "purple-monkey", phone.Config{})
	caller := newLine(t, b.Offhook)
	if _, err := caller.Dial("+"+fraudNumber, phone.DialOptions{From: phone.Party{Number: "+12995550100"}}); err != nil {
		t.Fatal(err)
	}
	premium := "sip:+" + premiumNumber + "@" + b.carrier.Addr().String()
	b.carrier.Phone.Call(b.carrier.Await(phone.Incoming, soon).Call).Forward(premium)
	desk.Phone.Call(desk.Await(phone.Incoming, soon).Call).Forward(premium)
	if end := caller.Await(phone.Ended, soon); end.Code < 400 {
		t.Errorf("caller's end: %+v", end)
	}
	b.AwaitLegs(t, soon)
	if out := b.carrier.Wire().Find("< INVITE"); len(out) != 1 {
		t.Errorf("%d calls left by the trunk, want the group member's alone", len(out))
	}
}

// TestReferInACallIsRefused: the far end of a call cannot send its other end to
// a premium number. A trunk's REFER is refused at once; a user may transfer, and
// is told that this number is not allowed, while the call goes on.
func TestReferInACallIsRefused(t *testing.T) {
	b := newBank(t, "")
	desk := harness.NewUser(t, b.Offhook, "desk", "purple-monkey", phone.Config{AutoAnswer: true})
	caller := newLine(t, b.Offhook)
	call, err := caller.Dial("+"+fraudNumber, phone.DialOptions{From: phone.Party{Number: "+12995550100"}})
	if err != nil {
		t.Fatal(err)
	}
	caller.Await(phone.Answered, soon)
	refer := func(c *phone.Call) int {
		codes := make(chan int, 1)
		c.Refer("sip:+"+premiumNumber+"@"+b.carrier.Addr().String(), func(code int) { codes <- code })
		return testkit.Receive(t, codes, soon, "answer to REFER")
	}
	if code := refer(call); code != 603 {
		t.Errorf("REFER of the trunk was answered with %d, want 603", code)
	}
	if code := refer(desk.Calls()[0]); code != 202 {
		t.Errorf("REFER of the user was answered with %d, want 202", code)
	}
	testkit.Eventually(t, soon, "the user is told 403", func() bool {
		notes := desk.Wire().Find("< NOTIFY")
		return len(notes) > 0 && strings.Contains(notes[len(notes)-1], "SIP/2.0 403")
	})
	if len(desk.Calls()) != 1 {
		t.Error("the refused transfer ended the call")
	}
	call.HangUp()
	b.AwaitLegs(t, soon)
	if out := b.carrier.Wire().Find("< INVITE"); len(out) > 1 { // the group's mobile may have been rung
		t.Errorf("%d calls left by the trunk", len(out))
	}
}

// newLine is a caller in the phone network: another phone at the trunk's IP address.
func newLine(t *testing.T, o *harness.Offhook) *harness.Phone {
	t.Helper()
	return harness.NewPhone(t, "caller", phone.Config{
		User: "caller", Server: o.SIP, Domain: "127.0.0.2", Listen: netip.MustParseAddrPort("127.0.0.2:0"),
	})
}

// TestGarbageDoesNotSlowPhones sends what scanners and broken programs send to
// every SIP port while phones go on to register.
func TestGarbageDoesNotSlowPhones(t *testing.T) {
	b := newBank(t, "")
	registering := func(transport string) time.Duration {
		begun := time.Now()
		harness.NewUser(t, b.Offhook, "desk", "purple-monkey", phone.Config{Transport: transport}).Close()
		return time.Since(begun)
	}
	alone := map[string]time.Duration{}
	for _, transport := range []string{"udp", "tcp", "tls"} {
		alone[transport] = registering(transport)
	}
	noise := make([]byte, 1200)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	long := []byte("INVITE sip:x@y SIP/2.0\r\nX: " + strings.Repeat("a", 60000))
	for _, datagram := range [][]byte{noise, {}, []byte("\r\n\r\n"), []byte("GET / HTTP/1.1\r\n\r\n"), long, bytes.Repeat([]byte{0}, 1400)} {
		s := newStranger(t, "127.0.0.9", b.SIP)
		for range 300 {
			_, _ = s.conn.Write(datagram) // the server may refuse
		}
	}
	for _, address := range []string{b.SIP, b.TLS} {
		for i, text := range [][]byte{nil, noise, long, []byte("OPTIONS sip:x@y SIP/2.0\r\nContent-Length: 99999999\r\n\r\n")} {
			for range 20 { // most stay open and say no more
				conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 2, byte(i+1))}}).DialContext(t.Context(), "tcp", address)
				if err != nil {
					continue // refused: fine
				}
				t.Cleanup(func() { conn.Close() })
				_, _ = conn.Write(text)
			}
		}
	}
	// Over UDP the flood may cost one datagram, which is sent again after 500 ms.
	for transport, limit := range map[string]time.Duration{
		"udp": 900 * time.Millisecond, "tcp": 500 * time.Millisecond, "tls": 500 * time.Millisecond,
	} {
		limit = max(limit, 3*alone[transport])
		if took := min(registering(transport), registering(transport)); took > limit { // one may meet a busy machine
			t.Errorf("registering over %s took %v, want at most %v", transport, took, limit)
		}
	}
	b.wantNothing(t)
}
