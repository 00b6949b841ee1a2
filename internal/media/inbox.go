package media

import (
	"sync/atomic"
	"time"
)

// inboxSize is how many packets wait for the mixer at most: 320 ms of them. It
// looks every 20 ms; what a stall held back for longer is too late.
const inboxSize = 16

// inbox hands the packets of a speaker from his path's read goroutine to the
// mixer's without a lock: one writes, the other reads. While a path changes two
// may want to write; the later packet is dropped. A full inbox, whose reader stood
// still, gives up its oldest packet for a new one.
type inbox struct {
	writing atomic.Bool
	reading atomic.Bool   // the oldest packet is in use, or being given up
	head    atomic.Uint32 // packets written
	tail    atomic.Uint32 // packets read
	slots   [inboxSize]arrival
	held    bool // the reader has the oldest packet; belongs to the reader
}

// arrival is a packet with the time it came.
type arrival struct {
	Packet
	at  time.Time
	buf [HeaderRoom + MaxPayload]byte
}

// put copies p; it is lost if the reader is just busy with the oldest of too many.
func (b *inbox) put(p *Packet, now time.Time) {
	if !b.writing.CompareAndSwap(false, true) {
		return
	}
	defer b.writing.Store(false)
	head := b.head.Load()
	if head-b.tail.Load() == inboxSize && !b.giveUp() {
		return
	}
	a := &b.slots[head%inboxSize]
	a.Packet, a.at = *p, now
	a.Buf = a.buf[:]
	copy(a.Payload(), p.Payload())
	b.head.Store(head + 1)
}

// giveUp makes room in a full inbox.
func (b *inbox) giveUp() bool {
	if !b.reading.CompareAndSwap(false, true) {
		return false
	}
	if b.head.Load()-b.tail.Load() == inboxSize { // it was not read meanwhile
		b.tail.Add(1)
	}
	b.reading.Store(false)
	return true
}

// next returns the oldest packet, nil if there is none, or if it is just given up. It
// is valid until taken, which must follow.
func (b *inbox) next() *arrival {
	if !b.reading.CompareAndSwap(false, true) {
		return nil
	}
	if tail := b.tail.Load(); tail != b.head.Load() {
		b.held = true
		return &b.slots[tail%inboxSize]
	}
	b.reading.Store(false)
	return nil
}

// taken gives the place of the oldest packet back.
func (b *inbox) taken() {
	b.held = false
	b.tail.Add(1)
	b.reading.Store(false)
}

// drop forgets all packets. The reader may have been interrupted by a panic.
func (b *inbox) drop() {
	if b.held {
		b.taken()
	}
	for b.next() != nil {
		b.taken()
	}
}
