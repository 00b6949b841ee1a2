package sipedge

import (
	"strings"
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// What requests outside a call are answered, and the header that must go with it.
func TestRequestsOutsideACall(t *testing.T) {
	b := newBench(t, nobody)
	stranger := newPeer(t, "127.0.0.1", nil)
	for _, c := range []struct {
		method     sip.Method
		want       int
		name, part string // of the header
	}{
		{sip.OPTIONS, 200, "Allow", "UPDATE"},
		{sip.OPTIONS, 200, "Accept", "application/sdp"},
		{sip.OPTIONS, 200, "Supported", "100rel"},
		{sip.BYE, 481, "", ""}, // RFC 3261 section 15.1.2
		{sip.INFO, 481, "", ""},
		{sip.NOTIFY, 481, "", ""}, // RFC 6665 section 4.1.3
		{sip.PRACK, 481, "", ""},  // RFC 3262 section 3
		{sip.UPDATE, 481, "", ""},
		{sip.SUBSCRIBE, 489, "Allow-Events", "refer"},
		{sip.PUBLISH, 489, "Allow-Events", "refer"},
		{sip.MESSAGE, 407, "Proxy-Authenticate", "Digest"},
		{sip.REFER, 407, "Proxy-Authenticate", "Digest"},
	} {
		req := sip.NewRequest(c.method, uri("12995558888", b.at))
		addresses(req, "alice")
		res := stranger.send(sip.Outbound{Request: req, ContactUser: "x", Target: sip.Target{Addr: b.at.String()}})
		if res.StatusCode != c.want || !strings.Contains(sip.HeaderValue(res, c.name), c.part) {
			t.Errorf("%s: %d with %s %q, want %d and %q", c.method, res.StatusCode, c.name, sip.HeaderValue(res, c.name), c.want, c.part)
		}
	}
}

// The user or number that a URI names, in every way to write it.
func TestUserOf(t *testing.T) {
	for text, want := range map[string]string{
		"sip:bob@h":                                 "bob",
		"sip:%62ob@h":                               "bob",
		"sip:+12995558888;npdi;rn=+1299@h":          "+12995558888",
		"sip:+1-299-555-8888@h;user=phone":          "+12995558888",
		"sip:10-20@h":                               "10-20",
		"tel:+1-299-555-8888":                       "+12995558888",
		"tel:+1(299)555.8888;ext=5":                 "+12995558888",
		"tel:7042;phone-context=example.com":        "7042",
		"sip:h":                                     "",
		"sip:alice;phone-context=+1;x@h;user=phone": "alice",
	} {
		u, err := sip.ParseURI(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := userOf(u); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// A carrier may name both sides by tel URIs (RFC 3966).
func TestTelephoneURIsOfATrunk(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", nil)
	b := newBench(t, carrier.at)
	to, err := sip.ParseURI("tel:+1-299-555-8888")
	must(t, err)
	_, ev := newOutcome()
	carrier.stack.Invite(sip.InviteRequest{
		RequestURI: to, From: sip.Address{URI: to}, To: sip.Address{URI: to}, Target: sip.Target{Addr: b.at.String()}, Body: []byte(offerSDP),
		Headers: []sip.Header{sip.NewHeader("P-Asserted-Identity", "<tel:+12995550100;ext=3>")},
	}, ev)
	if o := wait(b, anyOf[core.Offered]); o.From.Number != "+12995550100" || o.To != "+12995558888" {
		t.Errorf("offered from %q to %q", o.From.Number, o.To)
	}
}

// All or nothing: "*" stands alone, and is bound to the order of its Call-ID (RFC 3261
// section 10.3).
func TestRemovalOfAllContacts(t *testing.T) {
	b := newBench(t, nobody)
	phone := newPeer(t, "127.0.0.1", nil)
	ask := func(seq uint32, contacts ...string) int {
		t.Helper()
		req := sip.NewRequest(sip.REGISTER, uri("", b.at))
		addresses(req, "alice")
		callID := sip.CallIDHeader("one")
		req.AppendHeader(&callID)
		req.AppendHeader(&sip.CSeqHeader{SeqNo: seq, MethodName: sip.REGISTER})
		for _, c := range contacts {
			if c == "*" {
				req.AppendHeader(sip.NewHeader("Expires", "0"))
			}
			req.AppendHeader(sip.NewHeader("Contact", c))
		}
		res := phone.send(sip.Outbound{Request: req, Target: sip.Target{Addr: b.at.String()}, Credentials: &sip.Credentials{Username: "alice", Password: "secret"}})
		return res.StatusCode
	}
	if code := ask(10, "<sip:alice@127.0.0.1>"); code != 200 {
		t.Fatal(code)
	}
	if code := ask(20, "*", "<sip:alice@127.0.0.1>"); code != 400 {
		t.Errorf("* with another: %d, want 400", code)
	}
	if code := ask(5, "*"); code != 500 || b.edge.Contacts() != 1 {
		t.Errorf("an older *: %d, and %d contacts", code, b.edge.Contacts())
	}
	if code := ask(30, "*"); code != 200 || b.edge.Contacts() != 0 {
		t.Errorf("*: %d, and %d contacts", code, b.edge.Contacts())
	}
}

// An offer that we cannot answer is refused before anybody's phone rings for it.
func TestHopelessOffersAreRefusedAtOnce(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", nil)
	b := newBench(t, carrier.at)
	dtls := strings.ReplaceAll(offerSDP, "RTP/AVP", "UDP/TLS/RTP/SAVPF") + "a=setup:actpass\r\na=rtcp-mux\r\n"
	for name, offer := range map[string]string{
		"DTLS without ICE": dtls,
		"a name":           strings.ReplaceAll(offerSDP, "c=IN IP4 127.0.0.1", "c=IN IP4 media.example.com"),
		"everybody":        strings.ReplaceAll(offerSDP, "c=IN IP4 127.0.0.1", "c=IN IP4 224.2.1.1/127"),
		"no codec of ours": strings.ReplaceAll(offerSDP, "RTP/AVP 0 8", "RTP/AVP 18 4"),
	} {
		o, ev := newOutcome()
		carrier.stack.Invite(sip.InviteRequest{
			RequestURI: uri("12995558888", b.at), From: sip.Address{URI: uri("x", carrier.at)}, To: sip.Address{URI: uri("y", b.at)},
			Target: sip.Target{Addr: b.at.String()}, Body: []byte(offer),
		}, ev)
		if res := next(t, name+": refusal", o.failed); res.StatusCode != 488 {
			t.Errorf("%s: %d, want 488", name, res.StatusCode)
		}
	}
	if n := count[core.Offered](b); n != 0 {
		t.Errorf("%d of them reached the exchange", n)
	}
	head, media, _ := strings.Cut(offerSDP, "m=")
	_, second, _ := strings.Cut(dtls, "m=")
	_, ev := newOutcome()
	carrier.stack.Invite(sip.InviteRequest{
		RequestURI: uri("12995558888", b.at), From: sip.Address{URI: uri("x", carrier.at)}, To: sip.Address{URI: uri("y", b.at)},
		Target: sip.Target{Addr: b.at.String()}, Body: []byte(head + "m=" + second + "m=" + media),
	}, ev)
	wait(b, anyOf[core.Offered]) // the plain one beside it can be used
}
