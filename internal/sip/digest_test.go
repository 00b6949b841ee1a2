package sip

import (
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"
)

// registrar checks everybody against one user, bob / secret.
func registrar(c AuthConfig, seen func(AuthResult)) Handler {
	c.Realm = "house"
	c.Lookup = func(user string) (HA1, bool) { return HashHA1("bob", "house", "secret"), user == "bob" }
	a := NewAuthenticator(c)
	return HandlerFunc(func(tx *ServerTx, _ *Request) {
		user, result := a.Check(tx)
		seen(result)
		switch result {
		case AuthOK:
			tx.Reply(200, "", NewHeader("X-User", user))
		case AuthFailed:
			tx.Reply(403, "")
		case AuthMissing, AuthStale:
			a.Challenge(tx, result == AuthStale)
		}
	})
}

func registerTo(t testing.TB, addr string) *Request {
	t.Helper()
	req := NewRequest(REGISTER, mustURI(t, "sip:"+addr))
	req.AppendHeader(&FromHeader{Address: mustURI(t, "sip:bob@house")})
	req.AppendHeader(&ToHeader{Address: mustURI(t, "sip:bob@house")})
	return req
}

func TestDigestBothWays(t *testing.T) {
	for name, c := range map[string]struct {
		creds *Credentials
		want  int
	}{
		"right":        {&Credentials{"bob", "secret"}, 200},
		"wrong":        {&Credentials{"bob", "guess"}, 403},
		"unknown user": {&Credentials{"eve", "secret"}, 403},
		"none":         {nil, 401},
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan AuthResult, 10)
			bob := newNode(t, Config{Handler: registrar(AuthConfig{SHA256: true}, func(r AuthResult) { asked <- r })})
			alice := newNode(t, Config{})
			done := make(chan *Response, 1)
			alice.Send(Outbound{Request: registerTo(t, bob.addr), Credentials: c.creds, ContactUser: "bob"},
				func(res *Response, _ error) { done <- res })
			if res := wait(t, done, "answer"); res == nil || res.StatusCode != c.want {
				t.Errorf("answer %v, want %d", res, c.want)
			}
			if n := len(asked); n > 2 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestWrongPasswordIsNotTriedForEver(t *testing.T) {
	served := make(chan bool, 20)
	bob := newNode(t, Config{Handler: HandlerFunc(func(tx *ServerTx, _ *Request) {
		served <- true
		tx.Reply(401, "", NewHeader("WWW-Authenticate", `Digest realm="r", nonce="`+newTag()+`", qop="auth, auth-int", stale=true`))
	})})
	alice := newNode(t, Config{})
	done := make(chan *Response, 1)
	alice.Send(Outbound{Request: registerTo(t, bob.addr), Credentials: &Credentials{"bob", "x"}}, func(res *Response, _ error) { done <- res })
	if res := wait(t, done, "answer"); res == nil || res.StatusCode != 401 || len(served) != 3 {
		t.Errorf("answer %v after %d requests, want 401 after 3", res, len(served))
	}
}

func TestChallengeUnanswerableIsReported(t *testing.T) {
	for _, v := range []string{`Basic realm="x"`, `Digest realm="r", nonce="n", algorithm=SHA-512-256`, `Digest realm="r", nonce="n", qop="auth-int"`, `Digest realm="r`} {
		if ch := pickChallenge([]string{v}); ch != nil {
			t.Errorf("%s is answered", v)
		}
	}
	if ch := pickChallenge([]string{`Digest realm="r", nonce="n", algorithm=SHA-512`, `Digest realm="r", nonce="n", algorithm=SHA-256`}); ch == nil || ch.Algorithm != "SHA-256" {
		t.Errorf("picked %v", ch)
	}
}

// authTx is a REGISTER of peer ip with an Authorization header.
func authTx(t *testing.T, method Method, auth string) (*ServerTx, func() string) {
	t.Helper()
	var answer string
	l := &captureLink{proto: TCP, got: func(b []byte) { answer = string(b) }}
	req := NewRequest(method, mustURI(t, "sip:house"))
	req.AppendHeader(&ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: "TCP", Host: "x", Params: Params{{K: "branch", V: newBranch()}}})
	req.AppendHeader(&FromHeader{Address: mustURI(t, "sip:bob@house"), Params: Params{{K: "tag", V: "1"}}})
	req.AppendHeader(&ToHeader{Address: mustURI(t, "sip:bob@house")})
	req.AppendHeader(new(CallIDHeader("1")))
	req.AppendHeader(&CSeqHeader{SeqNo: 1, MethodName: method})
	if auth != "" {
		req.AppendHeader(NewHeader("Authorization", auth))
	}
	s := NewStack(Config{})
	t.Cleanup(s.Close)
	return &ServerTx{stack: s, req: req, flow: Flow{link: l, remote: l.peer()}, tag: "t"}, func() string { return answer }
}

