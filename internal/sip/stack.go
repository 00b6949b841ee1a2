package sip

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	sipmsg "github.com/emiago/sipgo/sip"

	"github.com/offhook/offhook/internal/source"
)

// Stack is a SIP endpoint: its listeners, connections, transactions and dialogs.
type Stack struct {
	cfg    Config
	log    *slog.Logger
	parser *sipmsg.Parser
	wsHost hostPort
	// extensions are the option tags that we implement; supported is the header
	// that says so.
	extensions []string
	supported  Header

	servers  serverTable
	clients  clientTable
	sessions sessionTable
	answers  *answerCache
	forget   forgetter
	dials    dialer
	names    names

	ctx    context.Context //nolint:containedctx // ends what the stack dials and looks up
	cancel context.CancelFunc
	wg     sync.WaitGroup // read loops, accept loops, writers, dials

	leaving atomic.Int64 // BYEs and CANCELs that wait for their strand

	mu        sync.Mutex // guards the fields below
	closed    bool
	sockets   []*udpSocket
	acceptors []*acceptor
	links     map[link]netip.Addr // connections and their networks
	sources   map[netip.Addr]int  // connections of each network
}

// NewStack returns a stack without listeners. Close it when done.
func NewStack(c Config) *Stack {
	c = c.withDefaults()
	s := &Stack{
		cfg: c, log: c.Log, parser: sipmsg.NewParser(readsText()),
		wsHost:   hostPort{host: token(12) + ".invalid"},
		servers:  serverTable{byKey: make(map[string]*ServerTx), merges: make(map[string]*ServerTx)},
		clients:  clientTable{byKey: make(map[string]*clientTx)},
		sessions: sessionTable{byTag: make(map[string]*session)},
		answers:  newAnswerCache(c.AnswerBytes),
		dials:    dialer{conns: make(map[dialKey]*streamConn), waiting: make(map[dialKey][]func(Flow, error))},
		links:    make(map[link]netip.Addr), sources: make(map[netip.Addr]int),
	}
	s.parser.MaxMessageLength = maxMessage
	s.extensions = slices.Concat(ownExtensions, c.Extensions)
	s.supported = NewHeader("Supported", strings.Join(s.extensions, ", "))
	if c.WebSocketHost != "" {
		if at, err := parseHostPort(c.WebSocketHost); err == nil {
			s.wsHost = at
		} else {
			s.log.Error("sip: WebSocketHost ignored", "err", err)
		}
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Close ends every connection and timer without farewell and waits for all
// goroutines of the stack. Hang up first what should end politely. It must not
// be called from a callback.
func (s *Stack) Close() {
	s.mu.Lock()
	s.closed = true
	sockets, acceptors := s.sockets, s.acceptors
	links := make([]link, 0, len(s.links))
	for l := range s.links {
		links = append(links, l)
	}
	s.mu.Unlock()
	s.cancel()
	for _, a := range acceptors {
		_ = a.ln.Close() // closing twice is the only error
	}
	for _, u := range sockets {
		u.fail(errClosed)
	}
	for _, l := range links {
		l.fail(errClosed)
	}
	s.clients.close()
	for _, tx := range s.clients.on(nil) {
		tx.fail(errClosed)
	}
	for _, tx := range s.servers.all() {
		tx.abandon()
	}
	s.answers.close()
	s.forget.close()
	s.wg.Wait()
}

// write sends data and leaves the rest to timers: a lost response is asked for
// again, a dead connection is reported by its read loop.
func (s *Stack) write(f Flow, to netip.AddrPort, data []byte) {
	if err := s.writeErr(f, to, data); err != nil {
		s.log.Debug("sip: not sent", "flow", f.String(), "err", err)
	}
}

func (s *Stack) writeErr(f Flow, to netip.AddrPort, data []byte) error {
	if !f.Alive() {
		return ErrFlowClosed
	}
	if s.cfg.Tracer != nil {
		s.cfg.Tracer(Trace{Out: true, Flow: Flow{link: f.link, remote: to}, Data: data})
	}
	return f.link.send(data, to)
}

func (s *Stack) admit(transport string, from netip.AddrPort) bool {
	return s.cfg.Admit == nil || s.cfg.Admit(transport, from)
}

// spawn runs fn on a goroutine that Close waits for, unless the stack is closed.
func (s *Stack) spawn(fn func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.wg.Go(fn)
	return true
}

// enter counts a new connection in, against the limits. flowClosed counts it out.
func (s *Stack) enter(l link, from netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	from = source.Of(from)
	if s.closed || len(s.links) >= s.cfg.MaxConns || !from.IsLoopback() && s.sources[from] >= s.cfg.MaxConnsPerSource {
		return false
	}
	s.links[l] = from
	s.sources[from]++
	s.wg.Add(1)
	return true
}

// flowClosed is the end of a connection's read loop: whoever waits for something
// on it hears that it will not come.
func (s *Stack) flowClosed(f Flow) {
	defer s.wg.Done()
	s.mu.Lock()
	from := s.links[f.link]
	delete(s.links, f.link)
	if s.sources[from]--; s.sources[from] <= 0 {
		delete(s.sources, from)
	}
	s.mu.Unlock()
	s.dials.forget(f.link)
	for _, tx := range s.clients.on(f.link) {
		tx.fail(ErrFlowClosed)
	}
	if s.cfg.FlowClosed != nil {
		guard(s.log, func() { s.cfg.FlowClosed(f) })
	}
}

func (s *Stack) addSocket(u *udpSocket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.sockets = append(s.sockets, u)
		s.wg.Add(1)
	}
	return !s.closed
}

func (s *Stack) addAcceptor(a *acceptor) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.acceptors = append(s.acceptors, a)
		s.wg.Add(1)
	}
	return !s.closed
}

// socketFor picks the UDP socket that reaches addr: same family, and loopback
// only for loopback.
func (s *Stack) socketFor(addr netip.Addr) *udpSocket {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.sockets {
		if reaches(u.at.bound.Addr(), addr) && u.alive() {
			return u
		}
	}
	return nil
}

// placeOf picks the listener that an outgoing stream to addr names in Via and
// Contact, the zero place if there is none.
func (s *Stack) placeOf(proto string, addr netip.Addr) place {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.acceptors {
		if a.proto == proto && reaches(a.at.bound.Addr(), addr) {
			return a.at
		}
	}
	return place{}
}

// reaches reports whether a socket bound to local may talk to addr.
func reaches(local, addr netip.Addr) bool {
	if local.IsUnspecified() && local.Is6() {
		return true // dual stack
	}
	return local.Is4() == addr.Is4() && (local.IsUnspecified() || local.IsLoopback() == addr.IsLoopback())
}
