package phone

import (
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/jitter"
)

// longestGap is how many samples that did not come are filled with silence, a second;
// a longer gap is taken for a new beginning.
const longestGap = Rate

// ear decodes the packets of one call. It has no jitter buffer and no clock: packets go
// where their time stamps say, whenever they come, so that the machine that measures
// changes nothing by standing still. What comes behind its turn is dropped; what was
// lost, or left out by the speaker, becomes silence. Good enough to measure, not to enjoy.
type ear struct {
	codec   media.Codec
	decoder codec.Decoder
	begun   bool
	next    uint16 // sequence number expected
	expect  uint32 // time stamp of the next packet, if nothing is missing
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
	if e.begun && p.Seq-e.next >= 1<<15 {
		return nil // late or twice
	}
	gap := 0
	if e.begun {
		gap = int(int64(int32(p.Timestamp-e.expect)) * Rate / int64(f.Codec.ClockRate()))
	}
	if gap < 0 || gap > longestGap {
		gap = 0
	}
	e.pcm = append(e.pcm[:0], make([]int16, gap)...)
	e.pcm = e.decode(e.pcm, p.Payload())
	e.begun, e.next = true, p.Seq+1
	e.expect = p.Timestamp + uint32(len(e.pcm)-gap)*(f.Codec.ClockRate()/Rate)
	return e.pcm
}

// rest returns what a packet of comfort noise sounds like for the time of a packet of
// audio; what is heard of the pause behind it is nothing.
func (e *ear) rest(p *media.Packet) []int16 {
	e.begun, e.next = false, p.Seq+1
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
