package sipedge

import (
	"errors"
	"net/netip"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/sdp"
)

// rtpStream is plain RTP with a phone or trunk.
type rtpStream struct {
	path   Path
	local  sdp.Local
	offer  []byte // our last offer while it waits for an answer
	spoken bool   // the far end has a description of ours
	result sdp.Result
	up     bool // result is valid
}

// openRTP binds ports and prepares to tell the far end about them.
func openRTP(ports Ports, at place, digit func(byte)) (stream, error) {
	p, err := ports.New(at.bind, at.peer, digit)
	if err != nil {
		return nil, err
	}
	return &rtpStream{path: p, local: sdp.Local{
		Addr: netip.AddrPortFrom(at.advertise, p.LocalPort()), Session: sessionID(), Version: 1,
	}}, nil
}

func (s *rtpStream) media() media.Path { return s.path }

func (s *rtpStream) answerTo(offer []byte, prefer []media.Codec) ([]byte, error) {
	o, err := sdp.ParseOffer(offer)
	if err != nil {
		return nil, err
	}
	s.next()
	answer, r, err := o.Answer(s.local, prefer)
	if err != nil {
		return nil, err
	}
	s.settle(r)
	return answer, nil
}

func (s *rtpStream) offerOf(list []media.Codec) ([]byte, error) {
	s.next()
	s.offer = sdp.NewOffer(s.local, list)
	return s.offer, nil
}

// errNoOffer is an answer that nobody asked for.
var errNoOffer = errors.New("answer without offer")

func (s *rtpStream) answered(body []byte) error {
	if s.offer == nil {
		return errNoOffer
	}
	r, err := sdp.ParseAnswer(s.offer, body)
	if err != nil {
		return err
	}
	s.settle(r)
	return nil
}

func (s *rtpStream) settled() bool { return s.up }

// ready is settled: a path without encryption needs nothing else.
func (s *rtpStream) ready() bool { return s.up }

func (s *rtpStream) held() bool { return s.result.Held() }

// settle starts the path with what was negotiated. A far end on hold names no
// address: the former one is kept.
func (s *rtpStream) settle(r sdp.Result) {
	if !r.Remote.IsValid() {
		r.Remote = s.result.Remote
	}
	s.result, s.up = r, true
	s.path.Expect(r.Direction.Receives())
	s.path.Start(r.Format, r.Remote)
}

// next numbers the next description; only changed ones need it, but a higher
// number never hurts.
func (s *rtpStream) next() {
	if s.spoken {
		s.local.Version++
	}
	s.spoken = true
}
