package sip

import (
	"net/netip"
	"strings"
	"sync"
	"time"
)

// serverState is where a server transaction stands (RFC 3261 section 17.2, RFC 6026).
type serverState uint8

const (
	// serverFresh: the handler is being called; not in the table yet.
	serverFresh serverState = iota
	// serverOpen: no final response yet ("trying", "proceeding").
	serverOpen
	// serverRefused: final response 300-699 to an INVITE, waits for ACK ("completed").
	serverRefused
	// serverAccepted: 2xx to an INVITE; repeats are the dialog's.
	serverAccepted
	// serverDone: out of the table.
	serverDone
)

// ServerTx is one request of a peer that wants an answer. Its methods may be
// called from any goroutine; the first final response is the last.
//
// It is cheap for what is answered inside ServeSIP: a final response to anything
// but INVITE, and a refusal of an INVITE, go out and into the answer cache, and
// the transaction never enters a table or starts a timer. A stateless refusal is
// right because the client repeats its INVITE until it hears something (RFC 3261
// section 8.2.7).
type ServerTx struct {
	stack *Stack
	req   *Request
	flow  Flow
	dest  netip.AddrPort // where responses go on UDP
	key   string
	tag   string // To-tag of all responses but 100

	// order is held from choosing a response until it is sent, and locked before mu:
	// 100 is the read loop's and a refusal may be a strand's, but none overtakes the other.
	order sync.Mutex

	mu        sync.Mutex // guards the fields below
	state     serverState
	last      []byte      // the last response, for repeats of the request
	repeat    *time.Timer // timer G
	interval  time.Duration
	end       *time.Timer // timers H, I, and the guard of a forgotten request
	cancelled func(*Request)
}

// Flow returns the way the request came.
func (tx *ServerTx) Flow() Flow { return tx.flow }

// Request returns the request.
func (tx *ServerTx) Request() *Request { return tx.req }

// Loops tells how often the call of an INVITE came back to this stack: 1 if one of
// its Vias is of an INVITE of ours that waits for its answer, more if that one passed
// on another such. It sees proxies only: who makes a new INVITE, as we do, hides it.
func (tx *ServerTx) Loops() int {
	loops := 0
	for _, h := range tx.req.Headers() {
		via, ok := h.(*ViaHeader)
		if !ok || via == tx.req.Via() {
			continue
		}
		branch, _ := Param(via.Params, "branch")
		if sent := tx.stack.clients.find(clientKey(branch, INVITE)); sent != nil {
			loops = max(loops, sent.loops+1)
		}
	}
	return loops
}

// NewResponse returns a response with the headers of RFC 3261 section 8.2.6; all
// responses of one transaction have the same To-tag.
func (tx *ServerTx) NewResponse(code int, reason string) *Response {
	if reason == "" {
		reason = Phrase(code)
	}
	res := newResponse(code, reason)
	for _, h := range tx.req.Headers() {
		switch h := h.(type) {
		case *ViaHeader, *FromHeader, *CallIDHeader, *CSeqHeader:
			res.AppendHeader(h)
		case *ToHeader:
			res.AppendHeader(tx.taggedTo(h, code))
		default:
			if tx.req.Method == INVITE && code > 100 && code < 300 && strings.EqualFold(h.Name(), recordRoute) {
				res.AppendHeader(h)
			}
		}
	}
	if tx.stack.cfg.Agent != "" {
		res.AppendHeader(NewHeader("Server", tx.stack.cfg.Agent))
	}
	res.SetBody(nil)
	return res
}

func (tx *ServerTx) taggedTo(to *ToHeader, code int) *ToHeader {
	if code == 100 || Tag(to.Params) != "" {
		return to
	}
	tagged := *to
	tagged.Params = append(to.Params.Clone(), sipParam{K: "tag", V: tx.tag})
	return &tagged
}

// Reply sends a response without body. An empty reason takes the usual phrase.
func (tx *ServerTx) Reply(code int, reason string, headers ...Header) {
	res := tx.NewResponse(code, reason)
	for _, h := range headers {
		res.AppendHeader(h)
	}
	tx.Respond(res)
}

// NotAllowed answers 405 with Allow.
func (tx *ServerTx) NotAllowed() { tx.Reply(405, "", NewHeader("Allow", methods)) }

// Capable answers OPTIONS with what we can do (RFC 3261 section 11.2).
func (tx *ServerTx) Capable() {
	tx.Reply(200, "", NewHeader("Allow", methods), NewHeader("Accept", accepted), tx.stack.supported, NewHeader("Allow-Events", "refer"))
}

