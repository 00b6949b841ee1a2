package sipedge

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
	"github.com/offhook/offhook/internal/testkit"
)

// nobody is a trunk that nobody calls.
var nobody = netip.MustParseAddrPort("127.0.0.3:9")

// registerAs registers alice with these Contact parameters and headers.
func (p *peer) registerAs(b *bench, params sip.Params, headers ...sip.Header) *sip.Response {
	p.t.Helper()
	req := sip.NewRequest(sip.REGISTER, sip.Uri{Scheme: "sip", Host: b.at.Addr().String(), Port: int(b.at.Port())})
	addresses(req, "alice")
	for _, h := range headers {
		req.AppendHeader(h)
	}
	return p.send(sip.Outbound{
		Request: req, ContactUser: "alice", ContactParams: params, Target: sip.Target{Addr: b.at.String()},
		Credentials: &sip.Credentials{Username: "alice", Password: "secret"},
	})
}

// flowParams are the Contact parameters of one flow of one phone.
func flowParams(regID string) sip.Params {
	var params sip.Params
	params.Add("+sip.instance", `"<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"`)
	params.Add("reg-id", regID)
	return params
}

// ringContact rings the phone.
func ringContact(b *bench, leg core.LegID, contact core.ContactID) core.LegRef {
	ref := core.LegRef{Leg: leg, Edge: core.EdgeSIP}
	b.do(core.Ring{LegRef: ref, Call: "c", Target: core.Target{Contact: contact, User: core.UserID{Name: "alice"}}})
	return ref
}

var supportsOutbound = sip.NewHeader("Supported", "path, outbound, gruu")

func TestPathIsEchoedAndFollowed(t *testing.T) {
	b := newBench(t, nobody)
	phone := newPeer(t, "127.0.0.1", nil)
	res := phone.registerAs(b, nil, sip.NewHeader("Supported", "path"),
		sip.NewHeader("Path", "<sip:edge@127.0.0.1:5070;lr>, <sip:inner.example.com;lr>"), sip.NewHeader("Path", "<sip:last.example.com;lr>"))
	if got := sip.HeaderValues(res, "Path"); res.StatusCode != 200 || len(got) != 2 || !strings.HasPrefix(got[0], "<sip:edge@") {
		t.Fatalf("REGISTER: %d with Path %q", res.StatusCode, got)
	}
	ringContact(b, "l1", wait(b, anyOf[core.ContactUp]).Contact.ID)
	req := next(t, "INVITE", phone.calls).in.Request()
	var routes []string
	for _, h := range req.GetHeaders("Route") {
		routes = append(routes, h.Value())
	}
	if want := []string{"<sip:edge@127.0.0.1:5070;lr>", "<sip:inner.example.com;lr>", "<sip:last.example.com;lr>"}; !slices.Equal(routes, want) {
		t.Errorf("Route %q, want %q", routes, want)
	}
	if res := phone.registerAs(b, nil, sip.NewHeader("Path", "<nonsense")); res.StatusCode != 400 {
		t.Errorf("malformed Path: %d, want 400", res.StatusCode)
	}
}

