package media

import "time"

// relay passes packets on without decoding: sequence number, timestamp, payload
// type and marker are rewritten, gaps of the speaker are kept as they are.
type relay struct {
	right  feeder
	in, to Format
	out    *output

	// What follows belongs to the speaker's read goroutine.
	track  track
	seq    uint16 // ours minus the speaker's
	time   uint32 // ours minus the speaker's
	press  press
	packed Packet
	buf    [HeaderRoom + eventSize + TailRoom]byte // for telephone-events, which are written anew
}

func newRelay(in Format, out *output, to Format) *relay { return &relay{in: in, to: to, out: out} }

func (r *relay) feeder() *feeder { return &r.right }

func (r *relay) joins(in Format, out *output, to Format) bool {
	return r.in == in && r.out == out && r.to == to
}

func (r *relay) direct() bool { return true }

func (r *relay) release() {}

func (r *relay) packet(p *Packet) {
	ok, first := r.out.enter(&r.right)
	if !ok {
		return
	}
	defer r.out.leave()
	now, clock := time.Now(), r.in.Codec.ClockRate()
	verdict := r.track.judge(p)
	if verdict == trackLate {
		return
	}
	if first || verdict == trackFresh {
		r.seq, r.time = r.out.seq+1-p.Seq, r.out.now(now, clock)-p.Timestamp
	}
	var event *Packet
	if r.in.RecvDTMF != 0 && p.Type == r.in.RecvDTMF {
		event = p
	}
	if r.press.overdue(now, event) {
		r.endPress(p, now)
	}
	r.packed = *p
	r.packed.Seq = p.Seq + r.seq
	r.packed.Marker = p.Marker || first || verdict == trackFresh
	if event != nil {
		if !r.press.translate(&r.packed, p, r.in, r.to, r.buf[:], r.out.present(now, clock), now) {
			return
		}
	} else {
		r.packed.Type = r.to.SendType
		if r.in.isNoise(p) {
			r.packed.Type = r.to.SendNoise
		}
		r.packed.Timestamp = p.Timestamp + r.time
	}
	r.out.send(&r.packed, now)
}

// endPress sends the end of a press before p, in the place of a packet that was
// lost, if there is one.
func (r *relay) endPress(p *Packet, now time.Time) {
	r.packed.Seq = p.Seq - 1 + r.seq
	if int16(r.packed.Seq-r.out.seq) <= 0 {
		r.packed.Seq++
		r.seq++
	}
	r.press.end(&r.packed, r.to, r.buf[:])
	r.out.send(&r.packed, now)
}
