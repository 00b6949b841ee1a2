package rtc

import (
	"encoding/binary"
	"slices"
	"sync"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// maxSources is how many synchronisation sources one association may send with.
// A browser has one per microphone track; without a limit an authenticated but
// hostile one could make us keep state for 2^32.
const maxSources = 16

// replayWindow is the number of packets that may arrive out of order.
const replayWindow = 128

// keys are the SRTP contexts of one association.
type keys struct {
	// Need the path's reading.
	in      *srtp.Context
	sources []uint32
	inRTCP  []uint32

	mu   sync.Mutex // guards what follows
	out  *srtp.Context
	sent window
	head rtp.Header
	buf  [maxDatagram]byte
}

// deriveKeys makes the contexts of the server's side (RFC 5764 section 4.2).
func deriveKeys(from srtp.KeyingMaterialExporter, profile dtls.SRTPProtectionProfile) (*keys, error) {
	cfg := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := cfg.ExtractSessionKeysFromDTLS(from, false); err != nil {
		return nil, err
	}
	in, err := srtp.CreateContext(
		cfg.Keys.RemoteMasterKey, cfg.Keys.RemoteMasterSalt, cfg.Profile,
		srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow),
	)
	if err != nil {
		return nil, err
	}
	out, err := srtp.CreateContext(cfg.Keys.LocalMasterKey, cfg.Keys.LocalMasterSalt, cfg.Profile)
	if err != nil {
		return nil, err
	}
	return &keys{in: in, out: out}, nil
}

// open decrypts an SRTP packet in place. Needs reading.
func (k *keys) open(packet []byte, head *rtp.Header) (plain []byte, ok bool) {
	if len(packet) < rtpHeader {
		return nil, false
	}
	known, ok := admit(k.sources, binary.BigEndian.Uint32(packet[8:]))
	if !ok {
		return nil, false
	}
	plain, err := k.in.DecryptRTP(packet, packet, head)
	if err != nil {
		return nil, false
	}
	k.sources = known
	return plain, true
}

// openRTCP decrypts an SRTCP packet in place. Needs reading.
func (k *keys) openRTCP(packet []byte, head *rtcp.Header) (plain []byte, ok bool) {
	if len(packet) < 8 {
		return nil, false
	}
	known, ok := admit(k.inRTCP, binary.BigEndian.Uint32(packet[4:]))
	if !ok {
		return nil, false
	}
	plain, err := k.in.DecryptRTCP(packet, packet, head)
	if err != nil {
		return nil, false
	}
	k.inRTCP = known
	return plain, true
}

// admit returns list with ssrc, or false if it is full.
func admit(list []uint32, ssrc uint32) ([]uint32, bool) {
	if slices.Contains(list, ssrc) {
		return list, true
	}
	if len(list) == maxSources {
		return nil, false
	}
	return append(list, ssrc), true
}

// window remembers which of the last 64 sequence numbers were sent.
type window struct {
	begun   bool
	highest uint16
	bits    uint64 // bit n: highest-n was sent
}

// take reports whether seq may be sent, and marks it. A number that was sent, or
// is too old to know, must not be sent again with the same key: in GCM that
// would give the key away (RFC 7714 section 13.1).
func (w *window) take(seq uint16) bool {
	if !w.begun {
		*w = window{begun: true, highest: seq, bits: 1}
		return true
	}
	ahead := int16(seq - w.highest)
	switch {
	case ahead > 0:
		w.bits = w.bits<<uint(ahead) | 1
		w.highest = seq
		return true
	case ahead <= -64 || w.bits>>uint(-ahead)&1 == 1:
		return false
	}
	w.bits |= 1 << uint(-ahead)
	return true
}
