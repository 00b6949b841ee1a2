package phone

import (
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/jitter"
)

// longestGap is how many lost packets are filled with silence; a longer gap is
// taken for a new beginning.
const longestGap = 50

// ear decodes the packets of one call. It has no jitter buffer: packets that come
// late are dropped, lost ones become silence, so that what is heard keeps its
// length. Good enough to measure, not to enjoy.
type ear struct {
	codec   media.Codec
	decoder codec.Decoder
	begun   bool
	next    uint16 // sequence number expected
	pcm     []int16
	out     []int16 // one decoded packet
	noise   jitter.Noise
}

// hear returns the samples of p, and those of lost packets before it. They are
// valid until the next call.
func (e *ear) hear(f media.Format, p *media.Packet) []int16 {
	switch {
	case f.RecvNoise != 0 && p.Type == f.RecvNoise:
		return e.rest(p)
	case p.Type != f.RecvType:
		return nil // telephone-events are the path's
	}
	if e.codec != f.Codec {
		decoder, err := codec.NewDecoder(f.Codec, Rate)
		if err != nil {
			return nil // cannot be: we offered only what we decode
		}
		e.codec, e.decoder, e.begun = f.Codec, decoder, false
		e.out = make([]int16, codec.MaxSamples(Rate))
	}
	gap := p.Seq - e.next
	if e.begun && gap >= 1<<15 {
		return nil // late or twice
	}
	if !e.begun || gap > longestGap {
		gap = 0
	}
	e.begun, e.next = true, p.Seq+1
	e.pcm = append(e.pcm[:0], make([]int16, int(gap)*Frame)...)
	e.pcm = e.decode(e.pcm, p.Payload())
	return e.pcm
}

// rest returns what a packet of comfort noise sounds like for the time of a packet of
// audio; what is heard of the pause behind it is nothing.
func (e *ear) rest(p *media.Packet) []int16 {
	e.next = p.Seq + 1
	e.noise.Set(p.Payload())
	e.pcm = append(e.pcm[:0], make([]int16, Frame)...)
	e.noise.Fill(e.pcm)
	return e.pcm
}

// decode appends the samples of payload to pcm, 20 ms of silence for one that
// makes no sense.
func (e *ear) decode(pcm []int16, payload []byte) []int16 {
	n, err := e.decoder.Decode(e.out, payload)
	if err != nil {
		return append(pcm, make([]int16, Frame)...)
	}
	return append(pcm, e.out[:n]...)
}
