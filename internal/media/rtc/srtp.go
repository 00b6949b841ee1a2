package rtc

import (
	"encoding/binary"
	"sync"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/offhook/offhook/internal/media/guard"
)

// replayWindow is the number of packets that may arrive out of order.
const replayWindow = 128

// keys are the SRTP contexts of one association.
type keys struct {
	// Need the path's reading.
	in      *srtp.Context
	sources guard.Sources
	inRTCP  guard.Sources

	mu   sync.Mutex // guards what follows
	out  *srtp.Context
	sent guard.Window
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
	known, ok := k.sources.Admit(binary.BigEndian.Uint32(packet[8:]))
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
	known, ok := k.inRTCP.Admit(binary.BigEndian.Uint32(packet[4:]))
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
