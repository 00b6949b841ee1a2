//go:build e2e

package harness

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Private is a network namespace of a test's own, with only loopback in it, and host
// names of its own. Nothing outside can be reached, nor touched. Every address of
// 127.0.0.0/8 and every port is free there, 443 too.
type Private struct {
	// CA is a file with the authority that signed Cert for all names; it is trusted
	// by the test, and by Node programs that it starts.
	CA        string
	Cert, Key string
}

// privateEnv tells the test that it runs inside; its value is the folder with the
// certificates.
const privateEnv = "OFFHOOK_PRIVATE"

// InPrivate runs show, the body of the test t, in a Private with these names, which
// are lines of /etc/hosts: in a process of its own, which is this program with this
// test alone. When that ends nothing of it is left.
func InPrivate(t *testing.T, within time.Duration, hosts map[string][]string, show func(p *Private)) {
	t.Helper()
	if folder := os.Getenv(privateEnv); folder != "" {
		show(privateIn(folder))
		return
	}
	if out, err := exec.CommandContext(t.Context(), "unshare", "-m", "-n", "true").CombinedOutput(); err != nil {
		t.Skipf("nobody may make namespaces here: %v: %s", err, out)
	}
	folder := t.TempDir()
	names := []string{"localhost"}
	var file strings.Builder
	file.WriteString("127.0.0.1 localhost\n")
	for address, list := range hosts {
		names = append(names, list...)
		file.WriteString(address + " " + strings.Join(list, " ") + "\n")
	}
	write(t, filepath.Join(folder, "hosts"), file.String())
	p := privateIn(folder)
	p.issue(t, names)

	var only []string
	for part := range strings.SplitSeq(t.Name(), "/") {
		only = append(only, "^"+regexp.QuoteMeta(part)+"$")
	}
	const inside = `ip link set lo up && mount --bind "$0" /etc/hosts && exec "$@"`
	cmd := exec.CommandContext(t.Context(), "unshare", "-m", "-n", "sh", "-c", inside, filepath.Join(folder, "hosts"), //nolint:gosec // ourselves
		os.Args[0], "-test.run", strings.Join(only, "/"), "-test.v", "-test.count=1", "-test.timeout", within.String())
	cmd.Env = append(os.Environ(), privateEnv+"="+folder, "SSL_CERT_FILE="+p.CA, "NODE_EXTRA_CA_CERTS="+p.CA)
	run := Start(t, "inside", cmd)
	select {
	case <-run.done:
	case <-time.After(within + 10*time.Second):
		t.Errorf("not over after %v", within)
	}
	if run.Ended() && run.err == nil && len(run.log.Lines("--- PASS: "+t.Name()+" ")) == 1 {
		for _, line := range run.log.Lines("shown:") {
			t.Log(line)
		}
		return
	}
	t.Errorf("inside: %v", run.err)
}

func privateIn(folder string) *Private {
	return &Private{
		CA: filepath.Join(folder, "ca.pem"), Cert: filepath.Join(folder, "cert.pem"), Key: filepath.Join(folder, "key.pem"),
	}
}

// issue makes an authority, and a certificate for names that it signed.
func (p *Private) issue(t testing.TB, names []string) {
	t.Helper()
	sign := func(template, parent *x509.Certificate, by *ecdsa.PrivateKey, file string) (*x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if by == nil {
			parent, by = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
		if err != nil {
			t.Fatal(err)
		}
		write(t, file, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert, key
	}
	now := time.Now()
	ca, caKey := sign(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "offhook tests"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil, p.CA)
	_, key := sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: names[0]}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		DNSNames: names, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(127, 0, 0, 2)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca, caKey, p.Cert)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, p.Key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

// Serve runs an HTTP server at an address until the test ends, with TLS if secure.
func (p *Private) Serve(t testing.TB, at string, secure bool, h http.Handler) {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	t.Cleanup(func() { _ = s.Close() })
	go func() {
		if secure {
			_ = s.ServeTLS(l, p.Cert, p.Key) // until it is closed
			return
		}
		_ = s.Serve(l) // as above
	}()
}

// privateConfig is the configuration of an offhook with the usual ports, of which
// those of HTTPS and SIP are what the names lead to.
const privateConfig = `http: {listen: "%[1]s:443", tls: true}
tls: {cert_file: "%[2]s", key_file: "%[3]s"}
sip: {udp: "%[1]s:5060", tcp: "%[1]s:5060", tls: "%[1]s:5061"}
store: {folder: "%[4]s"}
log: {level: debug, format: text}
`

// NewOffhookPrivate starts an offhook at an address of a Private. Media of more must
// not bind what the test's phones need.
func NewOffhookPrivate(t testing.TB, p *Private, address, more string) *Offhook {
	t.Helper()
	o := &Offhook{t: t, secure: true, Folder: t.TempDir(), HTTP: address + ":443", SIP: address + ":5060", TLS: address + ":5061"}
	o.file = filepath.Join(Artifacts(t), "offhook.yaml")
	write(t, o.file, fmt.Sprintf(privateConfig, address, p.Cert, p.Key, o.Folder)+more)
	o.Start()
	return o
}
