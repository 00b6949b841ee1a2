package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v3"
	"github.com/pion/transport/v4/deadline"
)

const (
	// checkClock is how often a browser of ours checks a path until it answers.
	checkClock = 5 * time.Millisecond
	// consentClock is how often it does later (RFC 7675 section 5.1).
	consentClock = 4 * time.Second
	// connectLimit is when a path that does not come up has failed.
	connectLimit = 10 * time.Second
)

// identity is the certificate of all browsers of ours, made once.
var identity = sync.OnceValues(func() (tls.Certificate, error) { return selfsign.GenerateSelfSigned() })

// peer is what makes a stream a browser's: ICE, DTLS and SRTP on its socket.
type peer struct {
	ufrag, pwd string
	print      string
	cert       tls.Certificate

	remote, remotePwd string // of the server's agent
	to                netip.AddrPort
	answered          chan struct{} // a check was
	once              sync.Once
	handshake         chan []byte
	association       *dtls.Conn
	stop              context.CancelFunc
	ended             sync.WaitGroup

	mu      sync.Mutex // guards in
	in, out *srtp.Context
}

func newPeer(id string) (*peer, error) {
	cert, err := identity()
	if err != nil {
		return nil, err
	}
	var pairs []string
	for _, b := range sha256.Sum256(cert.Certificate[0]) {
		pairs = append(pairs, fmt.Sprintf("%02X", b))
	}
	return &peer{
		ufrag: "u" + strings.ReplaceAll(id, "-", ""), pwd: strings.Repeat("p", 24), print: strings.Join(pairs, ":"), cert: cert,
		answered: make(chan struct{}), handshake: make(chan []byte, 64),
	}, nil
}

// describe writes the description of a browser with one codec: an offer, or the
// answer to offer.
func (p *peer) describe(payloadType uint8, offer string) string {
	setup, mid := "actpass", "0"
	if offer != "" {
		setup, mid = "active", attribute(offer, "mid")
	}
	coding := "PCMU/8000"
	if payloadType != pcmuType {
		coding = "opus/48000/2"
	}
	return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE %[1]s\r\n"+
		"m=audio 9 UDP/TLS/RTP/SAVPF %[2]d %[8]d\r\nc=IN IP4 0.0.0.0\r\na=mid:%[1]s\r\na=rtcp-mux\r\na=sendrecv\r\na=setup:%[3]s\r\n"+
		"a=ice-ufrag:%[4]s\r\na=ice-pwd:%[5]s\r\na=fingerprint:sha-256 %[6]s\r\na=rtpmap:%[2]d %[7]s\r\na=rtpmap:%[8]d telephone-event/8000\r\n",
		mid, payloadType, setup, p.ufrag, p.pwd, p.print, coding, keysType)
}

// attribute returns the first value of an attribute of a description.
func attribute(description, name string) string {
	_, after, _ := strings.Cut(description, "a="+name+":")
	value, _, _ := strings.Cut(after, "\r\n")
	return value
}

// meet takes the server's description.
func (p *peer) meet(description string) error {
	p.remote, p.remotePwd = attribute(description, "ice-ufrag"), attribute(description, "ice-pwd")
	for line := range strings.Lines(description) {
		fields := strings.Fields(line)
		if !strings.HasPrefix(line, "a=candidate:") || len(fields) < 8 || !strings.EqualFold(fields[2], "udp") {
			continue
		}
		if at, err := netip.ParseAddrPort(fields[4] + ":" + fields[5]); err == nil && at.Addr().IsLoopback() && at.Addr().Is4() {
			p.to = at
			return nil
		}
	}
	return fmt.Errorf("no candidate on loopback in %q", description)
}

// connect checks and secures the path over conn, and keeps it until end.
func (p *peer) connect(conn *net.UDPConn) error {
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	limit, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	for checked := false; !checked; {
		if err := p.check(conn); err != nil {
			return err
		}
		select {
		case <-p.answered:
			checked = true
		case <-time.After(checkClock):
		case <-limit.Done():
			return errors.New("no check was answered")
		}
	}
	if err := p.secure(limit, conn); err != nil {
		return err
	}
	p.ended.Go(func() { p.keep(ctx, conn) })
	return nil
}