func TestServerDigestRules(t *testing.T) {
	a := NewAuthenticator(AuthConfig{
		Realm:  "house",
		Lookup: func(u string) (HA1, bool) { return HashHA1("bob", "house", "secret"), u == "bob" },
	})
	tx, answer := authTx(t, REGISTER, "")
	a.Challenge(tx, false)
	challenge := field(answer(), "WWW-Authenticate")
	if !strings.Contains(challenge, `algorithm=MD5, qop="auth"`) {
		t.Fatalf("challenge %q", challenge)
	}
	ch, err := digest.ParseChallenge(challenge)
	if err != nil {
		t.Fatal(err)
	}
	credentials := func(change func(*digest.Challenge, *digest.Options)) string {
		c, o := *ch, digest.Options{Method: "REGISTER", URI: "sip:house", Username: "bob", Password: "secret"}
		if change != nil {
			change(&c, &o)
		}
		cred, err := digest.Digest(&c, o)
		if err != nil {
			t.Fatal(err)
		}
		return cred.String()
	}
	good := credentials(nil)
	for name, c := range map[string]struct {
		auth string
		want AuthResult
	}{
		"good":                          {good, AuthOK},
		"the same once more (sip.js)":   {good, AuthOK},
		"algorithm first, unquoted":     {strings.Replace(good, "Digest ", "Digest algorithm=MD5, ", 1), AuthOK},
		"without qop (RFC 2069)":        {credentials(func(c *digest.Challenge, _ *digest.Options) { c.QOP = nil }), AuthOK},
		"SHA-256":                       {credentials(func(c *digest.Challenge, _ *digest.Options) { c.Algorithm = "SHA-256" }), AuthOK},
		"wrong password":                {credentials(func(_ *digest.Challenge, o *digest.Options) { o.Password = "x" }), AuthFailed},
		"unknown user":                  {credentials(func(_ *digest.Challenge, o *digest.Options) { o.Username = "eve" }), AuthFailed},
		"made for another method":       {credentials(func(_ *digest.Challenge, o *digest.Options) { o.Method = "INVITE" }), AuthFailed},
		"made for another place":        {credentials(func(_ *digest.Challenge, o *digest.Options) { o.URI = "sip:1900@house" }), AuthFailed},
		"a nonce we did not make":       {credentials(func(c *digest.Challenge, _ *digest.Options) { c.Nonce = "AAAA" }), AuthStale},
		"a wrong password, old nonce":   {credentials(func(c *digest.Challenge, o *digest.Options) { c.Nonce, o.Password = "AAAA", "x" }), AuthStale},
		"another realm":                 {credentials(func(c *digest.Challenge, _ *digest.Options) { c.Realm = "x" }), AuthMissing},
		"another scheme":                {"Bearer abc", AuthMissing},
		"noise":                         {`Digest realm="house", nc=zzz`, AuthMissing},
		"empty response, dummy secrets": {`Digest username="bob", realm="house", nonce="` + ch.Nonce + `", uri="sip:house", response="", algorithm=MD7`, AuthFailed},
	} {
		tx, _ := authTx(t, REGISTER, c.auth)
		if _, got := a.Check(tx); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

func TestNonceEndsAndIsBoundToTheAddress(t *testing.T) {
	a := NewAuthenticator(AuthConfig{Realm: "house", NonceTTL: time.Nanosecond})
	tx, _ := authTx(t, REGISTER, "")
	nonce := a.nonce(tx)
	if a.fresh(nonce, tx) {
		t.Error("nonce outlives its time")
	}
	a = NewAuthenticator(AuthConfig{Realm: "house"})
	nonce = a.nonce(tx)
	if !a.fresh(nonce, tx) {
		t.Error("nonce is not good at all")
	}
	other, _ := authTx(t, REGISTER, "")
	other.flow.remote = tx.flow.Local()
	if a.fresh(nonce, other) {
		t.Error("nonce is good from another address")
	}
}

func TestInviteAnswersChallengeAndAckCarriesIt(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		r := invite(t, peerAddr)
		r.Credentials = &Credentials{"alice", "secret"}
		s.Invite(r, s.events())
		inv := s.peer.expect("INVITE ")
		s.peer.send(reply(inv, "407 Auth", "c1", "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\"\r\n"))
		s.peer.expect("ACK ")
		again := s.peer.expect("INVITE ")
		if field(again, "CSeq") != "2 INVITE" || field(again, "Call-ID") != field(inv, "Call-ID") ||
			field(again, "From") != field(inv, "From") || field(again, "Via") == field(inv, "Via") {
			t.Errorf("second INVITE %q", again)
		}
		if auth := field(again, "Proxy-Authorization"); !strings.Contains(auth, `username="alice"`) || !strings.Contains(auth, "nc=00000001") {
			t.Errorf("credentials %q", auth)
		}
		s.peer.send(reply(again, "200 OK", "b1", contact))
		if ack := s.peer.expect("ACK "); field(ack, "Proxy-Authorization") == "" || field(ack, "CSeq") != "2 ACK" {
			t.Errorf("ACK %q", ack)
		}
		d := <-s.answered
		d.Bye()
		bye := s.peer.expect("BYE ")
		s.peer.send(reply(bye, "407 Auth", "", "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n2\", qop=\"auth\"\r\n"))
		if bye = s.peer.expect("BYE "); !strings.Contains(field(bye, "Proxy-Authorization"), `nonce="n2"`) {
			t.Errorf("second BYE %q", bye)
		}
	})
}
