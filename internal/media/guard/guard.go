// Package guard holds what a path must watch beside its audio: which numbers it has
// sent under a key, how many sources it keeps state for, and that a fault in the work
// for one leg stays that leg's.
package guard

import "slices"

// MaxSources is how many synchronisation sources one far end may send with: one
// for each microphone. Each costs memory, and there are 2^32.
const MaxSources = 16

// Sources are those that a far end was heard with.
type Sources []uint32

// Admit returns s with ssrc, or false if it is full. Keep what it returns only once
// a packet of ssrc was authentic.
func (s Sources) Admit(ssrc uint32) (Sources, bool) {
	if slices.Contains(s, ssrc) {
		return s, true
	}
	if len(s) == MaxSources {
		return nil, false
	}
	return append(s, ssrc), true
}

// Window remembers which of the last 64 sequence numbers were sent. The zero value
// is ready.
type Window struct {
	begun   bool
	highest uint16
	bits    uint64 // bit n: highest-n was sent
}

// Take reports whether seq may be sent, and marks it. A number that was sent, or
// is too old to know, must not be sent again with the same key: in GCM that would
// give the key away (RFC 7714 section 13.1).
func (w *Window) Take(seq uint16) bool {
	ahead := int16(seq - w.highest)
	switch {
	case !w.begun:
		*w = Window{begun: true, highest: seq, bits: 1}
	case ahead > 0:
		w.bits, w.highest = w.bits<<uint(ahead)|1, seq
	case ahead <= -64 || w.bits>>uint(-ahead)&1 == 1:
		return false
	default:
		w.bits |= 1 << uint(-ahead)
	}
	return true
}
