package sipedge

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/sip"
	"github.com/offhook/offhook/internal/testkit"
)

// onTrunk is a bench whose trunk "carrier" at that address follows rules.
func onTrunk(t *testing.T, at netip.AddrPort, rules route.TrunkSIP) *bench {
	t.Helper()
	b := newBench(t, at)
	b.setTrunk(at, rules)
	return b
}

func (b *bench) setTrunk(at netip.AddrPort, rules route.TrunkSIP) {
	b.edge.SetTrunks([]Trunk{{Password: "secret", Trunk: route.Trunk{
		Name: "carrier", URI: "sip:" + at.String(), Username: "account", TrunkSIP: rules,
		AcceptFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.3/32")},
	}}})
}

// The name of a trunk that nobody knows is the trunk's failure, so that the next one is
// tried; that of a phone would be the callee's.
func TestTrunkWithoutAddressFailsOver(t *testing.T) {
	b := newBench(t, netip.AddrPort{})
	b.edge.SetTrunks([]Trunk{{Trunk: route.Trunk{Name: "carrier", URI: "sip:nowhere.invalid"}}})
	for _, target := range []core.Target{{Trunk: "carrier", Number: "12995551111"}, {URI: "sip:x@nowhere.invalid"}} {
		b.do(core.Ring{LegRef: core.LegRef{Leg: core.LegID("to " + target.Number), Edge: core.EdgeSIP}, Call: "c", Target: target})
		gone := wait(b, anyOf[core.LegGone])
		if !route.FailsOver(gone.Cause, gone.Code) {
			t.Errorf("%+v ended with %d, code %d: the next trunk is not tried", target, gone.Cause, gone.Code)
		}
	}
}

func TestHowATrunkIsToldWhoCalls(t *testing.T) {
	const pai, rpid = "P-Asserted-Identity", "Remote-Party-ID"
	anna := core.Party{Number: "4930555", Name: "Anna"}
	shy := passed{private: true}
	for _, c := range []struct {
		name  string
		rules route.TrunkSIP
		from  core.Party
		by    passed
		want  map[string]string
	}{
		{"default", route.TrunkSIP{}, anna, passed{}, map[string]string{
			"From": `"Anna" <sip:4930555@offhook.test>`, pai: `<sip:4930555@offhook.test>`, "Privacy": "", "Diversion": "", rpid: "",
		}},
		{"plus and account in From", route.TrunkSIP{NumberFormat: "plus", FromUser: "account"}, anna, passed{}, map[string]string{
			"From": `"Anna" <sip:account@offhook.test>`, pai: `<sip:+4930555@offhook.test>`,
		}},
		{"national, preferred", route.TrunkSIP{NumberFormat: "national", Country: "de", Identity: "ppi"}, anna, passed{}, map[string]string{
			"From": `"Anna" <sip:030555@offhook.test>`, "P-Preferred-Identity": `<sip:030555@offhook.test>`, pai: "",
		}},
		{"remote party", route.TrunkSIP{Identity: "rpid"}, anna, passed{}, map[string]string{
			rpid: `<sip:4930555@offhook.test>;party=calling;screen=yes;privacy=off`, pai: "",
		}},
		{"no identity", route.TrunkSIP{Identity: "none"}, anna, passed{}, map[string]string{pai: ""}},
		{"nobody known", route.TrunkSIP{}, core.Party{}, passed{}, map[string]string{
			"From": `"anonymous" <sip:anonymous@offhook.test>`, pai: "",
		}},
		{"hidden caller", route.TrunkSIP{NumberFormat: "plus", FromUser: "account"}, anna, shy, map[string]string{
			"From": `"Anonymous" <sip:anonymous@anonymous.invalid>`, pai: "<sip:+4930555@offhook.test>", "Privacy": "id",
		}},
		{"hidden caller, remote party", route.TrunkSIP{Identity: "rpid"}, anna, shy, map[string]string{
			rpid: "<sip:4930555@offhook.test>;party=calling;screen=yes;privacy=full",
		}},
		{"forwarded", route.TrunkSIP{NumberFormat: "plus", Diversion: "diversion"}, anna, passed{diverting: "4930999"}, map[string]string{
			"Diversion": "<sip:+4930999@offhook.test>;reason=unconditional;counter=1",
		}},
		{"forwarded, history", route.TrunkSIP{Diversion: "history"}, anna, passed{diverting: "4930999"}, map[string]string{
			"History-Info": "<sip:4930999@offhook.test>;index=1",
		}},
		{
			"headers",
			route.TrunkSIP{KeepHeaders: "none", Headers: []route.TrunkHeader{{Name: "X-Account", Value: "7"}}},
			anna,
			passed{headers: []sip.Header{sip.NewHeader("X-Mine", "1")}},
			map[string]string{"X-Account": "7", "X-Mine": ""},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := onTrunk(t, netip.MustParseAddrPort("127.0.0.3:9"), c.rules)
			to, err := b.edge.toTrunk(core.Ring{Target: core.Target{Trunk: "carrier", Number: "12995551111"}, From: c.from}, c.by)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{"From": `"` + to.from.Name + `" <` + to.from.URI.String() + ">"}
			for _, h := range to.headers {
				got[h.Name()] = h.Value()
			}
			for name, want := range c.want {
				if got[name] != want {
					t.Errorf("%s: %s, want %s", name, got[name], want)
				}
			}
		})
	}
}

