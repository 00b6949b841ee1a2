package sipedge

import (
	"log/slog"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/sdp"
	"github.com/offhook/offhook/internal/sip"
)

// stage is how far a leg is.
type stage uint8

const (
	stageSetup    stage = iota // no final response yet
	stageAnswered              // 2xx sent or received
	stageEnding                // we gave up; the last word of the far end is awaited
	stageGone                  // LegGone is posted
)

// leg is one INVITE dialog. All fields but the first group are used on the
// strand only.
type leg struct {
	edge   *Edge
	id     core.LegID
	log    *slog.Logger
	strand serial
	codecs []media.Codec // what the far end offered, best first; set before the leg is known

	in     *sip.Incoming
	out    *sip.Outgoing
	dialog *sip.Dialog
	flow   sip.Flow
	offer  *sdp.Offer // of an incoming leg, nil if the INVITE had none
	stream *stream
	stage  stage
	rung   int  // highest of 180 and 183 that was sent, 0 none
	early  bool // LegEarly was posted
	held   bool
	why    core.End // why we gave up, in stageEnding
}

func (e *Edge) newLeg(id core.LegID) *leg {
	l := &leg{edge: e, id: id, log: e.log.With("leg", string(id))}
	l.strand.group = &e.running
	return l
}

// open makes the leg's stream for a peer on flow.
func (l *leg) open(flow sip.Flow) error {
	if l.stream != nil {
		return nil
	}
	s, err := openStream(l.edge.cfg.Ports, l.edge.placeOn(flow), l.digit)
	if err != nil {
		return err
	}
	l.stream = s
	return nil
}

// digit reports one key of the far end. It runs on the path's read goroutine.
func (l *leg) digit(key byte) { l.edge.post(core.LegDigit{Leg: l.id, Digit: key}) }

// attach gives the leg's path to the media server.
func (l *leg) attach() { l.edge.cfg.Media.Attach(l.id, l.stream.path) }

// gone frees the leg and reports its end, once.
func (l *leg) gone(cause core.Cause, code int) {
	if l.stage == stageGone {
		return
	}
	l.stage = stageGone
	l.release()
	l.edge.remove(l)
	l.log.Info("leg ended", "cause", int(cause), "code", code)
	l.edge.post(core.LegGone{Leg: l.id, Cause: cause, Code: code})
}

// release frees the leg's media.
func (l *leg) release() {
	if l.stream == nil {
		return
	}
	l.edge.cfg.Media.Detach(l.id)
	stats := l.stream.path.Stats()
	l.stream.path.Close()
	l.stream = nil
	l.log.Info("media ended", "received", stats.PacketsReceived, "sent", stats.PacketsSent,
		"blocked", stats.Blocked, "malformed", stats.Malformed, "dropped", stats.Dropped)
}

// dialogEvents are the events of the leg's dialog, brought onto the strand.
func (l *leg) dialogEvents() sip.DialogEvents {
	return sip.DialogEvents{
		Bye: func(_ *sip.Dialog, reasons []sip.Reason) {
			l.strand.post(func() { l.gone(causeIn(reasons), 0) })
		},
		Lost: func(_ *sip.Dialog, err error) {
			l.strand.post(func() {
				l.log.Info("dialog lost", "error", err)
				l.gone(core.CauseRecoveryOnTimer, 0)
			})
		},
		Reinvite: func(_ *sip.Dialog, o *sip.Offer) {
			l.strand.post(func() { l.reinvited(o) })
		},
		Refer: func(*sip.Dialog, *sip.Request) int { return 603 },
		Info:  func(_ *sip.Dialog, req *sip.Request) int { return l.info(req) },
	}
}

// causeIn returns the Q.850 cause of a BYE's or CANCEL's reasons, else normal clearing.
func causeIn(reasons []sip.Reason) core.Cause {
	for _, r := range reasons {
		if r.Protocol == "Q.850" && r.Cause >= 1 && r.Cause <= 127 {
			return core.Cause(r.Cause)
		}
	}
	return core.CauseNormal
}

// reinvited answers a re-INVITE or UPDATE: hold, resume, a new address or codec.
func (l *leg) reinvited(o *sip.Offer) {
	if l.stage == stageGone || l.stream == nil {
		o.Reject(481, "")
		return
	}
	body := o.Request().Body()
	if len(body) == 0 {
		offer := l.stream.offerOf(l.stream.keep(codecs()))
		o.Accept(offer, func(ack *sip.Request) {
			l.strand.post(func() { l.reanswered(ack.Body()) })
		})
		return
	}
	offer, err := sdp.ParseOffer(body)
	if err != nil {
		o.Reject(400, "Bad Session Description")
		return
	}
	answer, err := l.stream.answerTo(offer, l.stream.keep(codecs()))
	if err != nil {
		l.log.Info("re-INVITE refused", "error", err)
		o.Reject(488, "")
		return
	}
	o.Accept(answer, nil)
	l.renegotiated()
}

// reanswered reads the answer in the ACK of a re-INVITE that carried our offer.
func (l *leg) reanswered(body []byte) {
	if l.stream == nil {
		return
	}
	if err := l.stream.answered(body); err != nil {
		l.log.Info("answer in ACK not understood", "error", err)
		return
	}
	l.renegotiated()
}

// renegotiated tells media and the exchange what a new offer and answer changed.
func (l *leg) renegotiated() {
	l.attach() // the codec may be another
	if held := l.stream.result.Held(); held != l.held {
		l.held = held
		l.edge.post(core.LegHeld{Leg: l.id, Held: held})
	}
}
