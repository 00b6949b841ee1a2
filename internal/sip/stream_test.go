package sip

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// dialTCP connects to a stack.
func dialTCP(t testing.TB, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// options is an OPTIONS request over TCP.
func options(branch int) string {
	return fmt.Sprintf("OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:1;branch=z9hG4bK%d\r\n"+
		"From: <sip:a@b>;tag=1\r\nTo: <sip:x@b>\r\nCall-ID: %d\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", branch, branch)
}

// post writes to a connection.
func post(t testing.TB, c net.Conn, s string) {
	t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		t.Fatal(err)
	}
}

// okHandler answers everything 200.
var okHandler = HandlerFunc(func(tx *ServerTx, _ *Request) { tx.Reply(200, "") })

// readAnswer reads one response without body from a stream.
func readAnswer(t testing.TB, r *bufio.Reader) string {
	t.Helper()
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		b.WriteString(line)
		if err != nil || line == "\r\n" {
			return b.String()
		}
	}
}

func TestSilentTCPBlocksNobody(t *testing.T) {
	n := newNode(t, Config{Handler: okHandler})
	for range 20 {
		dialTCP(t, n.addr) // says nothing
	}
	half := dialTCP(t, n.addr)
	post(t, half, "OPTIONS sip:x")
	healthy := dialTCP(t, n.addr)
	start := time.Now()
	post(t, healthy, options(1))
	if answer := readAnswer(t, bufio.NewReader(healthy)); !strings.HasPrefix(answer, "SIP/2.0 200") || time.Since(start) > 10*time.Second {
		t.Errorf("after %v: %q", time.Since(start), answer)
	}
}

// streamPeer is the far end of a connection of a stack on virtual time.
type streamPeer struct {
	net.Conn
	t testing.TB
}

// send writes in the background; an error is the stack's closing.
func (p streamPeer) send(s string) {
	go func() { _, _ = io.WriteString(p, s) }()
}

// inStream runs a stack on one end of a pipe, on virtual time, and gives the other.
func inStream(t *testing.T, c Config, fn func(peer streamPeer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := NewStack(c)
		defer s.Close()
		ours, peer := net.Pipe()
		defer peer.Close()
		s.serveStream(ours, TCP, place{bound: netip.MustParseAddrPort(stackAddr)}, nil)
		fn(streamPeer{peer, t})
	})
}

func TestSlowStreamsAreClosed(t *testing.T) {
	for name, c := range map[string]struct {
		send string
		drip bool
		want time.Duration
	}{
		"never says anything":     {"", false, firstMessage},
		"stops inside the header": {"OPTIONS sip:x SIP/2.0\r\nVia", false, messageTime},
		"a byte each second":      {options(1), true, messageTime},
		"body never comes":        {strings.Replace(options(1), "Content-Length: 0", "Content-Length: 50", 1), false, messageTime},
	} {
		t.Run(name, func(t *testing.T) {
			inStream(t, Config{Handler: okHandler}, func(peer streamPeer) {
				t := peer.t
				start := time.Now()
				stopped := make(chan struct{})
				defer func() { <-stopped }()
				go func() {
					defer close(stopped)
					for i := range len(c.send) {
						if c.drip {
							time.Sleep(time.Second)
						}
						if _, err := io.WriteString(peer, c.send[i:i+1]); err != nil {
							return
						}
					}
				}()
				if _, err := io.Copy(io.Discard, peer); err != nil {
					t.Fatal(err)
				}
				if d := time.Since(start); d < c.want || d > c.want+2*time.Second {
					t.Errorf("closed after %v, want %v", d, c.want)
				}
			})
		})
	}
}

func TestStreamFraming(t *testing.T) {
	inStream(t, Config{Handler: okHandler}, func(peer streamPeer) {
		t := peer.t
		r := bufio.NewReader(peer)
		peer.send("\r\n\r\n" + options(1) + "\r\n" + options(2) + options(3)[:40])
		if line := readAnswer(t, r); line != "\r\n" {
			t.Fatalf("keep-alive answered %q", line)
		}
		for i := 1; i <= 2; i++ {
			if a := readAnswer(t, r); field(a, "Call-ID") != fmt.Sprint(i) {
				t.Fatalf("answer %d is %q", i, a)
			}
		}
		peer.send(options(3)[40:])
		if a := readAnswer(t, r); field(a, "Call-ID") != "3" {
			t.Fatalf("answer %q", a)
		}
	})
}

