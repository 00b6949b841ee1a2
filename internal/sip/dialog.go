package sip

import (
	"errors"
	"slices"
)

// ErrNoACK is reported for a 2xx of ours that was not acknowledged for 32 s.
var ErrNoACK = errors.New("sip: no ACK")

// ErrNoPRACK is reported for a reliable provisional response of ours that was not
// acknowledged for 32 s.
var ErrNoPRACK = errors.New("sip: no PRACK")

// errEnded is reported for requests on a dialog that is over.
var errEnded = errors.New("sip: dialog ended")

// DialogEvents are what a confirmed dialog reports. Nil fields take the default.
type DialogEvents struct {
	// Bye reports that the peer hung up; 200 is sent. Nothing else comes.
	Bye func(d *Dialog, reasons []Reason)
	// Lost reports that the dialog ended by itself: no ACK to our 2xx, no PRACK to an
	// SDP sent by Ring, no refresh, 408 or 481 to a request of ours. BYE is sent where
	// it makes sense. Nothing else comes.
	Lost func(d *Dialog, err error)
	// Reinvite reports a re-INVITE, or an UPDATE with SDP, which must be answered
	// through o at once or later. Default: 488.
	Reinvite func(d *Dialog, o *Offer)
	// Refresh asks for a re-INVITE with the session as it is, because the session
	// timer is due and the peer does not take UPDATE. Default: one with the session
	// description that we sent last, whose answer nobody reads.
	Refresh func(d *Dialog)
	// Refer returns the answer to REFER, 202 or a refusal. Default: 405.
	Refer func(d *Dialog, req *Request) (code int)
	// Info returns the answer to INFO. Default: 415 with a body, 200 without.
	Info func(d *Dialog, req *Request) (code int)
	// Notify returns the answer to NOTIFY. Default: 489.
	Notify func(d *Dialog, req *Request) (code int)
}

type dialogState uint8

const (
	dialogEarly dialogState = iota
	dialogConfirmed
	// dialogEnded still answers BYE with 200 and everything else with 481.
	dialogEnded
)

// Dialog is an early or confirmed dialog of an INVITE (RFC 3261 section 12).
type Dialog struct {
	ses       *session
	ev        DialogEvents
	remoteTag string
	incoming  *Incoming // of an incoming dialog
	user      string    // of our Contact
	sips      bool      // our Contact is sips, as the INVITE's Request-URI was

	// The fields below belong to the strand.
	state   dialogState
	silent  bool // we hung up: no more events
	local   Address
	remote  Address
	target  Uri     // the peer's Contact
	routes  []Route // route set, first hop first
	flow    Flow
	sticky  bool // requests take flow although it is UDP
	auth    *authState
	outSeq  uint32 // CSeq of our last request
	inSeq   uint32 // CSeq of the peer's last request, 0 if none
	owesAck uint32 // CSeq of an INVITE whose ACK the caller owes, 0 if none
	ack     sentAck
	unacked *unacked
	// lastInvite is the CSeq of the last INVITE of the peer's that we accepted, 0 if none.
	lastInvite uint32
	timer      sessionTimer
	sdp        []byte // the session description that we sent last, nil if none

	takesUpdate bool   // the peer's Allow says so
	offeredIn   bool   // our INVITE had an offer
	settled     bool   // the INVITE's offer and answer are exchanged by reliable means
	rseq        uint32 // RSeq of the peer's last reliable provisional response, 0 if none
	owesPrack   rack   // the one whose PRACK the caller owes

	reinvite  *reinvite   // ours under way
	reinvites []*reinvite // ours that wait
	offer     *Offer      // theirs, unanswered
	byeWaits  bool        // Bye was called while our 2xx has no ACK
	farewell  []Header    // of that Bye
}

// sentAck is the ACK to the last 2xx, for its repeats.
type sentAck struct {
	seq  uint32
	flow Flow
	data []byte
}

// newIncomingDialog makes the dialog of a peer's INVITE (RFC 3261 section 12.1.1).
func newIncomingDialog(ses *session, tx *ServerTx, ev DialogEvents) *Dialog {
	req := tx.req
	d := &Dialog{
		ses: ses, ev: ev, remoteTag: Tag(req.From().Params), user: req.Recipient.User, sips: req.Recipient.Scheme == sips,
		local:  Address{Name: req.To().DisplayName, URI: req.To().Address},
		remote: Address{Name: req.From().DisplayName, URI: req.From().Address},
		target: req.From().Address, flow: tx.flow, inSeq: req.CSeq().SeqNo,
	}
	d.timer.d = d
	d.routes, _ = ParseRoutes(req, recordRoute) // checked when it came
	d.sticky = true
	d.peerAllows(req)
	if c := req.Contact(); c != nil {
		d.target = c.Address
		if d.sticky = len(d.routes) == 0 && natted(c.Address, tx.flow.remote.Addr()); d.sticky {
			d.flow = tx.flow.Towards(req, c.Address)
		}
	}
	return d
}

