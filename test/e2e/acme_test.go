//go:build e2e

package e2e

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestCertificateOfAuthority gets a certificate from Pebble, the test server of
// Let's Encrypt, which connects back to the HTTPS port of the domain as the real one
// does. The next start has it from the folder, for SIP over TLS too.
func TestCertificateOfAuthority(t *testing.T) {
	const domain = "phones.example.com"
	o := newSecureOffhook(t, domain)
	authority := newAuthority(t, o.http)
	t.Setenv("SSL_CERT_FILE", authority.file) // whom offhook trusts as an authority
	o.start(t, authority.directory)

	first := o.certificate(t, o.http, domain, authority.roots)
	unnamed := o.certificate(t, o.tls, "", nil)
	if unnamed.Subject.CommonName == "" && len(unnamed.DNSNames) == 0 || unnamed.SerialNumber.Cmp(first.SerialNumber) != 0 {
		t.Errorf("SIP over TLS without a name has certificate %v of %v, want %v", unnamed.SerialNumber, unnamed.DNSNames, first.SerialNumber)
	}
	if conn, err := tls.Dial("tcp", o.http, &tls.Config{ServerName: "other.example.com", InsecureSkipVerify: true}); err == nil { //nolint:gosec // a test of refusal
		t.Error("there is a certificate for a domain that is not ours")
		_ = conn.Close()
	}
	o.process.Kill()
	o.start(t, authority.directory)
	if again := o.certificate(t, o.http, domain, authority.roots); again.SerialNumber.Cmp(first.SerialNumber) != 0 {
		t.Error("the next start asked for another certificate")
	}
}

// secureOffhook is an offhook with HTTPS.
type secureOffhook struct {
	process           *harness.Process
	file, folder      string
	domain, http, tls string
	starts            int
}

func newSecureOffhook(t *testing.T, domain string) *secureOffhook {
	t.Helper()
	port := func() string { return fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t, "127.0.0.1")) }
	return &secureOffhook{
		folder: t.TempDir(), file: filepath.Join(harness.Artifacts(t), "offhook.yaml"), domain: domain, http: port(), tls: port(),
	}
}

func (o *secureOffhook) start(t *testing.T, directory string) {
	t.Helper()
	config := fmt.Sprintf(`http: {listen: %q, tls: true}
tls: {acme_domains: [%s], acme_directory: %q, acme_email: people@example.com}
sip: {udp: "", tcp: "", tls: %q}
media: {webrtc_udp: "127.0.0.1:0"}
store: {folder: %q}
resources: {users: [{name: ann, password: "sixteen tons of coal"}]}
`, o.http, o.domain, directory, o.tls, o.folder)
	if err := os.WriteFile(o.file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	o.starts++
	binary := cmp.Or(os.Getenv("OFFHOOK_BINARY"), filepath.Join(harness.Root(t), "bin", "offhook"))
	o.process = harness.Start(t, fmt.Sprintf("offhook-%d", o.starts), exec.CommandContext(t.Context(), binary, "serve", "-c", o.file)) //nolint:gosec // our own program
	testkit.Eventually(t, 20*time.Second, "offhook listens", func() bool {
		conn, err := net.Dial("tcp", o.http)
		if err != nil {
			return false
		}
		_ = conn.Close()
		return true
	})
}

// certificate returns what a client gets that asks for a domain, and checks it
// against roots if there are any.
func (o *secureOffhook) certificate(t *testing.T, address, domain string, roots *x509.CertPool) *x509.Certificate {
	t.Helper()
	var got *x509.Certificate
	var failed error
	testkit.Eventually(t, 60*time.Second, "a certificate comes", func() bool {
		var conn *tls.Conn
		conn, failed = tls.Dial("tcp", address, &tls.Config{ServerName: domain, RootCAs: roots, InsecureSkipVerify: roots == nil}) //nolint:gosec // for clients that know no name
		if failed != nil {
			t.Log(failed)
			return false
		}
		got = conn.ConnectionState().PeerCertificates[0]
		_ = conn.Close()
		return true
	})
	return got
}

// authority is a running Pebble.
type authority struct {
	directory string // its URL
	file      string // the certificate of its own HTTPS
	roots     *x509.CertPool
}

// newAuthority starts one that resolves every name to this machine and finds HTTPS
// at port.
func newAuthority(t *testing.T, at string) *authority {
	t.Helper()
	_, port, err := net.SplitHostPort(at)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	local := func() string { return fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t, "127.0.0.1")) }
	dns, listen, management := local(), local(), local()
	a := &authority{directory: "https://" + listen + "/dir", file: filepath.Join(dir, "ca.crt")}
	key := filepath.Join(dir, "ca.key")
	writeSelfSigned(t, a.file, key)
	config := filepath.Join(dir, "pebble.json")
	text := fmt.Sprintf(`{"pebble": {"listenAddress": %q, "managementListenAddress": %q, "certificate": %q, "privateKey": %q, "httpPort": 1, "tlsPort": %s}}`,
		listen, management, a.file, key, port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tools := filepath.Join(harness.Root(t), ".tools")
	harness.Start(t, "names", exec.CommandContext(t.Context(), filepath.Join(tools, "pebble-challtestsrv"), //nolint:gosec // installed by make setup
		"-dnsserver", dns, "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "", "-management", local()))
	pebble := exec.CommandContext(t.Context(), filepath.Join(tools, "pebble"), "-config", config, "-dnsserver", dns) //nolint:gosec // as above
	pebble.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
	harness.Start(t, "pebble", pebble)

	own, err := os.ReadFile(a.file)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(own)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}} //nolint:gosec // TLS 1.2 by default
	a.roots = x509.NewCertPool()
	testkit.Eventually(t, 20*time.Second, "the authority answers", func() bool {
		res, err := client.Get("https://" + management + "/roots/0")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		root, err := io.ReadAll(res.Body)
		return err == nil && a.roots.AppendCertsFromPEM(root)
	})
	return a
}

// writeSelfSigned makes the certificate of a server on this machine.
func writeSelfSigned(t *testing.T, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
