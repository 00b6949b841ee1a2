//go:build e2e

package e2e

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"
)

// stranger is a UDP socket that says what no phone of ours would.
type stranger struct {
	t    *testing.T
	conn *net.UDPConn
	to   string
}

// newStranger returns a stranger at an address of loopback.
func newStranger(t *testing.T, ip, to string) *stranger {
	t.Helper()
	server := netip.MustParseAddrPort(to)
	conn, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ip), 0)), net.UDPAddrFromAddrPort(server))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &stranger{t: t, conn: conn, to: to}
}

// answer is a final response.
type answer struct {
	code int
	text string
	took time.Duration
}

// header returns the first value of a header.
func (a answer) header(name string) string {
	for line := range strings.Lines(a.text) {
		if v, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// ask sends a request and returns its final response. More are further header
// lines without line ends.
func (s *stranger) ask(method, user, from string, more ...string) answer {
	s.t.Helper()
	me, id := s.conn.LocalAddr().String(), rand.Text()
	head := func(method string) string {
		return fmt.Sprintf("%s sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\n"+
			"From: <sip:%s@%s>;tag=%s\r\nTo: <sip:%s@%s>\r\nCall-ID: %s\r\nCSeq: 1 %s\r\nContact: <sip:x@%s>\r\n",
			method, user, s.to, me, id, from, s.to, id[:8], user, s.to, id, method, me)
	}
	body := ""
	if method == "INVITE" {
		host, _, _ := net.SplitHostPort(me)
		body = "v=0\r\no=- 1 1 IN IP4 " + host + "\r\ns=-\r\nc=IN IP4 " + host + "\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
		more = append(more, "Content-Type: application/sdp")
	}
	request := head(method) + strings.Join(append(more, "Content-Length: "+strconv.Itoa(len(body))), "\r\n") + "\r\n\r\n" + body
	begun := time.Now()
	s.send(request)
	a := s.final(id, begun)
	if method == "INVITE" {
		s.send(head("ACK") + "Content-Length: 0\r\n\r\n")
	}
	return a
}

func (s *stranger) send(text string) {
	s.t.Helper()
	if _, err := s.conn.Write([]byte(text)); err != nil {
		s.t.Fatal(err)
	}
}

// final waits for the final response to the request with that Call-ID.
func (s *stranger) final(callID string, begun time.Time) answer {
	s.t.Helper()
	buf := make([]byte, 65536)
	for {
		if err := s.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			s.t.Fatal(err)
		}
		n, err := s.conn.Read(buf)
		if err != nil {
			s.t.Fatalf("no final response: %v", err)
		}
		a := answer{text: string(buf[:n]), took: time.Since(begun)}
		if _, err := fmt.Sscanf(a.text, "SIP/2.0 %d", &a.code); err == nil && a.code >= 200 && a.header("Call-ID") == callID {
			return a
		}
	}
}

// askAs asks twice: for a challenge, and again with an answer to it.
func (s *stranger) askAs(username, password, method, user, from string) answer {
	s.t.Helper()
	challenged := s.ask(method, user, from)
	name, value := "Authorization", challenged.header("WWW-Authenticate")
	if challenged.code == 407 {
		name, value = "Proxy-Authorization", challenged.header("Proxy-Authenticate")
	}
	challenge, err := digest.ParseChallenge(value)
	if err != nil {
		s.t.Fatalf("%d %q: %v", challenged.code, value, err)
	}
	credentials, err := digest.Digest(challenge, digest.Options{
		Method: method, URI: "sip:" + user + "@" + s.to, Username: username, Password: password,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.ask(method, user, from, name+": "+credentials.String())
}
