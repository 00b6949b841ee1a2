package sip

import (
	"errors"
	"net/netip"
	"slices"
)

// InviteRequest is an INVITE to send.
type InviteRequest struct {
	RequestURI Uri
	From, To   Address
	// ContactUser is the user part of our Contact.
	ContactUser string
	// Flow sends everything of the dialog down this flow; else Target, or the
	// first Route, or the Request-URI says where.
	Flow   Flow
	Target Target
	// Backups are Request-URIs to try, in this order, when the servers of the one
	// before do not answer within 3 s, cannot be reached or answer 503 (RFC 3263
	// section 4.3). They go where they say; Target.TLS holds for all.
	Backups []Uri
	// Route is the preloaded route set, first hop first.
	Route []Route
	// Headers are added as they are.
	Headers []Header
	// Body is the SDP offer; nil asks the peer for one, then Dialog.Ack is due.
	Body []byte
	// Credentials, if set, answer 401 and 407 in the whole dialog.
	Credentials *Credentials
	// MaxForwards is written as Max-Forwards, 0 is 70.
	MaxForwards uint32
	// Loops is ServerTx.Loops of the INVITE that this one passes on.
	Loops int
}

// OutgoingEvents are what an Outgoing reports. Exactly one of Answered and Failed
// comes, and after it only events of the dialog.
type OutgoingEvents struct {
	// Provisional reports 101 to 199, a reliable one once. d is nil if the response
	// had no To-tag; several dialogs mean that a proxy forked. If the INVITE had no
	// body and this is reliable and has one, Dialog.Prack is due.
	Provisional func(d *Dialog, res *Response)
	// Answered reports the first 2xx. Its ACK is already sent, unless it carries the
	// offer because the INVITE had none. Later 2xx of other forks are ACKed and BYEd by
	// the stack.
	Answered func(d *Dialog, res *Response)
	// Failed reports the end without answer. res is the response, nil if code is
	// ours: 408 for a time-out, 487 after Cancel, 503 for a transport failure.
	Failed func(code int, res *Response)
	// Dialog are the events of the answered dialog.
	Dialog DialogEvents
}

// Outgoing is an INVITE of ours.
type Outgoing struct {
	ses *session
	r   InviteRequest
	ev  OutgoingEvents
	// The fields below belong to the strand.
	at         attempt
	way        way
	seq        uint32
	flow       Flow // of the last INVITE sent
	proceeding bool
	cancelled  bool
	farewell   []Header     // of Cancel
	timer      sessionTimer // what the INVITE asks for; no timer runs before there is a dialog
}

// Invite sends an INVITE. It retransmits, ACKs, authenticates and keeps early
// dialogs; how long it may ring is the caller's to bound, with Cancel.
func (s *Stack) Invite(r InviteRequest, ev OutgoingEvents) *Outgoing {
	ses := s.newSession(newCallID(), newTag())
	o := &Outgoing{ses: ses, r: r, ev: ev}
	ses.late = o.late
	o.at = attempt{
		stack: s, strand: &ses.strand, auth: newAuthState(r.Credentials),
		loops: r.Loops,
		build: o.build, reach: o.reach, onResponse: o.receive, onError: o.failed, onStale: o.stale,
	}
	if r.Flow.IsZero() {
		o.way = way{target: r.Target, uris: append([]Uri{o.firstHop()}, r.Backups...)}
		o.at.by(&o.way)
	}
	s.sessions.add(ses)
	ses.do(o.at.start)
	return o
}

// CallID returns the Call-ID, for logs.
func (o *Outgoing) CallID() string { return o.ses.callID }

// Cancel gives up the INVITE, with headers such as Reason on the CANCEL. It waits
// for the first provisional response as it must; a 2xx that crosses is ACKed and
// BYEd with the same headers. Failed follows, at the latest after 32 s. It does
// nothing after Answered or Failed.
func (o *Outgoing) Cancel(headers ...Header) {
	o.ses.leave(func() {
		if !o.ses.inviting || o.cancelled {
			return
		}
		o.cancelled, o.at.dropped = true, true
		o.farewell = headers
		o.ses.after(giveUp, func() { o.failed(ErrTimeout) })
		if o.proceeding {
			o.at.tx.cancel(headers)
		}
	})
}

