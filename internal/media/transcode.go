package media

import (
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/media/codec"
)

const (
	// speechRate is the sample rate between two codecs in Hz: one of them is G.711,
	// and Opus codes any rate by itself.
	speechRate = 8000
	// maxConceal is the longest gap that is filled with guesses: 60 ms.
	maxConceal = 3 * speechRate / 50
	// maxPause is the longest gap in the speaker's timestamps that is taken for
	// silence he did not send; a longer one is another count.
	maxPause = 600 // s
)

// transcoder decodes the speaker's packets and codes them anew for the listener,
// as they come. A packet behind a gap waits for the next one, so two that changed
// places are put right; what does not come by then is concealed up to 60 ms and
// a gap beyond. It is a route; its codecs are made with the first packet.
type transcoder struct {
	right  feeder
	in, to Format
	out    *output
	pool   *codec.Pool
	use    atomic.Uint32 // one of the use constants

	// What follows belongs to the speaker's read goroutine.
	dec    codec.Decoder
	enc    codec.Encoder
	track  track
	next   uint16 // sequence number that continues the stream
	expect uint32 // the speaker's timestamp that continues it
	press  press
	marker bool

	held    Packet // waits for the one before it; nothing if Len is 0
	heldBuf [HeaderRoom + MaxPayload + TailRoom]byte

	frame  int     // samples of a packet we send
	fifo   []int16 // decoded, less than a frame
	at     uint32  // our timestamp of fifo's first sample
	pcm    [speechRate * 120 / 1000]int16
	packed Packet
	buf    [HeaderRoom + MaxPayload + TailRoom]byte
}

// The codecs are given back by whoever leaves last: release, or the packet that
// was inside meanwhile.
const (
	useIdle uint32 = iota
	useBusy
	useReleased
)

func newTranscoder(pool *codec.Pool, in Format, out *output, to Format) *transcoder {
	t := &transcoder{pool: pool, in: in, out: out, to: to, frame: samplesOf(to)}
	t.fifo = make([]int16, 0, len(t.pcm)+t.frame)
	return t
}

// samplesOf returns the samples at speechRate of a packet in format f.
func samplesOf(f Format) int {
	switch {
	case f.PTime <= 0, f.PTime > 60, f.PTime%10 != 0, f.Codec == Opus && f.PTime%20 != 0:
		return speechRate / 50
	}
	return speechRate / 1000 * f.PTime
}

func (t *transcoder) feeder() *feeder { return &t.right }

func (t *transcoder) joins(in Format, out *output, to Format) bool {
	return t.in == in && t.out == out && t.to == to
}

func (t *transcoder) release() {
	if t.use.Swap(useReleased) == useIdle {
		t.free()
	}
}

func (t *transcoder) free() {
	t.pool.PutDecoder(t.in.Codec, speechRate, t.dec)
	t.pool.PutEncoder(t.to.Codec, speechRate, t.enc)
	t.dec, t.enc = nil, nil
}

func (t *transcoder) packet(p *Packet) {
	if !t.use.CompareAndSwap(useIdle, useBusy) {
		return
	}
	if ok, first := t.out.enter(&t.right); ok {
		t.arrived(p, first, time.Now())
		t.out.leave()
	}
	if !t.use.CompareAndSwap(useBusy, useIdle) {
		t.free()
	}
}

// open makes the codecs.
func (t *transcoder) open() bool {
	var err error
	if t.dec == nil {
		if t.dec, err = t.pool.Decoder(t.in.Codec, speechRate); err != nil {
			return false
		}
	}
	if t.enc == nil {
		t.enc, err = t.pool.Encoder(t.to.Codec, speechRate)
	}
	return err == nil
}

// arrived puts packets in order.
func (t *transcoder) arrived(p *Packet, first bool, now time.Time) {
	if !t.open() {
		return
	}
	verdict := t.track.judge(p)
	if first || verdict == trackFresh {
		t.align(p, now)
	}
	ahead := int16(p.Seq - t.next)
	switch {
	case verdict == trackLate || ahead < 0:
		return // its place was concealed
	case ahead == 0:
		t.take(p, now)
		t.takeHeld(now)
	case t.held.Len == 0:
		t.hold(p)
	case t.held.Seq == p.Seq:
		return // twice
	case int16(p.Seq-t.held.Seq) > 0:
		t.takeHeld(now)
		t.take(p, now)
	default:
		t.take(p, now)
		t.takeHeld(now)
	}
}

