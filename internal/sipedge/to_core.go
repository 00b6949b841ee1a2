package sipedge

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/sdp"
	"github.com/offhook/offhook/internal/sip"
)

// invite turns an INVITE outside a dialog into a leg, once its sender is known.
// It runs on the connection's read loop.
func (e *Edge) invite(tx *sip.ServerTx, req *sip.Request) {
	if e.cfg.Overloaded != nil && e.cfg.Overloaded() {
		// Before any work is done for it: what is refused late costs as much as a call.
		tx.Reply(503, "", sip.NewHeader("Retry-After", strconv.Itoa(5+rand.IntN(10))))
		return
	}
	from, contact, ok := e.caller(tx, req)
	if !ok {
		return
	}
	offer, refusal := offerIn(req)
	if refusal != 0 {
		tx.Reply(refusal, "")
		return
	}
	replaces, refusal := e.replacing(req)
	if refusal != 0 {
		tx.Reply(refusal, "")
		return
	}
	if tx.Loops() > maxLoops {
		tx.Reply(482, "")
		return
	}
	l := e.newLeg(core.LegID(uuid.NewString()))
	l.user, l.passed = from.User, passedOf(tx, req)
	l.settings(from.Trunk)
	to := e.dialled(req, from.Trunk)
	if from.Trunk != "" {
		l.only, l.diverting = e.trunks.Load().byName[from.Trunk].codecs, to
	}
	l.web, l.takesInfo = overWebSocket(tx.Flow()), allowsInfo(req)
	if offer != nil {
		l.offer, l.web, l.codecs = req.Body(), offer.WebRTC(), offer.Codecs()
	}
	l.strand.slow = l.web
	e.add(l)
	// On the strand, so that what comes by another connection meanwhile, such as a CANCEL
	// or the same phone's next REGISTER, finds the leg whole, and known to the exchange.
	l.strand.do(func() {
		l.take(tx, e.callerAt(tx.Flow(), req, from.User), from)
		l.log.Info("incoming call", "from", from.Number, "user", from.User.String(), "trunk", from.Trunk, "to", to,
			"dialog", l.dialog.ID(), "flow", l.flow.String())
		if !e.postHere(core.Offered{Leg: l.id, Edge: core.EdgeSIP, From: from, Contact: contact, To: to, Replaces: replaces, Headers: shownHeaders(req)}) {
			l.end(core.End{Cause: core.CauseTempFailure})
		}
	})
}

// take makes an INVITE the leg's own.
func (l *leg) take(tx *sip.ServerTx, caller client, from core.Party) {
	l.met(caller)
	l.in = l.edge.stack.Incoming(tx, sip.IncomingEvents{
		Cancelled: func(reasons []sip.Reason) {
			l.heard(func() { l.gone(causeIn(reasons), 487) })
		},
		Acked:   func(ack *sip.Request) { l.heard(func() { l.acked(ack) }) },
		Pracked: func(o *sip.Offer) { l.heard(func() { l.pracked(o) }) },
		Dialog:  l.dialogEvents(),
	})
	l.dialog = l.in.Dialog()
	l.dialog.SetCredentials(l.edge.trunks.Load().byName[from.Trunk].credentials())
	l.known(l.dialog, false)
}

// callerAt returns where the sender of an INVITE is.
func (e *Edge) callerAt(flow sip.Flow, req *sip.Request, user core.UserID) client {
	c := client{user: user, flow: flow, instance: e.bindings.instanceOn(user, flow)}
	if contact := req.Contact(); contact != nil {
		c.contact = contactOf(contact.Address)
	}
	return c
}

// offerIn reads the offer of an INVITE, nil if it has none. refusal is the
// status for one that cannot be served.
func offerIn(req *sip.Request) (offer *sdp.Offer, refusal int) {
	body := req.Body()
	if len(body) == 0 {
		return nil, 0
	}
	offer, err := sdp.ParseOffer(body)
	if err != nil {
		return nil, 400
	}
	if offer.Check() != nil || !slices.ContainsFunc(offer.Codecs(), func(c media.Codec) bool { return slices.Contains(codecs(), c) }) {
		return nil, 488
	}
	return offer, 0
}

// acked reads the answer of an INVITE without offer from its ACK. With an offer
// the media has been up since the 200.
func (l *leg) acked(ack *sip.Request) {
	l.align.confirmed = true
	defer l.alignNow()
	if l.offer != nil || l.stage != stageAnswered || l.stream == nil || l.stream.settled() {
		return
	}
	if err := l.stream.answered(ack.Body()); err != nil {
		l.log.Info("answer in ACK not understood", "error", err)
		l.dialog.Bye(sip.NewHeader("Reason", reasonOf(core.CauseIncompatible, core.ReasonNone)))
		l.gone(core.CauseIncompatible, 0)
		return
	}
	l.attach()
	l.connected()
}

// pracked takes the SDP of a PRACK: the answer to the offer of our 183, or a new
// offer of a caller whose first one is answered.
func (l *leg) pracked(o *sip.Offer) {
	if l.stage == stageGone || l.stream == nil {
		o.Reject(481, "")
		return
	}
	if l.stream.settled() {
		l.reinvited(o)
		return
	}
	if err := l.stream.answered(o.Request().Body()); err != nil {
		l.log.Info("answer in PRACK not understood", "error", err)
		o.Reject(488, "")
		return
	}
	o.Accept(nil, nil)
	l.attach()
	l.connected()
}