// firstHop is the URI that says where the INVITE goes.
func (o *Outgoing) firstHop() Uri {
	if len(o.r.Route) > 0 {
		return o.r.Route[0].URI
	}
	return o.r.RequestURI
}

// reach is the way down a given flow.
func (o *Outgoing) reach(found func(Flow, error)) { reachFlow(o.r.Flow, found) }

// requestURI is where the INVITE goes now: a backup has its own.
func (o *Outgoing) requestURI() Uri {
	if n := len(o.way.uris); n > 0 && n <= len(o.r.Backups) {
		return o.way.uri()
	}
	return o.r.RequestURI
}

func (o *Outgoing) build(f Flow) *Request {
	o.seq++
	o.flow, o.proceeding = f, false
	r := NewRequest(INVITE, o.requestURI())
	r.AppendHeader(new(maxForwardsHeader(orDefault(o.r.MaxForwards, 70))))
	appendRoutes(r, o.r.Route)
	r.AppendHeader(&FromHeader{
		DisplayName: escapeName(o.r.From.Name), Address: o.r.From.URI,
		Params: Params{{K: "tag", V: o.ses.localTag}},
	})
	r.AppendHeader(&ToHeader{DisplayName: escapeName(o.r.To.Name), Address: o.r.To.URI})
	r.AppendHeader(new(CallIDHeader(o.ses.callID)))
	r.AppendHeader(&CSeqHeader{SeqNo: o.seq, MethodName: INVITE})
	r.AppendHeader(contactOn(f, o.r.ContactUser, o.r.RequestURI.Scheme == sips))
	r.AppendHeader(NewHeader("Allow", inDialogMethods))
	r.AppendHeader(o.ses.stack.supported)
	for _, h := range o.timer.ask(o.ses.stack.cfg.SessionExpires, "") {
		r.AppendHeader(h)
	}
	o.ses.stack.signRequest(r)
	for _, h := range o.r.Headers {
		r.AppendHeader(h)
	}
	setBody(r, SDP, o.r.Body)
	return r
}

// receive takes every response of the INVITE in the order of the wire.
func (o *Outgoing) receive(res *Response) {
	switch code := res.StatusCode; {
	case code < 200:
		o.provisional(res)
	case code < 300:
		o.accepted(res)
	default:
		if !o.cancelled && o.timer.raise(res) {
			o.at.start()
			return
		}
		o.fail(code, res)
	}
}

func (o *Outgoing) provisional(res *Response) {
	if !o.ses.inviting {
		return
	}
	if o.cancelled {
		if !o.proceeding {
			o.proceeding = true
			o.at.tx.cancel(o.farewell)
		}
		return
	}
	o.proceeding = true
	if res.StatusCode == 100 {
		return
	}
	var d *Dialog
	if Tag(res.To().Params) != "" {
		d = o.dialogOf(res)
	}
	if d != nil && !d.reliably(res, o.r.Body != nil) {
		return
	}
	if o.ev.Provisional != nil {
		o.ev.Provisional(d, res)
	}
}

// accepted takes a 2xx: the first one answers the call, a repeat gets its ACK
// again, and one from another fork or after Cancel is ended politely.
func (o *Outgoing) accepted(res *Response) {
	d := o.dialogOf(res)
	if d == nil {
		return
	}
	if d.confirmed() {
		d.ackAgain(res.CSeq().SeqNo)
		return
	}
	d.confirm(res)
	if seq := res.CSeq().SeqNo; !o.ses.inviting || o.cancelled || seq != o.seq {
		d.silent = true
		d.sendAck(seq, nil)
		d.sendBye(o.orElsewhere())
		if seq == o.seq {
			o.fail(487, nil)
		}
		return
	}
	o.ses.inviting = false
	if o.r.Body != nil || d.settled {
		d.sendAck(o.seq, nil)
	} else {
		d.owesAck = o.seq
	}
	if o.ev.Answered != nil {
		o.ev.Answered(d, res)
	}
}

