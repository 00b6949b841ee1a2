package sipedge

import (
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/media"
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

// told is what the exchange knows of a leg's media.
type told uint8

const (
	toldNothing told = iota
	toldEarly        // LegEarly
	toldUp           // LegUp
)

// leg is one INVITE dialog. All fields but the first group are used on the
// strand only.
type leg struct {
	edge   *Edge
	id     core.LegID
	log    *slog.Logger
	strand serial
	codecs []media.Codec // what the far end offered, best first; set before the leg is known
	srtp   route.SRTP    // of its trunk or user; set before open
	dtmf   route.DTMF    // of its trunk or user; set before open
	user   core.UserID   // whose phone it is, zero for a trunk; set before the leg is known
	only   []media.Codec // codecs of its trunk, nil is all; set before open
	late   bool          // the far end makes the offer: out goes without one
	passed               // what goes on to whom it calls; set before the leg is known

	dialogs []dialogKey // under which the Edge knows it; guarded by its mutex

	in        *sip.Incoming
	out       *sip.Outgoing
	sent      sip.InviteRequest // of out
	wanted    []media.Codec     // for the call that out makes, best first
	trunk     *Trunk            // that out goes by, nil for others
	contact   core.ContactID    // that out rings, "" for others
	follows   int               // redirections and other flows followed
	dialog    *sip.Dialog
	flow      sip.Flow
	instance  string    // of the client that flow leads to, "" if none
	web       bool      // the far end is a browser; set before open
	offer     []byte    // of an incoming leg, nil if the INVITE had none
	takesInfo bool      // the far end allows INFO
	stream    stream    // nil before open and after release
	carried   slog.Attr // what stream carried, zero before release
	reply     []byte    // our answer to offer, or our offer if there is none: a 200 repeats the answer of the 183
	stage     stage
	rang      bool // 180 was sent
	opened    bool // 183 with SDP was sent
	early     bool // an 18x brought the answer to our offer
	told      told
	held      bool
	referral  *referral  // a transfer that is under way
	caller    core.LegID // who is connected when out is answered
	align     aligning
	why       core.End // why we gave up, in stageEnding

	cut      bool        // the far end's WebSocket is closed
	down     time.Time   // since when the far end of an answered leg is away
	received uint64      // packets, when we last looked
	watch    *time.Timer // looks again; nil while there is no reason to
}

func (e *Edge) newLeg(id core.LegID) *leg {
	l := &leg{edge: e, id: id, log: e.log.With("leg", string(id))}
	l.strand.crew, l.strand.broke = &e.crew, l.broke
	return l
}

// broke ends the call of a leg that met a fault of ours. The others go on.
func (l *leg) broke(reason any) {
	l.log.Error("panic", "panic", reason, "stack", string(debug.Stack()))
	l.edge.post(core.Broken{Leg: l.id})
}

// heard takes something the wire brought, on the stack's goroutine if it can: with a
// phone it is quickly done. A browser's description takes cryptography.
func (l *leg) heard(f func()) {
	if l.web {
		l.strand.post(f)
		return
	}
	l.strand.do(f)
}

// gone frees the leg and reports its end, once.
func (l *leg) gone(cause core.Cause, code int) {
	if l.stage == stageGone {
		return
	}
	l.stage = stageGone
	l.release()
	l.edge.remove(l)
	l.log.Info("leg ended", slog.Int("cause", int(cause)), slog.Int("code", code), l.carried)
	l.edge.postHere(core.LegGone{Leg: l.id, Cause: cause, Code: code})
}

// dialogEvents are the events of the leg's dialog, brought onto the strand.
func (l *leg) dialogEvents() sip.DialogEvents {
	return sip.DialogEvents{
		Bye: func(_ *sip.Dialog, reasons []sip.Reason) {
			l.heard(func() { l.gone(causeIn(reasons), 0) })
		},
		Lost: func(_ *sip.Dialog, err error) {
			l.strand.post(func() {
				l.log.Info("dialog lost", "error", err)
				l.gone(core.CauseRecoveryOnTimer, 0)
			})
		},
		Reinvite: func(d *sip.Dialog, o *sip.Offer) {
			l.strand.post(func() {
				if d != l.dialog { // another fork, before the answer
					o.Reject(488, "")
					return
				}
				l.reinvited(o)
			})
		},
		Refresh: func(*sip.Dialog) { l.strand.post(l.refresh) },
		Refer:   l.refer,
		Info:    func(_ *sip.Dialog, req *sip.Request) int { return l.info(req) },
	}
}

// causeIn returns the Q.850 cause of a BYE's or CANCEL's reasons, else normal clearing.
// SIP;cause=200 is how a call says that somebody else took it (RFC 3326 section 3.1).
func causeIn(reasons []sip.Reason) core.Cause {
	for _, r := range reasons {
		if r.Protocol == "SIP" && r.Cause == 200 {
			return core.CauseElsewhere
		}
		if r.Protocol == "Q.850" && r.Cause >= 1 && r.Cause <= 127 {
			return core.Cause(r.Cause)
		}
	}
	return core.CauseNormal
}
