//go:build e2e

package harness

import (
	"crypto/tls"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
)

// Phone is a SIP phone in the test itself, of which the test sees every message.
type Phone struct {
	*phone.Phone
	t      testing.TB
	name   string
	events chan phone.Event
	wire   *Wire
}

// NewPhone starts a phone called name in logs; Config's Events, Tracer and Log
// are the harness's.
func NewPhone(t testing.TB, name string, c phone.Config) *Phone {
	t.Helper()
	p := &Phone{t: t, name: name, events: make(chan phone.Event, 10000), wire: &Wire{}}
	_, c.Log = testkit.NewLog(t)
	c.Events = func(ev phone.Event) { p.events <- ev }
	c.Tracer = p.wire.trace
	var err error
	if p.Phone, err = phone.New(t.Context(), c); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(p.Close)
	t.Cleanup(func() {
		if t.Failed() {
			write(t, filepath.Join(Artifacts(t), name+"-sip.txt"), p.wire.String())
		}
	})
	return p
}

// NewUser starts a phone of a user and waits until it is registered. Transport
// "tls" goes to o.TLS, the others to o.SIP.
func NewUser(t testing.TB, o *Offhook, user, password string, c phone.Config) *Phone {
	t.Helper()
	c.User, c.Password, c.Register, c.Server = user, password, true, o.SIP
	if c.Transport == "tls" {
		c.Server = o.TLS
		c.TLS = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the certificate is made at the first start
	}
	p := NewPhone(t, "phone-"+user, c)
	p.Await(phone.Registered, 10*time.Second)
	return p
}

// NewCarrier starts the far end of a trunk, at the address that the trunk leads
// to and is accepted from. Its calls are mobiles': those it dials and those
// that ring it.
func NewCarrier(t testing.TB, o *Offhook, at netip.AddrPort, c phone.Config) *Phone {
	t.Helper()
	c.User, c.Server, c.Domain, c.Listen = "carrier", o.SIP, at.Addr().String(), at
	return NewPhone(t, "carrier", c)
}

// Await waits for an event of a kind and returns it, dropping others before it.
func (p *Phone) Await(kind phone.Kind, within time.Duration) phone.Event {
	p.t.Helper()
	deadline := time.Now().Add(within)
	for {
		ev := testkit.Receive(p.t, p.events, time.Until(deadline), p.name+" sees "+string(kind))
		if ev.Kind == kind {
			return ev
		}
	}
}

// Wire returns the SIP messages of the phone.
func (p *Phone) Wire() *Wire { return p.wire }
