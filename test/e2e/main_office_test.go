//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// Numbers of the office. Callers have one of their own for each call, so that
// what is seen on the wire and in the page belongs to that call.
const (
	officeNumber = "12995558888"
	mobileNumber = "12995550199"
	salesNumber  = "12995550001"
)

// Each party says a tone of its own. Ringback is 440 and 480 Hz.
const (
	callerHz  = 1000
	salesHz   = 700
	supportHz = 820
	deskHz    = 600
	desk2Hz   = 1300
	mobileHz  = 1150
)

// soon is how long anything may take on a busy machine. Everything passes long
// before; a failure needs no hurry.
const soon = 20 * time.Second

const officeResources = `resources:
  users:
    - {name: sales, password: "correct horse", number: "` + salesNumber + `"}
    - {name: support, password: "battery staple"}
    - {name: desk, password: "purple-monkey"}
    - {name: desk2, password: "dishwasher-two"}
  trunks: [{name: carrier, uri: "sip:%[1]s", accept_from: [127.0.0.2/32]}]
  groups:
    - name: front-desk
      ring_timeout: 90s
      caller_hears: us
      endpoints: [{user: sales}, {user: desk}, {user: desk2}, {phone: "` + mobileNumber + `"}]
  numbers: [{number: "` + officeNumber + `", group: front-desk}, {number: "` + salesNumber + `", user: sales}]
`

// office is an exchange with its carrier, which is one mobile.
type office struct {
	*harness.Offhook
	mobile  *mobile
	browser *harness.Browser
	calls   int // that came in, to number them
}

// newExchange starts an office whose trunk leads to an address where nobody is yet.
func newExchange(t *testing.T) (o *office, trunk netip.AddrPort) {
	t.Helper()
	trunk = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), testkit.FreePort(t, "127.0.0.2"))
	return &office{Offhook: harness.NewOffhook(t, fmt.Sprintf(officeResources, trunk))}, trunk
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o, at := newExchange(t)
	o.mobile = newMobile(harness.NewCarrier(t, o.Offhook, at, phone.Config{
		Codecs: []media.Codec{media.PCMU, media.PCMA}, Say: says(mobileHz),
	}))
	o.browser = harness.NewBrowser(t)
	return o
}

// says gives every call of a phone a tone.
func says(hz float64) func() phone.Source {
	return func() phone.Source { return phone.Tone(hz) }
}

// logIn opens a softphone and logs a user in as a person does.
func (o *office) logIn(user, password string, hz float64) *softphone {
	page := o.browser.Open(user, o.URL("/"), hz)
	page.Type("[data-testid=login-user]", user)
	page.Type("[data-testid=login-password]", password)
	page.Click("[data-testid=login-submit]")
	page.WaitVisible("[data-testid=state][data-state=online]")
	return &softphone{Page: page, hz: hz}
}

// deskPhone starts and registers a baresip.
func (o *office) deskPhone(t *testing.T, user, password, transport, codec string, hz float64) *desk {
	t.Helper()
	server := o.SIP
	if transport == "tls" {
		server = o.TLS
	}
	return &desk{Baresip: harness.NewBaresip(t, harness.BaresipConfig{
		User: user, Password: password, Server: server, Transport: transport, Codec: codec, Tone: hz,
	}), hz: hz}
}

// line starts a phone of the phone network from which callers call. It comes from
// the trunk's address.
func (o *office) line(t *testing.T, name string, codecs ...media.Codec) *line {
	t.Helper()
	return &line{office: o, Phone: harness.NewPhone(t, name, phone.Config{
		User: name, Server: o.SIP, Domain: "127.0.0.2", Listen: netip.MustParseAddrPort("127.0.0.2:0"),
		Codecs: codecs, Say: says(callerHz),
	})}
}

// line is where a caller in the phone network calls from, one call at a time.
type line struct {
	*harness.Phone
	office *office
}

// Dial calls a number of the office, from a new number.
func (l *line) Dial(t *testing.T, to string) *caller {
	t.Helper()
	l.office.calls++
	number := fmt.Sprintf("1299555%04d", 200+l.office.calls)
	call, err := l.Phone.Dial("+"+to, phone.DialOptions{From: phone.Party{Number: "+" + number}})
	if err != nil {
		t.Fatal(err)
	}
	return &caller{line: l, call: call, number: number}
}

// wantIdle checks that nothing is left of a call and that every contact is still there.
func (o *office) wantIdle(t *testing.T, contacts float64) {
	t.Helper()
	o.AwaitMetric("offhook_legs", 0, soon)
	o.AwaitMetric("offhook_calls", 0, soon)
	if got := o.Metric("offhook_contacts"); got != contacts {
		t.Errorf("%v contacts after the call, want %v", got, contacts)
	}
}