func TestBrokenFramingClosesTheStream(t *testing.T) {
	for name, length := range map[string]string{
		"negative":      "Content-Length: -1",
		"missing":       "X: y",
		"contradictory": "Content-Length: 0\r\nl: 4",
	} {
		t.Run(name, func(t *testing.T) {
			inStream(t, Config{Handler: okHandler}, func(peer streamPeer) {
				t := peer.t
				peer.send(strings.Replace(options(1), "Content-Length: 0", length, 1))
				all, err := io.ReadAll(peer)
				if err != nil || !strings.HasPrefix(string(all), "SIP/2.0 400 ") {
					t.Errorf("answer %q, %v", all, err)
				}
			})
		})
	}
	t.Run("endless header", func(t *testing.T) {
		inStream(t, Config{Handler: okHandler}, func(peer streamPeer) {
			t := peer.t
			go func() {
				for {
					if _, err := io.WriteString(peer, strings.Repeat("X: y\r\n", 100)); err != nil {
						return
					}
				}
			}()
			if all, err := io.ReadAll(peer); err != nil || len(all) > 0 {
				t.Errorf("answer %q, %v", all, err)
			}
		})
	})
}

// TestAnswersLeaveBeforeTheStreamCloses: what came before the mistake is answered.
func TestAnswersLeaveBeforeTheStreamCloses(t *testing.T) {
	for name, mistake := range map[string]string{
		"noise":                       "what is this\r\n\r\n",
		"noise with a length":         "what is this\r\nContent-Length: 0\r\n\r\n",
		"the peer has nothing to add": "",
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, Config{Handler: okHandler})
			c := dialTCP(t, n.addr)
			const total = 50
			var all strings.Builder
			for i := range total {
				all.WriteString(options(i))
			}
			post(t, c, all.String()+mistake)
			if tcp, ok := c.(*net.TCPConn); !ok || tcp.CloseWrite() != nil {
				t.Fatal("closed already")
			}
			answers, err := io.ReadAll(c)
			if got := strings.Count(string(answers), "SIP/2.0 200 OK"); got != total || err != nil {
				t.Errorf("%d answers to %d requests, %v", got, total, err)
			}
		})
	}
}

func TestPeerThatDoesNotReadIsDisconnected(t *testing.T) {
	closed := make(chan Flow, 1)
	inStream(t, Config{Handler: okHandler, FlowClosed: func(f Flow) { closed <- f }}, func(peer streamPeer) {
		t := peer.t
		go func() {
			for i := 0; ; i++ {
				if _, err := io.WriteString(peer, options(i)); err != nil {
					return
				}
			}
		}()
		start := time.Now()
		f := <-closed
		if f.Alive() || time.Since(start) > writeTimeout {
			t.Errorf("closed after %v", time.Since(start))
		}
	})
}

// TestInOrderPerConnection is the regression test for a goroutine per message. No
// more is on its way at a time than an outbox holds, however slow the machine is.
func TestInOrderPerConnection(t *testing.T) {
	const total, underway = 2000, 500
	c := newCall()
	seen := make(chan uint32, total)
	bob := newNode(t, Config{Handler: HandlerFunc(func(tx *ServerTx, _ *Request) {
		in := tx.stack.Incoming(tx, IncomingEvents{
			Acked: func(ack *Request) { c.acked <- ack },
			Dialog: DialogEvents{Info: func(_ *Dialog, req *Request) int {
				seen <- req.CSeq().SeqNo
				return 200
			}},
		})
		in.Answer([]byte("v=0\r\n"))
	})})
	alice := newNode(t, Config{})
	alice.Invite(invite(t, bob.addr+";transport=tcp"), c.events())
	d := wait(t, c.answered, "200")
	wait(t, c.acked, "ACK")
	answers := make(chan error, total)
	ask := func() { d.Request(INFO, "", nil, func(_ *Response, err error) { answers <- err }) }
	for range underway {
		ask()
	}
	last := uint32(0)
	for i := range total {
		seq := wait(t, seen, "INFO")
		if seq != last+1 && last != 0 {
			t.Fatalf("CSeq %d after %d", seq, last)
		}
		last = seq
		if err := wait(t, answers, "answer"); err != nil {
			t.Fatal(err)
		}
		if i+underway < total {
			ask()
		}
	}
	d.Bye()
}

func TestDeadFlowIsReported(t *testing.T) {
	closed := make(chan Flow, 1)
	flows := make(chan Flow, 1)
	n := newNode(t, Config{
		FlowClosed: func(f Flow) { closed <- f },
		Handler: HandlerFunc(func(tx *ServerTx, _ *Request) {
			tx.Reply(200, "")
			flows <- tx.Flow()
		}),
	})
	c := dialTCP(t, n.addr)
	post(t, c, options(1))
	f := wait(t, flows, "request")
	done := make(chan error, 1)
	n.Send(Outbound{Request: optionsTo(t, "sip:x@y.invalid"), Flow: f}, func(_ *Response, err error) { done <- err })
	r := bufio.NewReader(c)
	readAnswer(t, r)
	if req := readAnswer(t, r); !strings.HasPrefix(req, "OPTIONS sip:x@y.invalid") {
		t.Fatalf("came down the flow: %q", req)
	}
	c.Close()
	if err := wait(t, done, "error"); !errors.Is(err, ErrFlowClosed) {
		t.Errorf("error %v", err)
	}
	if wait(t, closed, "report") != f || f.Alive() {
		t.Error("another flow, or still alive")
	}
}

