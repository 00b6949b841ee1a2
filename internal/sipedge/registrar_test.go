package sipedge

import (
	"net/netip"
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

func TestRegisterRefreshAndRemove(t *testing.T) {
	b := newBench(t, netip.MustParseAddrPort("127.0.0.3:9"))
	phone := newPeer(t, "127.0.0.1", nil)
	if res := phone.register(b, "alice", "secret", "60"); res.StatusCode != 200 || len(sip.HeaderValues(res, "Contact")) != 1 {
		t.Fatalf("REGISTER: %d with %q", res.StatusCode, sip.HeaderValues(res, "Contact"))
	}
	up := wait(b, anyOf[core.ContactUp])
	if up.Contact.User.Name != "alice" || up.Contact.Edge != core.EdgeSIP {
		t.Errorf("reported %+v", up.Contact)
	}
	if res := phone.register(b, "alice", "secret", "60"); res.StatusCode != 200 || len(sip.HeaderValues(res, "Contact")) != 1 {
		t.Errorf("refresh: %d with %q", res.StatusCode, sip.HeaderValues(res, "Contact"))
	}
	if res := phone.register(b, "alice", "secret", "0"); res.StatusCode != 200 || len(sip.HeaderValues(res, "Contact")) != 0 {
		t.Errorf("removal: %d with %q", res.StatusCode, sip.HeaderValues(res, "Contact"))
	}
	if gone := wait(b, anyOf[core.ContactGone]); gone.ID != up.Contact.ID {
		t.Errorf("gone %s, want %s", gone.ID, up.Contact.ID)
	}
	if n := count[core.ContactUp](b); n != 1 {
		t.Errorf("the exchange heard of %d registrations, want 1: a refresh is no news", n)
	}
}

func TestRegisterOfStrangersLooksTheSame(t *testing.T) {
	b := newBench(t, netip.MustParseAddrPort("127.0.0.3:9"))
	phone := newPeer(t, "127.0.0.1", nil)
	for _, c := range []struct {
		what, user, password string
		want                 int
	}{
		{"no credentials", "alice", "", 401},
		{"no credentials, unknown user", "mallory", "", 401},
		{"wrong password", "alice", "wrong", 403},
		{"unknown user", "mallory", "wrong", 403},
	} {
		if res := phone.register(b, c.user, c.password, "60"); res.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.what, res.StatusCode, c.want)
		}
	}
	if n := count[core.ContactUp](b); n != 0 {
		t.Errorf("%d strangers were registered", n)
	}
}

func TestRegisterRefusesOtherAddress(t *testing.T) {
	b := newBench(t, netip.MustParseAddrPort("127.0.0.3:9"))
	phone := newPeer(t, "127.0.0.1", nil)
	req := sip.NewRequest(sip.REGISTER, sip.Uri{Scheme: "sip", Host: realm})
	addresses(req, "bob")
	res := phone.send(sip.Outbound{
		Request: req, ContactUser: "bob", Target: sip.Target{Addr: b.at.String()},
		Credentials: &sip.Credentials{Username: "alice", Password: "secret"},
	})
	if res.StatusCode != 403 || count[core.ContactUp](b) != 0 {
		t.Errorf("alice registered bob: %d", res.StatusCode)
	}
}

func TestRegisterTooBrief(t *testing.T) {
	b := newBench(t, netip.MustParseAddrPort("127.0.0.3:9"))
	res := newPeer(t, "127.0.0.1", nil).register(b, "alice", "secret", "5")
	if res.StatusCode != 423 || sip.HeaderValue(res, "Min-Expires") != "30" {
		t.Errorf("%d with Min-Expires %q, want 423 with 30", res.StatusCode, sip.HeaderValue(res, "Min-Expires"))
	}
}
