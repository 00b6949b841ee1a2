package phone

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/sip"
	"github.com/offhook/offhook/internal/testkit"
)

// registrar is the least that a phone can register at.
type registrar struct {
	stack    *sip.Stack
	udp, tcp netip.AddrPort
	auth     *sip.Authenticator

	mu       sync.Mutex // guards the fields below
	contacts []string   // Contact and Expires of each REGISTER with good credentials
	flows    []sip.Flow
}

func newRegistrar(t *testing.T) *registrar {
	t.Helper()
	r := &registrar{auth: sip.NewAuthenticator(sip.AuthConfig{
		Realm: "test", SHA256: true,
		Lookup: func(user string) (sip.HA1, bool) { return sip.HashHA1(user, "test", "secret"), user == "alice" },
	})}
	_, log := testkit.NewLog(t)
	r.stack = sip.NewStack(sip.Config{Handler: sip.HandlerFunc(r.serve), Log: log})
	t.Cleanup(r.stack.Close)
	var err error
	if r.udp, err = r.stack.ListenUDP(t.Context(), sip.Listen{Addr: "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	if r.tcp, err = r.stack.ListenTCP(t.Context(), sip.Listen{Addr: "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *registrar) serve(tx *sip.ServerTx, req *sip.Request) {
	if req.Method != sip.REGISTER {
		tx.NotAllowed()
		return
	}
	switch _, result := r.auth.Check(tx); result {
	case sip.AuthOK:
	case sip.AuthFailed:
		tx.Reply(403, "")
		return
	default:
		r.auth.Challenge(tx, result == sip.AuthStale)
		return
	}
	r.mu.Lock()
	r.contacts = append(r.contacts, sip.HeaderValue(req, "Contact")+" expires="+sip.HeaderValue(req, "Expires"))
	r.flows = append(r.flows, tx.Flow())
	r.mu.Unlock()
	tx.Reply(200, "", sip.NewHeader("Expires", "60"))
}

func (r *registrar) seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.contacts...)
}

func TestRegisterAndUnregister(t *testing.T) {
	r := newRegistrar(t)
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			testkit.CheckLeaks(t)
			before := len(r.seen())
			server := map[string]netip.AddrPort{"udp": r.udp, "tcp": r.tcp}[transport]
			alice := newParty(t, "alice", Config{Server: server.String(), Transport: transport, Password: "secret", Register: true})
			alice.next(Registered)
			alice.Close()
			seen := r.seen()[before:]
			if len(seen) != 2 || !strings.Contains(seen[0], "sip:alice@127.0.0.1") || !strings.HasSuffix(seen[1], "expires=0") {
				t.Errorf("registrar saw %q", seen)
			}
		})
	}
}

func TestRegisterAgainAfterLostConnection(t *testing.T) {
	r := newRegistrar(t)
	alice := newParty(t, "alice", Config{Server: r.tcp.String(), Transport: "tcp", Password: "secret", Register: true})
	alice.next(Registered)
	r.mu.Lock()
	r.flows[0].Close()
	r.mu.Unlock()
	if ev := alice.next(Unregistered); ev.Reason != "connection lost" {
		t.Errorf("got %+v", ev)
	}
	alice.next(Registered)
}

func TestWrongPasswordIsReportedOnce(t *testing.T) {
	r := newRegistrar(t)
	alice := newParty(t, "alice", Config{Server: r.udp.String(), Password: "wrong", Register: true})
	if ev := alice.next(Unregistered); ev.Code != 403 {
		t.Errorf("got %+v", ev)
	}
	select {
	case ev := <-alice.events:
		t.Errorf("second event %+v", ev)
	case <-time.After(2 * retryFirst): // it tried again meanwhile
	}
}

func TestGrantedExpiry(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"": time.Minute, "60x": time.Minute, "0": time.Minute, "-1": time.Minute,
		"120": 2 * time.Minute, "99999999999999": (1<<32 - 1) * time.Second,
	} {
		res := new(sip.Response)
		res.AppendHeader(sip.NewHeader("Expires", header))
		if got := grantedExpiry(res, time.Minute); got != want {
			t.Errorf("Expires %q grants %v, want %v", header, got, want)
		}
	}
}

func TestStartFailsOnABusyPort(t *testing.T) {
	first := newParty(t, "alice", Config{})
	if second, err := New(context.Background(), Config{User: "bob", Listen: first.Addr()}); err == nil {
		second.Close()
		t.Error("two phones listen at one address")
	}
}
