package file

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/offhook/offhook/internal/media/codec"
)

// ErrOpus is an Ogg file with something else than Opus of one or two channels.
var ErrOpus = errors.New("not an Ogg/Opus file that can be decoded")

// opusHead is the first packet of a stream (RFC 7845 section 5.1).
type opusHead struct {
	Magic    [8]byte
	Version  uint8
	Channels uint8
	PreSkip  uint16 // samples at 48 kHz that are not to be heard
	Rate     uint32 // of what was encoded; nothing depends on it
	Gain     int16  // dB in units of 1/256
	Mapping  uint8
}

// opusMagic begins the first packet.
const opusMagic = "OpusHead"

func (h opusHead) check() error {
	if string(h.Magic[:]) != opusMagic || h.Version > 15 {
		return fmt.Errorf("file: %w", ErrOpus)
	}
	if h.Mapping != 0 || h.Channels < 1 || h.Channels > 2 {
		return fmt.Errorf("file: %d channels, mapping %d: %w", h.Channels, h.Mapping, ErrOpus)
	}
	return nil
}

// opusUnit is how many samples of an Ogg position are one of ours.
const opusUnit = 48000 / wide

// decodeOpus reads the first stream of an Ogg file, which must be Opus. Its
// decoder samples at any rate and mixes to mono by itself.
func decodeOpus(in *bufio.Reader, s *sink) error {
	ogg := &oggReader{in: in}
	packet, err := ogg.read()
	if err != nil {
		return fmt.Errorf("file: %w: %w", ErrOpus, err)
	}
	var head opusHead
	if _, err := binary.Decode(packet, binary.LittleEndian, &head); err != nil {
		return fmt.Errorf("file: %w", ErrOpus)
	}
	if err := head.check(); err != nil {
		return err
	}
	if _, err := ogg.read(); err != nil { // comments
		return fmt.Errorf("file: %w: %w", ErrOpus, err)
	}
	dec, err := codec.NewDecoder(codec.Opus, wide)
	if err != nil {
		return fmt.Errorf("file: %w", err)
	}
	s.begin(wide)
	skip := int(head.PreSkip) / opusUnit
	gain := math.Pow(10, float64(head.Gain)/256/20)
	pcm := make([]int16, codec.MaxSamples(wide))
	for {
		packet, err := ogg.read()
		if err != nil {
			s.cut(ogg.length(head.PreSkip))
			return nil //nolint:nilerr // the end, or damage behind what was heard so far
		}
		n, err := dec.Decode(pcm, packet)
		if err != nil {
			continue // one packet is lost
		}
		heard := pcm[min(skip, n):n]
		skip -= n - len(heard)
		amplify(heard, gain)
		if err := s.add(heard); err != nil {
			return err
		}
	}
}

// length returns how many of our samples the stream says it has, 0 if unknown:
// its last packet holds more than that.
func (o *oggReader) length(preSkip uint16) int {
	if !o.begun || o.page.flags&oggLast == 0 || o.page.granule < int64(preSkip) {
		return 0
	}
	return int(min((o.page.granule-int64(preSkip))/opusUnit, math.MaxInt32))
}

// cut takes away what is behind length, which is the rest of a packet. A stream
// cut out of a longer one counts from elsewhere; that is left as it is.
func (s *sink) cut(length int) {
	const packet = wide * 120 / 1000
	if more := len(s.pcm.Samples) - length; length > 0 && more > 0 && more <= packet {
		s.pcm.Samples = s.pcm.Samples[:length]
	}
}

func amplify(pcm []int16, gain float64) {
	if gain == 1 {
		return
	}
	for i, v := range pcm {
		pcm[i] = int16(max(math.MinInt16, min(math.MaxInt16, math.Round(float64(v)*gain))))
	}
}
