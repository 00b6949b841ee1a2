package sip

import (
	"context"
	"crypto/tls"
	"net/netip"

	"github.com/coder/websocket"
)

// Stack is a SIP endpoint: its listeners, connections, transactions and dialogs.
type Stack struct{}

// NewStack returns a stack without listeners. Close it when done.
func NewStack(c Config) *Stack { return nil }

// Listen says where to listen and what our messages call that place.
type Listen struct {
	// Addr is "host:port"; port 0 picks one.
	Addr string
	// Advertise is written into Via and Contact: "host" or "host:port". Empty is
	// the bound address, or, on a wildcard address, the local address that
	// reaches the peer.
	Advertise string
	// TLS is the configuration of ListenTLS.
	TLS *tls.Config
}

// ListenUDP opens a UDP socket and serves it until Close. It returns the bound address.
func (s *Stack) ListenUDP(ctx context.Context, l Listen) (netip.AddrPort, error) {
	return netip.AddrPort{}, nil
}

// ListenTCP accepts TCP connections until Close. It returns the bound address.
func (s *Stack) ListenTCP(ctx context.Context, l Listen) (netip.AddrPort, error) {
	return netip.AddrPort{}, nil
}

// ListenTLS accepts TLS connections until Close. It returns the bound address.
func (s *Stack) ListenTLS(ctx context.Context, l Listen) (netip.AddrPort, error) {
	return netip.AddrPort{}, nil
}

// ServeWebSocket serves a socket that was accepted with sub-protocol "sip" until
// it closes, ctx ends or the stack is closed; then it is closed. remote is the
// peer's address, secure says that it came over TLS.
func (s *Stack) ServeWebSocket(ctx context.Context, conn *websocket.Conn, remote netip.AddrPort, secure bool) {
}

// Close ends every connection and timer without farewell and waits for all
// goroutines of the stack. Hang up first what should end politely.
func (s *Stack) Close() {}

// Credentials answer a digest challenge.
type Credentials struct {
	Username string
	Password string
}

// Outbound is a request outside dialogs for Send.
type Outbound struct {
	// Request needs Request-URI, From (tag added if missing) and To. Call-ID and
	// CSeq are added if missing; a REGISTER refresh brings its own. Via and
	// Max-Forwards are always the stack's.
	Request *Request
	// Flow sends down a connection; else Target or the Request-URI says where.
	Flow   Flow
	Target Target
	// ContactUser, if not "", adds a Contact with our address on the chosen flow
	// and ContactParams.
	ContactUser   string
	ContactParams Params
	// Credentials, if set, answer one 401 or 407, and one more if it says stale.
	Credentials *Credentials
}

// Send sends a request other than INVITE and calls done once with the final
// response, or with the reason why there is none: a time-out after 32 s, a dead
// flow, no route. done must not block; it may run before Send returns.
func (s *Stack) Send(out Outbound, done func(res *Response, err error)) {}

// ServerTx is one request of a peer that wants an answer. Its methods may be
// called from any goroutine; the first final response is the last.
type ServerTx struct{}

// Flow returns the way the request came.
func (tx *ServerTx) Flow() Flow { return Flow{} }

// Request returns the request.
func (tx *ServerTx) Request() *Request { return nil }

// NewResponse returns a response with the headers of RFC 3261 section 8.2.6; all
// responses of one transaction have the same To-tag.
func (tx *ServerTx) NewResponse(code int, reason string) *Response { return nil }

// Respond sends res, which NewResponse made.
func (tx *ServerTx) Respond(res *Response) {}

// Reply sends a response without body. An empty reason takes the usual phrase.
func (tx *ServerTx) Reply(code int, reason string, headers ...Header) {}

// NotAllowed answers 405 with Allow.
func (tx *ServerTx) NotAllowed() {}

// IncomingEvents are what an unanswered Incoming reports. Nil fields are ignored.
type IncomingEvents struct {
	// Cancelled reports that the caller gave up before a final response: CANCEL,
	// a BYE, or a dead connection. 487 is already sent. Nothing else comes.
	Cancelled func(reasons []Reason)
	// Acked reports the ACK to our 2xx, once; its body is the answer if Answer
	// carried an offer.
	Acked func(ack *Request)
	// Dialog are the events of the dialog, from Answer on.
	Dialog DialogEvents
}

// Incoming is an INVITE of a peer.
type Incoming struct{}

// Incoming takes over an INVITE, from inside ServeSIP or later: it sends 100 at
// once, handles CANCEL and owns the dialog.
func (s *Stack) Incoming(tx *ServerTx, ev IncomingEvents) *Incoming { return nil }

// Request returns the INVITE.
func (in *Incoming) Request() *Request { return nil }

// Flow returns the way the INVITE came.
func (in *Incoming) Flow() Flow { return Flow{} }

// Dialog returns the dialog, which is early until Answer.
func (in *Incoming) Dialog() *Dialog { return nil }

// Ring sends a provisional response 101 to 199, with SDP unless body is nil. It
// does nothing after a final response.
func (in *Incoming) Ring(code int, body []byte, headers ...Header) {}

// Answer sends 200 with SDP and repeats it until the ACK. It does nothing after a
// final response.
func (in *Incoming) Answer(body []byte, headers ...Header) {}

