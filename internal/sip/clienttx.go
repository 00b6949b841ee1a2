package sip

import (
	"errors"
	"sync"
	"time"
)

// ErrTimeout is reported for a request that nobody answered for 32 s.
var ErrTimeout = errors.New("sip: no answer")

// errClosed is reported for requests of a closed stack.
var errClosed = errors.New("sip: stack closed")

// clientState is where a client transaction stands (RFC 3261 section 17.1, RFC 6026).
type clientState uint8

const (
	clientCalling    clientState = iota // sent, nothing heard
	clientProceeding                    // a provisional response came
	clientRefused                       // INVITE: final 300-699, ACKed; absorbs repeats
	clientAccepted                      // INVITE: 2xx; passes on repeats and other forks
	clientDone
)

// clientTx is one request of ours. Its callbacks run on the goroutine that brings
// the response or the time-out; owners put them on their strand.
type clientTx struct {
	stack  *Stack
	invite bool
	flow   Flow
	key    string
	loops  int // of the INVITE that this one passes on

	// onResponse gets every provisional and the final response; for INVITE also
	// each further 2xx.
	onResponse func(*Response)
	// onError gets the reason why no final response will come, at most once.
	onError func(error)

	mu        sync.Mutex // guards the fields below, and the two above
	state     clientState
	req       *Request
	data      []byte
	repeat    *time.Timer // timers A and E
	interval  time.Duration
	end       *time.Timer // timers B and F
	ack       []byte      // ACK of a refusal, for its repeats
	cancelled bool        // CANCEL was sent
}

func clientKey(branch string, method Method) string { return branch + "|" + string(method) }

// sendClient puts our Via on top of req, sends it down flow and follows it to the
// end. The request belongs to the transaction from here on.
func (s *Stack) sendClient(req *Request, flow Flow, onResponse func(*Response), onError func(error), loops int) *clientTx {
	branch := newBranch()
	req.PrependHeader(newVia(flow, branch))
	return s.startClient(req, flow, branch, onResponse, onError, loops)
}

func (s *Stack) startClient(req *Request, flow Flow, branch string, onResponse func(*Response), onError func(error), loops int) *clientTx {
	tx := &clientTx{
		loops: loops, stack: s, req: req, invite: req.Method == INVITE, flow: flow, key: clientKey(branch, req.Method),
		onResponse: onResponse, onError: onError, interval: t1,
	}
	data, err := marshal(req)
	if err != nil {
		tx.state = clientDone
		s.log.Error("sip: request not sent", "method", req.Method, "err", err)
		onError(err)
		return tx
	}
	tx.data = data
	if !s.clients.add(tx) {
		tx.state = clientDone
		onError(errClosed)
		return tx
	}
	tx.mu.Lock()
	tx.end = time.AfterFunc(giveUp, func() { tx.fail(ErrTimeout) })
	if !flow.Reliable() {
		tx.repeat = time.AfterFunc(t1, tx.sendAgain)
	}
	tx.mu.Unlock()
	if err := s.writeErr(flow, flow.remote, data); err != nil {
		tx.fail(err)
	}
	return tx
}

func newVia(flow Flow, branch string) *ViaHeader {
	at := flow.link.sentBy(flow.remote)
	via := &ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: flow.Transport(),
		Host: at.host, Port: at.port, Params: Params{{K: "branch", V: branch}},
	}
	if !flow.Reliable() {
		via.Params = append(via.Params, sipParam{K: "rport"})
	}
	return via
}

// sendAgain is timer A, which doubles, and E, which doubles up to T2.
func (tx *clientTx) sendAgain() {
	tx.mu.Lock()
	if tx.state > clientProceeding || (tx.invite && tx.state == clientProceeding) {
		tx.mu.Unlock()
		return
	}
	tx.interval *= 2
	if !tx.invite && (tx.interval > t2 || tx.state == clientProceeding) {
		tx.interval = t2
	}
	tx.repeat.Reset(tx.interval)
	data := tx.data
	tx.mu.Unlock()
	tx.stack.write(tx.flow, tx.flow.remote, data)
}

// receive takes a response that matches.
func (tx *clientTx) receive(res *Response) {
	if tx.invite {
		tx.receiveInvite(res)
		return
	}
	tx.mu.Lock()
	pass := tx.state < clientRefused
	switch {
	case !pass:
	case res.StatusCode < 200:
		tx.state = clientProceeding
	default:
		tx.doneLocked() // timer K is not needed: a repeat finds nobody
	}
	tx.mu.Unlock()
	if pass {
		tx.onResponse(res)
	}
}