// orElsewhere is why a crossing 2xx is ended: what Cancel said, or that another
// fork answered first.
func (o *Outgoing) orElsewhere() []Header {
	if o.cancelled {
		return o.farewell
	}
	return []Header{Reason{Protocol: "SIP", Cause: 200, Text: "Call completed elsewhere"}.Header()}
}

// late is accepted for a 2xx whose transaction is over.
func (o *Outgoing) late(res *Response) {
	if d := o.ses.dialog(Tag(res.To().Params)); d == nil || !d.confirmed() || res.CSeq().SeqNo == o.seq {
		o.accepted(res)
	} else {
		d.ackAgain(res.CSeq().SeqNo)
	}
}

// stale ends what a server makes of the INVITE after it was given up.
func (o *Outgoing) stale(tx *clientTx, res *Response) {
	switch code := res.StatusCode; {
	case code < 200:
		tx.cancel(o.orElsewhere())
	case code < 300:
		if d := o.dialogOf(res); d != nil {
			d.flow = tx.flow
		}
		o.accepted(res)
	}
}

func (o *Outgoing) failed(err error) {
	code := 503
	switch {
	case o.cancelled:
		code = 487
	case errors.Is(err, ErrTimeout):
		code = 408
	}
	o.fail(code, nil)
}

// fail reports the end, unless it was reported.
func (o *Outgoing) fail(code int, res *Response) {
	if !o.ses.inviting {
		return
	}
	o.ses.inviting = false
	for _, d := range o.ses.dialogs {
		if d.state == dialogEarly {
			d.state = dialogEnded
			d.dropOffers()
		}
	}
	o.ses.lingers = o.ses.lingers || res == nil // a 2xx may still come
	o.ses.settle()
	if o.ev.Failed != nil {
		o.ev.Failed(code, res)
	}
}

// maxForks bounds the early dialogs of one INVITE.
const maxForks = 32

// dialogOf finds or makes the dialog of a response with a To-tag. It returns nil
// if a peer makes up ever new ones.
func (o *Outgoing) dialogOf(res *Response) *Dialog {
	tag := Tag(res.To().Params)
	if d := o.ses.dialog(tag); d != nil {
		return d
	}
	if len(o.ses.dialogs) >= maxForks {
		return nil
	}
	d := newOutgoingDialog(o, res)
	o.ses.dialogs = append(o.ses.dialogs, d)
	return d
}

// notGlobal are addresses behind carriers' NAT (RFC 6598), which many phones have, and
// of networks under test (RFC 2544).
func notGlobal(a netip.Addr) bool {
	b := a.Unmap().AsSlice()
	return len(b) == 4 && (b[0] == 100 && b[1]&0xc0 == 64 || b[0] == 198 && b[1]&0xfe == 18)
}

// natted reports whether a Contact cannot be reached as it says: a name below
// .invalid, or an address that is not global and not the one we talk with.
func natted(contact Uri, peer netip.Addr) bool {
	if len(contact.Host) > 8 && contact.Host[len(contact.Host)-8:] == ".invalid" {
		return true
	}
	addr, err := netip.ParseAddr(trimBrackets(contact.Host))
	if err != nil || addr == peer {
		return false
	}
	return addr.IsUnspecified() || local(addr)
}

func trimBrackets(host string) string {
	if len(host) > 2 && host[0] == '[' {
		return host[1 : len(host)-1]
	}
	return host
}

// setBody sets a body with its type; nil is none.
func setBody(m Message, contentType string, body []byte) {
	if body != nil {
		m.AppendHeader(new(ContentTypeHeader(contentType)))
	}
	m.SetBody(slices.Clone(body))
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