// Respond sends res, which NewResponse made.
func (tx *ServerTx) Respond(res *Response) {
	data, err := marshal(res)
	if err != nil {
		tx.stack.log.Error("sip: response not sent", "method", tx.req.Method, "code", res.StatusCode, "err", err)
		if res.StatusCode >= 200 && res.StatusCode != 500 { // one try: the fault may be in the request
			tx.Reply(500, "")
		}
		return
	}
	tx.order.Lock()
	defer tx.order.Unlock()
	if tx.record(res.StatusCode, data) {
		tx.send(data)
	}
}

func (tx *ServerTx) send(data []byte) { tx.stack.write(tx.flow, tx.dest, data) }

// record moves the transaction on and reports whether the response may go out.
func (tx *ServerTx) record(code int, data []byte) bool {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.state > serverOpen {
		return false
	}
	invite, cheap := tx.req.Method == INVITE, tx.state == serverFresh
	if code == 100 && tx.last != nil {
		return false // a better one went out meanwhile
	}
	if code < 200 {
		tx.openLocked()
		tx.last = data
		return true
	}
	tx.last = data
	switch {
	case !invite, cheap && code >= 300:
		if !tx.flow.Reliable() {
			tx.stack.answers.put(tx.key, data)
		}
		tx.doneLocked()
	case code < 300:
		tx.openLocked()
		tx.state, tx.last = serverAccepted, nil // the dialog repeats it
		if tx.end != nil {
			tx.end.Stop()
		}
		tx.stack.forget.later(tx.abandon) // timer L
	default:
		tx.state = serverRefused
		tx.endAfterLocked(giveUp)
		if !tx.flow.Reliable() {
			tx.interval = t1
			tx.repeat = time.AfterFunc(t1, tx.repeatFinal)
		}
	}
	return true
}

// hold puts a request that was not answered yet into the table. An INVITE gets
// its 100 Trying.
func (tx *ServerTx) hold() {
	tx.mu.Lock()
	fresh := tx.state == serverFresh
	tx.openLocked()
	tx.mu.Unlock()
	if fresh && tx.req.Method == INVITE {
		tx.Reply(100, "")
	}
}

func (tx *ServerTx) openLocked() {
	if tx.state != serverFresh {
		return
	}
	tx.state = serverOpen
	tx.stack.servers.add(tx)
	if tx.cancelled == nil {
		tx.endAfterLocked(giveUp) // a request that nobody answers is forgotten
	}
}

func (tx *ServerTx) endAfterLocked(d time.Duration) {
	if tx.end != nil {
		tx.end.Stop()
	}
	tx.end = time.AfterFunc(d, func() {
		tx.mu.Lock()
		defer tx.mu.Unlock()
		tx.doneLocked()
	})
}

func (tx *ServerTx) doneLocked() {
	if tx.state != serverFresh {
		tx.stack.servers.remove(tx)
	}
	tx.state = serverDone
	for _, t := range []*time.Timer{tx.repeat, tx.end} {
		if t != nil {
			t.Stop()
		}
	}
	tx.cancelled = nil
}

// repeatFinal is timer G: the refusal again until ACK.
func (tx *ServerTx) repeatFinal() {
	tx.mu.Lock()
	if tx.state != serverRefused {
		tx.mu.Unlock()
		return
	}
	tx.interval = min(2*tx.interval, t2)
	tx.repeat.Reset(tx.interval)
	data := tx.last
	tx.mu.Unlock()
	tx.send(data)
}

// repeated handles the same request come again.
func (tx *ServerTx) repeated() {
	tx.order.Lock()
	defer tx.order.Unlock()
	tx.mu.Lock()
	data := tx.last
	if tx.state == serverAccepted { // the dialog repeats the 2xx (RFC 6026 section 7.1)
		data = nil
	}
	tx.mu.Unlock()
	if data != nil {
		tx.send(data)
	}
}

// acked handles the ACK of a refusal: wait timer I for more of them.
func (tx *ServerTx) acked() {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.state != serverRefused {
		return
	}
	if tx.repeat != nil {
		tx.repeat.Stop()
	}
	if tx.flow.Reliable() {
		tx.doneLocked()
		return
	}
	tx.last = nil
	tx.interval = giveUp // timer G may be about to run: it must not send again
	tx.endAfterLocked(t4)
}

// onCancel makes fn hear of a CANCEL that comes before the final response. From
// then on the INVITE has an owner, who may take any time.
func (tx *ServerTx) onCancel(fn func(cancel *Request)) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.state > serverOpen {
		return
	}
	tx.cancelled = fn
	if tx.end != nil {
		tx.end.Stop()
	}
}

// cancel hands a CANCEL to whoever owns the INVITE, or answers it.
func (tx *ServerTx) cancel(req *Request) {
	tx.mu.Lock()
	open, fn := tx.state == serverOpen, tx.cancelled
	tx.mu.Unlock()
	switch {
	case !open:
	case fn != nil:
		fn(req)
	default:
		tx.Reply(487, "")
	}
}

// abandon ends the transaction, whatever its state.
func (tx *ServerTx) abandon() {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.doneLocked()
}
