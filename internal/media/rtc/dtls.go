package rtc

import (
	"context"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/logging"

	"github.com/offhook/offhook/internal/media/sdp"
)

// errFingerprint says that the certificate is not the one the offer vouched for.
var errFingerprint = errors.New("the certificate does not match the offer's fingerprint")

// association is one DTLS association of a path with one certificate of the far
// end. It is made by Answer, begins with the far end's ClientHello and gives the
// SRTP keys. ICE restarts keep it; another peer connection of the same device
// makes another one.
type association struct {
	path         *Path
	pipe         *pipe
	fingerprints []sdp.Fingerprint
	session      uint64 // the far end's o= session id
	begun        bool   // a ClientHello was seen; needs reading
	keys         atomic.Pointer[keys]
	cancel       context.CancelFunc
	ctx          context.Context //nolint:containedctx // ends the association's goroutine, which starts later
}

func newAssociation(p *Path, session uint64, fingerprints []sdp.Fingerprint) *association {
	ctx, cancel := context.WithCancel(context.Background())
	return &association{
		path: p, pipe: newPipe(p), session: session, fingerprints: fingerprints, ctx: ctx, cancel: cancel,
	}
}

// deliver takes a record; needs reading. The first ClientHello starts
// the handshake if one more may run; if not the record is dropped and the far
// end repeats it within a second (RFC 6347 section 4.2.4.1).
func (a *association) deliver(record []byte) {
	if !a.begun {
		if !isClientHello(record) {
			a.path.malformed.Add(1)
			return
		}
		select {
		case a.path.srv.handshakes <- struct{}{}:
		default:
			return
		}
		a.begun = true
		if !a.path.spawn(a.run) {
			<-a.path.srv.handshakes
			return
		}
	}
	if k := a.keys.Load(); k != nil && !genuine(record, len(k.sources)+len(k.inRTCP) > 0) {
		a.path.malformed.Add(1)
		return
	}
	a.pipe.deliver(record)
}

// genuine reports whether all records of a datagram may reach an association
// after its handshake. The DTLS package still acts on records that are not
// encrypted then, so anybody who forges the far end's address could end a call
// with one alert. A repeated last flight is let through until the far end has
// proved by its first SRTP packet that it has the keys.
func genuine(b []byte, proved bool) bool {
	const changeCipherSpec, handshake, recordHeader = 20, 22, 13
	for len(b) > 0 {
		if len(b) < recordHeader {
			return false
		}
		length := int(binary.BigEndian.Uint16(b[11:]))
		if len(b) < recordHeader+length {
			return false
		}
		if plain := b[3] == 0 && b[4] == 0; plain {
			ordered := b[0] == changeCipherSpec && length == 1 && b[recordHeader] == 1
			if proved || b[0] != handshake && !ordered {
				return false
			}
		}
		b = b[recordHeader+length:]
	}
	return true
}

// isClientHello reports whether a datagram begins with a handshake record of
// epoch 0 that holds a ClientHello (RFC 6347 section 4.1 and 4.2.2).
func isClientHello(b []byte) bool {
	const handshake, clientHello, recordHeader = 22, 1, 13
	return len(b) > recordHeader && b[0] == handshake && b[1] == 0xfe && b[3] == 0 && b[4] == 0 && b[recordHeader] == clientHello
}

// run does the handshake, installs the keys and stays until the far end closes
// the association or the path drops it. It gives its handshake slot back.
func (a *association) run() {
	conn, err := a.handshake()
	<-a.path.srv.handshakes
	if err != nil {
		a.path.failed(a, err)
		return
	}
	a.path.secure(a)
	defer context.AfterFunc(a.ctx, func() { _ = conn.SetReadDeadline(time.Now()) })()
	// Nothing but close_notify is expected; reading also lets the association
	// repeat its last flight should that be lost. Errors about single records
	// leave it alive.
	for buf := make([]byte, 64); !errors.Is(err, io.EOF) && a.ctx.Err() == nil; {
		_, err = conn.Read(buf)
	}
	a.path.failed(a, ErrClosed)
	_ = conn.Close() // sends close_notify; there is nothing to do about a failure
}

func (a *association) handshake() (*dtls.Conn, error) {
	conn, err := dtls.ServerWithOptions(
		a.pipe, a.pipe.RemoteAddr(),
		dtls.WithCertificates(a.path.srv.cert),
		dtls.WithClientAuth(dtls.RequireAnyClientCert),
		dtls.WithVerifyPeerCertificate(a.verify),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		// GCM first: it costs half of AES-CM with HMAC-SHA1.
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
		// The far end's address is proved by ICE, a cookie would cost a round trip.
		dtls.WithInsecureSkipVerifyHello(true),
		dtls.WithFlightInterval(200*time.Millisecond),
		dtls.WithLoggerFactory(quiet()),
	)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(a.ctx, a.path.srv.cfg.HandshakeTimeout)
	defer cancel()
	if err = conn.HandshakeContext(ctx); err == nil {
		err = a.derive(conn)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("dtls handshake: %w", err), conn.Close())
	}
	return conn, nil
}

// derive sets the SRTP keys (RFC 5764 section 4.2).
func (a *association) derive(conn *dtls.Conn) error {
	state, ok := conn.ConnectionState()
	if !ok {
		return errors.New("no connection state")
	}
	profile, ok := conn.SelectedSRTPProtectionProfile()
	if !ok {
		return errors.New("no SRTP protection profile in common")
	}
	k, err := deriveKeys(&state, profile)
	if err != nil {
		return err
	}
	a.keys.Store(k)
	return nil
}

func (a *association) verify(raw [][]byte, _ [][]*x509.Certificate) error {
	if len(raw) == 0 || !matches(raw[0], a.fingerprints) {
		return errFingerprint
	}
	return nil
}

// sameAs reports whether an offer speaks of the peer connection that a is with.
func (a *association) sameAs(r sdp.WebResult) bool {
	if a.session != r.Session || len(a.fingerprints) != len(r.Fingerprints) {
		return false
	}
	for i, f := range a.fingerprints {
		if !f.Equal(r.Fingerprints[i]) {
			return false
		}
	}
	return true
}

// quiet keeps the DTLS package's log off stderr: hostile records would fill it,
// and what matters comes back as errors.
func quiet() logging.LoggerFactory {
	return &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled}
}
