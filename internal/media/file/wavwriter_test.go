package file

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestWAVWriterIsPlayableAfterACrash(t *testing.T) {
	name := filepath.Join(t.TempDir(), "call.wav")
	to, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWAVWriter(to, 8000, 1)
	if err != nil {
		t.Fatal(err)
	}
	read := func() []int16 {
		t.Helper()
		from, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = from.Close() }()
		rate, pcm, err := DecodeWAV(from)
		if err != nil || rate != 8000 {
			t.Fatalf("%d Hz, %v", rate, err)
		}
		return pcm
	}
	var want []int16
	for i := range 125 { // 2.5 s
		frame := make([]int16, 160)
		for j := range frame {
			frame[j] = int16(i*j - 500)
		}
		want = append(want, frame...)
		if err := w.Write(frame); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(); !slices.Equal(got, want[:16000]) {
		t.Errorf("before Close %d samples can be played, want 16000", len(got))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := read(); !slices.Equal(got, want) {
		t.Errorf("%d samples after Close, want %d", len(got), len(want))
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
}

// Two sides are two channels of one file.
func TestWAVWriterStereo(t *testing.T) {
	to, err := os.Create(filepath.Join(t.TempDir(), "call.wav"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = to.Close() }()
	w, err := NewWAVWriter(to, 16000, 2)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Write([]int16{100, 200, 300}, []int16{-100, 0, 500}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(to.Name())
	if err != nil || len(data) != 44+2*3*4 || data[22] != 2 || string(data[44:48]) != "\x64\x00\x9c\xff" {
		t.Errorf("%x, %v", data, err)
	}
	rate, pcm, err := DecodeWAV(bytes.NewReader(data))
	if want := []int16{0, 100, 400, 0, 100, 400}; err != nil || rate != 16000 || !slices.Equal(pcm, want) {
		t.Errorf("%d Hz %v, %v; want %v", rate, pcm, err, want)
	}
}
