package sip

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

func TestSentByAndContact(t *testing.T) {
	peer := netip.MustParseAddrPort("127.0.0.9:5060")
	for _, c := range []struct{ bound, advertise, proto, want string }{
		{"127.0.0.1:5060", "", UDP, "sip:u@127.0.0.1:5060"},
		{"0.0.0.0:5070", "", UDP, "sip:u@127.0.0.1:5070"},
		{"127.0.0.1:5060", "pbx.example.com", TCP, "sip:u@pbx.example.com:5060;transport=tcp"},
		{"127.0.0.1:5061", "198.51.100.1:6061", TLS, "sip:u@198.51.100.1:6061;transport=tls"},
		{"[::1]:5060", "", UDP, "sip:u@[::1]:5060"},
		{"127.0.0.1:5060", "2001:db8::1", UDP, "sip:u@[2001:db8::1]:5060"},
	} {
		at, err := newPlace(netip.MustParseAddrPort(c.bound), c.advertise)
		if err != nil {
			t.Fatal(err)
		}
		uri := Flow{link: placedLink{captureLink{proto: c.proto}, at}, remote: peer}.Contact("u")
		if got := uri.String(); got != c.want {
			t.Errorf("bound %s, advertised %q: Contact %s, want %s", c.bound, c.advertise, got, c.want)
		}
	}
	for _, bad := range []string{"a b", "host:99999", "<x>", "x:"} {
		if _, err := newPlace(netip.MustParseAddrPort("127.0.0.1:1"), bad); err == nil && bad != "x:" {
			t.Errorf("%q may be advertised", bad)
		}
	}
}

// placedLink is a link with a place.
type placedLink struct {
	captureLink
	at place
}

func (l placedLink) transport() string                 { return l.proto }
func (l placedLink) local() netip.AddrPort             { return l.at.bound }
func (l placedLink) alive() bool                       { return true }
func (l placedLink) fail(error)                        {}
func (l placedLink) sentBy(to netip.AddrPort) hostPort { return l.at.sentBy(to) }
func (l placedLink) send([]byte, netip.AddrPort) error { return nil }

func TestHopOf(t *testing.T) {
	for _, c := range []struct {
		target Target
		uri    string
		want   hop
	}{
		{Target{}, "sip:x@H", hop{proto: UDP, host: "h", free: true}},
		{Target{}, "sip:x@h;transport=tls", hop{proto: TLS, host: "h"}},
		{Target{}, "sips:x@h;transport=tcp", hop{proto: TLS, host: "h"}},
		{Target{}, "sip:x@[::1]:70;transport=TCP", hop{proto: TCP, host: "::1", port: 70}},
		{Target{Transport: "tcp", Addr: "1.2.3.4"}, "sip:x@h:99", hop{proto: TCP, host: "1.2.3.4"}},
		{Target{Addr: "p:5080"}, "sip:x@h;transport=tcp", hop{proto: TCP, host: "p", port: 5080}},
	} {
		if got, err := hopOf(c.target, mustURI(t, c.uri)); err != nil || got != c.want {
			t.Errorf("%v %s: %v %v, want %v", c.target, c.uri, got, err, c.want)
		}
	}
	for _, bad := range []string{"tel:+1", "sip:x@h;transport=sctp", "sip:x@h;transport=ws"} {
		if h, err := hopOf(Target{}, mustURI(t, bad)); err == nil {
			t.Errorf("%s goes to %v", bad, h)
		}
	}
}

func TestUnreachableTargetsFailAtOnce(t *testing.T) {
	n := newNode(t, Config{})
	for _, uri := range []string{"x@browser.invalid", "x@[2001:db8::1]", "x@127.0.0.1:1;transport=tcp"} {
		c := newCall()
		r := invite(t, "127.0.0.1")
		r.RequestURI = mustURI(t, "sip:"+uri)
		n.Invite(r, c.events())
		if code := wait(t, c.failed, "failure"); code != 503 {
			t.Errorf("%s: %d", uri, code)
		}
	}
}

func TestNamesAreLookedUpOnce(t *testing.T) {
	n := newNode(t, Config{Handler: okHandler})
	done := make(chan error, 1)
	port := netip.MustParseAddrPort(n.addr).Port()
	n.Send(Outbound{Request: optionsTo(t, fmt.Sprintf("sip:x@localhost:%d", port))}, func(_ *Response, err error) { done <- err })
	if err := wait(t, done, "answer"); err != nil {
		t.Fatal(err)
	}
	h, err := hopOf(Target{}, mustURI(t, fmt.Sprintf("sip:x@LocalHost:%d", port)))
	if err != nil {
		t.Fatal(err)
	}
	if found, ok := n.names.get(h); !ok || !found[0].addrs[0].IsLoopback() {
		t.Errorf("remembered %v %v", found, ok)
	}
}

func TestContactBehindNAT(t *testing.T) {
	for contact, want := range map[string]bool{
		"192.168.1.20": true, "10.0.0.9": true, "100.64.0.1": true, "100.127.255.1": true, "198.19.0.1": true, "127.0.0.1": true,
		"[fd00::1]": true, "df7jal23ls0d.invalid": true,
		"203.0.113.9": false, "100.128.0.1": false, "100.63.0.1": false, "198.20.0.1": false, "sip.example.com": false, "[2001:db8::1]": false,
	} {
		if got := natted(Uri{Host: contact}, netip.MustParseAddr("203.0.113.1")); got != want {
			t.Errorf("%s: %v, want %v", contact, got, want)
		}
		if natted(Uri{Host: contact}, peerAt(contact)) && want && !strings.HasSuffix(contact, ".invalid") {
			t.Errorf("%s, which we talk with, is behind NAT", contact)
		}
	}
}

// peerAt is the address in a Contact, if there is one.
func peerAt(host string) netip.Addr {
	addr, _ := netip.ParseAddr(trimBrackets(host))
	return addr
}
