package sip

import (
	"bytes"
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// errGarbage closes a stream that lost its framing or never spoke SIP.
var errGarbage = errors.New("sip: not a SIP message")

// receive takes one message off a connection. It runs on the read loop. An error
// means that a stream can no longer be trusted.
func (s *Stack) receive(data []byte, f Flow) error {
	if s.cfg.Tracer != nil {
		s.cfg.Tracer(Trace{Flow: f, Data: data})
	}
	msg, err := s.parser.ParseSIP(plain(data))
	if err == nil && strayLineEnd(data) {
		err = errGarbage
	}
	if err != nil {
		s.log.Debug("sip: message refused", "flow", f.String(), "err", err)
		if answer := refuseRaw(data, 400, ""); answer != nil {
			s.write(f, f.remote, answer)
			return nil
		}
		if t := f.Transport(); (t == TCP || t == TLS) && !bytes.HasPrefix(data, []byte("SIP/2.0 ")) {
			return errGarbage
		}
		return nil
	}
	switch msg := msg.(type) {
	case *Request:
		guard(s.log, func() { s.request(msg, data, f) })
	case *Response:
		guard(s.log, func() { s.response(msg) })
	}
	return nil
}

// strayLineEnd finds a CR or LF of its own in the header section. The parser lets
// a lone LF pass inside a value, from where it would become a line of our answer.
func strayLineEnd(data []byte) bool {
	head, _, _ := bytes.Cut(data, []byte("\r\n\r\n"))
	pairs := bytes.Count(head, crlf)
	return bytes.Count(head, []byte("\n")) != pairs || bytes.Count(head, []byte("\r")) != pairs
}

// request finds who is to serve req: a repeat, a transaction, a dialog, the handler.
func (s *Stack) request(req *Request, data []byte, f Flow) {
	bad := s.check(req)
	if bad != nil && bad.code == 400 {
		if answer := refuseRaw(data, bad.code, bad.reason); answer != nil {
			s.write(f, f.remote, answer)
		}
		return
	}
	if bad == nil && req.Method != ACK && req.Method != CANCEL && insecure(req, f) {
		bad = &refusal{code: 416}
	}
	dest := stampVia(req, f)
	if req.Method == ACK {
		s.serveACK(req, bad)
		return
	}
	tx := &ServerTx{stack: s, req: req, flow: f, dest: dest, key: serverKey(req, req.Method)}
	if s.repeated(tx) {
		return
	}
	tx.tag = newTag()
	switch {
	case bad != nil:
		if bad.header != nil {
			tx.Reply(bad.code, bad.reason, bad.header)
			return
		}
		tx.Reply(bad.code, bad.reason)
	case req.Method == CANCEL:
		s.serveCancel(tx)
	case Tag(req.To().Params) != "" && req.Method != REGISTER:
		s.inDialog(tx)
	case req.Method == INVITE && s.servers.merged(req):
		tx.Reply(482, "")
	default:
		s.serve(tx)
	}
}

// repeated answers a request that was served before.
func (s *Stack) repeated(tx *ServerTx) bool {
	if old := s.servers.find(tx.key); old != nil {
		old.repeated()
		return true
	}
	if tx.flow.Reliable() {
		return false
	}
	answer, ok := s.answers.get(tx.key)
	if ok {
		tx.send(answer)
	}
	return ok
}

// serve calls the handler, and keeps the request if it was not answered at once.
func (s *Stack) serve(tx *ServerTx) {
	if s.cfg.Handler == nil {
		tx.NotAllowed()
		return
	}
	returned := false
	guard(s.log, func() {
		s.cfg.Handler.ServeSIP(tx, tx.req)
		returned = true
	})
	if !returned {
		tx.Reply(500, "")
		return
	}
	tx.hold()
}

// serveCancel answers a CANCEL and ends the INVITE that it names (RFC 3261 section 9.2).
// One that is refused already is in the answer cache.
func (s *Stack) serveCancel(tx *ServerTx) {
	key := serverKey(tx.req, INVITE)
	invite := s.servers.find(key)
	if invite == nil {
		if _, ok := s.answers.get(key); ok {
			tx.Reply(200, "")
			return
		}
		tx.Reply(481, "")
		return
	}
	tx.tag = invite.tag
	tx.Reply(200, "")
	invite.cancel(tx.req)
}

// serveACK gives an ACK to the refusal it is about, or to the dialog, or to nobody:
// an ACK is never answered.
func (s *Stack) serveACK(req *Request, bad *refusal) {
	if bad != nil {
		return
	}
	if tx := s.servers.find(serverKey(req, INVITE)); tx != nil {
		tx.acked()
	}
	if ses := s.sessions.find(Tag(req.To().Params)); ses != nil {
		ses.do(func() { ses.ack(req) })
	}
}

// inDialog gives a request with a To-tag to the dialog of that tag.
func (s *Stack) inDialog(tx *ServerTx) {
	ses := s.sessions.find(Tag(tx.req.To().Params))
	if ses == nil {
		tx.Reply(481, "")
		return
	}
	ses.do(func() { ses.request(tx) })
	tx.hold()
}

// response gives a response to its transaction. A 2xx to an INVITE whose
// transaction is over still needs its ACK. Anything else is dropped.
func (s *Stack) response(res *Response) {
	via, cseq := res.Via(), res.CSeq()
	if via == nil || cseq == nil || res.From() == nil || res.To() == nil || res.CallID() == nil ||
		res.StatusCode < 100 || res.StatusCode > 699 {
		return
	}
	method := Method(strings.TrimSpace(string(cseq.MethodName)))
	branch, _ := Param(via.Params, "branch")
	useSession(res, method) // what is no session description concerns nobody here
	if tx := s.clients.find(clientKey(branch, method)); tx != nil {
		tx.receive(res)
		return
	}
	if method == INVITE && res.StatusCode/100 == 2 {
		if ses := s.sessions.find(Tag(res.From().Params)); ses != nil && ses.late != nil {
			ses.do(func() { ses.late(res) })
		}
	}
}

// stampVia notes in the top Via where the request came from (RFC 3261 section
// 18.2.1, RFC 3581 section 4) and returns where UDP responses go.
func stampVia(req *Request, f Flow) netip.AddrPort {
	via, from := req.Via(), f.remote
	ip := from.Addr().Unmap()
	asked := false
	for i, kv := range via.Params {
		if strings.EqualFold(strings.TrimSpace(kv.K), "rport") {
			via.Params[i].V = strconv.Itoa(int(from.Port()))
			asked = true
		}
	}
	ws := f.Transport() == WS || f.Transport() == WSS // whose hosts mean nothing (RFC 7118 section 5.2.1)
	if host, err := netip.ParseAddr(strings.Trim(via.Host, "[]")); asked || (!ws && (err != nil || host.Unmap() != ip)) {
		via.Params.Remove("received")
		via.Params.Add("received", ip.String())
	}
	if asked || f.Reliable() {
		return from
	}
	port, ok := portOf(via.Port)
	if !ok {
		port = defaultPort(UDP)
	}
	return netip.AddrPortFrom(ip, port)
}