// provisional reports 18x of a callee, and its early media if it brings SDP.
func (l *leg) provisional(d *sip.Dialog, res *sip.Response) {
	if l.stage != stageSetup {
		return
	}
	if d != nil {
		l.known(d, false) // what rings here can be picked up (RFC 3891 section 3)
	}
	// After early media a 180 is news, but a 183 is not: it may be a repeat.
	if code := res.StatusCode; code == 180 || code == 181 || code == 182 || code == 183 && !l.early {
		l.edge.postHere(core.LegRinging{Leg: l.id})
	}
	if l.early || len(res.Body()) == 0 || d == nil {
		return
	}
	if l.offersLate() {
		l.earlyOffer(d, res)
		return
	}
	if err := l.stream.answered(res.Body()); err != nil {
		l.log.Info("early answer not understood", "code", res.StatusCode, "error", err)
		return
	}
	l.early, l.dialog = true, d
	l.attach()
	l.alignCaller() // before the exchange answers the caller
	l.connected()
}

// answered reports a callee's 2xx.
func (l *leg) answered(d *sip.Dialog, res *sip.Response) {
	if l.stage != stageSetup {
		// The 2xx was already on its way to us when End came, too late to cancel
		// (RFC 5407 section 3.1.2): this party hears a BYE with the same reason.
		d.Bye(sip.NewHeader("Reason", reasonOf(l.why.Cause, l.why.Reason)))
		l.gone(l.why.Cause, 0)
		return
	}
	sameDialog := l.early && l.dialog == d
	l.stage, l.dialog, l.takesInfo = stageAnswered, d, allowsInfo(res)
	l.known(d, true)
	l.log.Debug("answered", "dialog", d.ID())
	l.edge.postHere(core.LegAccepted{Leg: l.id})
	if l.offersLate() && !sameDialog {
		l.lateOffer(d, res)
		return
	}
	if len(res.Body()) > 0 && !sameDialog {
		if err := l.stream.answered(res.Body()); err != nil {
			l.hopeless(err)
			return
		}
	}
	if !l.stream.settled() {
		l.hopeless(errNoAnswer)
		return
	}
	l.attach()
	l.alignCaller() // before the exchange answers the caller
	l.connected()
}

// errNoAnswer is a 2xx without an SDP answer anywhere.
var errNoAnswer = errors.New("2xx without session description")

// hopeless ends an answered leg whose media cannot come up.
func (l *leg) hopeless(err error) {
	l.log.Info("answer not understood", "error", err)
	l.dialog.Bye(sip.NewHeader("Reason", reasonOf(core.CauseIncompatible, core.ReasonNone)))
	l.gone(core.CauseIncompatible, 488)
}

// failed reports a callee's refusal, or that nobody could be reached; res is nil
// if the code is ours.
func (l *leg) failed(code int, res *sip.Response) {
	if code == 480 && res != nil && res.Reason == "4001" {
		code = 486 // how one family of browser clients says that it is in a call
	}
	if l.stage == stageEnding {
		l.gone(l.why.Cause, 0)
		return
	}
	if code < 400 && l.redirected(res) || code == 488 && l.insist() {
		return
	}
	if (code == 430 || (code == 503 && res == nil)) && l.otherFlow(code == 430) {
		return
	}
	cause := causeOf(code)
	switch {
	case code == 430:
		cause, code = core.CauseUnreachable, 480
	case code < 400:
		code = 480 // a redirection that is not followed is none of the caller's business
	case code == 503 && res == nil && !l.flow.IsZero():
		cause, code = core.CauseUnreachable, 480 // a contact's connection closed: it is registered no more
	}
	l.gone(cause, code)
}

// info serves INFO: DTMF as application/dtmf-relay or application/dtmf.
func (l *leg) info(req *sip.Request) int {
	if sip.HeaderValue(req, "Info-Package") != "" {
		return 469 // we announced none (RFC 6086 section 4.2.2)
	}
	kind, _, _ := strings.Cut(sip.HeaderValue(req, "Content-Type"), ";")
	var key string
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "":
		return 200
	case "application/dtmf-relay":
		for line := range strings.Lines(string(req.Body())) {
			name, value, _ := strings.Cut(line, "=")
			if strings.EqualFold(strings.TrimSpace(name), "signal") {
				key = strings.ToUpper(strings.TrimSpace(value))
			}
		}
	case "application/dtmf":
		key = strings.ToUpper(strings.TrimSpace(string(req.Body())))
	default:
		return 415
	}
	if n, err := strconv.Atoi(key); err == nil && (n == 10 || n == 11) {
		key = "*#"[n-10 : n-9] // RFC 4733 event codes, as some phones write them
	}
	if l.dtmf == route.DTMFEvents || l.dtmf == route.DTMFInVoice {
		return 200 // it says the same twice
	}
	if len(key) != 1 || !strings.Contains("0123456789*#ABCD", key) {
		return 400
	}
	l.digit(key[0])
	l.edge.cfg.Media.Press(l.id, key[0])
	return 200
}
