package sipedge

import (
	"net/netip"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
	"github.com/offhook/offhook/internal/testkit"
)

// Which calls a registration takes along: those of the same phone, whose old way is
// dead or was this registration's.
func TestArrivalMoves(t *testing.T) {
	b := newBench(t, nobody)
	phone := newPeer(t, "127.0.0.1", nil)
	phone.registerAs(b, nil)
	udp := wait(b, anyOf[core.ContactUp]).Contact.ID
	first, _ := b.edge.bindings.get(udp)
	second := newPeer(t, "127.0.0.2", nil)
	second.registerAs(b, flowParams("1"))
	here, _ := b.edge.bindings.get(wait(b, func(e core.ContactUp) bool { return e.Contact.ID != udp }).Contact.ID)

	alice, bob := core.UserID{Name: "alice"}, core.UserID{Name: "bob"}
	arrived := arrival{client: client{user: alice, contact: "a@h", instance: "i", flow: here.flow}, left: first.flow}
	for name, c := range map[string]struct {
		client
		want bool
	}{
		"from where it was on UDP":      {client{alice, "a@h", "i", first.flow}, true},
		"another user's":                {client{bob, "a@h", "i", first.flow}, false},
		"where it is":                   {client{alice, "a@h", "i", here.flow}, false},
		"another phone on the same UDP": {client{alice, "b@h", "j", first.flow}, true}, // whoever was there is gone
	} {
		if got := arrived.moves(c.client); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// A phone behind a NAT that gives it another address in its call is followed when it
// registers from there: our BYE reaches it.
func TestCallFollowsARegistrationOnUDP(t *testing.T) {
	b := newBench(t, nobody)
	before, after := newPeer(t, "127.0.0.1", func(c *call) { c.in.Answer([]byte(offerSDP)) }), newPeer(t, "127.0.0.2", nil)
	before.registerAs(b, flowParams("1"))
	ref := ringContact(b, "l1", wait(b, anyOf[core.ContactUp]).Contact.ID)
	wait(b, anyOf[core.LegUp])
	after.registerAs(b, flowParams("1")) // the same instance and flow
	done := make(chan struct{})
	b.edge.leg(ref.Leg).strand.post(func() { close(done) })
	next(t, "move", done)
	b.do(core.End{LegRef: ref, Cause: core.CauseNormal})
	next(t, "BYE where it is now", after.byes)
	if len(before.byes) > 0 {
		t.Error("BYE went where it was")
	}
}

// A phone whose connection broke is reached on the one that it registered anew, or on
// another one that it has already (RFC 5626 section 4.2).
func TestCallFollowsTheInstanceToAnotherConnection(t *testing.T) {
	for _, when := range []string{"registers again", "has another flow"} {
		t.Run(when, func(t *testing.T) {
			b := newBench(t, nobody)
			at, err := b.edge.stack.ListenTCP(t.Context(), sip.Listen{Addr: "127.0.0.1:0"})
			must(t, err)
			one := newPeer(t, "127.0.0.1", func(c *call) { c.in.Answer([]byte(offerSDP)) })
			two := newPeer(t, "127.0.0.1", nil)
			register := func(p *peer, regID string) {
				t.Helper()
				req := sip.NewRequest(sip.REGISTER, uri("", at))
				addresses(req, "alice")
				out := sip.Outbound{
					Request: req, ContactUser: "alice", ContactParams: flowParams(regID), Target: sip.Target{Addr: at.String(), Transport: sip.TCP},
					Credentials: &sip.Credentials{Username: "alice", Password: "secret"},
				}
				if res := p.send(out); res.StatusCode != 200 {
					t.Fatal(res.StatusCode)
				}
			}
			register(one, "1")
			id := wait(b, anyOf[core.ContactUp]).Contact.ID
			ref := ringContact(b, "l1", id)
			c := next(t, "INVITE", one.calls)
			wait(b, anyOf[core.LegUp])
			flow := func() sip.Flow {
				l, now := b.edge.leg(ref.Leg), make(chan sip.Flow, 1)
				l.strand.post(func() { now <- l.flow })
				return <-now
			}
			first := flow()
			if when == "has another flow" {
				register(two, "2")
			}
			c.in.Flow().Close()
			if when == "registers again" {
				wait(b, anyOf[core.ContactGone])
				register(two, "1")
			}
			testkit.Eventually(t, 10*time.Second, "the call is on the other connection", func() bool { return flow() != first })
			b.do(core.End{LegRef: ref, Cause: core.CauseNormal})
			next(t, "BYE on the other connection", two.byes)
		})
	}
}

// Without NAT calls go where the Contact says, also if the REGISTER came from another
// address, but never to a trunk's host: they would leave as calls of ours.
func TestCallsGoToTheContactWithoutNAT(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", nil)
	b := newBench(t, carrier.at)
	registers, phone := newPeer(t, "127.0.0.1", nil), newPeer(t, "127.0.0.2", nil)
	for _, c := range []struct {
		name    string
		contact netip.AddrPort
		rung    *peer
	}{
		{"another address", phone.at, phone},
		{"the trunk's", carrier.at, registers},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := sip.NewRequest(sip.REGISTER, uri("", b.at))
			addresses(req, "alice")
			req.AppendHeader(&sip.ContactHeader{Address: uri("alice", c.contact), Params: sip.Params{}})
			if res := registers.send(sip.Outbound{Request: req, Target: sip.Target{Addr: b.at.String()}, Credentials: &sip.Credentials{Username: "alice", Password: "secret"}}); res.StatusCode != 200 {
				t.Fatal(res.StatusCode)
			}
			id := wait(b, func(e core.ContactUp) bool {
				got, ok := b.edge.bindings.get(e.Contact.ID)
				return ok && got.uri.Port == int(c.contact.Port())
			}).Contact.ID
			ref := ringContact(b, core.LegID(c.name), id)
			if got := next(t, "INVITE", c.rung.calls).in.Request().Recipient; got.Port != int(c.contact.Port()) {
				t.Errorf("rung as %s", got.String())
			}
			b.do(core.End{LegRef: ref})
		})
	}
}
