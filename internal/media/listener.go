package media

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/mix"
)

const (
	// maxWait is how many steps a listener's former stream goes on while nobody is
	// ready in the mix.
	maxWait = 3
	// stillAfter is how many steps of silence are encoded, before the last packet
	// of them is sent again and again.
	stillAfter = 25
	// shareAfter is how many steps a listener must have said nothing before it shares
	// an encoder that remembers.
	shareAfter = 50
)

// listener is a leg that hears a mix: a set of speakers without itself, 20 ms
// after 20 ms. The Server makes it; the rest is the mixer's goroutine's.
type listener struct {
	right feeder
	out   *output
	to    Format
	rate  int
	frame int   // samples of a packet
	prior route // what out carries until somebody is ready, nil if nothing

	row    []*tap // whom it hears
	self   *tap   // itself, nil if nobody hears it
	listed bool
	hears  heardSum
	was    heardSum // in the step before a change, else nothing
	waited int
	still  int  // steps of silence
	joined bool // its first packet continues what a relay sent

	sounds  []*insert    // it hears these, too
	leaving []*insert    // and for one step these, which it was given before
	calm    atomic.Int32 // steps in which the only voice was silent

	sharing bool // the last packet was not l's own
	mute    int  // steps since l was heard itself

	enc    codec.Encoder // nil while it shares one
	fifo   []int16       // less than a packet
	pcm    [wideFrame]int16
	before [wideFrame]int16
	begun  bool
	at     uint32 // timestamp of the next packet
	n      int    // bytes of the last packet
	press  press
	packed Packet
	buf    [HeaderRoom + MaxPayload + TailRoom]byte
}

// heardSum is a sum less one voice.
type heardSum struct {
	sum  *sum
	less *tap // nil if it is not in sum
}

func newListener(out *output, to Format, prior route) *listener {
	l := &listener{out: out, to: to, rate: mixRate(to.Codec), prior: prior}
	l.frame = samplesOf(to) * l.rate / speechRate
	l.fifo = make([]int16, 0, l.frame+wideFrame)
	if prior == nil {
		out.own(&l.right)
	}
	return l
}

// fits reports whether l can go on for out in format to.
func (l *listener) fits(out *output, to Format) bool { return l.out == out && l.to == to }

// over reports whether somebody else feeds the leg now.
func (l *listener) over() bool {
	owner := l.out.owner.Load()
	return owner != &l.right && (l.prior == nil || owner != l.prior.feeder())
}

// ready takes the leg over from what it heard before, as soon as there is
// something to hear, so that the change is no gap.
func (l *listener) ready() bool {
	if l.prior == nil && (!l.joined || l.begun) {
		return true
	}
	fresh := func(t *tap) bool { return t.fresh }
	if l.waited++; l.waited <= maxWait && !slices.ContainsFunc(l.row, fresh) {
		return false
	}
	if l.prior == nil {
		return true
	}
	if !l.out.owner.CompareAndSwap(l.prior.feeder(), &l.right) {
		return false
	}
	l.prior.release()
	l.prior = nil
	return true
}

// step sends this step's 20 ms.
func (l *listener) step(x *mixer, now time.Time) {
	pool, step := x.pool, x.count
	l.listenForPause()
	if c := l.shared(pool, step); c != nil {
		l.free(pool)
		l.sharing, l.was = true, heardSum{}
		l.send(c.buf[:], c.n, now)
		return
	}
	if l.sharing {
		l.sharing = false
		l.resume(pool, step)
	}
	pcm := l.pcm[:l.rate/50]
	l.mix(pcm, step)
	l.insert(pcm, x.stage, now)
	l.fifo = append(l.fifo, pcm...)
	for len(l.fifo) >= l.frame {
		l.encode(pool, l.fifo[:l.frame])
		l.send(l.buf[:], l.n, now)
		l.fifo = l.fifo[:copy(l.fifo, l.fifo[l.frame:])]
	}
}

// shared returns the packet that others hear, too, nil if this step needs one of
// its own: because l's own voice must be taken out, or l alone hears a change.
// Changing between encoders that remember costs a little quality with Opus, whose
// packets stand nearly alone, so that l shares one when it has said nothing for a
// while; it is loud with G.722, so that only those share who are never heard.
func (l *listener) shared(pool *codec.Pool, step uint64) *coded {
	less := l.hears.less
	if l.frame != l.rate/50 || len(l.sounds)+len(l.leaving) > 0 || less != nil && less.active {
		l.mute = 0
		return nil
	}
	l.mute++
	switch {
	case !remembers(l.to.Codec):
		if l.was.sum != nil {
			return nil
		}
	case less != nil && l.to.Codec == G722, !l.sharing && (l.was.sum != nil || less != nil && l.mute <= shareAfter):
		return nil
	}
	return l.hears.sum.encoded(l.to.coding().shared(), pool, step, l.pcm[:l.rate/50])
}

