package sip

import "time"

// attempt is one request of ours through its digest challenges and its servers:
// each time a fresh copy with a new branch and CSeq. It lives on a strand.
type attempt struct {
	stack  *Stack
	strand *strand
	// build returns a fresh request for a flow, without Via and credentials.
	build func(Flow) *Request
	// reach finds the flow; it may call back later and from another goroutine.
	reach func(func(Flow, error))
	way   *way       // of a request that may go to another server instead; nil for others
	auth  *authState // nil cannot answer challenges
	tries challengeTries
	loops int // of the INVITE that this one passes on

	// onResponse gets all responses but the challenges that are answered.
	onResponse func(*Response)
	// onError gets the reason why there will be no final response.
	onError func(error)
	// onStale gets what comes of a server that was given up; nil ignores it.
	onStale func(*clientTx, *Response)

	tx      *clientTx // the current transaction, nil until sent
	round   int       // counts starts: what comes of an earlier one is stale
	heard   bool      // a response came in this round
	dropped bool      // no more challenges are answered, nothing is sent any more
}

// tryTime is how long a server may stay silent while there is another one. Timer B
// would keep the caller waiting for 32 s (RFC 3263 section 4.3 leaves it to us).
const tryTime = 3 * time.Second

func (a *attempt) start() {
	a.tx, a.heard = nil, false
	a.round++
	round := a.round
	a.reach(func(f Flow, err error) {
		a.strand.do(func() {
			if a.round == round {
				a.send(f, err)
			}
		})
	})
}

// by makes the attempt find its flow by w.
func (a *attempt) by(w *way) {
	w.stack, w.strand, w.watch = a.stack, a.strand, a.watch
	a.way, a.reach = w, w.reach
}

// watch gives the server tryTime to show up.
func (a *attempt) watch() {
	round := a.round
	a.strand.after(tryTime, func() {
		if a.round == round && !a.heard {
			a.elsewhere()
		}
	})
}

// elsewhere goes on with the next server and reports whether there is one.
func (a *attempt) elsewhere() bool {
	if a.way == nil || a.dropped || !a.way.next() {
		return false
	}
	a.start()
	return true
}

func (a *attempt) send(f Flow, err error) {
	switch {
	case err != nil:
		a.failed(err)
		return
	case a.dropped:
		a.onError(errDropped)
		return
	}
	req := a.build(f)
	if a.auth != nil {
		a.auth.apply(req)
	}
	round := a.round
	var tx *clientTx
	tx = a.stack.sendClient(req, f,
		func(res *Response) { a.strand.do(func() { a.receive(tx, round, res) }) },
		func(err error) {
			a.strand.do(func() {
				if a.round == round {
					a.failed(err)
				}
			})
		}, a.loops)
	a.tx = tx
}

// failed takes a transport failure or time-out.
func (a *attempt) failed(err error) {
	if a.heard || !a.elsewhere() {
		a.onError(err)
	}
}

func (a *attempt) receive(tx *clientTx, round int, res *Response) {
	if a.round != round {
		if a.onStale != nil {
			a.onStale(tx, res)
		}
		return
	}
	a.heard = true
	challenge := res.StatusCode == 401 || res.StatusCode == 407
	if challenge && !a.dropped && a.auth != nil && a.auth.accept(res, &a.tries) {
		a.start()
		return
	}
	if res.StatusCode == 503 && a.elsewhere() {
		return
	}
	a.onResponse(res)
}

// way leads to the servers of a request, one after the other (RFC 3263 section 4.3).
// It belongs to the strand of its attempt.
type way struct {
	stack   *Stack
	strand  *strand
	watch   func() // called when there is another server
	target  Target // of the first URI; of the others their own
	uris    []Uri  // the first one, then those to try after it
	servers []server
	at      int
}

// uri is where the request goes now.
func (w *way) uri() Uri { return w.uris[0] }

func (w *way) reach(found func(Flow, error)) {
	if w.servers != nil {
		w.connect(found)
		return
	}
	w.stack.locate(w.target, w.uris[0], func(servers []server, err error) {
		w.strand.do(func() {
			if err != nil {
				found(Flow{}, err)
				return
			}
			w.servers, w.at = servers, 0
			w.connect(found)
		})
	})
}

func (w *way) connect(found func(Flow, error)) {
	if len(w.uris) > 1 || w.at+1 < len(w.servers) {
		w.watch()
	}
	w.stack.connect(w.servers[w.at], found)
}

// next gives the present server up and reports whether there is another one.
func (w *way) next() bool {
	if w.at < len(w.servers) {
		w.stack.names.fail(w.servers[w.at])
	}
	switch {
	case w.at+1 < len(w.servers):
		w.at++
	case len(w.uris) > 1:
		w.target = Target{TLS: w.target.TLS}
		w.uris, w.servers, w.at = w.uris[1:], nil, 0
	default:
		return false
	}
	return true
}
