//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// In these tests the number leads to a user whose phones answer by themselves.
const (
	shopNumber    = "12995558888"
	shopResources = `limits: {drain: 4s}
resources:
  users: [{name: shop, password: "purple-monkey"}, {name: till, password: "dishwasher-two"}]
  trunks: [{name: carrier, uri: "sip:%[1]s", accept_from: [127.0.0.2/32]}]
  groups: [{name: all, ring_timeout: 20s, endpoints: [{user: shop}]}]
  numbers: [{number: "` + shopNumber + `", group: all}, {number: "12995558801", user: till}]
`
)

// shop is an exchange whose calls are answered by machine.
type shop struct {
	*harness.Offhook
	carrier *harness.Phone // places the calls
	phone   *harness.Phone // answers them; registered over TCP
}

func newShop(t *testing.T) *shop {
	t.Helper()
	return newShopWith(t, harness.Fields{})
}

func newShopWith(t *testing.T, f harness.Fields) *shop {
	t.Helper()
	at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), testkit.FreePort(t, "127.0.0.2"))
	s := &shop{Offhook: harness.NewOffhookWith(t, f, fmt.Sprintf(shopResources, at))}
	s.carrier = harness.NewCarrier(t, s.Offhook, at, phone.Config{Say: says(1000)})
	s.phone = harness.NewUser(t, s.Offhook, "shop", "purple-monkey", phone.Config{
		Transport: "tcp", AutoAnswer: true, Say: says(700),
	})
	return s
}

// call places a call and waits until it is answered.
func (s *shop) call(t *testing.T, to string) *phone.Call {
	t.Helper()
	c, err := s.carrier.Dial("+"+to, phone.DialOptions{From: phone.Party{Number: "+12995550100"}})
	if err != nil {
		t.Fatal(err)
	}
	s.carrier.Await(phone.Answered, soon)
	return c
}

// hearsNow waits until a call hears a tone that arrives now, not one remembered.
func hearsNow(t *testing.T, c *phone.Call, hz float64) {
	t.Helper()
	from := c.Stats().PacketsReceived
	testkit.Eventually(t, soon, fmt.Sprintf("%.0f Hz is heard", hz), func() bool {
		pcm := c.Heard(400 * time.Millisecond)
		return c.Stats().PacketsReceived >= from+20 && meter.Purity(pcm, phone.Rate, hz) > harness.Present
	})
}

// TestKillInTheMiddleOfCalls kills the program while 20 calls are up, and starts
// it again with the same data.
func TestKillInTheMiddleOfCalls(t *testing.T) {
	const calls = 20
	s := newShop(t)
	till := harness.NewBaresip(t, harness.BaresipConfig{
		User: "till", Password: "dishwasher-two", Server: s.SIP, AutoAnswer: true, Expires: 30,
	})
	for range calls {
		s.call(t, shopNumber)
	}
	testkit.Eventually(t, soon, "every answered leg is in the database", func() bool {
		answered := 0
		for _, l := range s.Legs() {
			answered += l.Count("answered")
		}
		return answered == 2*calls
	})
	users, numbers := s.Count("users"), s.Count("numbers")

	s.Kill()
	s.Start()

	if u, n := s.Count("users"), s.Count("numbers"); u != users || n != numbers || u != 2 || n != 2 {
		t.Errorf("%d users and %d numbers after the restart, %d and %d before", u, n, users, numbers)
	}
	legs := s.AwaitLegs(t, soon)
	if len(legs) != 2*calls {
		t.Errorf("%d legs after the restart, want %d", len(legs), 2*calls)
	}
	for _, l := range legs {
		if l.Cause != 41 || !l.Interrupted {
			t.Errorf("leg %s ended with cause %d, interrupted %v; want 41 and true", l.ID, l.Cause, l.Interrupted)
		}
	}

	// Nobody helps the phones: the one notices that its connection is gone, the
	// other refreshes its registration.
	for _, c := range s.carrier.Calls() {
		c.HangUp()
	}
	s.phone.Await(phone.Unregistered, soon)
	s.phone.Await(phone.Registered, soon)
	hearsNow(t, s.call(t, shopNumber), 700)
	s.AwaitMetric("offhook_contacts", 2, 45*time.Second)
	s.call(t, "12995558801")
	till.Await("CALL_ESTABLISHED", soon)
}

// TestDrain: after SIGTERM no call begins, those that run go on until the limit,
// and then are told why they end.
func TestDrain(t *testing.T) {
	s := newShop(t)
	call := s.call(t, shopNumber)
	hearsNow(t, call, 700)

	begun := time.Now()
	s.Signal(syscall.SIGTERM)
	testkit.Eventually(t, soon, "the node says that it takes no calls", func() bool {
		return len(s.Log().Lines("drain")) > 0
	})
	if _, err := s.carrier.Dial("+"+shopNumber, phone.DialOptions{}); err != nil {
		t.Fatal(err)
	}
	if end := s.carrier.Await(phone.Ended, soon); end.Code != 503 {
		t.Errorf("a new call ended %d %s, want 503", end.Code, end.Reason)
	}
	hearsNow(t, call, 700)
	if s.Ended() {
		t.Fatal("the program ended before its calls")
	}

	if end := s.carrier.Await(phone.Ended, soon); end.Call != call.ID() {
		t.Errorf("another call ended: %+v", end)
	}
	if took := time.Since(begun); took < 3*time.Second || took > 20*time.Second {
		t.Errorf("the call went on for %v after SIGTERM, the limit is 4 s", took)
	}
	s.phone.Await(phone.Ended, soon)
	for name, p := range map[string]*harness.Phone{"trunk": s.carrier, "user": s.phone} {
		if byes := p.Wire().Find("< BYE", "Reason: Q.850;cause=41"); len(byes) != 1 {
			t.Errorf("the %s got %d BYEs with cause 41, want 1: %q", name, len(byes), p.Wire().Find("< BYE"))
		}
	}
	if err := s.Wait(soon); err != nil {
		t.Errorf("the program ended with %v, want 0", err)
	}
	legs := s.AwaitLegs(t, time.Second)
	for _, l := range legs {
		if l.Count("answered") > 0 && (l.Cause != 41 || l.Interrupted) {
			t.Errorf("leg %s: cause %d, interrupted %v; want 41 and false", l.ID, l.Cause, l.Interrupted)
		}
	}
}
