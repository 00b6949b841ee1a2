package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/offhook/offhook/internal/media/meter"
)

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Files of other programs: half a second of 1000 Hz at -6 dB.
func TestDecodeFilesOfOthers(t *testing.T) {
	for _, c := range []struct {
		name   string
		rate   int
		purity float64
		more   int // samples that the format may have besides half a second
	}{
		{"alaw-8000.wav", 8000, 0.99, 1},
		{"mulaw-8000.wav", 8000, 0.99, 1},
		{"u8-8000.wav", 8000, 0.99, 1},
		{"s24-16000.wav", 16000, 0.9999, 1},
		{"s32-11025-stereo.wav", 16000, 0.9999, 2},
		{"float-22050.wav", 16000, 0.9999, 2},
		{"mono-16000.mp3", 16000, 0.98, 3000}, // whole frames, and the delay of encoder and decoder
		{"vbr-44100-stereo.mp3", 16000, 0.98, 3000},
		{"mono-60ms.opus", 16000, 0.95, 1}, // several packets to a page
		{"stereo.opus", 16000, 0.98, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			pcm, err := Decode(bytes.NewReader(fixture(t, c.name)))
			if err != nil {
				t.Fatal(err)
			}
			want := c.rate / 2
			if pcm.Rate != c.rate || len(pcm.Samples) < want-1 || len(pcm.Samples) > want+c.more {
				t.Errorf("%d samples at %d Hz, want %d at %d", len(pcm.Samples), pcm.Rate, want, c.rate)
			}
			tone := pcm.Samples[c.rate/8 : c.rate*3/8] // what formats add is at the ends
			if p := meter.Purity(tone, pcm.Rate, 1000); p < c.purity {
				t.Errorf("purity %.4f, want %.4f", p, c.purity)
			}
			if l := meter.Level(tone); l < -10 || l > -8 { // a sine of -6 dB
				t.Errorf("level %.1f dB", l)
			}
		})
	}
}