func TestNumbersAndCodecsOfATrunk(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", nil)
	b := onTrunk(t, carrier.at, route.TrunkSIP{NumberFormat: "plus", Codecs: []string{"pcma"}})
	ring(b, "l1")
	req := next(t, "INVITE", carrier.calls).in.Request()
	if req.Recipient.User != "+12995551111" || !strings.Contains(string(req.Body()), " RTP/AVP 8 13 101\r\n") {
		t.Errorf("called %s with\n%s", req.Recipient.User, req.Body())
	}
	_, ev := newOutcome()
	carrier.invite(b, "12995558888", nil, ev)
	ref := core.LegRef{Leg: wait(b, anyOf[core.Offered]).Leg, Edge: core.EdgeSIP}
	b.do(core.Answer{LegRef: ref})
	wait(b, func(e core.LegUp) bool { return e.Leg == ref.Leg })
	if path, _ := b.path(ref.Leg); path.Format().Codec != media.PCMA { // PCMU was offered first
		t.Errorf("answered with %v", path.Format().Codec)
	}
}

// A call that goes out again says by which number of ours, and a hidden caller's is
// not told.
func TestWhatACallFromATrunkTakesAlong(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", nil)
	b := newBench(t, carrier.at)
	carrier.stack.Invite(sip.InviteRequest{
		RequestURI: uri("12995558888", b.at), From: unknownCaller, To: sip.Address{URI: uri("12995558888", b.at)},
		ContactUser: "caller", Body: []byte(offerSDP), Headers: []sip.Header{
			sip.NewHeader("P-Asserted-Identity", "<sip:4930777@carrier.test>"), sip.NewHeader("Privacy", "id;critical"),
		},
	}, sip.OutgoingEvents{})
	offered := wait(b, anyOf[core.Offered])
	if by := b.edge.leg(offered.Leg).passed; offered.From.Number != "" || !by.private || by.diverting != "12995558888" {
		t.Errorf("offered %+v, passed on %+v", offered.From, by)
	}
}

// The carrier answers the first INVITE with 407, MD5 and SHA-256, and takes the one
// with the right password.
func TestTrunkChallengesTheInvite(t *testing.T) {
	auth := sip.NewAuthenticator(sip.AuthConfig{Realm: "carrier", SHA256: true, Lookup: func(user string) (sip.HA1, bool) {
		return sip.HashHA1(user, "carrier", "secret"), user == "account"
	}})
	codes := make(chan sip.AuthResult, 4)
	carrier := newHandler(t, "127.0.0.3", func(tx *sip.ServerTx, _ *sip.Request) {
		_, result := auth.Check(tx)
		codes <- result
		if result != sip.AuthOK {
			auth.Challenge(tx, false)
			return
		}
		tx.Reply(486, "")
	})
	b := onTrunk(t, carrier, route.TrunkSIP{})
	ring(b, "l1")
	if first, second := next(t, "INVITE", codes), next(t, "INVITE", codes); first != sip.AuthMissing || second != sip.AuthOK {
		t.Errorf("INVITEs came with %v and %v", first, second)
	}
	if gone := wait(b, anyOf[core.LegGone]); gone.Code != 486 {
		t.Errorf("gone with %+v", gone)
	}
}

