package main

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// party says what the phones of one side are and say.
type party struct {
	browser bool
	says    coding
}

// webSite is a server with browsers on one or both sides.
type webSite struct {
	*site
	caller, callee party
	web            map[string]*agent // browsers by user

	under  sync.Mutex          // guards what follows
	placed map[string]*webCall // not yet at their callee, by user
}

// openWebSite starts a server and connects as many browsers and phones as there
// are accounts.
func (b *bench) openWebSite(h house, caller, callee party) (*webSite, error) {
	phones := h
	if callee.browser {
		phones.callees = nil
	}
	site, err := b.openSite(phones.with(h))
	if err != nil {
		return nil, err
	}
	w := &webSite{site: site, caller: caller, callee: callee, web: make(map[string]*agent), placed: make(map[string]*webCall)}
	site.house = h
	var connect []account
	if caller.browser {
		connect = append(connect, h.callers...)
	}
	if callee.browser {
		connect = append(connect, h.callees...)
	}
	if err := w.connect(connect); err != nil {
		w.close()
		return nil, errors.Join(err, site.tail())
	}
	return w, nil
}

// with returns h with the accounts of all in its configuration.
func (h house) with(all house) house {
	h.known = append(append([]account(nil), all.callers...), all.callees...)
	return h
}

// connect opens and registers a browser for each account.
func (w *webSite) connect(accounts []account) error {
	pages, err := netip.ParseAddrPort(w.url[len("http://"):])
	if err != nil {
		return err
	}
	for _, who := range accounts {
		a, err := newWebAgent(pages, "127.0.4.1", len(w.web))
		if err != nil {
			return err
		}
		w.web[who.user] = a
		if _, err := registerAll(a, []account{who}); err != nil {
			return err
		}
	}
	return nil
}

func (w *webSite) close() {
	for _, a := range w.web {
		a.close()
	}
	w.site.close()
}

// settleAll waits for the end of all dialogs.
func (w *webSite) settleAll(b *bench, name string) {
	w.settle(b, name)
	left := 0
	for _, a := range w.web {
		left += a.settle(setupLimit)
	}
	b.report.fault(name, problems(map[string]int{"dialogs of browsers without an end": left})...)
}

// webCall is one call with its streams.
type webCall struct {
	out     *outgoing
	streams [2]*stream // the caller's and the callee's
	begun   time.Time
	up      sync.WaitGroup // both streams send
	mu      sync.Mutex     // guards err
	err     error
}

func (c *webCall) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = errors.Join(c.err, err)
}

// open binds the socket of a party and returns it with its offer, or its answer to
// offer.
func (w *webSite) open(p party, side int, win *window, offer string) (*stream, string, error) {
	ip := netip.AddrFrom4([4]byte{127, 0, byte(4 + side), 1})
	if !p.browser {
		s, err := newStream(ip, win, p.says, p.says.payloadType)
		if err != nil {
			return nil, "", err
		}
		return s, describe(s.addr, p.says.payloadType), nil
	}
	out := p.says
	if offer != "" && out.payloadType != pcmuType {
		payloadType, found := offeredType(offer, "opus")
		if !found {
			return nil, "", fmt.Errorf("a browser was not offered Opus: %q", offer)
		}
		out.payloadType = payloadType
	}
	browser, err := newPeer(w.callers.id())
	if err != nil {
		return nil, "", err
	}
	s, err := openStream(ip, win, out, out.payloadType, browser)
	if err != nil {
		return nil, "", err
	}
	return s, browser.describe(out.payloadType, offer), nil
}

// join connects a stream with what the server described, and lets it send.
func (c *webCall) join(s *stream, description string) {
	defer c.up.Done()
	if s.peer == nil {
		to, err := mediaAddr(description)
		if err != nil {
			c.fail(err)
			return
		}
		s.sendTo(to)
		return
	}
	err := s.peer.meet(description)
	if err == nil {
		err = s.peer.connect(s.conn)
	}
	if err != nil {
		c.fail(err)
		return
	}
	s.sendTo(s.peer.to)
}

// place makes the i-th call, without waiting for it.
func (w *webSite) place(book *ledger, i int, win *window) (*webCall, error) {
	c := &webCall{}
	c.up.Add(2)
	caller := w.house.callers[i%len(w.house.callers)]
	callee := w.house.callees[i%len(w.house.callees)]
	own, offer, err := w.open(w.caller, 0, win, "")
	if err != nil {
		return nil, err
	}
	c.streams[0] = own
	from := w.callers
	if w.caller.browser {
		from = w.web[caller.user]
	}
	c.out = &outgoing{
		agent: from, ledger: book, record: book.add(pair{caller.user, callee.user}), account: caller,
		uri: fmt.Sprintf("sip:%s@%s", callee.user, domain), hold: -1, offer: offer,
		answered: func(description string) { go c.join(own, description) },
	}
	to := w.callees
	if w.callee.browser {
		to = w.web[callee.user]
	}
	w.under.Lock()
	w.placed[callee.user] = c
	w.under.Unlock()
	to.onInvite(func(m *message, _ time.Time) dialog { return w.take(book, to, win, m) })
	c.begun = time.Now()
	c.out.dial()
	return c, nil
}

// take answers a call at the callee, at once.
func (w *webSite) take(book *ledger, at *agent, win *window, m *message) dialog {
	in := at.ring(book, m)
	w.under.Lock()
	c := w.placed[in.user] // phones share an agent: the call placed last may not be here yet
	delete(w.placed, in.user)
	w.under.Unlock()
	if c == nil {
		return in // counted as a call without an answer
	}
	s, answer, err := w.open(w.callee, 1, win, m.body)
	if err != nil {
		c.fail(err)
		c.up.Done()
		return in
	}
	c.streams[1] = s
	in.answer = answer
	in.pickUp()
	go c.join(s, m.body)
	return in
}

// await waits until both streams of a call may send.
func (c *webCall) await() error {
	done := make(chan struct{})
	go func() { c.up.Wait(); close(done) }()
	select {
	case <-done:
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.err
	case <-time.After(setupLimit):
		return errors.New("a call did not come up")
	}
}
