package sipedge

import (
	"net/netip"
	"slices"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/sip"
)

// stream is the media side of one leg: its path and the state of offer and
// answer (RFC 3264). It is used on the leg's strand only.
type stream interface {
	// media is the path, the same for the stream's whole life.
	media() media.Path
	// answerTo answers the far end's offer with the first of prefer it knows.
	answerTo(offer []byte, prefer []media.Codec) ([]byte, error)
	// offerOf returns a new offer of ours.
	offerOf(list []media.Codec) ([]byte, error)
	// answered reads the far end's answer to our last offer.
	answered(body []byte) error
	// settled reports whether an offer was answered: media has a format.
	settled() bool
	// ready reports whether sound can pass now.
	ready() bool
	// held reports whether the far end does not want to hear us.
	held() bool
}

// open makes the leg's stream for a far end at at, once: WebRTC for a browser,
// else RTP or SRTP. Nothing else asks which of them a leg has.
func (l *leg) open(at place) error {
	if l.stream != nil {
		return nil
	}
	var err error
	if l.web {
		l.stream, err = openWeb(l.edge.cfg.Web, l.pathChanged, l.digit)
	} else {
		l.stream, err = openRTP(l.edge.cfg.Ports, at, l.protection(at), l.dtmf, l.digit)
	}
	return err
}

// overWebSocket reports whether f leads to a browser, as far as a far end that
// offers no media tells us.
func overWebSocket(f sip.Flow) bool {
	return f.Transport() == sip.WS || f.Transport() == sip.WSS
}

// place is where media of one leg comes and goes.
type place struct {
	bind      netip.Addr // where we bind
	advertise netip.Addr // what the far end is told
	peer      netip.Addr // the far end's signalling
	encrypted bool       // it goes by TLS, as far as is known before the first answer
}

// keep returns list with the codec in use first, so that a re-offer changes
// nothing that need not change.
func keep(s stream, list []media.Codec) []media.Codec {
	if !s.settled() {
		return list
	}
	return first(list, s.media().Format().Codec)
}

// first returns list with c moved to the front.
func first(list []media.Codec, c media.Codec) []media.Codec {
	rest := slices.DeleteFunc(slices.Clone(list), func(x media.Codec) bool { return x == c })
	return append([]media.Codec{c}, rest...)
}