// resume prepares an encoder of l's own for the sound that it goes on with. Its
// first packet begins with what it was given before.
func (l *listener) resume(pool *codec.Pool, step uint64) {
	from := l.hears.sum
	if l.was.sum != nil {
		from = l.was.sum
	}
	if c := from.find(l.to.coding().shared()); c != nil && remembers(l.to.Codec) && c.step+1 >= step {
		l.still = 0
		copy(l.pcm[:], c.pcm[(step+1)%2][:])
		l.encode(pool, l.pcm[:l.rate/50])
	}
}

// mix writes what l hears in this step. A change is faded.
func (l *listener) mix(pcm []int16, step uint64) {
	active := l.hears.sum.write(pcm, l.hears.less, step)
	if l.was.sum != nil {
		before := l.before[:len(pcm)]
		active = l.was.sum.write(before, l.was.less, step) || active
		mix.Fade(pcm, before)
		l.was = heardSum{}
	}
	if l.still++; active {
		l.still = 0
	}
}

// encode makes the next packet. Long silence is not encoded: its packets are all
// the same.
func (l *listener) encode(pool *codec.Pool, pcm []int16) {
	if l.still > stillAfter && l.n > 0 {
		return
	}
	if l.enc == nil {
		var err error
		if l.enc, err = l.to.coding().encoder(pool, l.rate); err != nil {
			l.enc, l.n = nil, 0
			return
		}
	}
	n, err := l.enc.Encode(l.buf[HeaderRoom:HeaderRoom+MaxPayload], pcm)
	if err != nil {
		n = 0
	}
	l.n = n
}

// send sends the payload in buf; time passes also where there is none.
func (l *listener) send(buf []byte, n int, now time.Time) {
	ok, first := l.out.enter(&l.right)
	if !ok {
		return
	}
	defer l.out.leave()
	clock := l.to.Codec.ClockRate()
	if !l.begun {
		l.begun, l.at = true, l.out.now(now, clock)
		if l.joined {
			l.at = l.out.behind(now, clock)
		}
	}
	if n > 0 {
		l.packed = Packet{Buf: buf, Len: n, Type: l.to.SendType, Marker: first, Seq: l.out.seq + 1, Timestamp: l.at}
		l.out.send(&l.packed, now)
		l.out.heed(l.enc)
	}
	l.at += uint32(l.frame) * clock / uint32(l.rate)
}

// turn makes l hear another sum.
func (l *listener) turn(to heardSum) {
	if l.hears == to {
		return
	}
	if to.sum != nil {
		to.sum.users++
	}
	if l.hears.sum != nil {
		l.hears.sum.users--
	}
	l.was = heardSum{}
	if l.begun {
		l.was = l.hears
	}
	l.hears = to
}

// inherit lets the encoder that l shared go on if all who shared it came along.
func (l *listener) inherit() {
	if old := l.was.sum; old != nil && old.users == 0 && l.sharing {
		l.hears.sum.inherit(old, l.to.coding().shared())
	}
}

// skip lets n steps pass that the mixer slept through.
func (l *listener) skip(n int) {
	l.at += uint32(n) * (l.to.Codec.ClockRate() / 50)
}

// tell passes on the telephone-events of those whom l hears.
func (l *listener) tell(now time.Time) {
	for _, t := range l.row {
		for i := range t.pressed {
			if l.press.overdue(now, &t.events[i]) {
				l.event(nil, nil, now)
			}
			l.event(t, &t.events[i], now)
		}
	}
	if l.press.overdue(now, nil) {
		l.event(nil, nil, now)
	}
}

// event sends a telephone-event of from, or the end of the press if there is none.
func (l *listener) event(from *tap, e *Packet, now time.Time) {
	ok, _ := l.out.enter(&l.right)
	if !ok {
		return
	}
	defer l.out.leave()
	l.n = 0 // its buffer is used
	l.packed = Packet{}
	if e == nil {
		l.press.end(&l.packed, l.to, l.buf[:])
	} else {
		l.packed.Marker = e.Marker
		if !l.press.translate(&l.packed, e, from.in, l.to, l.buf[:], l.out.present(now, l.to.Codec.ClockRate()), now) {
			return
		}
	}
	l.packed.Seq = l.out.seq + 1
	l.out.send(&l.packed, now)
}

// free gives the encoder back.
func (l *listener) free(pool *codec.Pool) {
	if l.enc != nil {
		pool.PutEncoder(l.to.Codec, l.rate, l.enc)
		l.enc = nil
	}
}
