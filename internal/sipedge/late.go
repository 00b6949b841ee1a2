package sipedge

import (
	"net/netip"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/sdp"
	"github.com/offhook/offhook/internal/sip"
)

// offersLate reports whether the far end of an outgoing leg is asked for the offer
// (RFC 3261 section 13.2.1). A browser makes none without being asked by its page.
func (l *leg) offersLate() bool { return l.late && !l.web && l.in == nil }

// earlyOffer answers the offer of a reliable 18x in its PRACK (RFC 3262 section 5).
// What an unreliable one says is a preview: the offer is still to come.
func (l *leg) earlyOffer(d *sip.Dialog, res *sip.Response) {
	if !sip.HasToken(res, "Require", "100rel") {
		return
	}
	answer, err := l.stream.answerTo(res.Body(), l.wanted)
	if err != nil {
		l.log.Info("early offer refused", "code", res.StatusCode, "error", err)
		// PRACK cannot refuse, and an answer without streams would end as this does.
		l.stage, l.why = stageEnding, core.End{Cause: core.CauseIncompatible}
		l.release()
		l.out.Cancel(sip.NewHeader("Reason", reasonOf(core.CauseIncompatible, core.ReasonNone)))
		return
	}
	d.Prack(answer)
	l.early, l.dialog = true, d
	l.attach()
	l.alignCaller()
	l.connected()
}

// lateOffer answers the offer of a 2xx in its ACK. An ACK cannot refuse: what we
// cannot use gets an answer without streams, then BYE (RFC 6337 section 3.1.1).
func (l *leg) lateOffer(d *sip.Dialog, res *sip.Response) {
	answer, err := l.stream.answerTo(res.Body(), l.wanted)
	if err != nil {
		d.Ack(noneOf(res.Body()))
		l.hopeless(err)
		return
	}
	d.Ack(answer)
	l.attach()
	l.alignCaller()
	l.connected()
}

// noneOf is the answer that refuses every stream of an offer, nil if nobody can tell
// what was offered.
func noneOf(offer []byte) []byte {
	o, err := sdp.ParseOffer(offer)
	if err != nil {
		return nil
	}
	return o.Refuse(sdp.Local{Addr: netip.AddrPortFrom(netip.IPv4Unspecified(), 0), Session: sessionID(), Version: 1})
}
