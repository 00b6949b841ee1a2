package file

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// MaxWAV is the longest sound data that DecodeWAV reads, in bytes: 10 minutes of
// 48 kHz mono.
const MaxWAV = 10 * 60 * 48000 * 2

// Errors of DecodeWAV.
var (
	ErrNotWAV      = errors.New("not a RIFF WAVE file")
	ErrUnsupported = errors.New("only 16-bit PCM is supported")
)

// wavHeader is the canonical 44-byte head of a PCM file.
type wavHeader struct {
	RIFF     [4]byte
	Size     uint32
	WAVE     [4]byte
	Fmt      [4]byte
	FmtSize  uint32
	Coding   uint16
	Channels uint16
	Rate     uint32
	ByteRate uint32
	Align    uint16
	Bits     uint16
	Data     [4]byte
	DataSize uint32
}

// Codings of the fmt chunk.
const (
	codingPCM        = 1
	codingExtensible = 0xFFFE // 24-bit and multi-channel writers use it for plain PCM too
)

// EncodeWAV writes 16-bit PCM of interleaved channels. rate is in Hz.
func EncodeWAV(w io.Writer, rate, channels int, pcm []int16) error {
	size := uint32(len(pcm) * 2)
	head := wavHeader{
		RIFF: [4]byte{'R', 'I', 'F', 'F'}, Size: 36 + size, WAVE: [4]byte{'W', 'A', 'V', 'E'},
		Fmt: [4]byte{'f', 'm', 't', ' '}, FmtSize: 16, Coding: codingPCM, Channels: uint16(channels),
		Rate: uint32(rate), ByteRate: uint32(rate * channels * 2), Align: uint16(channels * 2), Bits: 16,
		Data: [4]byte{'d', 'a', 't', 'a'}, DataSize: size,
	}
	if err := binary.Write(w, binary.LittleEndian, head); err != nil {
		return fmt.Errorf("file: write WAV header: %w", err)
	}
	if err := binary.Write(w, binary.LittleEndian, pcm); err != nil {
		return fmt.Errorf("file: write WAV: %w", err)
	}
	return nil
}

// DecodeWAV reads 16-bit PCM and mixes several channels to one. A file that was
// cut off, by a crash of its writer, gives what is there.
func DecodeWAV(r io.Reader) (rate int, pcm []int16, err error) {
	in := bufio.NewReader(r)
	var riff [12]byte
	if _, err := io.ReadFull(in, riff[:]); err != nil || string(riff[:4]) != "RIFF" || string(riff[8:]) != "WAVE" {
		return 0, nil, fmt.Errorf("file: %w", ErrNotWAV)
	}
	var format wavFormat
	for {
		var chunk struct {
			ID   [4]byte
			Size uint32
		}
		if err := binary.Read(in, binary.LittleEndian, &chunk); err != nil {
			return 0, nil, fmt.Errorf("file: no data chunk: %w", ErrNotWAV)
		}
		switch string(chunk.ID[:]) {
		case "fmt ":
			if format, err = readFormat(in, chunk.Size); err != nil {
				return 0, nil, err
			}
		case "data":
			if format.Channels == 0 {
				return 0, nil, fmt.Errorf("file: data before format: %w", ErrNotWAV)
			}
			raw, err := io.ReadAll(io.LimitReader(in, min(int64(chunk.Size), MaxWAV)))
			if err != nil {
				return 0, nil, fmt.Errorf("file: read WAV: %w", err)
			}
			return int(format.Rate), mono(raw, int(format.Channels)), nil
		default: // chunks are padded to even sizes
			if _, err := io.CopyN(io.Discard, in, int64(chunk.Size)+int64(chunk.Size&1)); err != nil {
				return 0, nil, fmt.Errorf("file: no data chunk: %w", ErrNotWAV)
			}
		}
	}
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

func readFormat(in io.Reader, size uint32) (wavFormat, error) {
	var f wavFormat
	chunk := io.LimitReader(in, int64(size)+int64(size&1))
	if err := binary.Read(chunk, binary.LittleEndian, &f); err != nil {
		return wavFormat{}, fmt.Errorf("file: short format: %w", ErrNotWAV)
	}
	if _, err := io.Copy(io.Discard, chunk); err != nil {
		return wavFormat{}, fmt.Errorf("file: short format: %w", ErrNotWAV)
	}
	pcm := f.Coding == codingPCM || f.Coding == codingExtensible
	if !pcm || f.Bits != 16 || f.Channels == 0 || f.Channels > 8 || f.Rate < 4000 || f.Rate > 192000 {
		return wavFormat{}, fmt.Errorf("file: %d bits, %d channels, %d Hz: %w", f.Bits, f.Channels, f.Rate, ErrUnsupported)
	}
	return f, nil
}

// mono averages the channels of interleaved samples.
func mono(raw []byte, channels int) []int16 {
	pcm := make([]int16, len(raw)/(2*channels))
	for i := range pcm {
		sum := 0
		for c := range channels {
			sum += int(int16(binary.LittleEndian.Uint16(raw[2*(i*channels+c):])))
		}
		pcm[i] = int16(sum / channels)
	}
	return pcm
}