func (tx *clientTx) receiveInvite(res *Response) {
	tx.mu.Lock()
	var ack []byte
	pass, deliver := false, tx.onResponse
	switch code := res.StatusCode; {
	case code < 200:
		pass = tx.state <= clientProceeding
		if pass {
			tx.state = clientProceeding
			tx.stopLocked() // how long it rings is the caller's to bound
		}
	case code < 300:
		pass = tx.state != clientRefused
		if tx.state <= clientProceeding {
			tx.state = clientAccepted
			tx.req, tx.data = nil, nil
			tx.forgetLocked() // timer M
		}
	case tx.state <= clientProceeding:
		pass = true
		tx.state = clientRefused
		tx.ack = tx.refusalAck(res)
		ack = tx.ack
		tx.shedLocked()
		if tx.flow.Reliable() {
			tx.doneLocked()
		} else {
			tx.forgetLocked() // timer D
		}
	default:
		ack = tx.ack
	}
	tx.mu.Unlock()
	if ack != nil {
		tx.stack.write(tx.flow, tx.flow.remote, ack)
	}
	if pass {
		deliver(res)
	}
}

// shedLocked lets go of the request and its owner: a refused leg of a ring group
// waits out timer D with nothing but its ACK.
func (tx *clientTx) shedLocked() {
	tx.req, tx.data, tx.onResponse, tx.onError = nil, nil, nil, nil
}

// refusalAck builds the ACK of a final response 300-699: same branch, hop by hop
// (RFC 3261 section 17.1.1.3).
func (tx *clientTx) refusalAck(res *Response) []byte {
	ack := sameHop(tx.req, ACK)
	ack.AppendHeader(res.To())
	ack.SetBody(nil)
	data, err := marshal(ack)
	if err != nil {
		tx.stack.log.Error("sip: ACK not sent", "err", err)
	}
	return data
}

// sameHop returns a request of the given method with the INVITE's Via, Route,
// From, Call-ID and CSeq number; To is the caller's to add.
func sameHop(invite *Request, method Method) *Request {
	r := NewRequest(method, invite.Recipient)
	r.AppendHeader(invite.Via())
	for _, h := range invite.Headers() {
		switch h := h.(type) {
		case *FromHeader, *CallIDHeader, *maxForwardsHeader:
			r.AppendHeader(h)
		case *CSeqHeader:
			r.AppendHeader(&CSeqHeader{SeqNo: h.SeqNo, MethodName: method})
		default:
			if h.Name() == "Route" {
				r.AppendHeader(h)
			}
		}
	}
	return r
}

// cancel sends CANCEL, once, for an INVITE that has a provisional response. Whatever
// comes back, after 64*T1 the INVITE is over.
func (tx *clientTx) cancel(headers []Header) {
	tx.mu.Lock()
	waits, invite := tx.state == clientProceeding && !tx.cancelled, tx.req
	if waits {
		tx.cancelled = true // a second one would have the first one's key
		tx.endAfterLocked(giveUp)
	}
	tx.mu.Unlock()
	if !waits {
		return
	}
	req := sameHop(invite, CANCEL)
	req.AppendHeader(invite.To())
	for _, h := range headers {
		req.AppendHeader(h)
	}
	req.SetBody(nil)
	branch, _ := Param(invite.Via().Params, "branch")
	tx.stack.startClient(req, tx.flow, branch, func(*Response) {}, func(error) {}, 0)
}

// fail ends the transaction without a final response. After a 2xx that is the
// ordinary end (timer M), after a refusal too (timer D).
func (tx *clientTx) fail(err error) {
	tx.mu.Lock()
	report, tell := tx.state <= clientProceeding, tx.onError
	tx.doneLocked()
	tx.mu.Unlock()
	if report {
		tell(err)
	}
}

func (tx *clientTx) endAfterLocked(d time.Duration) {
	tx.stopLocked()
	tx.end = time.AfterFunc(d, func() { tx.fail(ErrTimeout) })
}

// forgetLocked lets the transaction absorb repeats for 64*T1.
func (tx *clientTx) forgetLocked() {
	tx.stopLocked()
	tx.stack.forget.later(func() { tx.fail(ErrTimeout) })
}

func (tx *clientTx) stopLocked() {
	for _, t := range []*time.Timer{tx.repeat, tx.end} {
		if t != nil {
			t.Stop()
		}
	}
}

func (tx *clientTx) doneLocked() {
	tx.state = clientDone
	tx.stopLocked()
	tx.stack.clients.remove(tx)
}
