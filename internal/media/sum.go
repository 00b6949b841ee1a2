package media

import (
	"encoding/binary"
	"slices"

	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/mix"
)

// sum is a set of speakers that some listeners hear, less their own voice: the
// members of a conference have one sum together, so that a conference of N costs
// N additions and N subtractions, not N squared. It belongs to the mixer's
// goroutine.
type sum struct {
	key    sumKey
	taps   []*tap
	users  int    // listeners
	step   uint64 // in which voices was made
	active bool   // anybody can be heard in it
	voices [wideFrame]int32
	lifted *lifted // made when first needed
	coded  []*coded
}

// lifted is what the voices at 8 kHz are to a sum at 16: they are converted together,
// not each by itself.
type lifted struct {
	doubler mix.Doubler
	held    bool // doubler still holds some of what was heard
	voices  [narrowFrame]int32
	narrow  [narrowFrame]int16
	wide    [wideFrame]int16
}

// sumKey is what makes two sums the same.
type sumKey struct {
	rate int
	taps string // their ids in order
}

// coded is a sum in packets of 20 ms, for all listeners of one codec to whom
// nothing must be taken out of it.
type coded struct {
	coding
	enc  codec.Encoder
	from *sum   // what enc coded before, faded out in the first step
	step uint64 // in which packet was made
	n    int
	pcm  [2][wideFrame]int16 // of this step and the one before, by whether the step is odd
	buf  [HeaderRoom + MaxPayload + TailRoom]byte
}

// keyOf returns the key of the sum of taps, which it sorts.
func keyOf(rate int, taps []*tap) sumKey {
	slices.SortFunc(taps, func(a, b *tap) int { return int(int64(a.id) - int64(b.id)) })
	ids := make([]byte, 0, 4*len(taps))
	for _, t := range taps {
		ids = binary.BigEndian.AppendUint32(ids, t.id)
	}
	return sumKey{rate, string(ids)}
}

// add makes the voices of this step, once.
func (s *sum) add(step uint64) {
	if s.step == step {
		return
	}
	s.step, s.active = step, false
	voices, toLift := s.voices[:s.key.rate/50], false
	clear(voices)
	for _, t := range s.taps {
		switch {
		case !t.active:
			continue
		case t.rate < s.key.rate:
			toLift = true
		default:
			mix.Add(voices, t.at(s.key.rate))
		}
		s.active = true
	}
	if toLift || s.lifted != nil && s.lifted.held {
		s.lift(toLift)
		s.active = true
	}
}

// lift adds the voices at 8 kHz to those at 16.
func (s *sum) lift(some bool) {
	if s.lifted == nil {
		s.lifted = new(lifted)
	}
	l := s.lifted
	clear(l.voices[:])
	for _, t := range s.taps {
		if t.active && t.rate < s.key.rate {
			mix.Add(l.voices[:], t.at(t.rate))
		}
	}
	mix.Clip(l.narrow[:], l.voices[:])
	l.doubler.Double(l.wide[:], l.narrow[:])
	mix.Add(s.voices[:], l.wide[:])
	l.held = some
}

// write writes this step without the voice of less, which may be nil, and reports
// whether there is anything to hear.
func (s *sum) write(pcm []int16, less *tap, step uint64) bool {
	s.add(step)
	switch {
	case !s.active:
		clear(pcm)
	case less != nil && less.active:
		mix.ClipWithout(pcm, s.voices[:len(pcm)], less.at(s.key.rate))
	default:
		mix.Clip(pcm, s.voices[:len(pcm)])
	}
	return s.active
}

// find returns the packets of s coded as k, nil if there are none.
func (s *sum) find(k coding) *coded {
	for _, c := range s.coded {
		if c.coding == k {
			return c
		}
	}
	return nil
}

// encoded returns this step coded as k. The encoder comes with the first listener;
// before is what that one heard last.
func (s *sum) encoded(k coding, pool *codec.Pool, step uint64, before []int16) *coded {
	c := s.find(k)
	if c == nil {
		c = &coded{coding: k}
		s.coded = append(s.coded, c)
	}
	if c.step == step {
		return c
	}
	c.step, c.n = step, 0
	if c.enc == nil {
		enc, err := k.encoder(pool, s.key.rate)
		if err != nil {
			return c
		}
		c.enc = enc
		if remembers(k.codec) {
			_, _ = enc.Encode(c.buf[HeaderRoom:HeaderRoom+MaxPayload], before) // it begins with this
		}
	}
	pcm := c.pcm[step%2][:s.key.rate/50]
	s.write(pcm, nil, step)
	if c.from != nil {
		var old [wideFrame]int16
		c.from.write(old[:len(pcm)], nil, step)
		mix.Fade(pcm, old[:len(pcm)])
		c.from = nil
	}
	if n, err := c.enc.Encode(c.buf[HeaderRoom:HeaderRoom+MaxPayload], pcm); err == nil {
		c.n = n
	}
	return c
}

// remembers reports whether codec k has a state, which each packet changes.
func remembers(k Codec) bool { return k == Opus || k == G722 || k == L16x24 }

// inherit takes over an encoder of old, which nobody hears any more, so that its
// listeners hear one stream across the change.
func (s *sum) inherit(old *sum, k coding) {
	c := old.find(k)
	if !remembers(k.codec) || s.find(k) != nil || c == nil || c.enc == nil || old.key.rate != s.key.rate {
		return
	}
	s.coded = append(s.coded, &coded{coding: k, enc: c.enc, from: old})
	c.enc = nil
}

// free gives the encoders back.
func (s *sum) free(pool *codec.Pool) {
	for _, c := range s.coded {
		if c.enc != nil {
			pool.PutEncoder(c.codec, s.key.rate, c.enc)
			c.enc = nil
		}
	}
}