// wavOf returns a WAV file of one coding.
func wavOf(coding, bits, channels uint16, data []byte) []byte {
	var b bytes.Buffer
	for _, v := range []any{
		[]byte("RIFF"), uint32(36 + len(data)), []byte("WAVEfmt "), uint32(16),
		wavFormat{Coding: coding, Channels: channels, Rate: 8000, Bits: bits},
		[]byte("data"), uint32(len(data)), data,
	} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

func TestWAVCodings(t *testing.T) {
	floats := func(v ...float32) (b []byte) {
		b, _ = binary.Append(b, binary.LittleEndian, v)
		return b
	}
	nan := floats(0)
	binary.LittleEndian.PutUint32(nan, 0x7fc00000)
	for _, c := range []struct {
		name         string
		coding, bits uint16
		channels     uint16
		data         []byte
		want         []int16
	}{
		{"8 bits are unsigned", 1, 8, 1, []byte{0, 128, 255}, []int16{-32768, 0, 127 << 8}},
		{"24 bits", 1, 24, 1, []byte{0xff, 0x34, 0x12, 0, 0, 0x80}, []int16{0x1234, -32768}},
		{"20 bits in three bytes", 1, 20, 1, []byte{0xf0, 0x34, 0x12}, []int16{0x1234}},
		{"32 bits", 1, 32, 1, []byte{1, 2, 0x34, 0x12}, []int16{0x1234}},
		{"float too loud", 3, 32, 1, floats(0.5, -1, 7, -7), []int16{16384, -32768, 32767, -32768}},
		{"float that is no number", 3, 32, 1, nan, []int16{0}},
		{"double", 3, 64, 1, []byte{0, 0, 0, 0, 0, 0, 0xe0, 0x3f}, []int16{16384}},
		{"mu-law", 7, 8, 1, []byte{0xff, 0x80, 0x00}, []int16{0, 32124, -32124}},
		{"A-law", 6, 8, 1, []byte{0xd5, 0xaa, 0x2a}, []int16{8, 32256, -32256}},
		{"24 bits of eight channels", 1, 24, 8, bytes.Repeat([]byte{0, 0x34, 0x12}, 16), []int16{0x1234, 0x1234}},
	} {
		_, pcm, err := DecodeWAV(bytes.NewReader(wavOf(c.coding, c.bits, c.channels, c.data)))
		if err != nil || !slices.Equal(pcm, c.want) {
			t.Errorf("%s: got %v, %v; want %v", c.name, pcm, err, c.want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	broken := errors.New("connection reset")
	tone, opus := fixture(t, "mono-16000.mp3"), fixture(t, "stereo.opus")
	vorbis := bytes.Replace(opus, []byte(opusMagic), []byte("\x01vorbis "), 1)
	for _, c := range []struct {
		name string
		in   io.Reader
		want error
	}{
		{"empty", strings.NewReader(""), ErrFormat},
		{"web page", strings.NewReader("<!doctype html><title>404</title>"), ErrFormat},
		{"FLAC", strings.NewReader("fLaC\x00\x00\x00\x22........"), ErrFormat},
		{"WAV without samples", bytes.NewReader(wavOf(1, 16, 1, nil)), ErrNoAudio},
		{"RIFF of pictures", strings.NewReader("RIFF\x00\x00\x00\x00AVI LIST"), ErrNotWAV},
		{"WAV of a coding", bytes.NewReader(wavOf(2, 4, 1, make([]byte, 100))), ErrUnsupported},
		{"tag without frames", bytes.NewReader(tone[:3]), ErrFormat},
		{"MP3 cut in its first frame", bytes.NewReader(tone[:20]), ErrMP3},
		{"Ogg with a wrong checksum", bytes.NewReader(vorbis), ErrOgg},
		{"Ogg without comments", bytes.NewReader(opus[:47]), ErrOpus},
		{"endless", io.MultiReader(bytes.NewReader(endless(t)), zeros{}), ErrTooLong},
		{"reading fails at once", iotest.ErrReader(broken), broken},
		{"reading fails later", io.MultiReader(bytes.NewReader(tone), iotest.ErrReader(broken)), broken},
	} {
		if pcm, err := Decode(c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, %v; want %v", c.name, pcm.Duration(), err, c.want)
		}
	}
}

func TestPanicOfADecoderIsAnError(t *testing.T) {
	err := protect(func() error {
		frames := make([]int, 0)
		_ = frames[len(os.Args)] // as a decoder does that trusts a length
		return nil
	})
	if !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
}

// endless returns the head of a WAV file of the greatest size.
func endless(t *testing.T) []byte {
	t.Helper()
	data := wavOf(1, 16, 1, nil)
	binary.LittleEndian.PutUint32(data[len(data)-4:], 0xFFFFFFFF)
	return data
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// A file that was cut off gives what is there.
func TestDecodeWhatIsThere(t *testing.T) {
	for _, name := range []string{"mono-16000.mp3", "alaw-8000.wav"} {
		data := fixture(t, name)
		whole, err := Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		cut, err := Decode(bytes.NewReader(data[:len(data)*3/4]))
		if err != nil || len(cut.Samples) >= len(whole.Samples) {
			t.Errorf("%s: %d of %d samples, %v", name, len(cut.Samples), len(whole.Samples), err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"alaw-8000.wav", "s24-16000.wav", "mono-16000.mp3", "mono-60ms.opus"} {
		f.Add(fixture(f, name))
	}
	f.Add([]byte("OggS"))
	f.Add([]byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7f"))
	f.Fuzz(func(t *testing.T, data []byte) {
		pcm, err := Decode(bytes.NewReader(data))
		if err == nil && (pcm.Rate != narrow && pcm.Rate != wide || len(pcm.Samples) == 0 || pcm.Duration() > MaxDuration) {
			t.Errorf("%d samples at %d Hz", len(pcm.Samples), pcm.Rate)
		}
	})
}
