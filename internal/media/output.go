package media

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/media/codec"
)

// packetTime is how long the last packet of a stream is taken to last.
const packetTime = 20 * time.Millisecond

// heedEvery is how many packets of 20 ms are 5 s, the time between two reports of
// the far end.
const heedEvery = 250

// Stream is where a path's outgoing stream is. A Path that serves one leg after
// another has one and returns it from a method Stream, so that all legs are one
// stream to the far end: its SSRC is the path's, and SRTP refuses a number that
// was used. The zero value is ready.
type Stream struct{ output }

// output is the one outgoing RTP stream of a leg: whoever feeds it, sequence
// numbers have no gaps of ours and timestamps advance with time, so that the far
// end sees one stream (RFC 3550 section 5.1).
//
// One feeder owns it at a time. Owners change while packets are under way, so a
// feeder enters before it sends: entering never waits; a packet that meets
// another one inside, which can be at a change only, is dropped.
type output struct {
	path   Path
	made   time.Time // what times that packets are compared by count from: the clock may be set
	owner  atomic.Pointer[feeder]
	inside atomic.Bool

	// What follows is used inside only.
	begun     bool
	seq       uint16 // highest sent
	timestamp uint32 // of that packet
	at        time.Time
	last      *feeder // whose packet was the latest
	heeded    uint8   // packets since heed looked
	keys      keying
	lead      time.Duration // how far changes of feeders put timestamps ahead of the time; below 0 behind
}

// feeder is somebody's right to send; only its address counts.
type feeder struct{ _ byte }

// outputOf returns the output to p. The Server calls it under its lock.
func outputOf(p Path) *output {
	o := new(output)
	if keeper, ok := p.(interface{ Stream() *Stream }); ok {
		o = &keeper.Stream().output
	}
	if o.path == nil {
		o.path, o.seq, o.timestamp, o.made = p, uint16(rand.Uint32()), rand.Uint32(), time.Now()
	}
	return o
}

// own makes f the only one whose packets are sent; nil is nobody.
func (o *output) own(f *feeder) { o.owner.Store(f) }

// resign ends f's ownership; it is false if f had none any more.
func (o *output) resign(f *feeder) bool { return o.owner.CompareAndSwap(f, nil) }

// enter reports whether f may send now, and whether this is its first packet.
// A true ok must be followed by leave. A feeder that begins while the stream is
// ahead of the time must let packets go until it is not: a leg whose sources
// change again and again would be further ahead each time.
func (o *output) enter(f *feeder) (ok, first bool) {
	if o.owner.Load() != f || !o.inside.CompareAndSwap(false, true) {
		return false, false
	}
	first = o.last != f
	if first && o.lead > 0 && time.Since(o.at) < o.lead {
		o.inside.Store(false)
		return false, false
	}
	o.last = f
	return true, first
}

func (o *output) leave() { o.inside.Store(false) }

// now returns the timestamp of the present for a feeder that begins: that of the
// last packet and the time since, at least one packet.
func (o *output) now(t time.Time, clock uint32) uint32 {
	if !o.begun {
		return o.timestamp
	}
	passed := t.Sub(o.at)
	step := max(passed-o.lead, packetTime)
	o.lead = max(0, o.lead+step-passed)
	return o.timestamp + units(step, clock)
}

// behind returns the timestamp right behind the last packet for a feeder that goes on
// with the same voice, a little later than that.
func (o *output) behind(t time.Time, clock uint32) uint32 {
	passed := t.Sub(o.at)
	if !o.begun || passed > 3*packetTime {
		return o.now(t, clock)
	}
	o.lead += packetTime - passed // who begins next makes up for it
	return o.timestamp + units(packetTime, clock)
}

// present returns the timestamp of a telephone-event that begins at t.
func (o *output) present(t time.Time, clock uint32) uint32 {
	if !o.begun {
		return o.timestamp
	}
	return o.timestamp + units(max(t.Sub(o.at), packetTime), clock)
}

func units(d time.Duration, clock uint32) uint32 {
	return uint32(d.Microseconds() * int64(clock) / 1e6)
}

// send sends p, whose header is complete, and notes where the stream is. All
// packets of a telephone-event have the timestamp of its first.
func (o *output) send(p *Packet, t time.Time) {
	o.keys.alone.Store(false)
	o.put(o.keyed(p), p, t)
}

// put sends made in the place of p.
func (o *output) put(made, p *Packet, t time.Time) {
	if !o.begun || int16(p.Seq-o.seq) > 0 {
		o.seq = p.Seq
	}
	if !o.begun || int32(p.Timestamp-o.timestamp) > 0 {
		o.timestamp, o.at = p.Timestamp, t
	}
	o.begun = true
	o.keys.sentAt.Store(int64(t.Sub(o.made)))
	o.path.Send(made)
}

// heed lets enc, whose packets o carries, make up for the loss that the far end
// reports; enc may be nil. It is called inside, for every packet, and looks every
// 5 s.
func (o *output) heed(enc codec.Encoder) {
	if o.heeded++; o.heeded < heedEvery {
		return
	}
	o.heeded = 0
	if aware, ok := enc.(codec.LossAware); ok {
		aware.ExpectLoss(o.path.Stats().FarLost)
	}
}
