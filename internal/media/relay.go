package media

import "time"

// relay passes packets on without decoding: sequence number, timestamp, payload
// type and marker are rewritten, gaps of the speaker are kept as they are. Between
// the two laws of G.711 it translates byte by byte.
type relay struct {
	right  feeder
	in, to Format
	out    *output
	table  *[256]byte // nil if payloads are passed on as they are

	// What follows belongs to the speaker's read goroutine.
	track  track
	seq    uint16 // ours minus the speaker's
	time   uint32 // ours minus the speaker's
	press  press
	packed Packet
	buf    []byte // for payloads that are not passed on as they are
}

// newRelay has no more buffer than it needs: most calls relay two ways, and only
// telephone-events of theirs are written anew.
func newRelay(in Format, out *output, to Format, table *[256]byte) *relay {
	size := eventSize
	if table != nil {
		size = MaxPayload
	}
	return &relay{in: in, to: to, out: out, table: table, buf: make([]byte, HeaderRoom+size+TailRoom)}
}

func (r *relay) feeder() *feeder { return &r.right }

func (r *relay) joins(in Format, out *output, to Format) bool {
	return r.in == in && r.out == out && r.to == to
}

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
	r.packed = *p
	r.packed.Seq = p.Seq + r.seq
	r.packed.Marker = p.Marker || first || verdict == trackFresh
	if r.in.RecvDTMF != 0 && p.Type == r.in.RecvDTMF {
		if !r.press.translate(&r.packed, p, r.in, r.to, r.buf, r.out.present(now, clock)) {
			return
		}
	} else {
		r.packed.Type = r.to.SendType
		r.packed.Timestamp = p.Timestamp + r.time
		r.translate(p)
	}
	r.out.send(&r.packed, now)
}

// translate puts the payload of p into the other law, in a buffer of ours.
func (r *relay) translate(p *Packet) {
	if r.table == nil {
		return
	}
	r.packed.Buf = r.buf
	payload := r.packed.Payload()
	for i, b := range p.Payload() {
		payload[i] = r.table[b]
	}
}