// check sends a connectivity check that nominates.
func (p *peer) check(conn *net.UDPConn) error {
	m, err := stun.Build(
		stun.TransactionID, stun.BindingRequest, stun.NewUsername(p.remote+":"+p.ufrag),
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{0x7e, 0, 0, 0xff}},
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: []byte("12345678")},
		stun.RawAttribute{Type: stun.AttrUseCandidate},
		stun.NewShortTermIntegrity(p.remotePwd), stun.Fingerprint,
	)
	if err != nil {
		return err
	}
	_, err = conn.WriteToUDPAddrPort(m.Raw, p.to)
	return err
}

// keep repeats the check for the server's consent.
func (p *peer) keep(ctx context.Context, conn *net.UDPConn) {
	clock := time.NewTicker(consentClock)
	defer clock.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-clock.C:
			if p.check(conn) != nil {
				return
			}
		}
	}
}

// secure does the handshake as client and makes the SRTP contexts.
func (p *peer) secure(ctx context.Context, conn *net.UDPConn) error {
	to := net.UDPAddrFromAddrPort(p.to)
	association, err := dtls.ClientWithOptions(
		&handshakePipe{p, conn, deadline.New()}, to, dtls.WithCertificates(p.cert), dtls.WithInsecureSkipVerify(true),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
	)
	if err != nil {
		return err
	}
	p.association = association
	if err := association.HandshakeContext(ctx); err != nil {
		return err
	}
	state, ok := association.ConnectionState()
	profile, chosen := association.SelectedSRTPProtectionProfile()
	if !ok || !chosen {
		return errors.New("no SRTP profile was agreed on")
	}
	cfg := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := cfg.ExtractSessionKeysFromDTLS(&state, true); err != nil {
		return err
	}
	in, err := srtp.CreateContext(cfg.Keys.RemoteMasterKey, cfg.Keys.RemoteMasterSalt, cfg.Profile)
	if err != nil {
		return err
	}
	if p.out, err = srtp.CreateContext(cfg.Keys.LocalMasterKey, cfg.Keys.LocalMasterSalt, cfg.Profile); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.in = in
	return nil
}

// open returns the RTP packet in a datagram, nil if there is none. What belongs to
// ICE and DTLS is taken.
func (p *peer) open(datagram []byte) []byte {
	switch {
	case stun.IsMessage(datagram):
		p.once.Do(func() { close(p.answered) }) // the server only ever answers
	case datagram[0] < 64:
		select {
		case p.handshake <- append([]byte(nil), datagram...):
		default:
		}
	case datagram[1] < 192 || datagram[1] > 223: // else RTCP
		p.mu.Lock()
		in := p.in
		p.mu.Unlock()
		if in == nil {
			return nil
		}
		if plain, err := in.DecryptRTP(nil, datagram, nil); err == nil {
			return plain
		}
	}
	return nil
}

// end lets go of the path.
func (p *peer) end() {
	if p.stop != nil {
		p.stop()
	}
	p.ended.Wait()
	if p.association != nil {
		_ = p.association.Close()
	}
}

// handshakePipe is the packet connection below the association.
type handshakePipe struct {
	peer   *peer
	conn   *net.UDPConn
	readBy *deadline.Deadline
}

// ReadFrom implements net.PacketConn.
func (h *handshakePipe) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case r := <-h.peer.handshake:
		return copy(b, r), net.UDPAddrFromAddrPort(h.peer.to), nil
	case <-h.readBy.Done():
		return 0, nil, os.ErrDeadlineExceeded
	}
}

// WriteTo implements net.PacketConn.
func (h *handshakePipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	return h.conn.WriteToUDPAddrPort(b, h.peer.to)
}

// SetReadDeadline implements net.PacketConn.
func (h *handshakePipe) SetReadDeadline(t time.Time) error {
	h.readBy.Set(t)
	return nil
}

// Close, LocalAddr, SetDeadline and SetWriteDeadline implement net.PacketConn.
func (h *handshakePipe) Close() error                     { h.readBy.Set(time.Unix(1, 0)); return nil }
func (h *handshakePipe) LocalAddr() net.Addr              { return h.conn.LocalAddr() }
func (h *handshakePipe) SetDeadline(time.Time) error      { return nil }
func (h *handshakePipe) SetWriteDeadline(time.Time) error { return nil }
