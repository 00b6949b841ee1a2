package jitter

import "time"

const (
	// maxMadeUp is how long something is made up for a stream that has stopped; the
	// decoders have faded out before.
	maxMadeUp = 120 * time.Millisecond
	// standstill is the time between two Reads after which the listener has a gap.
	standstill = 100 * time.Millisecond
	// uneven is how much timestamps may be off without meaning anything.
	uneven = 5 * time.Millisecond
)

// Read fills all of pcm with what is to be heard from now on, and says what that
// is. The time between two calls should on average be the time that pcm lasts, a
// multiple of 10 ms and at most 60.
func (b *Buffer) Read(now time.Time, pcm []int16) State {
	if !b.begun {
		clear(pcm)
		return Silence
	}
	before := b.now
	if b.now = now.Sub(b.epoch); b.now-before > standstill {
		b.pace.gap = afterGap
	}
	b.fill(len(pcm))
	if b.playing {
		b.adapt(len(pcm))
		b.fill(len(pcm))
	}
	n := b.fifo.play(pcm)
	rest := pcm[n:]
	if b.noise.Fill(rest) {
		return Speech
	}
	clear(rest)
	if n > 0 {
		return Speech
	}
	return Silence
}

// fill makes n samples wait, unless there is a pause.
func (b *Buffer) fill(n int) {
	for b.fifo.len() < n && b.pull() {
	}
}

// head returns the place of the sample that is played next.
func (b *Buffer) head() int64 { return b.expect - int64(b.owed+b.fifo.len()) }

// pull decodes or makes up some more samples. It reports false in a pause.
func (b *Buffer) pull() bool {
	p := b.store.first(b.next)
	switch {
	case p == nil && !b.playing:
		return false
	case p == nil:
		return b.starve()
	case !b.playing:
		return b.resume(p)
	case p.seq != b.next:
		return b.gap(p)
	}
	return b.take(p)
}

// resume begins to play with p if it is time.
func (b *Buffer) resume(p *packet) bool {
	b.next = p.seq
	if p.kind == event {
		return b.take(p)
	}
	if b.fifo.len() > 0 || b.now < b.due(p) {
		return false // it begins with a whole Read, so that packets fit those
	}
	b.playing, b.expect = true, p.pos
	b.owed, b.made = 0, 0
	b.pace.resumed()
	return true
}

// take plays p, the next packet.
func (b *Buffer) take(p *packet) bool {
	gap := int(p.pos - b.expect)
	if p.kind == event {
		gap = 0 // it has no place
	}
	if gap > b.owed+b.samples(uneven) || gap < -b.cfg.Rate {
		b.playing = false // the sender has made a pause, or set its clock
		return true
	}
	if p.kind == audio && b.replaced(p) {
		b.store.drop(p)
		b.lose(1)
		b.stats.Late++
		b.stats.Received--
		b.expect, b.owed = p.pos+int64(b.frame), b.owed-b.frame
		return true
	}
	if b.owed > 0 {
		b.pace.grown(b.owed - max(0, gap)) // it came late
	}
	b.owed, b.made = 0, 0
	b.next++
	payload := b.store.payload(p)
	b.store.drop(p)
	b.noise.stop()
	if p.kind != audio {
		if p.kind == noiseLevel {
			b.noise.Set(payload)
		}
		b.playing = false
		return true
	}
	slack := b.slack(p)
	n, err := b.dec.Decode(b.fifo.room(b.cfg.Rate*120/1000), payload)
	if err != nil || n <= 0 || n > b.cfg.Rate*120/1000 {
		b.stats.Invalid++
		return b.makeUp(b.frame, nil)
	}
	b.fifo.commit(n)
	b.frame, b.expect = n, p.pos+int64(n)
	b.pace.took(slack)
	return true
}

// replaced reports whether p, which comes when all of it was made up, can be left
// out: it was overtaken by the next packet, and that one is early enough.
func (b *Buffer) replaced(p *packet) bool {
	q := b.store.get(p.seq + 1)
	return b.owed >= b.frame && q != nil && q.kind == audio && b.slack(q) >= b.target()
}

// slack returns how much later p could have come to be played now.
func (b *Buffer) slack(p *packet) time.Duration {
	return b.now - b.arrival.earliest - b.duration(p.pos)
}

// gap makes up what is missing before p.
func (b *Buffer) gap(p *packet) bool {
	missing := int(p.seq - b.next)
	if p.kind == event {
		b.lose(missing)
		return true
	}
	paid := min(b.owed, max(0, int(p.pos-b.expect)))
	b.expect += int64(paid)
	if b.owed > paid {
		b.pace.grown(b.owed - paid)
	}
	b.owed = 0
	lost := min(int(p.pos-b.expect), missing*b.frame)
	if lost < b.samples(uneven) || b.made >= b.samples(maxMadeUp) {
		b.lose(missing)
		return true // take decides whether there is a pause, too
	}
	n := min(lost, b.frame)
	var next []byte
	if lost == n && n == b.frame && p.kind == audio {
		next = b.store.payload(p) // only the packet right before p is told of in p
	}
	b.lose(max(0, min(missing, missing-(lost-n+b.frame-1)/b.frame)))
	return b.makeUp(n, next)
}

// lose gives up n packets.
func (b *Buffer) lose(n int) {
	b.next += uint16(n)
	b.stats.Lost += uint64(n)
	b.pace.lost(n)
}

// starve makes something up while it is not known what is missing: it may yet
// come, and is then played.
func (b *Buffer) starve() bool {
	if b.made >= b.samples(maxMadeUp) {
		b.playing = false
		return false
	}
	n := min(b.frame, b.cfg.Rate/50)
	if !b.makeUp(n, nil) {
		return false
	}
	b.expect -= int64(n)
	b.owed += n
	return true
}

// makeUp adds n samples in place of those at expect.
func (b *Buffer) makeUp(n int, next []byte) bool {
	pcm := b.fifo.room(n)
	if b.dec.Conceal(pcm, next) != nil {
		clear(pcm)
	}
	b.fifo.commit(n)
	b.expect += int64(n)
	b.made += n
	b.stats.Concealed += uint64(n)
	return true
}