// newOutgoingDialog makes an early dialog of a response to our INVITE (RFC 3261
// section 12.1.2).
func newOutgoingDialog(o *Outgoing, res *Response) *Dialog {
	d := &Dialog{
		ses: o.ses, ev: o.ev.Dialog, remoteTag: Tag(res.To().Params), user: o.r.ContactUser, sips: o.r.RequestURI.Scheme == sips,
		local:  Address{Name: escapeName(o.r.From.Name), URI: o.r.From.URI},
		remote: Address{Name: escapeName(o.r.To.Name), URI: o.r.To.URI},
		target: o.r.RequestURI, flow: o.flow, sticky: !o.r.Flow.IsZero(),
		auth: o.at.auth, outSeq: o.seq, offeredIn: o.r.Body != nil,
	}
	d.timer = sessionTimer{d: d, least: o.timer.least}
	d.sdp = o.r.Body
	d.learn(res)
	return d
}

// learn takes the remote target and, reversed, the route set of a response.
func (d *Dialog) learn(res *Response) {
	routes, err := ParseRoutes(res, recordRoute)
	if err != nil {
		d.ses.log.Warn("sip: route set ignored", "dialog", d.ID(), "err", err)
	}
	if routes != nil {
		slices.Reverse(routes)
		d.routes = routes
	}
	d.peerAllows(res)
	if c := res.Contact(); c != nil {
		d.target = c.Address
		d.sticky = d.sticky || (len(d.routes) == 0 && natted(c.Address, d.flow.remote.Addr()))
	}
}

// confirm makes an early dialog of ours a confirmed one: the 2xx decides the
// route set and the target (RFC 3261 section 13.2.2.4).
func (d *Dialog) confirm(res *Response) {
	d.routes = nil
	d.learn(res)
	d.state = dialogConfirmed
	d.ses.lingers = true
	d.ack.seq = res.CSeq().SeqNo
	d.timer.granted(res)
}

// confirmed reports whether the dialog ever had a 2xx.
func (d *Dialog) confirmed() bool { return d.ack.seq != 0 }

// ID names the dialog in logs: Call-ID and both tags.
func (d *Dialog) ID() string { return d.ses.callID + ";" + d.ses.localTag + ";" + d.remoteTag }

// CallID is the Call-ID.
func (d *Dialog) CallID() string { return d.ses.callID }

// LocalTag is our tag.
func (d *Dialog) LocalTag() string { return d.ses.localTag }

// RemoteTag is the peer's tag.
func (d *Dialog) RemoteTag() string { return d.remoteTag }

// SetFlow moves the dialog to another connection of the same peer, after it
// registered again.
func (d *Dialog) SetFlow(f Flow) {
	d.ses.do(func() { d.flow, d.sticky = f, true })
}

// SetCredentials lets requests of an incoming dialog answer challenges; nil are none.
func (d *Dialog) SetCredentials(c *Credentials) {
	d.ses.do(func() { d.auth = newAuthState(c) })
}

// Bye hangs up, with headers such as Reason. On a dialog whose 2xx is not ACKed
// yet it waits for the ACK (RFC 3261 section 15). No event follows. It does
// nothing on an early dialog: Reject or Cancel that.
func (d *Dialog) Bye(headers ...Header) {
	d.ses.leave(func() {
		switch {
		case d.state == dialogEarly && d.incoming != nil && d.incoming.waiting != nil:
			d.silent = true
			d.incoming.refuse(480, "", headers) // the answer waits for a PRACK
		case d.state != dialogConfirmed || d.byeWaits:
		case d.unacked != nil:
			d.silent, d.byeWaits, d.farewell = true, true, headers
		default:
			if d.owesAck != 0 { // nobody answers the offer of that 2xx any more
				d.sendAck(d.owesAck, nil)
			}
			d.silent = true
			d.sendBye(headers)
		}
	})
}

// sendBye sends BYE and ends the dialog. Whatever comes back changes nothing.
func (d *Dialog) sendBye(headers []Header) {
	d.end()
	d.transact(BYE, "", nil, headers, func(res *Response, err error) {
		if err != nil {
			d.ses.log.Debug("sip: BYE not answered", "dialog", d.ID(), "err", err)
		}
	})
}

// end stops everything of the dialog but answers to late requests.
func (d *Dialog) end() {
	if d.state == dialogEnded {
		return
	}
	d.state = dialogEnded
	d.timer.stop()
	if d.unacked != nil {
		d.unacked.stop()
		d.unacked = nil
	}
	d.dropOffers()
	d.ses.settle()
}

// dropOffers ends the offers of both sides that wait.
func (d *Dialog) dropOffers() {
	if d.offer != nil {
		d.offer.refuse(487, "", nil)
	}
	waiting := d.reinvites
	if d.reinvite != nil {
		waiting = append(waiting, d.reinvite)
	}
	d.reinvites, d.reinvite = nil, nil
	for _, r := range waiting {
		r.finish(nil)
	}
}

// peerAllows notes whether the peer takes UPDATE, if it says what it takes.
func (d *Dialog) peerAllows(m Message) {
	if HeaderValue(m, "Allow") != "" {
		d.takesUpdate = HasToken(m, "Allow", string(UPDATE))
	}
}

// lost ends a dialog that the peer no longer knows, or that we gave up.
func (d *Dialog) lost(err error) {
	if d.state == dialogEnded {
		return
	}
	silent := d.silent
	d.silent = true
	headers := d.farewell
	if headers == nil {
		text := "No answer"
		if errors.Is(err, ErrExpired) {
			text = "Session timer expired"
		}
		headers = []Header{Reason{Protocol: "SIP", Cause: 408, Text: text}.Header()}
	}
	d.sendBye(headers)
	if !silent && d.ev.Lost != nil {
		d.ev.Lost(d, err)
	}
}
