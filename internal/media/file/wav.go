package file

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/offhook/offhook/internal/media/codec"
)

// MaxWAV is the longest sound data that DecodeWAV reads, in bytes: 10 minutes of
// 48 kHz mono.
const MaxWAV = 10 * 60 * 48000 * 2

// Errors of reading WAV.
var (
	ErrNotWAV      = errors.New("not a RIFF WAVE file")
	ErrUnsupported = errors.New("WAV coding not supported")
)

// Codings of the fmt chunk.
const (
	codingPCM        = 1
	codingFloat      = 3
	codingALaw       = 6
	codingMuLaw      = 7
	codingExtensible = 0xFFFE // the coding follows as the begin of a GUID
)

// DecodeWAV reads a WAV file at its own rate and mixes several channels to one.
// A file that was cut off, by a crash of its writer, gives what is there.
func DecodeWAV(r io.Reader) (rate int, pcm []int16, err error) {
	w, err := openWAV(bufio.NewReader(r), MaxWAV)
	if err != nil {
		return 0, nil, err
	}
	err = w.each(func(block []int16) error {
		pcm = append(pcm, block...)
		return nil
	})
	return int(w.format.Rate), pcm, err
}

// decodeWAV reads a WAV file.
func decodeWAV(in *bufio.Reader, s *sink) error {
	w, err := openWAV(in, math.MaxInt64)
	if err != nil {
		return err
	}
	s.begin(int(w.format.Rate))
	return w.each(s.add)
}

// wavReader reads the sound data of a WAV file.
type wavReader struct {
	format wavFormat
	data   io.Reader
	linear func(pcm []int16, raw []byte) // a sample for each sample of any channel
}

// wavFormat is the part of the fmt chunk that every coding has.
type wavFormat struct {
	Coding   uint16
	Channels uint16
	Rate     uint32
	ByteRate uint32
	Align    uint16
	Bits     uint16
}

// sample returns the bytes of one sample of one channel.
func (f wavFormat) sample() int { return (int(f.Bits) + 7) / 8 }

// openWAV reads up to the sound data, of which it takes at most limit bytes.
func openWAV(in *bufio.Reader, limit int64) (*wavReader, error) {
	var riff [12]byte
	if _, err := io.ReadFull(in, riff[:]); err != nil || string(riff[:4]) != "RIFF" || string(riff[8:]) != "WAVE" {
		return nil, fmt.Errorf("file: %w", ErrNotWAV)
	}
	w := new(wavReader)
	for {
		var chunk struct {
			ID   [4]byte
			Size uint32
		}
		if err := binary.Read(in, binary.LittleEndian, &chunk); err != nil {
			return nil, fmt.Errorf("file: no data chunk: %w", ErrNotWAV)
		}
		switch string(chunk.ID[:]) {
		case "fmt ":
			if err := w.readFormat(in, chunk.Size); err != nil {
				return nil, err
			}
		case "data":
			if w.linear == nil {
				return nil, fmt.Errorf("file: data before format: %w", ErrNotWAV)
			}
			w.data = io.LimitReader(in, min(int64(chunk.Size), limit))
			return w, nil
		default: // chunks are padded to even sizes
			if _, err := io.CopyN(io.Discard, in, int64(chunk.Size)+int64(chunk.Size&1)); err != nil {
				return nil, fmt.Errorf("file: no data chunk: %w", ErrNotWAV)
			}
		}
	}
}

func (w *wavReader) readFormat(in io.Reader, size uint32) error {
	var extension struct {
		Size, ValidBits uint16
		Speakers        uint32
		Coding          uint16
	}
	f := &w.format
	chunk := io.LimitReader(in, int64(size)+int64(size&1))
	if err := binary.Read(chunk, binary.LittleEndian, f); err != nil {
		return fmt.Errorf("file: short format: %w", ErrNotWAV)
	}
	if f.Coding == codingExtensible && size >= 26 {
		if err := binary.Read(chunk, binary.LittleEndian, &extension); err != nil {
			return fmt.Errorf("file: short format: %w", ErrNotWAV)
		}
		f.Coding = extension.Coding
	}
	if _, err := io.Copy(io.Discard, chunk); err != nil {
		return fmt.Errorf("file: short format: %w", ErrNotWAV)
	}
	w.linear = linear(f.Coding, f.Bits)
	if w.linear == nil || f.Channels == 0 || f.Channels > 8 || f.Rate < 4000 || f.Rate > 192000 {
		return fmt.Errorf("file: coding %d, %d bits, %d channels, %d Hz: %w", f.Coding, f.Bits, f.Channels, f.Rate, ErrUnsupported)
	}
	return nil
}

// linear returns what turns raw samples of a coding into linear ones, nil if
// there is nothing.
func linear(coding, bits uint16) func(pcm []int16, raw []byte) {
	switch {
	case coding == codingALaw && bits == 8:
		return law(codec.PCMA)
	case coding == codingMuLaw && bits == 8:
		return law(codec.PCMU)
	case coding == codingFloat && bits == 32:
		return func(pcm []int16, raw []byte) {
			for i := range pcm {
				pcm[i] = fromFloat(float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))))
			}
		}
	case coding == codingFloat && bits == 64:
		return func(pcm []int16, raw []byte) {
			for i := range pcm {
				pcm[i] = fromFloat(math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:])))
			}
		}
	case coding == codingPCM && bits > 0 && bits <= 8: // these alone are unsigned
		return func(pcm []int16, raw []byte) {
			for i := range pcm {
				pcm[i] = int16(raw[i])<<8 ^ math.MinInt16
			}
		}
	case coding == codingPCM && bits > 8 && bits <= 32: // the upper two bytes
		size := (int(bits) + 7) / 8
		return func(pcm []int16, raw []byte) {
			for i := range pcm {
				pcm[i] = int16(binary.LittleEndian.Uint16(raw[size*(i+1)-2:]))
			}
		}
	}
	return nil
}

func law(k codec.Kind) func(pcm []int16, raw []byte) {
	dec, err := codec.NewDecoder(k, 8000) // which samples any rate
	if err != nil {
		return nil
	}
	return func(pcm []int16, raw []byte) {
		if _, err := dec.Decode(pcm, raw[:len(pcm)]); err != nil {
			clear(pcm)
		}
	}
}

// fromFloat turns a sample of -1 to 1 into a linear one. What is no number is silence.
func fromFloat(v float64) int16 {
	if v != v {
		return 0
	}
	return int16(max(math.MinInt16, min(math.MaxInt16, math.Round(v*(1<<15)))))
}

// each calls f with the samples, in blocks that f must not keep, until the end
// or an error of f.
func (w *wavReader) each(f func(mono []int16) error) error {
	channels := int(w.format.Channels)
	const frames = 1024
	raw := make([]byte, frames*channels*w.format.sample())
	pcm := make([]int16, frames*channels)
	for {
		n, err := io.ReadFull(w.data, raw)
		samples := n / w.format.sample() / channels * channels
		w.linear(pcm[:samples], raw)
		if err := f(mono(pcm[:samples], channels)); err != nil {
			return err
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return fmt.Errorf("file: read WAV: %w", err)
		}
	}
}

// mono averages the channels of interleaved samples, in place.
func mono(pcm []int16, channels int) []int16 {
	out := pcm[:len(pcm)/channels]
	for i := range out {
		sum := 0
		for _, s := range pcm[i*channels : (i+1)*channels] {
			sum += int(s)
		}
		out[i] = int16(sum / channels)
	}
	return out
}
