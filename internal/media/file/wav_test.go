package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
)

func encoded(t testing.TB, rate int, pcm []int16) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := EncodeWAV(&b, rate, 1, pcm); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWAVComesBack(t *testing.T) {
	want := []int16{0, 1, -1, 32767, -32768, 1234}
	rate, pcm, err := DecodeWAV(bytes.NewReader(encoded(t, 16000, want)))
	if err != nil || rate != 16000 || !slices.Equal(pcm, want) {
		t.Errorf("got %d Hz %v, %v", rate, pcm, err)
	}
}

func TestWAVForms(t *testing.T) {
	good := encoded(t, 8000, []int16{100, 200, 300, 400})
	stereo := bytes.Clone(good)
	binary.LittleEndian.PutUint16(stereo[22:], 2)
	withList := slices.Concat(good[:36], []byte("LIST\x03\x00\x00\x00abc\x00"), good[36:])
	endless := bytes.Clone(good) // as written by a recorder that was killed
	binary.LittleEndian.PutUint32(endless[40:], 0xFFFFFFFF)
	mulaw := bytes.Clone(good)
	binary.LittleEndian.PutUint16(mulaw[20:], 7)

	for _, c := range []struct {
		name string
		data []byte
		want []int16
		err  error
	}{
		{"stereo is averaged", stereo, []int16{150, 350}, nil},
		{"chunk of odd size in front", withList, []int16{100, 200, 300, 400}, nil},
		{"cut in a sample", good[:len(good)-1], []int16{100, 200, 300}, nil},
		{"size never written", endless, []int16{100, 200, 300, 400}, nil},
		{"mu-law", mulaw, nil, ErrUnsupported},
		{"cut in the header", good[:30], nil, ErrNotWAV},
		{"no data", good[:36], nil, ErrNotWAV},
		{"another format", []byte("OggS............"), nil, ErrNotWAV},
		{"empty", nil, nil, ErrNotWAV},
	} {
		_, pcm, err := DecodeWAV(bytes.NewReader(c.data))
		if !errors.Is(err, c.err) || !slices.Equal(pcm, c.want) {
			t.Errorf("%s: got %v, %v; want %v, %v", c.name, pcm, err, c.want, c.err)
		}
	}
}

func FuzzDecodeWAV(f *testing.F) {
	f.Add(encoded(f, 8000, []int16{1, 2, 3}))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _, _ = DecodeWAV(bytes.NewReader(data))
	})
}
