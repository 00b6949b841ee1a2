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

// opusStreams follows if the mapping is not 0.
type opusStreams struct {
	Streams uint8
	Coupled uint8    // of them, how many are stereo
	Channel [2]uint8 // which channel of the streams each one is
}

// opusMagic begins the first packet.
const opusMagic = "OpusHead"

// readOpusHead reads the first packet, and of how many streams the others are: one,
// of one or two channels, or two of one.
func readOpusHead(packet []byte) (head opusHead, streams int, err error) {
	n, err := binary.Decode(packet, binary.LittleEndian, &head)
	if err != nil || string(head.Magic[:]) != opusMagic || head.Version > 15 {
		return head, 0, fmt.Errorf("file: %w", ErrOpus)
	}
	if head.Mapping == 0 && (head.Channels == 1 || head.Channels == 2) {
		return head, 1, nil
	}
	var more opusStreams
	_, err = binary.Decode(packet[n:], binary.LittleEndian, &more)
	if err != nil || head.Mapping != 1 || more != dualMono() || head.Channels != 2 {
		return head, 0, fmt.Errorf("file: %d channels, mapping %d: %w", head.Channels, head.Mapping, ErrOpus)
	}
	return head, 2, nil
}

// dualMono are two channels that know nothing of each other.
func dualMono() opusStreams { return opusStreams{Streams: 2, Channel: [2]uint8{0, 1}} }

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
	head, streams, err := readOpusHead(packet)
	if err != nil {
		return err
	}
	if _, err := ogg.read(); err != nil { // comments
		return fmt.Errorf("file: %w: %w", ErrOpus, err)
	}
	dec, err := newOpusMix(streams)
	if err != nil {
		return err
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
		n, err := dec.decode(pcm, packet)
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

// opusMix decodes the streams of a file, each by itself, and mixes them.
type opusMix struct {
	streams []codec.Decoder
	other   []int16 // of the streams behind the first
}

func newOpusMix(streams int) (*opusMix, error) {
	m := &opusMix{other: make([]int16, codec.MaxSamples(wide))}
	for range streams {
		dec, err := codec.NewDecoder(codec.Opus, wide)
		if err != nil {
			return nil, fmt.Errorf("file: %w", err)
		}
		m.streams = append(m.streams, dec)
	}
	return m, nil
}

// decode returns how many samples the packet has.
func (m *opusMix) decode(pcm []int16, packet []byte) (int, error) {
	if len(m.streams) == 1 {
		return m.streams[0].Decode(pcm, packet)
	}
	first, second, err := splitOpus(packet)
	if err != nil {
		return 0, err
	}
	n, err := m.streams[0].Decode(pcm, first)
	if err != nil {
		return 0, err
	}
	if _, err := m.streams[1].Decode(m.other, second); err != nil {
		return 0, err
	}
	for i := range n {
		pcm[i] = int16((int(pcm[i]) + int(m.other[i])) / 2)
	}
	return n, nil
}

// splitOpus parts the packet of two streams: the first one's has its length behind
// its first byte (RFC 6716 appendix B). Only packets of one frame are understood,
// which is what our own recordings have.
func splitOpus(packet []byte) (first, second []byte, err error) {
	if len(packet) < 2 || packet[0]&3 != 0 {
		return nil, nil, ErrOpus
	}
	length, begin := int(packet[1]), 2
	if length >= 252 && len(packet) > 2 {
		length, begin = length+4*int(packet[2]), 3
	}
	if begin+length > len(packet) {
		return nil, nil, ErrOpus
	}
	first = append([]byte{packet[0]}, packet[begin:begin+length]...)
	return first, packet[begin+length:], nil
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
	more := s.length - length
	if length <= 0 || more > packet {
		return
	}
	for more > 0 {
		last := len(s.blocks) - 1
		n := min(more, len(s.blocks[last]))
		s.blocks[last] = s.blocks[last][:len(s.blocks[last])-n]
		if len(s.blocks[last]) == 0 {
			s.blocks = s.blocks[:last]
		}
		more -= n
		s.length -= n
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
