package media

import (
	"time"

	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/jitter"
	"github.com/offhook/offhook/internal/media/mix"
)

const (
	// mixTime is the mixer's step.
	mixTime = 20 * time.Millisecond
	// narrowRate and wideRate are the sample rates of a mix in Hz. Each listener gets
	// the one that his codec can carry; a wide speaker whom others hear is converted
	// once, all narrow ones of a wide sum together.
	narrowRate, wideRate   = 8000, 16000
	narrowFrame, wideFrame = narrowRate / 50, wideRate / 50
	// maxTapEvents is how many telephone-events of one speaker pass in one step.
	maxTapEvents = 4
)

// mixRate returns the rate at which codec k takes part in a mix.
func mixRate(k Codec) int {
	switch k {
	case Opus, G722, L16x16, L16x24:
		return wideRate
	case PCMU, PCMA, L16x8, CodecNone:
	}
	return narrowRate
}

// tap is a speaker of a mix: his packets, decoded once for all who hear them. It
// is a sink of his path. The Server makes and closes it; all that is not said to
// be somebody else's belongs to the mixer's goroutine.
type tap struct {
	id      uint32 // names it in the keys of sums
	in      Format
	rate    int
	speaker *member // guarded by the Server's mutex, like refs
	refs    int     // rows that name it
	inbox   inbox   // the speaker's read goroutine writes

	listed bool
	dec    codec.Decoder
	buffer *jitter.Buffer // made with dec
	fresh  bool           // something of this step's is the speaker's own, be it silence
	voiced bool           // this step can be heard
	active bool           // or the one before could, which converters still hold

	pcm      [2][wideFrame]int16 // of this step by voiceAt
	halver   *mix.Halver         // made when first needed
	needed   [2]bool             // at which rates it is heard
	events   [maxTapEvents]Packet
	eventBuf [maxTapEvents][HeaderRoom + eventSize]byte
	pressed  int // events of this step
}

// packet implements sink.
func (t *tap) packet(p *Packet) { t.inbox.put(p, time.Now()) }

// place is the index of what a tap keeps for each rate.
func place(rate int) int { return rate / wideRate & 1 }

// at returns this step's samples at rate.
func (t *tap) at(rate int) []int16 { return t.pcm[place(rate)][:rate/50] }

// step takes what has come and decodes the next 20 ms.
func (t *tap) step(pool *codec.Pool, now time.Time) {
	t.pressed = 0
	for a := t.inbox.next(); a != nil; a = t.inbox.next() {
		t.take(pool, a)
		t.inbox.taken()
	}
	own := t.at(t.rate)
	t.fresh = t.dec != nil && t.buffer.Read(now, own) == jitter.Speech
	voiced := t.fresh && !mix.Quiet(own)
	t.active, t.voiced = voiced || t.voiced, voiced
	if !t.active {
		return
	}
	if !voiced {
		clear(own)
	}
	t.convert()
}

// take sorts one packet. The decoder is made with the first one, so that who never
// speaks needs none.
func (t *tap) take(pool *codec.Pool, a *arrival) {
	switch {
	case t.in.RecvDTMF != 0 && a.Type == t.in.RecvDTMF:
		if t.pressed < maxTapEvents && a.Len >= eventSize {
			e := &t.events[t.pressed]
			*e, e.Buf, e.Len = a.Packet, t.eventBuf[t.pressed][:], eventSize
			copy(e.Payload(), a.Payload())
			t.pressed++
		}
		if t.buffer != nil {
			t.buffer.PutEvent(a.Seq, a.SSRC)
		}
	case !t.open(pool):
	case t.in.isNoise(&a.Packet):
		t.buffer.PutNoise(a.at, a.Seq, a.Timestamp, a.SSRC, a.Payload())
	default:
		t.buffer.Put(a.at, a.Seq, a.Timestamp, a.SSRC, a.Payload())
	}
}

// open makes the decoder, if there is none.
func (t *tap) open(pool *codec.Pool) bool {
	if t.dec != nil {
		return true
	}
	dec, err := pool.Decoder(t.in.Codec, t.rate)
	if err != nil {
		return false
	}
	t.dec = dec
	t.buffer = jitter.New(jitter.Config{Rate: t.rate, Clock: t.in.Codec.ClockRate(), FEC: t.in.Codec == Opus}, dec)
	return true
}

// convert makes the samples for those who hear t at 8 kHz. What leads the other way
// does the sum.
func (t *tap) convert() {
	if t.rate == wideRate && t.needed[place(narrowRate)] {
		if t.halver == nil {
			t.halver = new(mix.Halver)
		}
		t.halver.Halve(t.at(narrowRate), t.at(wideRate))
	}
}

// giveUp drops all that t holds, which may be in the middle of something.
func (t *tap) giveUp() {
	t.inbox.drop()
	t.dec, t.buffer = nil, nil
	t.fresh, t.voiced, t.active, t.pressed = false, false, false, 0
}

// free gives the decoder back; the tap hears again with the next packet.
func (t *tap) free(pool *codec.Pool) {
	if t.dec != nil {
		pool.PutDecoder(t.in.Codec, t.rate, t.dec)
		t.dec, t.buffer = nil, nil
	}
	t.listed, t.active, t.voiced = false, false, false
}
