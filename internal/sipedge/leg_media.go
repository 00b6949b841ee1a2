package sipedge

import (
	"log/slog"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/sip"
)

// patience is how long an answered leg may be without sound.
type patience struct {
	// away is for a browser that changes its network, or is slow to come up.
	away time.Duration
	// gone is for one whose WebSocket is closed too; such a one must also be heard
	// within that time.
	gone time.Duration
}

var defaultPatience = patience{away: 30 * time.Second, gone: 5 * time.Second}

// digit reports one key of the far end. It runs on the path's goroutine.
func (l *leg) digit(key byte) { l.edge.post(core.LegDigit{Leg: l.id, Digit: key}) }

// pathChanged brings news of the path onto the strand. It runs on the path's
// goroutine.
func (l *leg) pathChanged() { l.strand.post(l.connected) }

// attach gives the leg's path to the media server.
func (l *leg) attach() {
	if s, ok := l.stream.(*rtpStream); ok {
		s.path.KeysTo(nil)
		if l.dtmf == route.DTMFInfo || l.dtmf == route.DTMFAuto && l.takesInfo && s.result.Format.SendDTMF == 0 {
			s.path.KeysTo(l.sendInfo)
		}
	}
	l.edge.cfg.Media.Attach(l.id, l.stream.media())
}

// sendInfo tells the far end of a key by INFO.
func (l *leg) sendInfo(key byte) {
	l.strand.post(func() {
		if l.stage == stageAnswered {
			body := []byte("Signal=" + string(key) + "\r\nDuration=160\r\n")
			l.dialog.Request(sip.INFO, "application/dtmf-relay", body, nil)
		}
	})
}

// allowsInfo reports whether who sent msg takes INFO (RFC 6086).
func allowsInfo(msg sip.Message) bool { return sip.HasToken(msg, "Allow", string(sip.INFO)) }

// connected reports what waited for sound, and looks after a path that has none.
func (l *leg) connected() {
	if l.stream == nil {
		return
	}
	switch {
	case !l.stream.ready():
		// Its next news comes here again.
	case l.stage == stageAnswered && l.told < toldUp:
		l.told = toldUp
		l.edge.postHere(core.LegUp{Leg: l.id})
	case l.stage == stageSetup && l.early && l.told < toldEarly:
		l.told = toldEarly
		l.edge.postHere(core.LegEarly{Leg: l.id})
	}
	l.look()
}

// look ends an answered leg whose far end was away for too long, and looks again
// while there is reason to.
func (l *leg) look() {
	if l.watch != nil {
		l.watch.Stop()
		l.watch = nil
	}
	if l.stage != stageAnswered || !l.stream.settled() {
		return
	}
	switch wait := l.edge.patience; {
	case l.present():
		l.down = time.Time{}
		if !l.cut {
			return
		}
	case l.down.IsZero():
		l.down = time.Now()
	case time.Since(l.down) >= wait.away, time.Since(l.down) >= wait.gone && l.cut:
		l.log.Info("no media", "since", l.down, "flow", l.flow.String())
		l.dialog.Bye(sip.NewHeader("Reason", reasonOf(core.CauseRecoveryOnTimer, core.ReasonNoMedia)))
		l.gone(core.CauseRecoveryOnTimer, 0)
		return
	}
	l.watch = time.AfterFunc(l.edge.patience.gone, l.pathChanged)
}

// present reports whether the far end is there, as far as its media tells. A tab
// that was closed takes its WebSocket along at once, and media stops without a
// word: ICE would notice after half a minute.
func (l *leg) present() bool {
	if !l.cut || l.held || !l.stream.ready() {
		return l.stream.ready()
	}
	received := l.stream.media().Stats().PacketsReceived
	silent := received == l.received
	l.received = received
	return !silent
}

// release frees the leg's media.
func (l *leg) release() {
	if l.watch != nil {
		l.watch.Stop()
		l.watch = nil
	}
	if l.stream == nil {
		return
	}
	l.edge.cfg.Media.Detach(l.id)
	path := l.stream.media()
	l.stream = nil
	stats := path.Stats()
	path.Close()
	l.carried = slog.Group("media", "received", stats.PacketsReceived, "sent", stats.PacketsSent,
		"blocked", stats.Blocked, "malformed", stats.Malformed, "wrong_type", stats.WrongType, "unauthentic", stats.Unauthentic, "dropped", stats.Dropped)
}

// reinvited answers a re-INVITE or UPDATE: hold, resume, a new address or codec.
func (l *leg) reinvited(o *sip.Offer) {
	if l.stage == stageGone || l.stream == nil {
		o.Reject(481, "")
		return
	}
	l.follow(o.Flow())
	body := o.Request().Body()
	if len(body) == 0 {
		l.reoffer(o)
		return
	}
	answer, err := l.stream.answerTo(body, keep(l.stream, usable(l.only, codecs())))
	switch {
	case core.KindOf(err) == core.Invalid:
		o.Reject(400, "Bad Session Description")
	case err != nil:
		l.log.Info("re-INVITE refused", "error", err)
		o.Reject(488, "")
	default:
		o.Accept(answer, nil)
		l.renegotiated()
	}
}

// reoffer answers a re-INVITE that asks for our offer.
func (l *leg) reoffer(o *sip.Offer) {
	offer, err := l.stream.offerOf(keep(l.stream, usable(l.only, codecs())))
	if err != nil {
		l.log.Error("no offer", "error", err)
		o.Reject(500, "")
		return
	}
	o.Accept(offer, func(ack *sip.Request) {
		l.strand.post(func() { l.reanswered(ack.Body()) })
	})
}

// reanswered reads the answer to an offer of ours in a re-INVITE: in the ACK of
// theirs or the 200 to ours.
func (l *leg) reanswered(body []byte) {
	if l.stream == nil {
		return
	}
	if err := l.stream.answered(body); err != nil {
		l.log.Info("answer to re-INVITE not understood", "error", err)
		return
	}
	l.renegotiated()
}

// refresh offers what is in use again, because the session timer wants a sign of
// life from a far end that does not take UPDATE.
func (l *leg) refresh() {
	if l.stage != stageAnswered || l.stream == nil {
		return
	}
	offer, err := l.stream.offerOf(keep(l.stream, usable(l.only, codecs())))
	if err != nil {
		l.log.Error("no offer", "error", err)
		return
	}
	l.dialog.Reinvite(offer, func(res *sip.Response) {
		if res != nil && res.StatusCode < 300 {
			l.strand.post(func() { l.reanswered(res.Body()) })
		}
	})
}

// renegotiated tells media and the exchange what a new offer and answer changed.
func (l *leg) renegotiated() {
	l.attach() // the codec may be another
	if held := l.stream.held(); held != l.held {
		l.held = held
		l.edge.postHere(core.LegHeld{Leg: l.id, Held: held})
	}
}
