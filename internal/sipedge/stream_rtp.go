package sipedge

import (
	"errors"
	"net/netip"

	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/sdp"
)

// rtpStream is RTP with a phone or trunk, protected or not.
type rtpStream struct {
	path    Path
	local   sdp.Local
	offer   []byte        // our last offer while it waits for an answer
	list    []media.Codec // in offer
	noTones bool          // tones in the voice are no keys
	spoken  bool          // the far end has a description of ours
	result  sdp.Result
	up      bool // result is valid
}

// openRTP binds ports and prepares to tell the far end about them.
func openRTP(ports Ports, at place, protection sdp.Protection, keys route.DTMF, digit func(byte)) (stream, error) {
	p, err := ports.New(at.bind, at.peer, digit)
	if err != nil {
		return nil, err
	}
	return &rtpStream{path: p, noTones: keys == route.DTMFEvents || keys == route.DTMFInfo, local: sdp.Local{
		Addr: netip.AddrPortFrom(at.advertise, p.LocalPort()), Session: sessionID(), Version: 1, Noise: true,
		NoEvents:   keys == route.DTMFInfo || keys == route.DTMFInVoice,
		Protection: protection, Secrets: sdp.NewSecrets(),
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
	return answer, s.settle(r)
}

func (s *rtpStream) offerOf(list []media.Codec) ([]byte, error) {
	s.next()
	s.offer, s.list = sdp.NewOffer(s.local, list), list
	return s.offer, nil
}

// insist makes an offer that may be protected one that must be: phones that insist
// on SRTP refuse others. It returns nil if that makes no difference.
func (s *rtpStream) insist() []byte {
	if s.up || s.offer == nil || s.local.Protection != sdp.ProtectOptional {
		return nil
	}
	s.local.Protection = sdp.ProtectRequired
	s.next()
	s.offer = sdp.NewOffer(s.local, s.list)
	return s.offer
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
	return s.settle(r)
}

func (s *rtpStream) settled() bool { return s.up }

// ready is settled: the keys come with the description.
func (s *rtpStream) ready() bool { return s.up }

func (s *rtpStream) held() bool { return s.result.Held() }

// settle starts the path with what was negotiated. A far end on hold names no
// address: the former one is kept.
func (s *rtpStream) settle(r sdp.Result) error {
	if err := s.path.Protect(r.Crypto); err != nil {
		return err
	}
	if !r.Remote.IsValid() {
		r.Remote, r.Control.At = s.result.Remote, s.result.Control.At
	}
	s.path.Control(r.Control)
	r.Format.NoTones = s.noTones
	s.result, s.up = r, true
	s.path.Expect(r.Direction.Receives())
	s.path.Start(r.Format, r.Remote)
	return nil
}

// next numbers the next description; only changed ones need it, but a higher
// number never hurts.
func (s *rtpStream) next() {
	if s.spoken {
		s.local.Version++
	}
	s.spoken = true
}
