package sipedge

import (
	"cmp"
	"strings"

	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/media/sdp"
	"github.com/offhook/offhook/internal/sip"
)

// srtp returns what becomes of SRTP with a far end whose signalling is encrypted or
// not. Keys are offered only where nobody can read them on the way, unless one of
// the options, of the trunk before that of all, says otherwise; who offers us keys
// gets ours.
func srtp(encrypted bool, options ...route.SRTP) sdp.Protection {
	switch cmp.Or(options...) {
	case route.SRTPOff:
		return sdp.ProtectNever
	case route.SRTPOptional:
		return sdp.ProtectOptional
	case route.SRTPRequired:
		return sdp.ProtectRequired
	case route.SRTPAuto:
	}
	if encrypted {
		return sdp.ProtectOptional
	}
	return sdp.ProtectAnswers
}

// settings takes over what is configured for the leg's trunk, or else for its user.
func (l *leg) settings(trunk string) {
	if t, ok := l.edge.trunks.Load().byName[trunk]; ok {
		l.srtp, l.dtmf, l.late = t.SRTP, t.DTMF, t.LateOffer
	} else if ask := l.edge.cfg.User; ask != nil && !l.user.IsZero() {
		u := ask(l.user)
		l.srtp, l.dtmf, l.late = u.SRTP, u.DTMF, u.LateOffer
	}
}

// protection is srtp for this leg, reached at at.
func (l *leg) protection(at place) sdp.Protection {
	return srtp(at.encrypted || l.flow.Transport() == sip.TLS, l.srtp, l.edge.cfg.SRTP)
}

// encryptedTo reports whether requests to uri go by TLS.
func encryptedTo(uri sip.Uri) bool {
	transport, _ := sip.Param(uri.UriParams, "transport")
	return strings.EqualFold(uri.Scheme, "sips") || strings.EqualFold(transport, "tls")
}

// insist calls a phone again that refused our offer, with SRTP that must be used.
// It reports false if the offer was no other before.
func (l *leg) insist() bool {
	s, ok := l.stream.(*rtpStream)
	if !ok {
		return false
	}
	offer := s.insist()
	if offer == nil {
		return false
	}
	l.sent.Body = offer
	l.send(l.sent)
	return true
}
