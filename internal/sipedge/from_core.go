package sipedge

import (
	"slices"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/sip"
)

// Do takes a command for a SIP leg. It returns at once; Turned begins to carry it out.
func (e *Edge) Do(cmd core.LegCommand) {
	if ring, ok := cmd.(core.Ring); ok {
		e.ring(ring)
		return
	}
	l := e.leg(cmd.LegID())
	if l == nil {
		return // it has just ended by itself
	}
	l.strand.later(func() {
		switch cmd := cmd.(type) {
		case core.Progress:
			l.progress(cmd)
		case core.Answer:
			l.answer(cmd)
		case core.TransferProgress:
			l.transferProgress(cmd)
		case core.End:
			l.end(cmd)
		}
	})
}

// progress sends 180, or 183 with SDP so that the caller can hear something, each
// once. A 180 after the 183 has no SDP and changes nothing of what is heard.
func (l *leg) progress(cmd core.Progress) {
	if l.stage != stageSetup || l.in == nil {
		return
	}
	if !cmd.Early || (l.offer == nil && !l.in.Reliable()) {
		if !l.rang {
			l.rang = true
			l.in.Ring(180, nil)
		}
		return
	}
	if l.opened {
		return
	}
	if l.offer == nil {
		if l.makeOffer(cmd.Peers) {
			l.opened = true
			l.in.Ring(183, l.reply)
		}
		return
	}
	if !l.acceptOffer(cmd.Peers) {
		return
	}
	l.opened = true
	l.in.Ring(183, l.reply)
}

// acceptOffer brings the media of an incoming leg up, or ends the leg.
func (l *leg) acceptOffer(peers core.Peers) bool {
	if l.stream != nil {
		return true
	}
	if err := l.open(l.edge.placeOn(l.flow)); err != nil {
		l.log.Error("no media port", "error", err)
		l.in.Reject(503, "", sip.NewHeader("Retry-After", "10"))
		l.gone(core.CauseNoResource, 503)
		return false
	}
	answer, err := l.stream.answerTo(l.offer, usable(l.only, l.edge.prefer(l.codecs, peers)))
	if err != nil {
		l.log.Info("offer refused", "error", err)
		l.in.Reject(488, "")
		l.gone(core.CauseIncompatible, 488)
		return false
	}
	l.reply = answer
	l.attach()
	return true
}

// answer sends 200. An INVITE without offer gets ours, and the answer comes in
// the ACK.
func (l *leg) answer(cmd core.Answer) {
	if l.stage != stageSetup || l.in == nil {
		return
	}
	if l.offer == nil {
		l.answerWithOffer(cmd.Peers)
		return
	}
	if !l.acceptOffer(cmd.Peers) {
		return
	}
	if l.align.under {
		l.align.waiting = func() { l.answer(cmd) }
		return
	}
	l.stage = stageAnswered
	l.known(l.dialog, true)
	l.in.Answer(l.reply)
	l.connected()
}

// answerWithOffer answers an INVITE without offer with ours, unless a reliable 183
// brought it (RFC 3262 section 5).
func (l *leg) answerWithOffer(peers core.Peers) {
	if l.stream == nil && !l.makeOffer(peers) {
		return
	}
	l.stage = stageAnswered
	l.known(l.dialog, true)
	if l.opened {
		l.in.Answer(nil)
		l.connected()
		return
	}
	l.in.Answer(l.reply)
}

// makeOffer prepares our offer to an INVITE without one, or ends the leg.
func (l *leg) makeOffer(peers core.Peers) bool {
	err := l.open(l.edge.placeOn(l.flow))
	if err == nil {
		if l.reply, err = l.stream.offerOf(usable(l.only, l.edge.prefer(codecs(), peers))); err == nil {
			return true
		}
	}
	l.log.Error("no media port", "error", err)
	l.in.Reject(503, "", sip.NewHeader("Retry-After", "10"))
	l.gone(core.CauseNoResource, 503)
	return false
}

// end ends the leg in whatever stage it is. The final response, CANCEL or BYE
// carries the reason (RFC 3326); an outgoing leg without answer waits for the
// far end's last word, so that a 200 that crosses our CANCEL is ended properly.
func (l *leg) end(cmd core.End) {
	reason := sip.NewHeader("Reason", reasonOf(cmd.Cause, cmd.Reason))
	switch l.stage {
	case stageGone, stageEnding:
	case stageAnswered:
		l.dialog.Bye(reason)
		l.gone(cmd.Cause, 0)
	case stageSetup:
		if l.in != nil {
			code := statusOf(cmd)
			l.in.Reject(code, "", reason)
			l.gone(cmd.Cause, code)
			return
		}
		l.stage, l.why = stageEnding, cmd
		l.release()
		if l.out == nil {
			l.gone(cmd.Cause, 0)
			return
		}
		l.out.Cancel(reason)
	}
}

// ring starts an outgoing leg.
func (e *Edge) ring(cmd core.Ring) {
	l := e.newLeg(cmd.Leg)
	l.strand.slow = !e.near(cmd.Target)
	l.user, l.passed, l.caller = cmd.Target.User, e.passedFor(cmd.Caller), cmd.Caller.Leg
	e.add(l)
	offered := e.offerList(cmd)
	l.strand.later(func() { l.invite(cmd, offered) })
}

