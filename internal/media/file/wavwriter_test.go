package file

import (
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
