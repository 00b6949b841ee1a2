package rtp

import (
	"bytes"
	"testing"

	"github.com/offhook/offhook/internal/media"
)

func TestParse(t *testing.T) {
	head := []byte{0x80, 0x80 | 8, 0, 7, 0, 0, 0, 9, 1, 2, 3, 4}
	with := func(first byte, rest ...byte) []byte {
		b := append(bytes.Clone(head), rest...)
		b[0] = first
		return b
	}
	for _, c := range []struct {
		name     string
		datagram []byte
		want     string // the payload; "" is refused
	}{
		{"plain", with(0x80, 'a', 'b'), "ab"},
		{"CSRC", with(0x82, 1, 1, 1, 1, 2, 2, 2, 2, 'a'), "a"},
		{"extension", with(0x90, 0xbe, 0xde, 0, 1, 9, 9, 9, 9, 'a'), "a"},
		{"padding", with(0xa0, 'a', 'b', 0, 2), "ab"},
		{"version 1", with(0x40, 'a'), ""},
		{"no payload", with(0x80), ""},
		{"short", head[:11], ""},
		{"empty", nil, ""},
		{"CSRC beyond the end", with(0x8f, 'a'), ""},
		{"extension beyond the end", with(0x90, 0, 0, 0xff, 0xff, 'a'), ""},
		{"extension cut", with(0x90, 0, 0), ""},
		{"padding of nothing", with(0xa0, 'a', 0), ""},
		{"padding into the header", with(0xa0, 'a', 200), ""},
		{"too long", with(0x80, make([]byte, media.MaxPayload+1)...), ""},
	} {
		var p media.Packet
		begin, end, ok := parse(c.datagram, &p)
		if ok != (c.want != "") {
			t.Errorf("%s: accepted %v", c.name, ok)
			continue
		}
		if ok && (string(c.datagram[begin:end]) != c.want || p.Seq != 7 || p.Timestamp != 9 || p.SSRC != 0x01020304 || p.Type != 8 || !p.Marker) {
			t.Errorf("%s: payload %q of %+v", c.name, c.datagram[begin:end], p)
		}
	}
}

// What is parsed can be written, and means the same.
func FuzzParse(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 'a'})
	f.Add([]byte{0xb2, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 0, 'a', 1})
	f.Fuzz(func(t *testing.T, datagram []byte) {
		var p, q media.Packet
		begin, end, ok := parse(datagram, &p)
		if !ok {
			return
		}
		p.Buf = make([]byte, media.HeaderRoom+media.MaxPayload+media.TailRoom)
		p.Len = copy(p.Buf[media.HeaderRoom:], datagram[begin:end])
		written := write(&p, p.SSRC)
		begin2, end2, ok := parse(written, &q)
		if !ok || !bytes.Equal(written[begin2:end2], datagram[begin:end]) || q.Seq != p.Seq || q.Timestamp != p.Timestamp || q.Type != p.Type || q.Marker != p.Marker {
			t.Errorf("%x came back as %x", datagram, written)
		}
	})
}
