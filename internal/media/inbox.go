package media

import (
	"sync/atomic"
	"time"
)

// inboxSize is how many packets wait for the mixer at most: 320 ms of them. It
// looks every 20 ms; what a stall of the network held back for longer is too late.
const inboxSize = 16

// inbox hands the packets of a speaker from his path's read goroutine to the
// mixer's without a lock: one writes, the other reads. While a path changes two
// may want to write; the later packet is dropped.
type inbox struct {
	writing atomic.Bool
	head    atomic.Uint32 // packets written
	tail    atomic.Uint32 // packets read
	slots   [inboxSize]arrival
}

// arrival is a packet with the time it came.
type arrival struct {
	Packet
	at  time.Time
	buf [HeaderRoom + MaxPayload]byte
}

// put copies p; it is lost if nobody reads.
func (b *inbox) put(p *Packet, now time.Time) {
	if !b.writing.CompareAndSwap(false, true) {
		return
	}
	defer b.writing.Store(false)
	head := b.head.Load()
	if head-b.tail.Load() == inboxSize {
		return
	}
	a := &b.slots[head%inboxSize]
	a.Packet, a.at = *p, now
	a.Buf = a.buf[:]
	copy(a.Payload(), p.Payload())
	b.head.Store(head + 1)
}

// next returns the oldest packet, nil if there is none. It is valid until taken.
func (b *inbox) next() *arrival {
	if tail := b.tail.Load(); tail != b.head.Load() {
		return &b.slots[tail%inboxSize]
	}
	return nil
}

// taken gives the place of the oldest packet back.
func (b *inbox) taken() { b.tail.Add(1) }
