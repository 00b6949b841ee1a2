package media

import (
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/media/codec"
)

const (
	// speechRate is the sample rate between two codecs in Hz where one of them is of
	// the telephone; Opus codes any rate by itself.
	speechRate = 8000
	// maxConceal is how many steps of 20 ms of a gap are filled with guesses.
	maxConceal = 3
	// maxPause is the longest gap in the speaker's timestamps that is taken for
	// silence he did not send; a longer one is another count.
	maxPause = 600 // s
	// longestFrame is how many samples a packet can hold: 120 ms of a wide mix.
	longestFrame = wideRate * 120 / 1000
)

// transcoder decodes the speaker's packets and codes them anew for the listener.
// While they come evenly it does so as they come, which costs no delay: what is
// missing before a packet is concealed when the packet is there, and what comes
// behind its place is left out. While they do not, and when comfort noise comes, it
// plays them at an even pace (see smoother). It is a route; its codecs are made with the first packet.
type transcoder struct {
	right  feeder
	in, to Format
	out    *output
	pool   *codec.Pool
	pacer  *pacer
	use    atomic.Uint32 // one of the use constants
	smooth atomic.Pointer[smoother]

	// What follows belongs to who has use busy.
	rate    int // of the samples between the codecs
	dec     codec.Decoder
	enc     codec.Encoder
	track   track
	weather weather
	next    uint16 // sequence number that continues the stream
	expect  uint32 // the speaker's timestamp that continues it
	press   press
	marker  bool

	frame  int     // samples of a packet we send
	fifo   []int16 // decoded, less than a frame
	at     uint32  // our timestamp of fifo's first sample
	pcm    [longestFrame]int16
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

func newTranscoder(pool *codec.Pool, pacer *pacer, in Format, out *output, to Format) *transcoder {
	t := &transcoder{pool: pool, pacer: pacer, in: in, out: out, to: to, rate: min(mixRate(in.Codec), mixRate(to.Codec))}
	t.frame = samplesOf(to) * t.rate / speechRate
	t.fifo = make([]int16, 0, t.rate*120/1000+t.frame)
	return t
}

// samplesOf returns the samples at speechRate of a packet in format f.
func samplesOf(f Format) int {
	switch {
	case f.PTime <= 0, f.PTime > 60, f.PTime%10 != 0, f.Codec == Opus && f.PTime%20 != 0, f.Codec.Linear():
		return speechRate / 50
	}
	return speechRate / 1000 * f.PTime
}

func (t *transcoder) feeder() *feeder { return &t.right }

func (t *transcoder) joins(in Format, out *output, to Format) bool {
	return t.in == in && t.out == out && t.to == to
}

func (t *transcoder) direct() bool { return t.smooth.Load() == nil }

func (t *transcoder) release() {
	if t.use.Swap(useReleased) == useIdle {
		t.free()
	}
}

func (t *transcoder) free() {
	t.pool.PutDecoder(t.in.Codec, t.rate, t.dec)
	t.pool.PutEncoder(t.to.Codec, t.rate, t.enc)
	t.dec, t.enc = nil, nil
}

// enter makes the caller the one who may work; a true result must be followed by
// leave.
func (t *transcoder) enter() bool { return t.use.CompareAndSwap(useIdle, useBusy) }

func (t *transcoder) leave() {
	if !t.use.CompareAndSwap(useBusy, useIdle) {
		t.free()
	}
}

func (t *transcoder) packet(p *Packet) {
	now := time.Now()
	if s := t.smooth.Load(); s != nil {
		s.inbox.put(p, now)
		return
	}
	if !t.enter() {
		return
	}
	defer t.leave()
	if ok, first := t.out.enter(&t.right); ok {
		defer t.out.leave()
		t.arrived(p, first, now)
	}
}

// open makes the codecs.
func (t *transcoder) open() bool {
	var err error
	if t.dec == nil {
		if t.dec, err = t.pool.Decoder(t.in.Codec, t.rate); err != nil {
			return false
		}
	}
	if t.enc == nil {
		t.enc, err = t.to.coding().encoder(t.pool, t.rate)
	}
	return err == nil
}

// arrived takes a packet as it comes.
func (t *transcoder) arrived(p *Packet, first bool, now time.Time) {
	if !t.open() {
		return
	}
	if t.isEvent(p) {
		t.event(p, now)
		if !first && p.Seq == t.next {
			t.next++ // audio goes on behind it by the speaker's timestamps
		}
		return
	}
	rough, noise := t.weather.note(p, t.in.Codec.ClockRate(), now), t.in.isNoise(p)
	if noise && first {
		t.align(p, now)
	}
	if noise || rough && !first {
		t.pacer.smooth(t, p, now)
		return
	}
	verdict := t.track.judge(p)
	if first || verdict == trackFresh {
		t.align(p, now)
	}
	if verdict != trackLate && int16(p.Seq-t.next) >= 0 {
		t.take(p, now)
	}
}

func (t *transcoder) isEvent(p *Packet) bool { return t.in.RecvDTMF != 0 && p.Type == t.in.RecvDTMF }

// align makes what follows continue the listener's stream.
func (t *transcoder) align(p *Packet, now time.Time) {
	t.next, t.expect, t.at = p.Seq, p.Timestamp, t.out.now(now, t.to.Codec.ClockRate())
	t.fifo, t.marker = t.fifo[:0], true
}

// take sends what p holds, and something in place of what is missing before it.
func (t *transcoder) take(p *Packet, now time.Time) {
	lost := p.Seq != t.next
	t.next = p.Seq + 1
	t.pass(p, lost, now)
	n, err := t.dec.Decode(t.pcm[:], p.Payload())
	if err != nil {
		return // as if it were lost
	}
	t.expect = p.Timestamp + t.units(n, t.in)
	t.send(t.pcm[:n], now)
}

// pass lets the time pass that lies between the last packet and p: what was lost
// is concealed, what was never sent is a pause.
func (t *transcoder) pass(p *Packet, lost bool, now time.Time) {
	ticks := int64(int32(p.Timestamp - t.expect))
	missing := int(ticks * int64(t.rate) / int64(t.in.Codec.ClockRate()))
	if missing < 0 || missing > maxPause*t.rate {
		t.at, t.fifo, t.marker = t.out.now(now, t.to.Codec.ClockRate()), t.fifo[:0], true
		return
	}
	step := t.rate / 50
	for filled := 0; lost && missing > 0 && filled < maxConceal; filled++ {
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
	t.pause(missing)
}

// pause lets time pass in which there is nothing to send.
func (t *transcoder) pause(samples int) {
	if samples > 0 {
		t.at += t.units(len(t.fifo)+samples, t.to)
		t.fifo, t.marker = t.fifo[:0], true // a talkspurt begins (RFC 3551 section 4.1)
	}
}

// units returns how far the RTP clock of f goes in that many samples.
func (t *transcoder) units(samples int, f Format) uint32 {
	return uint32(uint64(samples) * uint64(f.Codec.ClockRate()) / uint64(t.rate)) // a pause is long
}

// send sends every whole packet there is.
func (t *transcoder) send(pcm []int16, now time.Time) {
	t.endPress(nil, now)
	t.fifo = append(t.fifo, pcm...)
	for len(t.fifo) >= t.frame {
		n, err := t.enc.Encode(t.buf[HeaderRoom:HeaderRoom+MaxPayload], t.fifo[:t.frame])
		if err == nil && n > 0 {
			t.packed = Packet{Buf: t.buf[:], Len: n, Type: t.to.SendType, Timestamp: t.at, Marker: t.marker}
			t.emit(now)
			t.out.heed(t.enc)
			t.marker = false
		}
		t.fifo = t.fifo[:copy(t.fifo, t.fifo[t.frame:])]
		t.at += t.units(t.frame, t.to)
	}
}

// endPress sends the end of a press whose end is lost; next is the event at hand,
// if it is one.
func (t *transcoder) endPress(next *Packet, now time.Time) {
	if t.press.overdue(now, next) {
		t.press.end(&t.packed, t.to, t.buf[:])
		t.emit(now)
	}
}

// event passes a telephone-event on.
func (t *transcoder) event(p *Packet, now time.Time) {
	t.endPress(p, now)
	t.packed = Packet{Marker: p.Marker}
	if t.press.translate(&t.packed, p, t.in, t.to, t.buf[:], t.out.present(now, t.to.Codec.ClockRate()), now) {
		t.emit(now)
	}
}

func (t *transcoder) emit(now time.Time) {
	t.packed.Seq = t.out.seq + 1
	t.out.send(&t.packed, now)
}