// newHandler is a SIP server of a test.
func newHandler(t *testing.T, ip string, serve sip.HandlerFunc) netip.AddrPort {
	t.Helper()
	stack := sip.NewStack(sip.Config{Handler: serve})
	at, err := stack.ListenUDP(t.Context(), sip.Listen{Addr: ip + ":0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stack.Close)
	return at
}

func TestBackupTakesWhatTheFirstHostCannot(t *testing.T) {
	busy := newHandler(t, "127.0.0.3", func(tx *sip.ServerTx, _ *sip.Request) { tx.Reply(503, "") })
	backup := newPeer(t, "127.0.0.4", nil)
	b := onTrunk(t, busy, route.TrunkSIP{Backups: []string{"sip:" + backup.at.String()}})
	ring(b, "l1")
	if got := next(t, "INVITE", backup.calls).in.Request().Recipient; got.User != "12995551111" || got.Host != "127.0.0.4" {
		t.Errorf("called %s", got.String())
	}
	b.edge.SetTrunks([]Trunk{{Trunk: route.Trunk{ // and a host that does not even have an address
		Name: "carrier", URI: "sip:nobody.invalid", TrunkSIP: route.TrunkSIP{Backups: []string{"sip:" + backup.at.String()}},
	}}})
	ring(b, "l2")
	next(t, "INVITE", backup.calls)
}

func TestRedirectionInsideTheTrunkIsFollowedIfAllowed(t *testing.T) {
	other := newPeer(t, "127.0.0.3", nil)
	for _, c := range []struct {
		name, to string
		allowed  bool
		follows  bool
	}{
		{"same number, host of the trunk", "sip:12995551111@" + other.at.String(), true, true},
		{"not allowed", "sip:12995551111@" + other.at.String(), false, false},
		{"another number", "sip:19005550000@" + other.at.String(), true, false},
		{"another host", "sip:12995551111@127.0.0.9", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			first := newHandler(t, "127.0.0.4", func(tx *sip.ServerTx, _ *sip.Request) {
				tx.Reply(302, "", sip.NewHeader("Contact", "<"+c.to+">"))
			})
			b := onTrunk(t, first, route.TrunkSIP{Redirects: c.allowed})
			ring(b, "l1")
			if c.follows {
				next(t, "INVITE", other.calls).in.Reject(486, "")
			}
			gone := wait(b, anyOf[core.LegGone])
			if want := map[bool]int{true: 486, false: 480}[c.follows]; gone.Code != want {
				t.Errorf("gone with %+v, want %d", gone, want)
			}
			if len(other.calls) != 0 {
				t.Error("another INVITE went out")
			}
		})
	}
}

// A trunk on TLS is called if its certificate leads to the configured authority
// and is for its name.
func TestTLSTrunkMustShowItsCertificate(t *testing.T) {
	good, caFile := authority(t, "127.0.0.5")
	wrongName, wrongFile := authority(t, "127.0.0.77")
	for _, c := range []struct {
		name   string
		server *tls.Config
		ca     string
		called bool
	}{
		{"right", good, caFile, true},
		{"unknown authority", good, "", false},
		{"another authority", good, wrongFile, false},
		{"another name", wrongName, wrongFile, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			called := make(chan string, 1)
			stack := sip.NewStack(sip.Config{Handler: sip.HandlerFunc(func(tx *sip.ServerTx, _ *sip.Request) {
				called <- tx.Flow().Transport()
				tx.Reply(486, "")
			})})
			t.Cleanup(stack.Close)
			at, err := stack.ListenTLS(t.Context(), sip.Listen{Addr: "127.0.0.5:0", TLS: c.server})
			if err != nil {
				t.Fatal(err)
			}
			b := newBench(t, at)
			b.edge.SetTrunks([]Trunk{{Trunk: route.Trunk{
				Name: "carrier", URI: "sip:" + at.String() + ";transport=tls", TrunkSIP: route.TrunkSIP{CAFile: c.ca},
			}}})
			ring(b, "l1")
			gone := wait(b, anyOf[core.LegGone])
			if c.called != (len(called) == 1) || c.called != (gone.Code == 486) {
				t.Errorf("called %v, gone with %+v", len(called) == 1, gone)
			}
		})
	}
}

// authority makes a certificate for ip that signs itself, and the file of it.
func authority(t *testing.T, ip string) (server *tls.Config, file string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: ip}, IPAddresses: []net.IP{net.ParseIP(ip)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, file
}

// registrar is a carrier that wants us registered.
type registrar struct {
	at       netip.AddrPort
	stack    *sip.Stack
	requests chan *sip.Request
	answer   func(tx *sip.ServerTx, n int) // to the n-th REGISTER, from 1
	n        int                           // on the read loop
}

