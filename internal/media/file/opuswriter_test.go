package file

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/meter"
)

func sine(n, rate int, hz float64) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(12000 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate)))
	}
	return pcm
}

// record writes a recording in pieces of odd length.
func record(t testing.TB, to io.Writer, rate int, channels ...[]int16) *OpusWriter {
	t.Helper()
	w, err := NewOpusWriter(to, rate, len(channels))
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(channels[0]); {
		n := min(rate/100*7/2, len(channels[0])-at)
		var piece [][]int16
		for _, c := range channels {
			piece = append(piece, c[at:at+n])
		}
		if err := w.Write(piece...); err != nil {
			t.Fatal(err)
		}
		at += n
	}
	return w
}

func TestOpusRecordingComesBack(t *testing.T) {
	for _, c := range []struct {
		name     string
		rate     int
		channels int
		samples  int
	}{
		{"mono", 16000, 1, 40123},
		{"mono of whole packets", 16000, 1, 32000},
		{"mono at 8 kHz", 8000, 1, 20000},
		{"stereo", 16000, 2, 40123},
		{"empty but for a sample", 16000, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			channels := [][]int16{sine(c.samples, c.rate, 1000), sine(c.samples, c.rate, 1000)}[:c.channels]
			if err := record(t, &b, c.rate, channels...).Close(); err != nil {
				t.Fatal(err)
			}
			pcm, err := Decode(&b)
			if err != nil {
				t.Fatal(err)
			}
			if want := c.samples * 16000 / c.rate; len(pcm.Samples) != want {
				t.Errorf("%d samples, want %d", len(pcm.Samples), want)
			}
			if c.samples == 1 {
				return
			}
			if p := meter.Purity(pcm.Samples[1600:], 16000, 1000); p < 0.95 {
				t.Errorf("purity %.3f", p)
			}
			if l := meter.Level(pcm.Samples[1600:]); l < -13 || l > -11 {
				t.Errorf("level %.1f dB", l)
			}
		})
	}
}

func TestCutOfWhatIsCollected(t *testing.T) {
	for _, c := range []struct {
		name         string
		length, want int
	}{
		{"within the last block", blockSize + 50, blockSize + 50},
		{"into the block before", blockSize - 50, blockSize - 50},
		{"unknown", 0, blockSize + 100},
		{"more than a packet: counted from elsewhere", 1000, blockSize + 100},
		{"longer than it is", blockSize + 200, blockSize + 100},
	} {
		s := new(sink)
		s.begin(wide)
		for _, n := range []int{blockSize, 100} {
			if err := s.add(make([]int16, n)); err != nil {
				t.Fatal(err)
			}
		}
		s.cut(c.length)
		if pcm, err := s.finish(); err != nil || len(pcm.Samples) != c.want {
			t.Errorf("%s: %d samples, %v; want %d", c.name, len(pcm.Samples), err, c.want)
		}
	}
}

// What was said comes back in its place: a wrong pre-skip would shift it.
func TestOpusRecordingKeepsTime(t *testing.T) {
	pcm := make([]int16, 32000)
	last := 0.0
	for i := range pcm { // noise with more of the low, as speech has
		last = 0.9*last + rand.Float64()*8000 - 4000
		pcm[i] = int16(last)
	}
	var b bytes.Buffer
	if err := record(t, &b, 16000, pcm).Close(); err != nil {
		t.Fatal(err)
	}
	got, err := Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	most, at := 0.0, 0
	for shift := -500; shift <= 500; shift++ {
		sum := 0.0
		for i, v := range pcm[1000:20000] {
			sum += float64(v) * float64(got.Samples[1000+i+shift])
		}
		if sum > most {
			most, at = sum, shift
		}
	}
	if at < -2 || at > 2 {
		t.Errorf("it comes back %d samples late", at)
	}
}

// One side of a conversation is not heard on the other's channel.
func TestOpusStereoIsSplit(t *testing.T) {
	var b bytes.Buffer
	if err := record(t, &b, 16000, sine(32000, 16000, 1000), make([]int16, 32000)).Close(); err != nil {
		t.Fatal(err)
	}
	ogg := &oggReader{in: bufio.NewReader(&b)}
	for range 2 { // head, comments
		if _, err := ogg.read(); err != nil {
			t.Fatal(err)
		}
	}
	mix, err := newOpusMix(2)
	if err != nil {
		t.Fatal(err)
	}
	sides := make([][]int16, 2)
	pcm := make([]int16, codec.MaxSamples(wide))
	for {
		packet, err := ogg.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		first, second, err := splitOpus(packet)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range [][]byte{first, second} {
			n, err := mix.streams[i].Decode(pcm, p)
			if err != nil {
				t.Fatal(err)
			}
			sides[i] = append(sides[i], pcm[:n]...)
		}
	}
	if p := meter.Purity(sides[0][1600:], 16000, 1000); p < 0.95 {
		t.Errorf("left: purity %.3f", p)
	}
	if l := meter.Level(sides[1]); l > -80 {
		t.Errorf("right: %.0f dBFS of what was said on the left", l)
	}
}

func TestOpusWriterIsPlayableAfterACrash(t *testing.T) {
	var b bytes.Buffer
	record(t, &b, 16000, sine(16000*5/2, 16000, 1000)) // 2.5 s, and no Close
	data := b.Bytes()
	for _, c := range []struct {
		name string
		data []byte
		want int // samples
	}{
		{"whole pages", data, 2*16000 - opusPreSkip/opusUnit},
		{"torn page", data[:len(data)-100], 16000 - opusPreSkip/opusUnit},
	} {
		pcm, err := Decode(bytes.NewReader(c.data))
		if err != nil || len(pcm.Samples) != c.want {
			t.Errorf("%s: %d samples, %v; want %d", c.name, len(pcm.Samples), err, c.want)
		}
	}
}