func TestOutboundIsPromisedToWhoAsks(t *testing.T) {
	b := newBench(t, nobody)
	phone := newPeer(t, "127.0.0.1", nil)
	res := phone.registerAs(b, flowParams("1"), supportsOutbound)
	if sip.HeaderValue(res, "Require") != "outbound" || sip.HeaderValue(res, "Flow-Timer") != "120" {
		t.Errorf("Require %q, Flow-Timer %q", sip.HeaderValue(res, "Require"), sip.HeaderValue(res, "Flow-Timer"))
	}
	if contact := sip.HeaderValue(res, "Contact"); !strings.Contains(contact, `;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>";reg-id=1`) {
		t.Errorf("Contact %s", contact)
	}
	for name, ask := range map[string][]sip.Header{"not asked": nil, "required": {supportsOutbound, sip.NewHeader("Require", "outbound")}} {
		res := phone.registerAs(b, flowParams("1"), ask...)
		if want := map[bool]string{true: "outbound"}[ask != nil]; res.StatusCode != 200 || sip.HeaderValue(res, "Require") != want {
			t.Errorf("%s: %d with Require %q, want %q", name, res.StatusCode, sip.HeaderValue(res, "Require"), want)
		}
	}
	via := sip.NewHeader("Via", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKbelow")
	if res := phone.registerAs(b, flowParams("2"), supportsOutbound, via); res.StatusCode != 439 {
		t.Errorf("by a proxy without ob: %d, want 439", res.StatusCode)
	}
	if res := phone.registerAs(b, flowParams("2"), supportsOutbound, via, sip.NewHeader("Path", "<sip:edge@127.0.0.1;lr;ob>")); res.StatusCode != 200 {
		t.Errorf("by a proxy with ob: %d", res.StatusCode)
	}
}

// One phone on two connections rings once, on the newest that lives.
func TestSeveralFlowsOfOnePhoneAreOneContact(t *testing.T) {
	b := newBench(t, nobody)
	first, second := newPeer(t, "127.0.0.1", nil), newPeer(t, "127.0.0.2", nil)
	first.registerAs(b, flowParams("1"), supportsOutbound)
	if res := second.registerAs(b, flowParams("2"), supportsOutbound); len(sip.HeaderValues(res, "Contact")) != 2 {
		t.Errorf("contacts %q", sip.HeaderValues(res, "Contact"))
	}
	id := wait(b, anyOf[core.ContactUp]).Contact.ID
	ref := ringContact(b, "l1", id)
	next(t, "INVITE", second.calls)
	b.do(core.End{LegRef: ref})
	first.registerAs(b, flowParams("1"), supportsOutbound) // a refresh: now this one is the newest
	ringContact(b, "l2", id)
	next(t, "INVITE", first.calls)

	gone := flowParams("1")
	gone.Add("expires", "0")
	first.registerAs(b, gone, supportsOutbound)
	if n := count[core.ContactGone](b); n != 0 {
		t.Errorf("%d contacts gone with one of two flows", n)
	}
	gone = flowParams("2")
	gone.Add("expires", "0")
	second.registerAs(b, gone, supportsOutbound)
	if ev := wait(b, anyOf[core.ContactGone]); ev.ID != id || count[core.ContactUp](b) != 1 {
		t.Errorf("gone %s, want %s; %d contacts were up", ev.ID, id, count[core.ContactUp](b))
	}
}

// A proxy says that a flow is dead: it is dropped and the phone's other one rings;
// without another the caller hears 480.
func TestFlowThatFailedIsDropped(t *testing.T) {
	b := newBench(t, nobody)
	live := newPeer(t, "127.0.0.1", nil)
	dead := newPeer(t, "127.0.0.2", func(c *call) { c.in.Reject(430, "Flow Failed") })
	live.registerAs(b, flowParams("1"), supportsOutbound)
	dead.registerAs(b, flowParams("2"), supportsOutbound)
	id := wait(b, anyOf[core.ContactUp]).Contact.ID
	ringContact(b, "l1", id)
	next(t, "INVITE", dead.calls)
	next(t, "INVITE", live.calls).in.Reject(430, "Flow Failed")
	if gone := wait(b, anyOf[core.LegGone]); gone.Code != 480 || gone.Cause != core.CauseUnreachable {
		t.Errorf("gone with %+v", gone)
	}
	if ev := wait(b, anyOf[core.ContactGone]); ev.ID != id || b.edge.Contacts() != 0 {
		t.Errorf("%d contacts left", b.edge.Contacts())
	}
}

// Who registered over TCP is reached on that connection only while it lives.
func TestClosedConnectionDropsTheContact(t *testing.T) {
	b := newBench(t, nobody)
	if _, err := b.edge.stack.ListenTCP(t.Context(), sip.Listen{Addr: b.at.String()}); err != nil {
		t.Skip("TCP port is taken: ", err)
	}
	phone := newPeer(t, "127.0.0.1", nil)
	req := sip.NewRequest(sip.REGISTER, sip.Uri{Scheme: "sip", Host: realm})
	addresses(req, "alice")
	phone.send(sip.Outbound{
		Request: req, ContactUser: "alice", Target: sip.Target{Addr: b.at.String(), Transport: sip.TCP},
		Credentials: &sip.Credentials{Username: "alice", Password: "secret"},
	})
	id := wait(b, anyOf[core.ContactUp]).Contact.ID
	ref := ringContact(b, "l1", id)
	if flow := next(t, "INVITE", phone.calls).in.Flow(); flow.Transport() != sip.TCP {
		t.Errorf("rung by %s", flow)
	}
	b.do(core.End{LegRef: ref})
	phone.stack.Close()
	wait(b, anyOf[core.ContactGone])
	ringContact(b, "l2", id)
	gone := wait(b, func(ev core.LegGone) bool { return ev.Leg == "l2" })
	if gone.Code != 480 || gone.Cause != core.CauseUnreachable {
		t.Errorf("gone with %+v", gone)
	}
}

func TestContactsOfAUserAreBoundedAndOrderedByQ(t *testing.T) {
	b := newBench(t, nobody, func(c *Config) { c.MaxContacts = 2 })
	for i, q := range []string{"0.2", "0.9", "1"} {
		phone := newPeer(t, "127.0.0.1", nil)
		var params sip.Params
		params.Add("q", q)
		res := phone.registerAs(b, params)
		switch contacts := sip.HeaderValues(res, "Contact"); {
		case i == 0 && wait(b, anyOf[core.ContactUp]).Contact.Rank != 800:
			t.Error("the exchange was not told of q=0.2")
		case i == 1 && (len(contacts) != 2 || !strings.Contains(contacts[0], ";q=0.9") || !strings.Contains(contacts[1], ";q=0.2")):
			t.Errorf("contacts %q", contacts)
		case i == 2 && res.StatusCode != 403:
			t.Errorf("third of two: %d, want 403", res.StatusCode)
		case i == 2:
			if res := phone.registerAs(b, nil, sip.NewHeader("Expires", "5")); res.StatusCode != 423 || sip.HeaderValue(res, "Min-Expires") != "30" {
				t.Errorf("5 s: %d, Min-Expires %q", res.StatusCode, sip.HeaderValue(res, "Min-Expires"))
			}
		}
	}
}

// A registration is over when its time is, whatever the phone does.
func TestRegistrationExpires(t *testing.T) {
	b := newBench(t, nobody)
	phone := newPeer(t, "127.0.0.1", nil)
	phone.registerAs(b, nil)
	id := wait(b, anyOf[core.ContactUp]).Contact.ID
	b.edge.bindings.mu.Lock()
	b.edge.bindings.byID[id][0].expires = time.Now()
	b.edge.bindings.mu.Unlock()
	testkit.Eventually(t, 5*time.Second, "it expires", func() bool { return count[core.ContactGone](b) == 1 && b.edge.Contacts() == 0 })
}

// A phone on UDP that answers OPTIONS, be it by a refusal, stays; one that does not
// is gone after the second time.
func TestPhoneThatDoesNotAnswerOptionsIsGone(t *testing.T) {
	b := newBench(t, nobody)
	phone := newPeer(t, "127.0.0.1", nil) // it answers 405
	phone.registerAs(b, nil)
	id := wait(b, anyOf[core.ContactUp]).Contact.ID
	stop := make(chan struct{})
	b.edge.running.Go(func() { b.edge.keepAlive(keepAlive{every: 50 * time.Millisecond, answer: 40 * time.Millisecond}, stop) })
	t.Cleanup(func() { close(stop) })
	time.Sleep(400 * time.Millisecond) // eight questions
	if n := count[core.ContactGone](b); n != 0 {
		t.Fatal("a phone that answers is gone")
	}
	phone.stack.Close()
	if gone := wait(b, anyOf[core.ContactGone]); gone.ID != id {
		t.Errorf("gone %s, want %s", gone.ID, id)
	}
}
