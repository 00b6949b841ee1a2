package media

const (
	// trackWindow is how late a packet may come, in packets; rtc paths refuse
	// older numbers because of their replay window.
	trackWindow = 60
	// trackJump is how many packets may be missing before it is another stream.
	trackJump = 500
	// trackLost is how many late packets in a row mean that the speaker has begun
	// to count anew.
	trackLost = 10
)

// track follows a speaker's sequence numbers. The zero value is ready.
type track struct {
	begun bool
	ssrc  uint32
	floor uint16 // the oldest number that is not late
	late  int
}

// verdict says what a packet is to the stream so far.
type verdict uint8

const (
	trackNext  verdict = iota // it belongs to the stream
	trackLate                 // its time is over
	trackFresh                // it begins a stream
)

func (t *track) judge(p *Packet) verdict {
	ahead := int(int16(p.Seq - t.floor))
	switch {
	case !t.begun || p.SSRC != t.ssrc || ahead > trackJump+trackWindow:
		return t.begin(p)
	case ahead < 0:
		if t.late++; t.late < trackLost {
			return trackLate
		}
		return t.begin(p)
	}
	t.late = 0
	if ahead > trackWindow {
		t.floor = p.Seq - trackWindow
	}
	return trackNext
}

// begin takes p for the first packet: what was sent before it is late, its place
// in our stream is taken.
func (t *track) begin(p *Packet) verdict {
	*t = track{begun: true, ssrc: p.SSRC, floor: p.Seq}
	return trackFresh
}