func (t *transcoder) hold(p *Packet) {
	t.held = *p
	t.held.Buf = t.heldBuf[:]
	copy(t.held.Payload(), p.Payload())
}

func (t *transcoder) takeHeld(now time.Time) {
	if t.held.Len > 0 {
		t.take(&t.held, now)
		t.held.Len = 0
	}
}

// align makes what follows continue the listener's stream.
func (t *transcoder) align(p *Packet, now time.Time) {
	t.next, t.expect, t.at = p.Seq, p.Timestamp, t.out.now(now, t.to.Codec.ClockRate())
	t.fifo, t.held.Len, t.marker = t.fifo[:0], 0, true
}

// take sends what p holds, and something in place of what is missing before it.
func (t *transcoder) take(p *Packet, now time.Time) {
	lost := p.Seq != t.next
	t.next = p.Seq + 1
	if t.in.RecvDTMF != 0 && p.Type == t.in.RecvDTMF {
		t.event(p, now)
		return
	}
	t.pass(p, lost, now)
	n, err := t.dec.Decode(t.pcm[:], p.Payload())
	if err != nil {
		return // as if it were lost
	}
	t.expect = p.Timestamp + uint32(n)*(t.in.Codec.ClockRate()/speechRate)
	t.send(t.pcm[:n], now)
}

// pass lets the time pass that lies between the last packet and p: what was lost
// is concealed, what was never sent is a pause.
func (t *transcoder) pass(p *Packet, lost bool, now time.Time) {
	unit := t.in.Codec.ClockRate() / speechRate
	missing := int(int32(p.Timestamp-t.expect)) / int(unit)
	if missing < 0 || missing > maxPause*speechRate {
		t.at, t.fifo, t.marker = t.out.now(now, t.to.Codec.ClockRate()), t.fifo[:0], true
		return
	}
	const step = speechRate / 50
	for filled := 0; lost && missing > 0 && filled < maxConceal; filled += step {
		n := min(missing, step)
		var next []byte
		if missing == n {
			next = p.Payload() // only the frame right before p is told of in p
		}
		if t.dec.Conceal(t.pcm[:n], next) != nil {
			break
		}
		t.send(t.pcm[:n], now)
		missing -= n
	}
	if missing > 0 {
		t.at += uint32(len(t.fifo)+missing) * (t.to.Codec.ClockRate() / speechRate)
		t.fifo, t.marker = t.fifo[:0], true // a talkspurt begins (RFC 3551 section 4.1)
	}
}

// send sends every whole packet there is.
func (t *transcoder) send(pcm []int16, now time.Time) {
	t.fifo = append(t.fifo, pcm...)
	for len(t.fifo) >= t.frame {
		n, err := t.enc.Encode(t.buf[HeaderRoom:HeaderRoom+MaxPayload], t.fifo[:t.frame])
		if err == nil && n > 0 {
			t.packed = Packet{Buf: t.buf[:], Len: n, Type: t.to.SendType, Timestamp: t.at, Marker: t.marker}
			t.emit(now)
			t.marker = false
		}
		t.fifo = t.fifo[:copy(t.fifo, t.fifo[t.frame:])]
		t.at += uint32(t.frame) * (t.to.Codec.ClockRate() / speechRate)
	}
}

// event passes a telephone-event on. Audio goes on behind it by the speaker's
// timestamps.
func (t *transcoder) event(p *Packet, now time.Time) {
	t.packed = Packet{Marker: p.Marker}
	if t.press.translate(&t.packed, p, t.in, t.to, t.buf[:], t.out.present(now, t.to.Codec.ClockRate())) {
		t.emit(now)
	}
}

func (t *transcoder) emit(now time.Time) {
	t.packed.Seq = t.out.seq + 1
	t.out.send(&t.packed, now)
}
