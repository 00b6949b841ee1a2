package sip

// attempt is one request of ours through its digest challenges: each time a fresh
// copy with a new branch and CSeq. It lives on a strand.
type attempt struct {
	stack  *Stack
	strand *strand
	// build returns a fresh request for a flow, without Via and credentials.
	build func(Flow) *Request
	// reach finds the flow; it may call back later and from another goroutine.
	reach func(func(Flow, error))
	auth  *authState // nil cannot answer challenges
	tries challengeTries
	loops int // of the INVITE that this one passes on

	// onResponse gets all responses but the challenges that are answered.
	onResponse func(*Response)
	// onError gets the reason why there will be no final response.
	onError func(error)

	tx      *clientTx // the current transaction, nil until sent
	dropped bool      // no more challenges are answered, nothing is sent any more
}

func (a *attempt) start() {
	a.reach(func(f Flow, err error) {
		a.strand.do(func() { a.send(f, err) })
	})
}

func (a *attempt) send(f Flow, err error) {
	switch {
	case err != nil:
		a.onError(err)
		return
	case a.dropped:
		a.onError(errDropped)
		return
	}
	req := a.build(f)
	if a.auth != nil {
		a.auth.apply(req)
	}
	a.tx = a.stack.sendClient(req, f,
		func(res *Response) { a.strand.do(func() { a.receive(res) }) },
		func(err error) { a.strand.do(func() { a.onError(err) }) }, a.loops)
}

func (a *attempt) receive(res *Response) {
	challenge := res.StatusCode == 401 || res.StatusCode == 407
	if challenge && !a.dropped && a.auth != nil && a.auth.accept(res, &a.tries) {
		a.start()
		return
	}
	a.onResponse(res)
}
