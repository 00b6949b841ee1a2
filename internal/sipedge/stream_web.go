package sipedge

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/offhook/offhook/internal/media"
)

// webStream is WebRTC with a browser that speaks SIP over WebSocket (RFC 7118).
type webStream struct {
	path       WebPath
	negotiated bool
	up         atomic.Bool // set by the path's callbacks
}

// errNoWeb is a browser at an exchange without WebRTC.
var errNoWeb = errors.New("WebRTC is not served here")

// openWeb makes a path that waits for an offer of either side. Changed is called
// whenever ready has another value; like digit it runs on the path's goroutines.
func openWeb(paths WebPaths, changed func(), digit func(byte)) (stream, error) {
	if paths == nil {
		return nil, errNoWeb
	}
	s := &webStream{}
	p, err := paths.New(WebEvents{
		Up:    func() { s.up.Store(true); changed() },
		Down:  func() { s.up.Store(false); changed() },
		Digit: digit,
	})
	if err != nil {
		return nil, err
	}
	s.path = p
	return s, nil
}

func (s *webStream) media() media.Path { return s.path }

func (s *webStream) answerTo(offer []byte, prefer []media.Codec) ([]byte, error) {
	answer, err := s.path.AnswerPrefer(context.Background(), string(offer), prefer)
	if err != nil {
		return nil, err
	}
	s.negotiated = true
	return []byte(answer), nil
}

func (s *webStream) offerOf(list []media.Codec) ([]byte, error) {
	offer, err := s.path.Offer(context.Background(), list)
	return []byte(offer), err
}

func (s *webStream) answered(body []byte) error {
	if err := s.path.Accept(context.Background(), string(body)); err != nil {
		return err
	}
	s.negotiated = true
	return nil
}

func (s *webStream) settled() bool { return s.negotiated }

func (s *webStream) ready() bool { return s.negotiated && s.up.Load() }

func (s *webStream) held() bool { return s.path.Held() }
