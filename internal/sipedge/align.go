package sipedge

import (
	"slices"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/sip"
)

// alignWithin is how long an answer waits for the far end to agree on another codec.
const alignWithin = 2 * time.Second

// aligning is the change of an incoming leg to the codec that its callee took, so that
// nobody has to decode: with media.prefer cost only.
type aligning struct {
	wanted    media.Codec
	confirmed bool   // the ACK came
	tried     bool   // once is enough
	waiting   func() // the answer, while an offer of ours is under way; nil if it is not
	under     bool   // an offer is under way
}

// alignCaller lets who called l speak l's codec, if it can.
func (l *leg) alignCaller() {
	if caller := l.edge.leg(l.caller); l.edge.cfg.Cost && caller != nil {
		c := l.stream.media().Format().Codec
		caller.strand.post(func() {
			caller.align.wanted = c
			caller.alignNow()
		})
	}
}

// alignNow offers the wanted codec: after the ACK by UPDATE or re-INVITE, before it by
// UPDATE where that is allowed (RFC 3311 section 5.1). Who refuses keeps what it has.
func (l *leg) alignNow() {
	a := &l.align
	ready := l.stage == stageAnswered && a.confirmed || l.stage == stageSetup && l.opened && l.in.Reliable()
	if !ready || a.under || a.tried || l.web || l.stream == nil || !l.stream.settled() ||
		l.stream.media().Format().Codec == a.wanted || !slices.Contains(usable(l.only, l.codecs), a.wanted) {
		return
	}
	offer, err := l.stream.offerOf([]media.Codec{a.wanted})
	if err != nil {
		l.log.Error("no offer", "error", err)
		return
	}
	early := l.stage == stageSetup
	a.under = true
	l.dialog.Renegotiate(offer, func(res *sip.Response) { l.strand.post(func() { l.aligned(res, early) }) })
	if early {
		time.AfterFunc(alignWithin, func() { l.strand.post(l.answerWaiting) })
	}
}

// aligned takes the answer to the offer of alignNow, nil or a refusal if there is none.
func (l *leg) aligned(res *sip.Response, early bool) {
	l.align.under = false
	if res != nil {
		l.align.tried = true
	}
	if res != nil && res.StatusCode < 300 {
		if early {
			l.reply = nil // what the 183 said is over; the 200 needs to say nothing
		}
		l.reanswered(res.Body())
	}
	l.answerWaiting()
}

// answerWaiting sends the answer that waited for aligned.
func (l *leg) answerWaiting() {
	l.align.under = false
	if answer := l.align.waiting; answer != nil {
		l.align.waiting = nil
		answer()
	}
}