func newRegistrar(t *testing.T, answer func(tx *sip.ServerTx, n int)) *registrar {
	t.Helper()
	r := &registrar{requests: make(chan *sip.Request, 16), answer: answer}
	r.stack = sip.NewStack(sip.Config{Handler: sip.HandlerFunc(func(tx *sip.ServerTx, req *sip.Request) {
		r.n++
		r.requests <- req
		r.answer(tx, r.n)
	})})
	at, err := r.stack.ListenUDP(t.Context(), sip.Listen{Addr: "127.0.0.6:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.stack.Close)
	r.at = at
	return r
}

// accepted answers 200 with the contact for that many seconds.
func accepted(tx *sip.ServerTx, expires string) {
	tx.Reply(200, "", sip.NewHeader("Contact", "<sip:other@192.0.2.9>;expires=9999"),
		sip.NewHeader("Contact", "<"+tx.Request().Contact().Address.String()+">;expires="+expires))
}

func TestRegistrationAtATrunk(t *testing.T) {
	auth := sip.NewAuthenticator(sip.AuthConfig{Realm: "carrier", Lookup: func(user string) (sip.HA1, bool) {
		return sip.HashHA1(user, "carrier", "secret"), user == "account"
	}})
	r := newRegistrar(t, func(tx *sip.ServerTx, n int) {
		switch _, result := auth.Check(tx); {
		case result != sip.AuthOK:
			auth.Challenge(tx, false)
		case n == 2:
			tx.Reply(423, "", sip.NewHeader("Min-Expires", "1800"))
		default:
			accepted(tx, "2")
		}
	})
	b := onTrunk(t, r.at, route.TrunkSIP{Register: true})
	var last uint32
	var contact, callID string
	for i, want := range []struct{ expires, credentials string }{
		{"600", ""}, {"600", "account"}, {"1800", ""}, {"1800", "account"}, {"1800", ""}, {"1800", "account"}, // the last two refresh
	} {
		req := next(t, "REGISTER", r.requests)
		if got := sip.HeaderValue(req, "Expires"); got != want.expires || strings.Contains(sip.HeaderValue(req, "Authorization"), "account") != (want.credentials != "") {
			t.Errorf("REGISTER %d: Expires %s, %s", i, got, sip.HeaderValue(req, "Authorization"))
		}
		if req.CSeq().SeqNo <= last || (i > 0 && (req.CallID().Value() != callID || req.Contact().Address.User != contact)) {
			t.Errorf("REGISTER %d: CSeq %d after %d, Call-ID %s, Contact %s", i, req.CSeq().SeqNo, last, req.CallID().Value(), req.Contact().Value())
		}
		last, callID, contact = req.CSeq().SeqNo, req.CallID().Value(), req.Contact().Address.User
	}
	testkit.Eventually(t, 5*time.Second, "the edge knows", func() bool { return b.edge.Registered()["carrier"] })

	// Its calls come to the contact, from wherever; the number is in To.
	stranger := newPeer(t, "127.0.0.7", nil)
	call := func(user, number string) *outcome {
		o, ev := newOutcome()
		stranger.stack.Invite(sip.InviteRequest{
			RequestURI: uri(user, b.at), From: sip.Address{URI: uri("+12995550100", stranger.at)}, To: sip.Address{URI: uri(number, b.at)},
			ContactUser: "caller", Body: []byte(offerSDP),
		}, ev)
		return o
	}
	call(contact, "+12995558888")
	if offered := wait(b, anyOf[core.Offered]); offered.From.Trunk != "carrier" || offered.To != "+12995558888" {
		t.Errorf("offered %+v", offered)
	}
	if res := next(t, "refusal", call("reg-guessed", "+12995558888").failed); res.StatusCode != 407 {
		t.Errorf("a guessed contact: %d, want 407", res.StatusCode)
	}

	for len(r.requests) > 0 {
		<-r.requests
	}
	b.setTrunk(r.at, route.TrunkSIP{}) // no more
	testkit.Eventually(t, 5*time.Second, "the contact is taken back", func() bool {
		return sip.HeaderValue(next(t, "REGISTER", r.requests), "Expires") == "0"
	})
}

func TestRegistrationIsTriedAgain(t *testing.T) {
	r := newRegistrar(t, func(tx *sip.ServerTx, n int) {
		if n < 3 {
			tx.Reply(500, "")
			return
		}
		accepted(tx, "600")
	})
	b := onTrunk(t, r.at, route.TrunkSIP{Register: true})
	var times []time.Time
	for range 3 {
		select {
		case <-r.requests:
			times = append(times, time.Now())
		case <-time.After(10 * time.Second):
			t.Fatal("not tried again")
		}
	}
	first, second := times[1].Sub(times[0]), times[2].Sub(times[1])
	if first < retryLeast*8/10 || second < first*3/2 {
		t.Errorf("tried again after %v and %v", first, second)
	}
	wait(b, func(ev core.TrunkState) bool { return !ev.Up })
	wait(b, func(ev core.TrunkState) bool { return ev.Up })
}

func TestWrongPasswordIsNotTriedAgainSoon(t *testing.T) {
	r := newRegistrar(t, func(tx *sip.ServerTx, _ int) { tx.Reply(403, "") })
	b := onTrunk(t, r.at, route.TrunkSIP{Register: true})
	next(t, "REGISTER", r.requests)
	wait(b, func(ev core.TrunkState) bool { return !ev.Up })
	select {
	case <-r.requests:
		t.Error("tried again")
	case <-time.After(2 * retryLeast):
	}
}