func optionsTo(t testing.TB, uri string) *Request {
	t.Helper()
	req := NewRequest(OPTIONS, mustURI(t, uri))
	req.AppendHeader(&FromHeader{Address: mustURI(t, "sip:a@example.com")})
	req.AppendHeader(&ToHeader{Address: mustURI(t, uri)})
	return req
}

func TestConnectionLimits(t *testing.T) {
	n := newNode(t, Config{Handler: okHandler, MaxConns: 2})
	for range 2 {
		c := dialTCP(t, n.addr)
		post(t, c, options(1))
		readAnswer(t, bufio.NewReader(c))
	}
	third := dialTCP(t, n.addr)
	if _, err := third.Read(make([]byte, 1)); err == nil {
		t.Error("third connection lives")
	}
}

// Two connections of one network are allowed here.
func TestConnectionsOfOneNetwork(t *testing.T) {
	for _, tt := range []struct {
		name, first, second, third string
		in                         bool
	}{
		{"an address", "192.0.2.1", "192.0.2.1", "192.0.2.1", false},
		{"the same, mapped", "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1", false},
		{"another address", "192.0.2.1", "192.0.2.1", "192.0.2.2", true},
		{"another address of the same /64", "2001:db8::1", "2001:db8::2", "2001:db8::3", false},
		{"another /64", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", true},
		{"a proxy on this machine", "127.0.0.1", "127.0.0.1", "127.0.0.1", true},
		{"and by IPv6", "::1", "::1", "::1", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := NewStack(Config{MaxConnsPerSource: 2})
			defer s.Close()
			for i, from := range []string{tt.first, tt.second, tt.third} {
				c := &streamConn{stack: s}
				in := s.enter(c, netip.MustParseAddr(from))
				if want := i < 2 || tt.in; in != want {
					t.Errorf("connection %d let in: %v, want %v", i+1, in, want)
				}
				if in {
					defer s.flowClosed(Flow{link: c})
				}
			}
		})
	}
}

func TestOutgoingConnectionIsReused(t *testing.T) {
	remotes := make(chan netip.AddrPort, 20)
	bob := newNode(t, Config{Handler: HandlerFunc(func(tx *ServerTx, _ *Request) {
		remotes <- tx.Flow().Remote()
		tx.Reply(200, "")
	})})
	alice := newNode(t, Config{})
	done := make(chan error, 20)
	for range 10 {
		alice.Send(Outbound{Request: optionsTo(t, "sip:bob@"+bob.addr+";transport=tcp")}, func(_ *Response, err error) { done <- err })
	}
	first := wait(t, remotes, "request")
	for range 9 {
		if r := wait(t, remotes, "request"); r != first {
			t.Fatalf("connections %v and %v", first, r)
		}
	}
	for range 10 {
		if err := wait(t, done, "answer"); err != nil {
			t.Fatal(err)
		}
	}
}

// certificate makes a self-signed pair for 127.0.0.1.
func certificate(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12},
		&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

func TestCallOverTLSWithSilentHandshakeBeside(t *testing.T) {
	server, client := certificate(t)
	c := newCall()
	bob := newNode(t, Config{Handler: c.handler()})
	addr, err := bob.ListenTLS(context.Background(), Listen{Addr: "127.0.0.1:0", TLS: server})
	if err != nil {
		t.Fatal(err)
	}
	dialTCP(t, addr.String()) // never shakes hands
	alice := newNode(t, Config{TLSClient: client})
	alice.Invite(invite(t, addr.String()+";transport=tls"), c.events())
	in := wait(t, c.in, "INVITE")
	if !in.Flow().Secure() {
		t.Error("flow is not secure")
	}
	in.Answer([]byte("v=0\r\n"))
	wait(t, c.acked, "ACK")
	in.Dialog().Bye()
	wait(t, c.byes, "BYE")
	wait(t, c.answered, "200")

	stranger := newNode(t, Config{}) // does not trust the certificate
	stranger.Invite(invite(t, addr.String()+";transport=tls"), c.events())
	if code := wait(t, c.failed, "failure"); code != 503 {
		t.Errorf("failed %d", code)
	}
}
