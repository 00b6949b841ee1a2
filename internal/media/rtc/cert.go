package rtc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"

	"github.com/offhook/offhook/internal/media/sdp"
)

// newCertificate makes the certificate of this node. It is never checked against
// an authority: the fingerprint in our answer vouches for it (RFC 8827 section
// 6.5). One per node and not per call, because making a key costs more than a
// whole handshake.
func newCertificate(now time.Time) (tls.Certificate, sdp.Fingerprint, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, sdp.Fingerprint{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return tls.Certificate{}, sdp.Fingerprint{}, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "WebRTC"}, // tells a listener nothing about us
		NotBefore:    now.Add(-24 * time.Hour),        // clocks of phones may be behind
		NotAfter:     now.AddDate(10, 0, 0),           // longer than any process runs
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, sdp.Fingerprint{}, err
	}
	sum := sha256.Sum256(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		sdp.Fingerprint{Hash: "sha-256", Value: sum[:]}, nil
}

// matches reports whether the certificate der has one of the fingerprints. Only
// the hashes of RFC 8122 that are still safe count.
func matches(der []byte, fingerprints []sdp.Fingerprint) bool {
	for _, want := range fingerprints {
		var got []byte
		switch want.Hash {
		case "sha-256":
			sum := sha256.Sum256(der)
			got = sum[:]
		case "sha-384":
			sum := sha512.Sum384(der)
			got = sum[:]
		case "sha-512":
			sum := sha512.Sum512(der)
			got = sum[:]
		default:
			continue
		}
		if want.Equal(sdp.Fingerprint{Hash: want.Hash, Value: got}) {
			return true
		}
	}
	return false
}
