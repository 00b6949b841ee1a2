package sip

import "errors"

// errDropped ends an INVITE that was cancelled before it was sent.
var errDropped = errors.New("sip: given up before it was sent")

// Outbound is a request outside dialogs for Send.
type Outbound struct {
	// Request needs Request-URI, From (tag added if missing) and To. Call-ID and
	// CSeq are added if missing; a REGISTER refresh brings its own, and CSeq rises
	// by one with each challenge answered. Via and Max-Forwards are the stack's.
	Request *Request
	// Flow sends down a connection; else Target or the Request-URI says where.
	Flow   Flow
	Target Target
	// Backups are URIs to try after the Request-URI's servers, as in InviteRequest.
	// The Request-URI stays.
	Backups []Uri
	// ContactUser, if not "", adds a Contact with our address on the chosen flow
	// and ContactParams.
	ContactUser   string
	ContactParams Params
	// Sent, if not nil, is told the flow of each copy that goes out. It must not block.
	Sent func(Flow)
	// Credentials, if set, answer one 401 or 407, and one more if it says stale.
	Credentials *Credentials
}

// Send sends a request other than INVITE and calls done once with the final
// response, or with the reason why there is none: a time-out after 32 s, a dead
// flow, no route. done must not block; it may run before Send returns.
func (s *Stack) Send(out Outbound, done func(res *Response, err error)) {
	run := &strand{log: s.log}
	req := out.Request
	if req.From() == nil || req.To() == nil {
		done(nil, errors.New("sip: Send without From or To"))
		return
	}
	from := *req.From()
	if Tag(from.Params) == "" {
		from.Params = append(from.Params.Clone(), sipParam{K: "tag", V: newTag()})
	}
	seq, callID := uint32(0), newCallID()
	if h := req.CSeq(); h != nil {
		seq = h.SeqNo - 1
	}
	if h := req.CallID(); h != nil {
		callID = h.Value()
	}
	a := &attempt{
		stack: s, strand: run, auth: newAuthState(out.Credentials),
		reach: func(found func(Flow, error)) { reachFlow(out.Flow, found) },
		build: func(f Flow) *Request {
			seq++
			if out.Sent != nil {
				out.Sent(f)
			}
			r := s.outbound(out, f)
			r.AppendHeader(&from)
			r.AppendHeader(new(CallIDHeader(callID)))
			r.AppendHeader(&CSeqHeader{SeqNo: seq, MethodName: req.Method})
			r.SetBody(req.Body())
			return r
		},
		onResponse: func(res *Response) {
			if res.StatusCode >= 200 {
				done(res, nil)
			}
		},
		onError: func(err error) { done(nil, err) },
	}
	if out.Flow.IsZero() {
		a.by(&way{target: out.Target, uris: append([]Uri{req.Recipient}, out.Backups...)})
	}
	run.do(a.start)
}

// outbound copies what of the caller's request is kept as it is.
func (s *Stack) outbound(out Outbound, f Flow) *Request {
	r := NewRequest(out.Request.Method, out.Request.Recipient)
	r.AppendHeader(new(maxForwardsHeader(70)))
	for _, h := range out.Request.Headers() {
		switch h.(type) {
		case *ViaHeader, *FromHeader, *CallIDHeader, *CSeqHeader, *maxForwardsHeader, *contentLengthHeader:
		default:
			r.AppendHeader(h)
		}
	}
	if out.ContactUser != "" {
		r.AppendHeader(&ContactHeader{Address: f.Contact(out.ContactUser), Params: out.ContactParams})
	}
	s.signRequest(r)
	return r
}

// reachFlow is the way of a request down a given flow.
func reachFlow(flow Flow, found func(Flow, error)) {
	if !flow.Alive() {
		found(Flow{}, ErrFlowClosed)
		return
	}
	found(flow, nil)
}

func (s *Stack) signRequest(r *Request) {
	if s.cfg.Agent != "" {
		r.AppendHeader(NewHeader("User-Agent", s.cfg.Agent))
	}
}
