package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// t1 is the first retransmission interval of RFC 3261.
const t1 = 500 * time.Millisecond

// socketBuffer is big enough that the generator itself never drops a message.
const socketBuffer = 4 << 20

// dialog is anything an agent keeps under one Call-ID: a registration, a call we
// make, a call we get. Its methods run under the agent's lock.
type dialog interface {
	// receive handles a message that came in at that time.
	receive(m *message, at time.Time)
	// tick retransmits what is due.
	tick(now time.Time)
	// open reports whether the far end still owes us something.
	open() bool
}

// link carries the messages of an agent.
type link interface {
	write(b []byte)
	// next returns the next message; it is valid until the next call. The error is
	// final if the link was closed.
	next() ([]byte, error)
	close()
}

// agent is one UDP socket with any number of phones behind it, or the WebSocket of
// a browser.
type agent struct {
	link
	name     string // unique
	addr     netip.AddrPort
	via      string // transport and address: "UDP 127.0.2.1:5070;rport"
	here     string // the same for Contact: "127.0.2.1:5070"
	server   netip.AddrPort
	reliable bool // nothing is sent twice
	ids      atomic.Uint64

	mu sync.Mutex // guards what follows, and everything in the dialogs
	// incoming makes the dialog of a new INVITE; see onInvite.
	incoming func(m *message, at time.Time) dialog
	dialogs  map[string]dialog
	resent   int // messages we had to send twice
	strays   int // requests that belong to nothing

	stop chan struct{}
	done sync.WaitGroup
}

// newAgent binds a socket on ip for phones that use server.
func newAgent(ip string, server netip.AddrPort) (*agent, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip)})
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(socketBuffer) // best effort: messages sent twice are counted
	addr, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return nil, err
	}
	a := &agent{
		link: &datagrams{conn: conn, to: server}, name: strconv.Itoa(int(addr.Port())), addr: addr,
		via: "UDP " + addr.String() + ";rport", here: addr.String(), server: server,
	}
	a.start()
	return a, nil
}

// datagrams is the link of UDP phones.
type datagrams struct {
	conn *net.UDPConn
	to   netip.AddrPort
	buf  [65536]byte
}

func (d *datagrams) write(b []byte) { _, _ = d.conn.WriteToUDPAddrPort(b, d.to) }

func (d *datagrams) next() ([]byte, error) {
	n, _, err := d.conn.ReadFromUDPAddrPort(d.buf[:])
	return d.buf[:n], err
}

func (d *datagrams) close() { _ = d.conn.Close() }

func (a *agent) start() {
	a.dialogs, a.stop = make(map[string]dialog), make(chan struct{})
	a.done.Go(a.read)
	a.done.Go(a.tick)
}

func (a *agent) close() {
	close(a.stop)
	a.link.close()
	a.done.Wait()
}

// onInvite lets f make the dialogs of new INVITEs from now on.
func (a *agent) onInvite(f func(m *message, at time.Time) dialog) {
	a.locked(func() { a.incoming = f })
}

// locked runs f under the agent's lock.
func (a *agent) locked(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

// id returns a new unique word, fit for tags, branches and Call-IDs.
func (a *agent) id() string { return fmt.Sprintf("%s-%d", a.name, a.ids.Add(1)) }

func (a *agent) branch() string { return "z9hG4bK" + a.id() }

// send writes one message to the server.
func (a *agent) send(b []byte) { a.write(b) }

func (a *agent) read() {
	for {
		b, err := a.next()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || a.reliable {
				return
			}
			continue // an ICMP error: the server is not up, or gone
		}
		at := time.Now()
		if m, ok := parseMessage(b); ok {
			a.locked(func() { a.dispatch(&m, at) })
		}
	}
}

func (a *agent) dispatch(m *message, at time.Time) {
	d, known := a.dialogs[m.callID]
	switch {
	case known:
		d.receive(m, at)
	case m.method == "INVITE" && a.incoming != nil:
		a.dialogs[m.callID] = a.incoming(m, at)
	case m.method == "OPTIONS":
		a.send(response(m, "200 OK", a.id(), "", ""))
	case m.method != "" && m.method != "ACK":
		a.strays++
		a.send(response(m, "481 Call Does Not Exist", a.id(), "", ""))
	}
}

func (a *agent) tick() {
	ticker := time.NewTicker(t1 / 5)
	defer ticker.Stop()
	for {
		select {
		case <-a.stop:
			return
		case now := <-ticker.C:
			a.locked(func() {
				for _, d := range a.dialogs {
					d.tick(now)
				}
			})
		}
	}
}

// settle waits until no dialog is open, and returns how many still are at the limit.
func (a *agent) settle(limit time.Duration) int {
	end := time.Now().Add(limit)
	for {
		n := 0
		a.locked(func() {
			for _, d := range a.dialogs {
				if d.open() {
					n++
				}
			}
		})
		if n == 0 || time.Now().After(end) {
			return n
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// resend is a message that is repeated until it is answered.
type resend struct {
	agent *agent
	what  []byte
	at    time.Time
	wait  time.Duration
}

// begin sends b now and again until clear.
func (r *resend) begin(b []byte) {
	r.what, r.wait = b, t1
	r.at = time.Now().Add(t1)
	r.agent.send(b)
}

func (r *resend) clear() { r.what = nil }

func (r *resend) tick(now time.Time) {
	if r.what == nil || r.agent.reliable || now.Before(r.at) {
		return
	}
	r.agent.send(r.what)
	r.agent.resent++
	r.wait = min(2*r.wait, 8*t1)
	r.at = now.Add(r.wait)
}
