//go:build e2e

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/sip"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestWireTrunkOverTLS calls out over a trunk whose certificate leads to the trunk's
// ca_file, and hears the far end; a certificate that does not lead there gets no call.
func TestWireTrunkOverTLS(t *testing.T) {
	t.Parallel()
	carrier, caFile := newTLSCarrier(t)
	_, foreign := certificateOf(t, carrier.at.Addr())
	for _, c := range []struct {
		name, caFile string
		called       bool
	}{
		{"its own authority", caFile, true},
		{"another authority", foreign, false},
		{"the system's authorities", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			field := ""
			if c.caFile != "" {
				field = fmt.Sprintf(", ca_file: %q", c.caFile)
			}
			o := harness.NewOffhook(t, fmt.Sprintf(`resources:
  users: [{name: desk, password: "purple-monkey", number: "12995550001"}]
  trunks: [{name: carrier, uri: "sip:%s;transport=tls", srtp: "off"%s}]
`, carrier.at, field))
			desk := harness.NewUser(t, o, "desk", "purple-monkey", phone.Config{Say: says(deskHz)})
			call := dial(t, desk, "+"+wiredOutside, phone.DialOptions{})
			if !c.called {
				if ended := call.Await(phone.Ended, longestAnnouncement); ended.Code != 503 || len(carrier.in) != 0 {
					t.Errorf("ended %d %s, %d calls came", ended.Code, ended.Reason, len(carrier.in))
				}
				return
			}
			in := testkit.Receive(t, carrier.in, soon, "INVITE over TLS")
			if !in.Flow().Secure() || !strings.Contains(in.Request().Contact().Address.String(), "transport=tls") {
				t.Errorf("%s, Contact %s", in.Flow(), in.Request().Contact().Address.String())
			}
			in.Answer(fmt.Appendf(nil, "v=0\r\no=- 1 1 IN IP4 127.0.0.5\r\ns=-\r\nc=IN IP4 127.0.0.5\r\nt=0 0\r\nm=audio %d RTP/AVP 0\r\n", echo(t, "127.0.0.5")))
			desk.Await(phone.Answered, soon)
			testkit.Receive(t, carrier.acked, soon, "ACK")
			awaitTone(t, "desk", call.call, deskHz) // its own voice, there and back
			call.call.HangUp()
			testkit.Receive(t, carrier.byes, soon, "BYE")
			o.AwaitMetric("offhook_legs", 0, soon)
		})
	}
}

// tlsCarrier is a far end that takes calls over TLS.
type tlsCarrier struct {
	at    netip.AddrPort
	in    chan *sip.Incoming
	acked chan struct{}
	byes  chan struct{}
}

// newTLSCarrier starts one, and returns the file of its authority.
func newTLSCarrier(t *testing.T) (c *tlsCarrier, caFile string) {
	t.Helper()
	c = &tlsCarrier{in: make(chan *sip.Incoming, 10), acked: make(chan struct{}, 10), byes: make(chan struct{}, 10)}
	var stack *sip.Stack
	stack = sip.NewStack(sip.Config{Handler: sip.HandlerFunc(func(tx *sip.ServerTx, req *sip.Request) {
		if req.Method != sip.INVITE {
			tx.Reply(200, "")
			return
		}
		c.in <- stack.Incoming(tx, sip.IncomingEvents{
			Acked:  func(*sip.Request) { c.acked <- struct{}{} },
			Dialog: sip.DialogEvents{Bye: func(*sip.Dialog, []sip.Reason) { c.byes <- struct{}{} }},
		})
	})})
	t.Cleanup(stack.Close)
	server, caFile := certificateOf(t, netip.MustParseAddr("127.0.0.5"))
	var err error
	if c.at, err = stack.ListenTLS(t.Context(), sip.Listen{Addr: "127.0.0.5:0", TLS: server}); err != nil {
		t.Fatal(err)
	}
	return c, caFile
}

// echo returns a port of ip that sends back whatever comes.
func echo(t *testing.T, ip string) int {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			_, _ = conn.WriteToUDPAddrPort(buf[:n], from) // as lossy as any network
		}
	}()
	addr, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		t.Fatal("no UDP address")
	}
	return addr.Port
}

// certificateOf makes a certificate for ip that signs itself, and the file of it.
func certificateOf(t *testing.T, ip netip.Addr) (server *tls.Config, file string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: ip.String()}, IPAddresses: []net.IP{ip.AsSlice()},
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
