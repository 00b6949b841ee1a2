package codec

import "testing"

func TestPanicOfTheDecoderIsAnError(t *testing.T) {
	broken := new(gopusDecoder) // as one that meets what it does not expect
	if n, err := broken.Decode(make([]int16, 960), []byte{0x78, 1, 2}); n != 0 || err == nil {
		t.Errorf("%d samples, %v", n, err)
	}
	broken.lost = make([]float32, 960)
	if err := broken.Conceal(make([]int16, 160), nil); err == nil {
		t.Error("no error")
	}
}

// FuzzOpusDecoder feeds packets of a hostile far end to one decoder, with gaps.
func FuzzOpusDecoder(f *testing.F) {
	f.Add([]byte{0x78, 0xff, 0xfe, 0x01, 0x02}, []byte{0xfc, 0xff, 0xfe}, uint8(0))
	for toc := range 256 {
		f.Add([]byte{byte(toc), 0x42, 0x13, 0x37, 0x55, 0xaa, 0x01, 0x99}, []byte{byte(toc ^ 0x80), 0xff, 3, 7, 9}, uint8(toc))
	}
	f.Fuzz(func(t *testing.T, first, second []byte, kind uint8) {
		rate := []int{8000, 16000, 48000}[int(kind)%3]
		d, err := NewDecoder(Opus, rate)
		if err != nil {
			t.Fatal(err)
		}
		pcm := make([]int16, MaxSamples(rate))
		for _, payload := range [][]byte{first, second, first} {
			if n, err := d.Decode(pcm, payload); err == nil && (n < 0 || n > len(pcm)) {
				t.Fatalf("%d samples", n)
			}
			_ = d.Conceal(pcm[:rate/50], second)
			_ = d.Conceal(pcm[:rate/50], nil)
			_ = d.Conceal(pcm[:rate/100], first)
		}
	})
}
