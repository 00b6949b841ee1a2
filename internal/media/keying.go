package media

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/dtmf"
)

// Keys of a party that came in another form than telephone-events, or go to a
// listener in another form, are put into the listener's stream in place of audio
// packets, whoever sends those: so sequence numbers and timestamps stay what they
// are, and there is one stream.

// idleFor is how long nothing may be sent to a listener before his keys are sent
// without audio to stand in for.
const idleFor = 50 * time.Millisecond

// toneTime and gapTime are how long a key is heard as a tone, and the silence
// behind it, in ms.
const toneTime, gapTime = 100, 60

// keying is what an output has of keys. The zero value is ready.
type keying struct {
	ordered atomic.Bool  // orders are there
	active  atomic.Bool  // or keys are being sent
	sentAt  atomic.Int64 // when anything was sent to the listener, in nanoseconds since the output was made
	mu      sync.Mutex   // guards what follows
	orders  []keyOrder

	alone atomic.Bool // nobody but idle sends to the listener

	// What follows is used inside the output only.
	to     Format
	pool   *codec.Pool
	sender *dtmf.Sender
	tones  []byte // keys to be heard as tones
	tone   *dtmf.Tone
	left   int // samples of tone and of the silence behind it
	enc    codec.Encoder
	over   bool // the next packet of audio is the first behind an event
	packet Packet
	buf    [HeaderRoom + MaxPayload + TailRoom]byte
	pcm    [speechRate * 60 / 1000]int16
}

// keyOrder is a key for a listener in format to. Held keys last until the next
// order; key 0 only ends them, and without a format it ends all.
type keyOrder struct {
	key  byte
	held bool
	to   Format
	pool *codec.Pool
}

// press orders a key for the listener.
func (o *output) press(k keyOrder) {
	o.keys.mu.Lock()
	defer o.keys.mu.Unlock()
	if len(o.keys.orders) < 64 {
		o.keys.orders = append(o.keys.orders, k)
		o.keys.active.Store(true)
		o.keys.ordered.Store(true)
	}
}

// keyed puts a key in the place of p, if one is due. Inside only.
func (o *output) keyed(p *Packet) *Packet {
	k := &o.keys
	if k.ordered.Load() {
		k.take()
	}
	if !k.busy() {
		k.active.Store(k.ordered.Load())
		if k.over && p.Type == k.to.SendType {
			k.over, p.Marker = false, true // a talkspurt begins (RFC 3551 section 4.1)
		}
		return p
	}
	if p.Type != k.to.SendType {
		return p // an event of somebody else
	}
	if k.sender.Busy() {
		return k.event(p)
	}
	return k.sound(p)
}

// busy reports whether keys are being sent.
func (k *keying) busy() bool {
	return k.sender != nil && k.sender.Busy() || len(k.tones) > 0 || k.tone != nil
}

// take takes the orders over.
func (k *keying) take() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ordered.Store(false)
	for _, order := range k.orders {
		if order.to.Codec == CodecNone {
			k.end()
			k.sender = nil
			continue
		}
		if k.sender == nil || k.to != order.to {
			k.end()
			k.to, k.pool = order.to, order.pool
			k.sender = dtmf.NewSender(order.to.Codec.ClockRate(), max(order.to.DTMFClock, 1))
		}
		switch {
		case order.key == 0:
			k.sender.Release()
		case k.to.SendDTMF == 0:
			k.tones = append(k.tones, order.key)
		case order.held:
			k.sender.Hold(order.key)
		default:
			k.sender.Press(order.key)
		}
	}
	k.orders = k.orders[:0]
}

// event returns the telephone-event in the place of p.
func (k *keying) event(p *Packet) *Packet {
	e, ok := k.sender.Next(p.Timestamp)
	if !ok {
		return p
	}
	k.over = true
	k.packet = Packet{Buf: k.buf[:], Len: eventSize, Type: k.to.SendDTMF, Marker: e.Marker, Seq: p.Seq, Timestamp: e.Timestamp}
	copy(k.packet.Payload(), e.Payload[:])
	return &k.packet
}

// sound returns the tone of a key in the place of p.
func (k *keying) sound(p *Packet) *Packet {
	if k.tone == nil {
		k.tone, _ = dtmf.NewTone(k.tones[0], speechRate)
		k.tones = k.tones[:copy(k.tones, k.tones[1:])]
		k.left = (toneTime + gapTime) * speechRate / 1000
	}
	if k.enc == nil {
		var err error
		if k.enc, err = k.to.coding().encoder(k.pool, speechRate); err != nil {
			k.end()
			return p
		}
	}
	pcm := k.pcm[:samplesOf(k.to)]
	clear(pcm)
	if loud := k.left - gapTime*speechRate/1000; loud > 0 {
		k.tone.Fill(pcm[:min(loud, len(pcm))])
	}
	n, err := k.enc.Encode(k.buf[HeaderRoom:HeaderRoom+MaxPayload], pcm)
	if k.left -= len(pcm); k.left <= 0 {
		k.tone = nil
	}
	if !k.busy() {
		k.end()
	}
	if err != nil {
		return p
	}
	k.packet = Packet{Buf: k.buf[:], Len: n, Type: p.Type, Marker: p.Marker, Seq: p.Seq, Timestamp: p.Timestamp}
	return &k.packet
}

// end gives up what is being heard as tones.
func (k *keying) end() {
	if k.enc != nil {
		k.pool.PutEncoder(k.to.Codec, speechRate, k.enc)
	}
	k.enc, k.tone, k.tones = nil, nil, k.tones[:0]
}

// idle sends the keys of a listener to whom nobody sends anything. It reports false
// when there are none left.
func (o *output) idle(now time.Time) bool {
	k := &o.keys
	if !k.active.Load() {
		return false
	}
	quiet := now.Sub(o.made) - time.Duration(k.sentAt.Load())
	if quiet < packetTime*3/4 || quiet < idleFor && !k.alone.Load() {
		return true
	}
	if !o.inside.CompareAndSwap(false, true) {
		return true // somebody does
	}
	defer o.inside.Store(false)
	if k.ordered.Load() {
		k.take()
	}
	if !k.busy() {
		k.active.Store(k.ordered.Load())
		return false
	}
	k.alone.Store(true)
	p := Packet{Type: k.to.SendType, Seq: o.seq + 1, Timestamp: o.present(now, k.to.Codec.ClockRate())}
	o.last = nil // whoever sends next begins behind these
	if made := o.keyed(&p); made != &p {
		o.put(made, &p, now)
	} else {
		o.timestamp, o.at, o.begun = p.Timestamp, now, true // the pause between keys
		k.sentAt.Store(int64(now.Sub(o.made)))
	}
	return true
}