// Reject sends a final response 300 to 699. An empty reason takes the usual
// phrase. It does nothing after a final response.
func (in *Incoming) Reject(code int, reason string, headers ...Header) {}

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
	// Route is the preloaded route set, first hop first.
	Route []Uri
	// Headers are added as they are.
	Headers []Header
	// Body is the SDP offer; nil asks the peer for one, then Dialog.Ack is due.
	Body []byte
	// Credentials, if set, answer 401 and 407 in the whole dialog.
	Credentials *Credentials
	// MaxForwards is written as Max-Forwards, 0 is 70.
	MaxForwards int
}

// OutgoingEvents are what an Outgoing reports. Exactly one of Answered and Failed
// comes, and after it only events of the dialog.
type OutgoingEvents struct {
	// Provisional reports 101 to 199. d is nil if the response had no To-tag;
	// several dialogs mean that a proxy forked.
	Provisional func(d *Dialog, res *Response)
	// Answered reports the first 2xx. Its ACK is already sent, unless the INVITE
	// had no body. Later 2xx of other forks are ACKed and BYEd by the stack.
	Answered func(d *Dialog, res *Response)
	// Failed reports the end without answer. res is the response, nil if code is
	// ours: 408 for a time-out, 487 after Cancel, 503 for a transport failure.
	Failed func(code int, res *Response)
	// Dialog are the events of the answered dialog.
	Dialog DialogEvents
}

// Outgoing is an INVITE of ours.
type Outgoing struct{}

// Invite sends an INVITE. It retransmits, ACKs, authenticates and keeps early
// dialogs; how long it may ring is the caller's to bound, with Cancel.
func (s *Stack) Invite(r InviteRequest, ev OutgoingEvents) *Outgoing { return nil }

// Cancel gives up the INVITE, with headers such as Reason on the CANCEL. It waits
// for the first provisional response as it must; a 2xx that crosses is ACKed and
// BYEd with the same headers. Failed follows, at the latest after 32 s. It does
// nothing after Answered or Failed.
func (o *Outgoing) Cancel(headers ...Header) {}

// CallID returns the Call-ID, for logs.
func (o *Outgoing) CallID() string { return "" }

// DialogEvents are what a confirmed dialog reports. Nil fields take the default.
type DialogEvents struct {
	// Bye reports that the peer hung up; 200 is sent. Nothing else comes.
	Bye func(d *Dialog, reasons []Reason)
	// Lost reports that the dialog ended by itself: no ACK to our 2xx, 408 or 481
	// to a request of ours. BYE is sent where it makes sense. Nothing else comes.
	Lost func(d *Dialog, err error)
	// Reinvite reports a re-INVITE, or an UPDATE with SDP, which must be answered
	// through o at once or later. Default: 488.
	Reinvite func(d *Dialog, o *Offer)
	// Refer returns the answer to REFER, 202 or a refusal. Default: 405.
	Refer func(d *Dialog, req *Request) (code int)
	// Info returns the answer to INFO. Default: 415 with a body, 200 without.
	Info func(d *Dialog, req *Request) (code int)
	// Notify returns the answer to NOTIFY. Default: 489.
	Notify func(d *Dialog, req *Request) (code int)
}

// Dialog is an early or confirmed dialog of an INVITE.
type Dialog struct{}

// ID names the dialog in logs: Call-ID and both tags.
func (d *Dialog) ID() string { return "" }

// CallID, LocalTag and RemoteTag identify the dialog, e.g. for Replaces.
func (d *Dialog) CallID() string { return "" }

// LocalTag is our tag.
func (d *Dialog) LocalTag() string { return "" }

// RemoteTag is the peer's tag.
func (d *Dialog) RemoteTag() string { return "" }

// Bye hangs up, with headers such as Reason. On a dialog whose 2xx is not ACKed
// yet it waits for the ACK (RFC 3261 section 15). No event follows.
func (d *Dialog) Bye(headers ...Header) {}

// Ack sends the ACK that Answered left to the caller, with the SDP answer.
func (d *Dialog) Ack(body []byte) {}

// Reinvite sends a re-INVITE with an offer and calls done once with its final
// response, or nil if it could not be sent. It waits its turn behind another
// INVITE of the dialog and tries again after 491 (RFC 3261 section 14.1).
func (d *Dialog) Reinvite(body []byte, done func(res *Response)) {}

// Request sends a request other than INVITE and BYE inside the dialog: INFO,
// NOTIFY, REFER, MESSAGE, OPTIONS, UPDATE. done, which may be nil, gets the final
// response or the error.
func (d *Dialog) Request(method Method, contentType string, body []byte, done func(res *Response, err error), headers ...Header) {
}

// Flow returns the flow that the dialog's requests take, zero if they follow the
// route set.
func (d *Dialog) Flow() Flow { return Flow{} }

// SetFlow moves the dialog to another connection of the same peer, after it
// registered again.
func (d *Dialog) SetFlow(f Flow) {}

// Offer is a re-INVITE or UPDATE of the peer that waits for its answer.
type Offer struct{}

// Request returns the re-INVITE or UPDATE; its body is nil if the peer asks for
// an offer of ours.
func (o *Offer) Request() *Request { return nil }

// Accept answers 200 with SDP. acked, if not nil, gets the ACK of a re-INVITE.
func (o *Offer) Accept(body []byte, acked func(ack *Request), headers ...Header) {}

// Reject answers with a final response 300 to 699, mostly 488.
func (o *Offer) Reject(code int, reason string, headers ...Header) {}