// near reports whether ringing a target takes no look-up of a name and no cryptography:
// it is a phone that registered.
func (e *Edge) near(to core.Target) bool {
	if to.Contact == "" {
		return false
	}
	b, ok := e.bindings.get(to.Contact)
	return ok && !overWebSocket(b.flow)
}

// invite sends the INVITE of an outgoing leg. It runs on the strand: a host name
// may have to be looked up.
func (l *leg) invite(cmd core.Ring, offered []media.Codec) {
	if l.stage != stageSetup {
		return
	}
	if l.hops == 0 {
		l.log.Warn("too many hops: the call may go in circles")
		l.gone(core.CauseNoRoute, 483)
		return
	}
	to, err := l.edge.destination(cmd, l.passed)
	if err != nil {
		l.noWay(cmd.Target, err)
		return
	}
	l.web = overWebSocket(to.flow)
	l.settings(cmd.Target.Trunk)
	l.met(client{user: cmd.Target.User, contact: contactOf(to.uri), instance: to.instance, flow: to.flow})
	if to.trunk != nil {
		l.only = to.trunk.codecs
	}
	l.wanted = usable(l.only, offered)
	offer, err := l.firstOffer(to.place)
	if err != nil {
		l.log.Error("no media port", "error", err)
		l.gone(core.CauseNoResource, 503)
		return
	}
	l.log.Info("outgoing call", "call", string(cmd.Call), "to", to.uri.String(), "from", cmd.From.Number)
	l.trunk, l.contact = to.trunk, cmd.Target.Contact
	l.send(sip.InviteRequest{
		RequestURI: to.uri, From: to.from, To: to.to, ContactUser: contactUser, Flow: to.flow, Target: to.target,
		Backups: to.backups, Route: to.route, Headers: withHeaders(to.headers, cmd.Headers), Body: offer, Credentials: to.credentials,
		MaxForwards: l.hops, Loops: l.loops,
	})
}

// noWay ends a leg that cannot be rung. A trunk, or a host of the configuration, is out
// of order then, so that the next trunk is tried; a phone is only not there.
func (l *leg) noWay(to core.Target, why error) {
	if to.Trunk != "" || to.URI != "" {
		l.log.Warn("no way to a host", "trunk", to.Trunk, "uri", to.URI, "error", why)
		l.gone(core.CauseOutOfOrder, 0)
		return
	}
	l.log.Info("no way to callee", "error", why)
	l.gone(core.CauseUnreachable, 480)
}

// send sends the leg's INVITE, maybe anew.
func (l *leg) send(r sip.InviteRequest) {
	l.sent = r
	l.out = l.edge.stack.Invite(r, sip.OutgoingEvents{
		Provisional: func(d *sip.Dialog, res *sip.Response) { l.heard(func() { l.provisional(d, res) }) },
		Answered:    func(d *sip.Dialog, res *sip.Response) { l.heard(func() { l.answered(d, res) }) },
		Failed:      func(code int, res *sip.Response) { l.heard(func() { l.failed(code, res) }) },
		Dialog:      l.dialogEvents(),
	})
}

// firstOffer makes the stream of an outgoing leg and its offer, nil if the far end
// shall make it.
func (l *leg) firstOffer(at place) ([]byte, error) {
	if err := l.open(at); err != nil || l.offersLate() {
		return nil, err
	}
	return l.stream.offerOf(l.wanted)
}

// prefer orders the codecs for a caller's answer: what most candidates share
// without transcoding. Browsers and most phones have Opus, trunks have G.711; phones
// without Opus often have G.722. The offerer's order decides between G.711 laws.
func (e *Edge) prefer(offered []media.Codec, peers core.Peers) []media.Codec {
	g711 := []media.Codec{media.PCMU, media.PCMA}
	if slices.Index(offered, media.PCMA) >= 0 && (slices.Index(offered, media.PCMU) < 0 ||
		slices.Index(offered, media.PCMA) < slices.Index(offered, media.PCMU)) {
		g711 = []media.Codec{media.PCMA, media.PCMU}
	}
	opusFirst := peers.Browsers > 0 || peers.Trunks == 0
	if e.cfg.Cost {
		opusFirst = peers.Browsers > 0 && peers.Phones+peers.Trunks == 0
	}
	if opusFirst {
		return append([]media.Codec{media.Opus, media.G722}, g711...)
	}
	return append(g711, media.G722, media.Opus)
}

// offerList orders the codecs of an offer to a callee: the caller's first.
func (e *Edge) offerList(cmd core.Ring) []media.Codec {
	peers := core.Peers{Phones: 1}
	if cmd.Target.Trunk != "" {
		peers = core.Peers{Trunks: 1}
	}
	if cmd.Caller.Edge == core.EdgeBrowser {
		if !e.cfg.Cost {
			return codecs() // browsers speak Opus first
		}
		return e.prefer(codecs(), peers)
	}
	caller := e.leg(cmd.Caller.Leg)
	if caller == nil || len(caller.codecs) == 0 {
		return e.prefer(codecs(), peers)
	}
	list := slices.DeleteFunc(e.prefer(caller.codecs, peers), func(c media.Codec) bool { return !slices.Contains(caller.codecs, c) })
	for _, c := range e.prefer(codecs(), peers) {
		if !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	return list
}
