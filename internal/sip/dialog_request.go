package sip

import "errors"

// Request sends a request other than INVITE and BYE inside the dialog: INFO,
// NOTIFY, REFER, MESSAGE, OPTIONS, UPDATE. done, which may be nil, gets the final
// response or the error.
func (d *Dialog) Request(method Method, contentType string, body []byte, done func(res *Response, err error), headers ...Header) {
	if done == nil {
		done = func(*Response, error) {}
	}
	d.ses.do(func() {
		if d.state == dialogEnded {
			done(nil, errEnded)
			return
		}
		d.transact(method, contentType, body, headers, func(res *Response, err error) {
			done(res, err)
			if (method == UPDATE || method == OPTIONS) && gone(res, err) {
				d.lost(goneError(method, err))
			}
		})
	})
}

// gone reports whether the peer no longer knows the dialog (RFC 3261 section 12.2.1.2).
func gone(res *Response, err error) bool {
	return errors.Is(err, ErrTimeout) || (res != nil && (res.StatusCode == 481 || res.StatusCode == 408))
}

func goneError(method Method, err error) error {
	if err == nil {
		err = errEnded
	}
	return errors.Join(errors.New("sip: "+string(method)+" failed"), err)
}

// transact sends a request inside the dialog and calls done with its final
// response or error, on the strand.
func (d *Dialog) transact(method Method, contentType string, body []byte, headers []Header, done func(*Response, error)) {
	a := &attempt{
		stack: d.ses.stack, strand: &d.ses.strand, auth: d.auth, reach: d.reach,
		build: func(f Flow) *Request {
			d.outSeq++
			r := d.newRequest(method, d.outSeq, f)
			for _, h := range headers {
				r.AppendHeader(h)
			}
			if method == UPDATE {
				d.askTimer(r)
			}
			setBody(r, contentType, body)
			return r
		},
		onResponse: func(res *Response) {
			if res.StatusCode < 200 {
				return
			}
			if method == UPDATE && res.StatusCode < 300 {
				d.retarget(res)
				d.timer.granted(res)
			}
			done(res, nil)
		},
		onError: func(err error) { done(nil, err) },
	}
	a.start()
}

// newRequest returns a request of the dialog without body (RFC 3261 section 12.2.1.1).
func (d *Dialog) newRequest(method Method, seq uint32, f Flow) *Request {
	uri, routes := d.target, d.routes
	if len(routes) > 0 {
		if !routes[0].loose { // a strict router of RFC 2543
			uri, routes = routes[0].URI, append(routes[1:len(routes):len(routes)], RouteTo(d.target))
		}
	}
	r := NewRequest(method, uri)
	r.AppendHeader(new(maxForwardsHeader(70)))
	appendRoutes(r, routes)
	r.AppendHeader(&FromHeader{DisplayName: d.local.Name, Address: d.local.URI, Params: Params{{K: "tag", V: d.ses.localTag}}})
	to := &ToHeader{DisplayName: d.remote.Name, Address: d.remote.URI}
	if d.remoteTag != "" {
		to.Params = Params{{K: "tag", V: d.remoteTag}}
	}
	r.AppendHeader(to)
	r.AppendHeader(new(CallIDHeader(d.ses.callID)))
	r.AppendHeader(&CSeqHeader{SeqNo: seq, MethodName: method})
	if method != BYE && method != ACK {
		r.AppendHeader(contactOn(f, d.user, d.sips))
	}
	if method == INVITE || method == UPDATE {
		r.AppendHeader(NewHeader("Allow", inDialogMethods))
		r.AppendHeader(d.ses.stack.supported)
	}
	d.ses.stack.signRequest(r)
	return r
}

// askTimer adds the session timer to a request of ours. Before the answer only the
// INVITE is about it.
func (d *Dialog) askTimer(r *Request) {
	if d.state != dialogConfirmed {
		return
	}
	for _, h := range d.timer.askAgain() {
		r.AppendHeader(h)
	}
}

// dress adds to a response what makes or refreshes the dialog.
func (d *Dialog) dress(res *Response, tx *ServerTx, body []byte, headers []Header) {
	res.AppendHeader(contactOn(tx.flow, d.user, d.sips))
	if body != nil {
		d.sdp = body
	}
	if res.StatusCode >= 200 {
		if tx.req.Method == INVITE || (tx.req.Method == UPDATE && d.state == dialogConfirmed) {
			headers = append(d.timer.grant(tx.req), headers...)
		}
		res.AppendHeader(NewHeader("Allow", inDialogMethods))
		res.AppendHeader(d.ses.stack.supported)
	}
	for _, h := range headers {
		res.AppendHeader(h)
	}
	setBody(res, SDP, body)
}

// reach finds the way for the dialog's requests: the connection it came on while
// that lives, or the route set, or the peer's Contact.
func (d *Dialog) reach(found func(Flow, error)) {
	t := d.flow.Transport()
	switch {
	case d.flow.Alive() && (d.sticky || t != UDP):
		found(d.flow, nil)
	case t == WS || t == WSS || (d.sticky && t != UDP && natted(d.target, d.flow.remote.Addr())):
		found(Flow{}, ErrFlowClosed) // nobody can connect to a browser
	case len(d.routes) > 0:
		d.ses.stack.open(Target{}, d.routes[0].URI, found)
	default:
		d.ses.stack.open(Target{}, d.target, found)
	}
}

// moved takes the Contact of a target refresh of the peer's, and the way there (RFC
// 3261 section 12.2.2).
func (d *Dialog) moved(tx *ServerTx) {
	c := tx.req.Contact()
	if c == nil || tx.req.Method == PRACK {
		return
	}
	d.target = c.Address
	if tx.flow.Reliable() || len(d.routes) > 0 {
		return
	}
	d.sticky = d.sticky || natted(c.Address, tx.flow.remote.Addr())
	d.flow = tx.flow.Towards(tx.req, c.Address)
}

// retarget takes a new Contact of the peer (target refresh).
func (d *Dialog) retarget(m interface{ Contact() *ContactHeader }) {
	if c := m.Contact(); c != nil {
		d.target = c.Address
	}
}
