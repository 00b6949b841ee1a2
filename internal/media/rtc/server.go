package rtc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/stun/v3"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/guard"
	"github.com/offhook/offhook/internal/media/sdp"
	"github.com/offhook/offhook/internal/media/udp"
)

var (
	// ErrConsent says that the far end's ICE checks stopped.
	ErrConsent = errors.New("no consent: the far end's ICE checks stopped")
	// ErrClosed says that the far end closed its DTLS association.
	ErrClosed = errors.New("the far end closed the connection")
)

// Server owns the ports of all browser paths: one of UDP and one of TCP.
type Server struct {
	cfg         Config
	conn        *udp.Socket
	tcp         *net.TCPListener // nil without
	candidates  []sdp.Candidate
	hosts       []sdp.Candidate     // those that are this machine's own, of UDP
	own         map[netip.Addr]bool // this machine's addresses, with Config.Near
	cert        tls.Certificate
	fingerprint sdp.Fingerprint

	routes     routes
	handshakes chan struct{} // a slot per DTLS handshake under way
	blocked    atomic.Uint64
	panics     guard.Panics

	mu       sync.Mutex // guards what follows
	agents   map[string]*agent
	paths    map[*Path]struct{}
	streams  map[*stream]struct{} // TCP connections
	unproved []*stream            // those without an authenticated check, oldest first
	closed   bool

	stop context.CancelFunc
	wg   sync.WaitGroup
}

// Stats are figures of a Server.
type Stats struct {
	Paths      int    // made and not closed
	Streams    int    // TCP connections
	Routes     int    // far-end addresses that lead to a path
	Agents     int    // ICE credentials that checks may use
	Handshakes int    // DTLS handshakes under way
	Blocked    uint64 // datagrams of strangers, dropped since the start
	Panics     uint64 // datagrams given up because of a fault of ours
}

// NewServer opens the port and starts reading. Close frees it.
func NewServer(cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	conn, err := cfg.Loop.Listen(cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("rtc: listen: %w", err)
	}
	s := &Server{
		cfg: cfg, conn: conn,
		handshakes: make(chan struct{}, cfg.MaxHandshakes),
		agents:     make(map[string]*agent), paths: make(map[*Path]struct{}), streams: make(map[*stream]struct{}),
	}
	err = s.prepare()
	if err == nil {
		err = s.listen()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("rtc: %w", err), s.closeListeners())
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	if s.tcp != nil {
		s.wg.Go(s.accept)
	}
	s.wg.Go(func() { s.tend(ctx) })
	return s, nil
}

func (s *Server) prepare() (err error) {
	// One socket carries every browser: 50 packets a second each must fit in
	// while the reader waits for its turn on a busy machine.
	if err := s.conn.SetBuffers(4 << 20); err != nil {
		return err
	}
	if s.cert, s.fingerprint, err = newCertificate(time.Now()); err != nil {
		return err
	}
	if s.cfg.Near {
		if s.own, err = ownAddrs(); err != nil {
			return err
		}
	}
	if s.candidates, err = s.cfg.hostCandidates(s.Addr(), s.cfg.Public); err != nil {
		return err
	}
	if s.hosts, err = s.cfg.hostCandidates(s.Addr(), nil); err != nil {
		return err
	}
	if !s.cfg.ListenTCP.IsValid() {
		return nil
	}
	if s.tcp, err = net.ListenTCP("tcp", net.TCPAddrFromAddrPort(s.cfg.ListenTCP)); err != nil {
		return err
	}
	listen := s.cfg.ListenTCP
	if addr, ok := s.tcp.Addr().(*net.TCPAddr); ok {
		listen = addr.AddrPort()
	}
	streams, err := s.cfg.hostCandidates(listen, s.cfg.Public)
	for _, c := range streams {
		c.TCP = true
		s.candidates = append(s.candidates, c)
	}
	return err
}

// listen begins to deliver what comes in over UDP.
func (s *Server) listen() error {
	var r reader // of all of it: one datagram is delivered after the other
	return s.conn.Start(func(d *udp.Datagram) {
		r.Datagram = d
		s.deliver(&r, d.Bytes(), remote{addr: d.From})
	})
}

func (s *Server) closeListeners() error {
	s.conn.Close()
	if s.tcp == nil {
		return nil
	}
	return s.tcp.Close()
}

// Addr returns the address that the server listens on.
func (s *Server) Addr() netip.AddrPort { return s.conn.Addr() }

// Hosts returns where UDP is heard under addresses of this machine, best first.
func (s *Server) Hosts() (list []netip.AddrPort) {
	for _, c := range s.hosts {
		list = append(list, c.Addr)
	}
	return list
}

// Stats returns the current figures.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		Paths: len(s.paths), Streams: len(s.streams), Routes: s.routes.len(), Agents: len(s.agents),
		Handshakes: len(s.handshakes), Blocked: s.blocked.Load(), Panics: s.panics.Count(),
	}
}

// Close ends every path and waits until all goroutines of the package ended.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	paths := make([]*Path, 0, len(s.paths))
	for p := range s.paths {
		paths = append(paths, p)
	}
	streams := slices.Collect(maps.Keys(s.streams))
	s.mu.Unlock()
	for _, p := range paths {
		p.Close()
	}
	s.stop()
	err := s.closeListeners()
	for _, c := range streams {
		_ = c.conn.Close() // its reader notices
	}
	s.wg.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil // closed before
	}
	return err
}

func (s *Server) add(p *Path) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return &core.Error{Op: "rtc.NewPath", Kind: core.Unavailable, Err: net.ErrClosed}
	}
	s.paths[p] = struct{}{}
	return nil
}

func (s *Server) remove(p *Path) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.paths, p)
}

// tend looks after every path once a second until ctx ends.
func (s *Server) tend(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			s.mu.Lock()
			paths := make([]*Path, 0, len(s.paths))
			for p := range s.paths {
				paths = append(paths, p)
			}
			s.mu.Unlock()
			for _, p := range paths {
				s.tendTo(p, now)
			}
		}
	}
}

// tendTo looks after p.
func (s *Server) tendTo(p *Path, now time.Time) {
	defer s.survive()
	p.tend(now)
}

// survive, deferred, lets a panic cost the work at hand: one goroutine serves all
// paths.
func (s *Server) survive() {
	if v := recover(); v != nil {
		s.panics.Note(s.cfg.Log, "serving a browser", v)
	}
}

// rtpHeader is the length of an RTP header without extension and contributing
// sources, which is what browsers send when no extension was negotiated.
const rtpHeader = udp.HeaderSize

// reader is what the delivery of one datagram works with; nobody else sees it
// meanwhile.
type reader struct {
	*udp.Datagram
	rtp  rtp.Header
	rtcp rtcp.Header
	stun stun.Message
}

// deliver sorts one datagram by its first byte (RFC 7983 section 7).
func (s *Server) deliver(r *reader, datagram []byte, from remote) {
	defer s.survive()
	if len(datagram) == 0 {
		return
	}
	first := datagram[0]
	if first < 4 {
		s.check(r, datagram, from)
		return
	}
	p := s.routes.find(from)
	switch {
	case p == nil:
		s.blocked.Add(1)
	case first >= 20 && first < 64, first >= 128 && first < 192:
		p.take(r, datagram)
	default:
		p.malformed.Add(1)
	}
}
