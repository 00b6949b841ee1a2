package file

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/offhook/offhook/internal/media/codec"
)

const (
	// opusFrames is how many packets go to a page: what a crash may cost is a second.
	opusFrames = 50
	// opusPreSkip is how far Opus lags behind, in samples at 48 kHz.
	opusPreSkip = 312
	// opusPacket is how long a packet lasts, in samples at 48 kHz: 20 ms.
	opusPacket = 960
)

// OpusWriter writes an Ogg/Opus file as samples come. What was written can be
// played at any time, also after a crash, but for the last second. Two channels
// are two streams, so that nothing of one is heard in the other. It is not safe
// for concurrent use.
type OpusWriter struct {
	to     io.Writer
	enc    []codec.Encoder // of each channel
	frame  int             // samples of a packet
	fifo   [][]int16       // of each channel, less than a frame
	serial uint32
	number uint32 // of the next page

	// What follows is the page to come.
	table   []byte
	body    []byte
	packets int
	granule int64 // samples at 48 kHz so far

	page   []byte
	packet [2 * 1500]byte
	buf    [1500]byte
}

// NewOpusWriter begins a file of rate Hz, 8000, 16000 or 48000, with 1 or 2
// channels. The caller closes to after Close.
func NewOpusWriter(to io.Writer, rate, channels int) (*OpusWriter, error) {
	w := &OpusWriter{to: to, frame: rate / 50, serial: rand.Uint32()}
	for range channels {
		enc, err := codec.NewEncoder(codec.Opus, rate)
		if err != nil {
			return nil, fmt.Errorf("file: %w", err)
		}
		w.enc = append(w.enc, enc)
		w.fifo = append(w.fifo, nil)
	}
	head, err := opusHeadOf(rate, channels)
	if err != nil {
		return nil, err
	}
	comments := append([]byte("OpusTags\x07\x00\x00\x00offhook"), 0, 0, 0, 0) // vendor; no comment
	w.add(head)
	if err := w.flush(oggFirst); err != nil {
		return nil, err
	}
	w.add(comments)
	return w, w.flush(0)
}

// opusHeadOf returns the first packet.
func opusHeadOf(rate, channels int) ([]byte, error) {
	head := opusHead{Magic: [8]byte([]byte(opusMagic)), Version: 1, Channels: uint8(channels), PreSkip: opusPreSkip, Rate: uint32(rate)}
	parts := []any{&head}
	if channels == 2 {
		head.Mapping = 1
		parts = append(parts, dualMono())
	}
	var b bytes.Buffer
	for _, part := range parts {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			return nil, fmt.Errorf("file: %w", err)
		}
	}
	return b.Bytes(), nil
}

// Write appends samples, the same number for each channel.
func (w *OpusWriter) Write(channels ...[]int16) error {
	if err := checkChannels(channels, len(w.enc)); err != nil {
		return err
	}
	for i, pcm := range channels {
		w.fifo[i] = append(w.fifo[i], pcm...)
	}
	for len(w.fifo[0]) >= w.frame {
		if err := w.encode(); err != nil {
			return err
		}
	}
	return nil
}

// Close writes what is left and the end.
func (w *OpusWriter) Close() error {
	rest := len(w.fifo[0])
	end := w.granule + opusPreSkip + int64(rest)*opusPacket/int64(w.frame)
	// What is inside the encoder comes out with silence behind it.
	inside := rest + opusPreSkip*w.frame/opusPacket
	silence := make([]int16, (inside+w.frame-1)/w.frame*w.frame-rest)
	for i := range w.fifo {
		w.fifo[i] = append(w.fifo[i], silence...)
	}
	for len(w.fifo[0]) >= w.frame {
		if err := w.encode(); err != nil {
			return err
		}
	}
	w.granule = end
	return w.flush(oggLast)
}

// encode takes a frame of each channel.
func (w *OpusWriter) encode() error {
	packet := w.packet[:0]
	for i, enc := range w.enc {
		n, err := enc.Encode(w.buf[:], w.fifo[i][:w.frame])
		if err != nil {
			return fmt.Errorf("file: %w", err)
		}
		w.fifo[i] = w.fifo[i][:copy(w.fifo[i], w.fifo[i][w.frame:])]
		if packet, err = joinOpus(packet, w.buf[:n], i == len(w.enc)-1); err != nil {
			return err
		}
	}
	if len(w.table)+len(packet)/255+1 > oggMaxSegments {
		if err := w.flush(0); err != nil {
			return err
		}
	}
	w.add(packet)
	w.packets++
	w.granule += opusPacket
	if w.packets < opusFrames {
		return nil
	}
	return w.flush(0)
}

// joinOpus appends the packet of a stream. Of all but the last the length is
// written behind the first byte (RFC 6716 appendix B).
func joinOpus(dst, packet []byte, last bool) ([]byte, error) {
	if last {
		return append(dst, packet...), nil
	}
	if len(packet) == 0 || packet[0]&3 != 0 { // 20 ms are one frame
		return nil, fmt.Errorf("file: more than one frame: %w", ErrOpus)
	}
	dst = append(dst, packet[0])
	n := len(packet) - 1
	if n < 252 {
		dst = append(dst, byte(n))
	} else {
		dst = append(dst, byte(252+n&3), byte((n-252-n&3)/4))
	}
	return append(dst, packet[1:]...), nil
}

// add adds a packet to the page.
func (w *OpusWriter) add(packet []byte) {
	w.table = appendSegments(w.table, len(packet))
	w.body = append(w.body, packet...)
}

// flush writes the page.
func (w *OpusWriter) flush(flags byte) error {
	w.page = appendOggPage(w.page[:0], flags, w.granule, w.serial, w.number, w.table, w.body)
	w.number++
	w.table, w.body, w.packets = w.table[:0], w.body[:0], 0
	if _, err := w.to.Write(w.page); err != nil {
		return fmt.Errorf("file: write Ogg: %w", err)
	}
	return nil
}
