package rtp

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/guard"
	"github.com/offhook/offhook/internal/media/sdp"
)

const (
	// replayWindow is how many packets may arrive out of order.
	replayWindow = 128
	// wrongKey is how many packets in a row that cannot be read mean that the far
	// end uses another key.
	wrongKey = 25
)

// profiles are the suites as pion/srtp names them.
var profiles = map[sdp.Suite]srtp.ProtectionProfile{
	sdp.AESGCM128: srtp.ProtectionProfileAeadAes128Gcm,
	sdp.AESCM80:   srtp.ProtectionProfileAes128CmHmacSha1_80,
	sdp.AESCM32:   srtp.ProtectionProfileAes128CmHmacSha1_32,
}

// shield protects the packets of a path: SRTP with keys from the signalling
// (RFC 3711, RFC 4568).
type shield struct {
	crypto sdp.Crypto // what it was made of
	*opener
	*sealer
}

// opener reads what comes, with the far end's key.
type opener struct {
	reading     sync.Mutex // guards what follows: RTP and RTCP come on two sockets
	in          *srtp.Context
	sources     guard.Sources // whose packets were read
	controllers guard.Sources
	failed      int  // packets in a row that could not be read
	told        bool // that they cannot
	head        rtp.Header
	control     rtcp.Header
}

// sealer protects what is sent, with our key.
type sealer struct {
	mu      sync.Mutex // guards what follows
	out     *srtp.Context
	sent    guard.Window
	sending rtp.Header
	buf     [headerSize + media.MaxPayload + media.TailRoom]byte
}

// newShield returns a shield that goes on where former, which may be nil, has the
// same key. A phone that puts us on hold may change its key alone: the other
// direction's count of packets goes on (RFC 3711 section 3.3.1), and a key that
// began anew would protect two packets with one key stream.
func newShield(c sdp.Crypto, former *shield) (s *shield, err error) {
	s = &shield{crypto: c}
	if former != nil && former.crypto.Suite == c.Suite {
		if slices.Equal(former.crypto.Remote, c.Remote) {
			s.opener = former.opener
		}
		if slices.Equal(former.crypto.Local, c.Local) {
			s.sealer = former.sealer
		}
	}
	n, profile := c.Suite.KeySize(), profiles[c.Suite]
	if s.opener == nil {
		s.opener = new(opener)
		s.in, err = srtp.CreateContext(c.Remote[:n], c.Remote[n:], profile,
			srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow))
		if err != nil {
			return nil, fmt.Errorf("rtp: far end's key: %w", err)
		}
	}
	if s.sealer == nil {
		s.sealer = new(sealer)
		if s.out, err = srtp.CreateContext(c.Local[:n], c.Local[n:], profile); err != nil {
			return nil, fmt.Errorf("rtp: our key: %w", err)
		}
	}
	return s, nil
}

// same reports whether s has these keys, nil being none.
func (s *shield) same(c *sdp.Crypto) bool {
	if s == nil || c == nil {
		return s == nil && c == nil
	}
	return s.crypto.Suite == c.Suite && slices.Equal(s.crypto.Local, c.Local) && slices.Equal(s.crypto.Remote, c.Remote)
}

// open reads an SRTP packet in place. bad is true once, for a far end that seems to
// use another key.
func (s *shield) open(packet []byte) (plain []byte, ok, bad bool) {
	s.reading.Lock()
	defer s.reading.Unlock()
	if len(packet) >= headerSize {
		sources, room := s.sources.Admit(binary.BigEndian.Uint32(packet[8:]))
		if room {
			if plain, err := s.in.DecryptRTP(packet, packet, &s.head); err == nil {
				s.sources, s.failed = sources, 0
				return plain, true, false
			}
		}
	}
	s.failed++
	bad = s.failed >= wrongKey && !s.told
	s.told = s.told || bad
	return nil, false, bad
}

// openControl reads an SRTCP packet in place.
func (s *shield) openControl(packet []byte) (plain []byte, ok bool) {
	if len(packet) < 8 {
		return nil, false
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	sources, room := s.controllers.Admit(binary.BigEndian.Uint32(packet[4:]))
	if !room {
		return nil, false
	}
	plain, err := s.in.DecryptRTCP(packet, packet, &s.control)
	if err != nil {
		return nil, false
	}
	s.controllers = sources
	return plain, true
}

// seal returns packet as SRTP, which is valid as long as mu is held. It reports
// false if its number was sent before.
func (s *shield) seal(packet *media.Packet, ssrc uint32) (sealed []byte, ok bool) {
	if !s.sent.Take(packet.Seq) {
		return nil, false
	}
	b := s.buf[:copy(s.buf[:], write(packet, ssrc))]
	sealed, err := s.out.EncryptRTP(b, b, &s.sending)
	return sealed, err == nil
}

// sealControl returns RTCP as SRTCP, which is valid as long as mu is held.
func (s *shield) sealControl(plain []byte) (sealed []byte, ok bool) {
	sealed, err := s.out.EncryptRTCP(s.buf[:0], plain, nil)
	return sealed, err == nil
}
