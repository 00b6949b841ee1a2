package sipedge

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/sdp"
)

// Ports makes RTP paths: *rtp.Allocator behind an adapter of cmd.
type Ports interface {
	// New binds a port pair at local and returns a path that is silent until
	// Start. peer is where the far end's signalling comes from; digit gets every
	// key of the far end, once.
	New(local, peer netip.Addr, digit func(byte)) (Path, error)
}

// Path is an RTP path.
type Path interface {
	media.Path
	// LocalPort is the RTP port.
	LocalPort() uint16
	// Start begins, or goes on with, a negotiated format towards remote, which
	// is not valid while the far end wants no RTP. The far end's source is
	// learnt anew.
	Start(f media.Format, remote netip.AddrPort)
}

// stream is the media side of one leg: its path and the state of offer and
// answer (RFC 3264). It is used on the leg's strand only.
type stream struct {
	path   Path
	local  sdp.Local
	offer  []byte // our last offer while it waits for an answer
	answer []byte // our last answer; a 200 repeats the one of the 183
	result sdp.Result
	up     bool // result is valid
}

// place is where media of one leg comes and goes.
type place struct {
	bind      netip.Addr // where we bind
	advertise netip.Addr // what the far end is told
	peer      netip.Addr // the far end's signalling
}

// openStream binds ports and prepares to tell the far end about them.
func openStream(ports Ports, at place, digit func(byte)) (*stream, error) {
	p, err := ports.New(at.bind, at.peer, digit)
	if err != nil {
		return nil, err
	}
	return &stream{path: p, local: sdp.Local{
		Addr: netip.AddrPortFrom(at.advertise, p.LocalPort()), Session: sessionID(), Version: 1,
	}}, nil
}

// answerTo answers the far end's offer with the first of prefer it knows and
// starts the path.
func (s *stream) answerTo(o *sdp.Offer, prefer []media.Codec) ([]byte, error) {
	s.next()
	answer, r, err := o.Answer(s.local, prefer)
	if err != nil {
		return nil, err
	}
	s.answer = answer
	s.settle(r)
	return answer, nil
}

// offerOf returns a new offer of ours.
func (s *stream) offerOf(list []media.Codec) []byte {
	s.next()
	s.offer = sdp.NewOffer(s.local, list)
	return s.offer
}

// errNoOffer is an answer that nobody asked for.
var errNoOffer = errors.New("answer without offer")

// answered reads the far end's answer to our offer and starts the path.
func (s *stream) answered(body []byte) error {
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

// settle starts the path with what was negotiated. A far end on hold names no
// address: the former one is kept.
func (s *stream) settle(r sdp.Result) {
	if !r.Remote.IsValid() {
		r.Remote = s.result.Remote
	}
	s.result, s.up = r, true
	s.path.Start(r.Format, r.Remote)
}

// next numbers the next description; only changed ones need it, but a higher
// number never hurts.
func (s *stream) next() {
	if s.offer != nil || s.answer != nil {
		s.local.Version++
	}
}

// keep returns list with the codec in use first, so that a re-offer changes
// nothing that need not change.
func (s *stream) keep(list []media.Codec) []media.Codec {
	if !s.up {
		return list
	}
	return first(list, s.result.Format.Codec)
}

// first returns list with c moved to the front.
func first(list []media.Codec, c media.Codec) []media.Codec {
	rest := slices.DeleteFunc(slices.Clone(list), func(x media.Codec) bool { return x == c })
	return append([]media.Codec{c}, rest...)
}
