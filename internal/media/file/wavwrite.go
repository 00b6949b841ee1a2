package file

import (
	"encoding/binary"
	"fmt"
	"io"
)

// wavHeader is the canonical 44-byte head of a PCM file.
type wavHeader struct {
	RIFF     [4]byte
	Size     uint32
	WAVE     [4]byte
	Fmt      [4]byte
	FmtSize  uint32
	Format   wavFormat
	Data     [4]byte
	DataSize uint32
}

// WAVHeader is how long the header of a file that we write is, in bytes.
const WAVHeader = 44

// wavRest is how much of it the size of RIFF counts.
const wavRest = WAVHeader - 8

// EncodeWAV writes 16-bit PCM of interleaved channels. rate is in Hz.
func EncodeWAV(w io.Writer, rate, channels int, pcm []int16) error {
	if err := writeWAVHeader(w, rate, channels, uint32(len(pcm)*2)); err != nil {
		return err
	}
	if err := binary.Write(w, binary.LittleEndian, pcm); err != nil {
		return fmt.Errorf("file: write WAV: %w", err)
	}
	return nil
}

// writeWAVHeader writes the header of a file with size bytes of samples.
func writeWAVHeader(w io.Writer, rate, channels int, size uint32) error {
	head := wavHeader{
		RIFF: [4]byte{'R', 'I', 'F', 'F'}, Size: wavRest + size, WAVE: [4]byte{'W', 'A', 'V', 'E'},
		Fmt: [4]byte{'f', 'm', 't', ' '}, FmtSize: 16, Format: wavFormat{
			Coding: codingPCM, Channels: uint16(channels), Rate: uint32(rate),
			ByteRate: uint32(rate * channels * 2), Align: uint16(channels * 2), Bits: 16,
		},
		Data: [4]byte{'d', 'a', 't', 'a'}, DataSize: size,
	}
	if err := binary.Write(w, binary.LittleEndian, head); err != nil {
		return fmt.Errorf("file: write WAV header: %w", err)
	}
	return nil
}
