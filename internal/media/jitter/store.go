package jitter

const (
	// slots is how many packets can wait: 1.2 s of 20 ms ones.
	slots = 64
	// arenaSize is room for as many payloads of G.711, and for a quarter second of
	// the longest there are.
	arenaSize = 20 << 10
)

// kind is what a packet holds.
type kind uint8

const (
	audio kind = iota
	noiseLevel
	event // nothing to play
)

// packet is one that waits.
type packet struct {
	used  bool
	kind  kind
	seq   uint16
	pos   int64 // where its audio begins, in samples
	begin uint64
	len   int
}

// store keeps packets by sequence number. Payloads lie in one ring of bytes in
// the order of arrival; the oldest give way.
type store struct {
	slot    [slots]packet
	arena   [arenaSize]byte
	written uint64
	waiting int
}

func (s *store) clear() {
	s.slot = [slots]packet{}
	s.written, s.waiting = 0, 0
}

// put keeps p with a copy of payload, at most arenaSize bytes.
func (s *store) put(p packet, payload []byte) {
	if at := s.written % arenaSize; at+uint64(len(payload)) > arenaSize {
		s.written += arenaSize - at // in one piece
	}
	p.used, p.begin, p.len = true, s.written, len(payload)
	copy(s.arena[s.written%arenaSize:], payload)
	s.written += uint64(len(payload))
	at := &s.slot[p.seq%slots]
	if !at.used {
		s.waiting++
	}
	*at = p
}

// get returns the packet numbered seq, nil if it is not here.
func (s *store) get(seq uint16) *packet {
	p := &s.slot[seq%slots]
	if !p.used || p.seq != seq {
		return nil
	}
	if s.written-p.begin > arenaSize {
		s.drop(p)
		return nil
	}
	return p
}

// first returns the first packet from seq on, nil if there is none.
func (s *store) first(seq uint16) *packet {
	for n := uint16(0); s.waiting > 0 && n < slots; n++ {
		if p := s.get(seq + n); p != nil {
			return p
		}
	}
	return nil
}

func (s *store) payload(p *packet) []byte {
	at := p.begin % arenaSize
	return s.arena[at : at+uint64(p.len)]
}

func (s *store) drop(p *packet) {
	if p.used {
		p.used = false
		s.waiting--
	}
}
