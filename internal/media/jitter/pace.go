package jitter

import "time"

const (
	// margin is what a packet may come later than most: the reader's own clock is
	// not exact either.
	margin = 2 * time.Millisecond
	// maxTarget is as long as a Buffer waits; what comes later is lost.
	maxTarget = 300 * time.Millisecond
	// maxExtra is how much more may wait than asked for, when a network has stood still;
	// above it whole packets are left out at once, which makes the gap that there is a
	// little longer. afterGap is for how many packets that is so: later it would be a
	// gap of its own.
	maxExtra = 100 * time.Millisecond
	afterGap = 25
	// judged is how many packets are looked at before the delay is made shorter,
	// hurried how many while there is more than hurry to leave out.
	judged, hurried = 12, 4
	hurry           = 60 * time.Millisecond
	// tolerance is how much longer than needed the delay may be before it is cut.
	tolerance = 2 * time.Millisecond
	// A sender whose clock is slow empties the buffer little by little. When the
	// delay has shrunk by drift and is within reserve of what it must be, it is made
	// longer in one small step before it has to be in a large one.
	drift, reserve = 4 * time.Millisecond, 8 * time.Millisecond
	// fecLoss is the share of lost packets, of 1<<20, from which FEC is waited for.
	fecLoss = 1 << 20 * 15 / 1000
)

// pace decides whether a Buffer's delay is too short or too long. The delay is
// slack and spare: how much later the newest packet could have come, and how many
// samples a Read leaves over.
type pace struct {
	packets int           // since the last judgement
	slack   time.Duration // of the newest packet
	least   time.Duration // least slack since the last judgement
	spare   int           // least spare samples since then
	excess  int           // samples that may be left out
	waited  int           // Reads since that was found
	debt    int           // samples that the delay has grown because something was late
	mark    time.Duration // delay after the last change, 0 if not known yet
	loss    int           // share of lost packets, of 1<<20; it fades
	gap     int           // packets for which a gap is still near
}

// restart begins to judge anew, after the delay was changed.
func (p *pace) restart() { *p = pace{slack: p.slack, debt: p.debt, loss: p.loss, gap: p.gap} }

// resumed begins anew behind a pause, which may have been none of the speaker's.
func (p *pace) resumed() { *p = pace{loss: p.loss, gap: afterGap} }

// grown notes that something came n samples late, and was played then.
func (p *pace) grown(n int) {
	p.restart()
	p.debt += n
	p.gap = afterGap
}

// took notes a packet that was played slack before it would have been late.
func (p *pace) took(slack time.Duration) {
	if p.packets == 0 {
		p.least, p.spare = slack, 1<<30
	}
	p.packets++
	p.slack, p.least = slack, min(p.least, slack)
	p.loss -= p.loss / 256
	p.gap = max(0, p.gap-1)
}

// lost notes packets that were not there.
func (p *pace) lost(n int) {
	for range min(n, slots) {
		p.loss += (1<<20 - p.loss) / 256
	}
}

// target returns how late a packet may come.
func (b *Buffer) target() time.Duration {
	t := b.arrival.Lateness() + margin
	if b.cfg.FEC && b.pace.loss > fecLoss {
		t += b.duration(int64(b.frame))
	}
	return min(t, maxTarget)
}

// adapt changes the samples that wait, if the delay is not what it should be. It
// is called once a Read, before unit of them are played.
func (b *Buffer) adapt(unit int) {
	p := &b.pace
	if p.packets == 0 || b.made > 0 {
		return
	}
	target, delay := b.target(), b.Delay()
	switch {
	case p.gap > 0 && p.slack > target+b.duration(int64(b.frame))+maxExtra:
		b.leaveOut(target)
	case p.slack < target, delay < min(p.mark-drift, target+reserve):
		b.lengthen()
	default:
		p.spare = min(p.spare, b.fifo.len()-unit)
		b.shorten(target, delay)
	}
}

// lengthen plays a pitch period twice.
func (b *Buffer) lengthen() {
	if n := b.insert(); n > 0 {
		b.stats.Stretched += uint64(n)
		b.pace.restart()
	}
}

// shorten leaves out a pitch period if that much waits without need: up to a
// packet does, because packets come whole.
func (b *Buffer) shorten(target, delay time.Duration) {
	p := &b.pace
	frame := b.duration(int64(b.frame))
	if p.packets >= judged || p.packets >= hurried && p.least > target+frame+hurry {
		p.excess = p.spare // what a Read leaves over is not needed at all
		if p.least-frame >= target {
			p.excess += b.frame
		}
		if b.duration(int64(p.spare))+p.least <= target+frame+tolerance {
			p.excess = min(p.excess, p.debt) // as before something was late, no shorter
		}
		if p.mark == 0 {
			p.mark = delay
		}
		p.packets = 0
	}
	if p.excess <= 0 {
		p.waited = 0
		return
	}
	p.waited++
	if n := b.remove(p.excess, likeness(p.waited)); n > 0 {
		b.stats.Removed += uint64(n)
		p.debt = max(0, p.debt-n)
		p.restart()
	}
}

// likeness returns how much what is left out must resemble what follows, 0 to 1,
// after so many Reads that it was wanted. Speech soon offers a good place.
func likeness(waited int) float64 { return max(0.3, 0.96-0.01*float64(waited)) }

// leaveOut skips packets until about target is left.
func (b *Buffer) leaveOut(target time.Duration) {
	for n := (b.pace.slack - target) / b.duration(int64(b.frame)); n > 0; n-- {
		p := b.store.get(b.next)
		if p == nil {
			break
		}
		b.store.drop(p)
		b.next++
		b.expect = p.pos + int64(b.frame)
		b.stats.Removed += uint64(b.frame)
	}
	b.pace.restart()
}
