package rtc

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v3"
	"github.com/pion/transport/v4/deadline"

	"github.com/offhook/offhook/internal/media/sdp"
)

// light is a browser's side of a path made of bare parts, for what a
// PeerConnection would never send and for benchmarks.
type light struct {
	tb    testing.TB
	conn  *net.UDPConn
	to    *net.UDPAddr
	ours  sdp.Credentials // of the server's agent
	own   sdp.Credentials
	cert  tls.Certificate
	print sdp.Fingerprint
	stun  chan *stun.Message
	dtls  chan []byte
	media chan []byte
	secure
}

// secure is what the handshake gave.
type secure struct {
	association *dtls.Conn
	in, out     *srtp.Context
}

func newLight(tb testing.TB, s *Server) *light {
	tb.Helper()
	cert, fingerprint, err := newCertificate(time.Now())
	if err != nil {
		tb.Fatal(err)
	}
	l := &light{
		tb: tb, to: net.UDPAddrFromAddrPort(s.Addr()), cert: cert, print: fingerprint, own: newCredentials(),
		stun: make(chan *stun.Message, 10), dtls: make(chan []byte, 100), media: make(chan []byte, 1000),
	}
	l.move()
	tb.Cleanup(func() { _ = l.conn.Close() })
	return l
}

// move gives l another source address, as a change of network does.
func (l *light) move() {
	l.tb.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: l.to.IP})
	if err != nil {
		l.tb.Fatal(err)
	}
	if l.conn != nil {
		_ = l.conn.Close()
	}
	l.conn = conn
	go func() {
		for buf := make([]byte, 2048); ; {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			l.sort(append([]byte(nil), buf[:n]...))
		}
	}()
}

func (l *light) sort(b []byte) {
	switch {
	case stun.IsMessage(b):
		m := &stun.Message{Raw: b}
		if m.Decode() == nil {
			l.stun <- m
		}
	case b[0] < 64:
		l.dtls <- b
	default:
		select {
		case l.media <- b:
		default:
		}
	}
}

func (l *light) send(b []byte) {
	if _, err := l.conn.WriteTo(b, l.to); err != nil {
		l.tb.Error(err)
	}
}

// offer is the least that a path takes.
func (l *light) offer() string {
	return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"+
		"m=audio 9 UDP/TLS/RTP/SAVPF 0 101\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtcp-mux\r\na=setup:actpass\r\n"+
		"a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:%s\r\na=rtpmap:101 telephone-event/8000\r\n",
		l.own.Ufrag, l.own.Pwd, l.print)
}

// negotiate gives p an offer of l.
func (l *light) negotiate(p *Path) {
	l.tb.Helper()
	answer, err := p.Answer(context.Background(), l.offer())
	if err != nil {
		l.tb.Fatal(err)
	}
	l.ours = sdp.Credentials{
		Ufrag: line(answer, "a=ice-ufrag")[len("a=ice-ufrag:"):], Pwd: line(answer, "a=ice-pwd")[len("a=ice-pwd:"):],
	}
}

// request is a connectivity check with attributes of the caller's choice.
func (l *light) request(attrs ...stun.Setter) *stun.Message {
	l.tb.Helper()
	setters := append([]stun.Setter{
		stun.TransactionID, stun.BindingRequest, stun.NewUsername(l.ours.Ufrag + ":" + l.own.Ufrag),
	}, attrs...)
	m, err := stun.Build(append(setters, stun.NewShortTermIntegrity(l.ours.Pwd), stun.Fingerprint)...)
	if err != nil {
		l.tb.Fatal(err)
	}
	return m
}

// check sends a check and returns the response.
func (l *light) check(attrs ...stun.Setter) *stun.Message {
	l.tb.Helper()
	m := l.request(attrs...)
	l.send(m.Raw)
	for {
		select {
		case r := <-l.stun:
			if r.TransactionID == m.TransactionID {
				return r
			}
		case <-time.After(5 * time.Second):
			l.tb.Fatal("no response to a check")
		}
	}
}

// ignored reports whether m gets no response.
func (l *light) ignored(m *stun.Message) bool {
	l.send(m.Raw)
	select {
	case <-l.stun:
		return false
	case <-time.After(200 * time.Millisecond):
		return true
	}
}

// nominate is the attribute USE-CANDIDATE.
var nominate = stun.RawAttribute{Type: stun.AttrUseCandidate}

// handshake does the DTLS handshake as a client and derives the SRTP contexts.
func (l *light) handshake(profiles ...dtls.SRTPProtectionProfile) error {
	conn, err := dtls.ClientWithOptions(
		clientPipe{l, deadline.New()}, l.to, dtls.WithCertificates(l.cert), dtls.WithInsecureSkipVerify(true),
		dtls.WithSRTPProtectionProfiles(profiles...), dtls.WithLoggerFactory(quiet()),
	)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	state, _ := conn.ConnectionState()
	profile, _ := conn.SelectedSRTPProtectionProfile()
	cfg := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := cfg.ExtractSessionKeysFromDTLS(&state, true); err != nil {
		return err
	}
	l.association = conn
	l.tb.Cleanup(func() { _ = conn.Close() })
	if l.in, err = srtp.CreateContext(cfg.Keys.RemoteMasterKey, cfg.Keys.RemoteMasterSalt, cfg.Profile); err != nil {
		return err
	}
	l.out, err = srtp.CreateContext(cfg.Keys.LocalMasterKey, cfg.Keys.LocalMasterSalt, cfg.Profile)
	return err
}

// connect negotiates, checks and secures.
func (l *light) connect(p *Path, profile dtls.SRTPProtectionProfile) {
	l.tb.Helper()
	l.negotiate(p)
	l.check(stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{1, 2, 3, 4}}, nominate)
	if err := l.handshake(profile); err != nil {
		l.tb.Fatal(err)
	}
}

// seal makes an SRTP packet of type 0.
func (l *light) seal(seq uint16, ssrc uint32, payload []byte) []byte {
	l.tb.Helper()
	head := binary.BigEndian.AppendUint16([]byte{0x80, 0}, seq)
	head = append(head, 0, 0, 0, 0)
	return l.encrypt(append(binary.BigEndian.AppendUint32(head, ssrc), payload...))
}

// encrypt makes SRTP of an RTP packet.
func (l *light) encrypt(plain []byte) []byte {
	l.tb.Helper()
	b, err := l.out.EncryptRTP(nil, plain, nil)
	if err != nil {
		l.tb.Fatal(err)
	}
	return b
}

// clientPipe is the packet connection below l's association.
type clientPipe struct {
	l      *light
	readBy *deadline.Deadline
}

func (c clientPipe) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case r := <-c.l.dtls:
		return copy(b, r), c.l.to, nil
	case <-c.readBy.Done():
		return 0, nil, os.ErrDeadlineExceeded
	}
}

func (c clientPipe) SetReadDeadline(t time.Time) error {
	c.readBy.Set(t)
	return nil
}

func (c clientPipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	_, err := c.l.conn.WriteTo(b, c.l.to)
	return len(b), err
}
func (clientPipe) Close() error                     { return nil }
func (clientPipe) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(netip.AddrPort{}) }
func (clientPipe) SetDeadline(time.Time) error      { return nil }
func (clientPipe) SetWriteDeadline(time.Time) error { return nil }