// Packets of many bytes fill a page before its second is over.
func TestOpusPagesHoldTheirSegments(t *testing.T) {
	noise := make([]int16, 16000*2)
	for i := range noise {
		noise[i] = int16(rand.IntN(60000) - 30000)
	}
	var b bytes.Buffer
	if err := record(t, &b, 16000, noise, noise).Close(); err != nil {
		t.Fatal(err)
	}
	pcm, err := Decode(&b)
	if err != nil || len(pcm.Samples) != len(noise) {
		t.Errorf("%d samples, %v", len(pcm.Samples), err)
	}
}

func TestWritersRefuseUnequalChannels(t *testing.T) {
	opus, err := NewOpusWriter(io.Discard, 16000, 2)
	if err != nil {
		t.Fatal(err)
	}
	to, err := os.Create(t.TempDir() + "/a.wav")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = to.Close() }()
	wav, err := NewWAVWriter(to, 16000, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, channels := range [][][]int16{{{1}}, {{1}, {1, 2}}, {{1}, {1}, {1}}, {}} {
		if err := opus.Write(channels...); !errors.Is(err, errChannels) {
			t.Errorf("Opus takes %v: %v", channels, err)
		}
		if err := wav.Write(channels...); !errors.Is(err, errChannels) {
			t.Errorf("WAV takes %v: %v", channels, err)
		}
	}
	if _, err := NewOpusWriter(io.Discard, 44100, 1); err == nil {
		t.Error("Opus takes 44100 Hz")
	}
}

// pages cuts an Ogg file.
func pages(t *testing.T, data []byte) (list [][]byte) {
	t.Helper()
	for len(data) > 0 {
		var p oggPage
		if err := p.read(bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		n := oggHead + len(p.table) + len(p.body)
		list = append(list, data[:n])
		data = data[n:]
	}
	return list
}

// renumber makes a page another one's successor, or another stream's.
func renumber(page []byte, serial, number uint32) []byte {
	page = bytes.Clone(page)
	binary.LittleEndian.PutUint32(page[14:], serial)
	binary.LittleEndian.PutUint32(page[18:], number)
	clear(page[22:26])
	binary.LittleEndian.PutUint32(page[22:], oggSum(page))
	return page
}

func TestOggReader(t *testing.T) {
	var b bytes.Buffer
	if err := record(t, &b, 16000, sine(4*16000, 16000, 1000)).Close(); err != nil {
		t.Fatal(err)
	}
	p := pages(t, b.Bytes())
	damaged := bytes.Clone(p[3])
	damaged[100] ^= 1
	// A packet of 300 bytes that lies on two pages.
	long := bytes.Repeat([]byte{7}, 300)
	serial := binary.LittleEndian.Uint32(p[0][14:])
	one := appendOggPage(nil, oggFirst, -1, serial, 0, []byte{255}, long[:255])
	two := appendOggPage(nil, oggContinued, 0, serial, 1, []byte{45, 3}, append(bytes.Clone(long[255:]), "abc"...))
	lost := renumber(two, serial, 2)
	other := renumber(p[4], serial+1, 9)
	for _, c := range []struct {
		name  string
		pages [][]byte
		want  []int // lengths of packets; nil does not matter
		count int
	}{
		{"as written", p, nil, 2 + 201},
		{"another stream between", [][]byte{p[0], p[1], other, p[2]}, nil, 2 + 50},
		{"a page is missing", [][]byte{p[0], p[1], p[2], p[4]}, nil, 2 + 100},
		{"damage ends it", [][]byte{p[0], p[1], p[2], damaged, p[4]}, nil, 2 + 50},
		{"nothing behind the last page", [][]byte{p[0], p[1], p[len(p)-1], p[2]}, nil, 2 + 1},
		{"a packet on two pages", [][]byte{one, two}, []int{300, 3}, 2},
		{"the begin of a packet is lost", [][]byte{one, lost}, []int{3}, 1},
		{"its end is lost", [][]byte{one}, nil, 0},
	} {
		ogg := &oggReader{in: bufio.NewReader(bytes.NewReader(bytes.Join(c.pages, nil)))}
		var got []int
		for {
			packet, err := ogg.read()
			if err != nil {
				break
			}
			got = append(got, len(packet))
		}
		if len(got) != c.count {
			t.Errorf("%s: %d packets, want %d", c.name, len(got), c.count)
		}
		for i, n := range c.want {
			if i < len(got) && got[i] != n {
				t.Errorf("%s: packet %d has %d bytes, want %d", c.name, i, got[i], n)
			}
		}
	}
}

// FuzzOpus makes every checksum right, so that what is inside is reached.
func FuzzOpus(f *testing.F) {
	for _, channels := range [][][]int16{{sine(1600, 16000, 1000)}, {sine(1600, 16000, 1000), sine(1600, 16000, 440)}} {
		var b bytes.Buffer
		if err := record(f, &b, 16000, channels...).Close(); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		var mended []byte
		var page oggPage
		for in := bytes.NewReader(data); ; {
			err := page.read(in)
			if errors.Is(err, io.EOF) || string(page.buf[:4]) != "OggS" {
				break
			}
			mended = appendOggPage(mended, page.flags, page.granule, page.serial, page.number, page.table, page.body)
		}
		_, _ = Decode(bytes.NewReader(mended))
	})
}
