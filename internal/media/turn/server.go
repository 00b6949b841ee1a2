package turn

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/logging"
	pion "github.com/pion/turn/v5"
)

const (
	// maxRelays is how many allocations there may be in all, and maxRelaysOfUser of
	// one user, whose browser makes some for each call.
	maxRelays       = 4000
	maxRelaysOfUser = 64
	// permissionTime is how long a permission of a client lives (RFC 8656 section 9).
	permissionTime = 5 * time.Minute
)

// Config says where a Server listens and leads.
type Config struct {
	// Listen is where clients come, over UDP and over TCP; port 0 takes a free one.
	Listen netip.AddrPort
	Realm  string
	// Secret makes and checks credentials.
	Secret []byte
	// Target is our WebRTC port at an address of this machine, the one place that is
	// relayed to. Relays send from the same address.
	Target netip.AddrPort
	Log    *slog.Logger // nil discards
}

// Server is a running TURN server. Close ends it.
type Server struct {
	cfg     Config
	inner   *pion.Server
	addr    netip.AddrPort
	streams *streams

	mu     sync.Mutex     // guards what follows
	relays map[string]int // of each user
	total  int
}

// NewServer opens both ports and serves until Close.
func NewServer(cfg Config) (*Server, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{cfg: cfg, relays: make(map[string]int)}
	udp, tcp, err := listen(cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("turn: %w", err)
	}
	s.addr = netip.AddrPortFrom(cfg.Listen.Addr(), netip.MustParseAddrPort(tcp.Addr().String()).Port())
	s.streams = newStreams(tcp)
	ways := &funnels{target: cfg.Target}
	silent := logging.NewDefaultLoggerFactory()
	silent.DefaultLogLevel = logging.LogLevelDisabled // what strangers do wrong is no news
	s.inner, err = pion.NewServer(pion.ServerConfig{
		Realm: cfg.Realm, AuthHandler: s.authenticate, QuotaHandler: s.admits, LoggerFactory: silent,
		PacketConnConfigs: []pion.PacketConnConfig{{PacketConn: udp, RelayAddressGenerator: ways, PermissionHandler: s.permits}},
		ListenerConfigs:   []pion.ListenerConfig{{Listener: s.streams, RelayAddressGenerator: ways, PermissionHandler: s.permits}},
		PermissionTimeout: permissionTime, StrictAddressFamily: cfg.Target.Addr().Is4(),
		EventHandler: pion.EventHandler{OnAllocationCreated: s.created, OnAllocationDeleted: s.deleted},
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("turn: %w", err), udp.Close(), tcp.Close())
	}
	return s, nil
}

// listenTries is how many free ports of one protocol are tried with the other.
const listenTries = 20

// listen opens the same port over UDP and TCP. The kernel finds a port 0 free for one
// of them only; somebody else may have it with the other.
func listen(at netip.AddrPort) (*net.UDPConn, *net.TCPListener, error) {
	for try := 1; ; try++ {
		udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
		if err != nil {
			return nil, nil, err
		}
		local := netip.MustParseAddrPort(udp.LocalAddr().String())
		tcp, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(at.Addr(), local.Port())))
		if err == nil {
			return udp, tcp, nil
		}
		err = errors.Join(err, udp.Close())
		if at.Port() != 0 || try == listenTries {
			return nil, nil, err
		}
	}
}

// Addr is where clients come.
func (s *Server) Addr() netip.AddrPort { return s.addr }

// Target is the one place that is relayed to.
func (s *Server) Target() netip.AddrPort { return s.cfg.Target }

// Relays returns how many allocations there are.
func (s *Server) Relays() int { return s.inner.AllocationCount() }

// Close ends all relays.
func (s *Server) Close() error {
	err := s.inner.Close()
	s.streams.closeAll()
	return err
}

// permits lets a client send to our own address; the port is up to the funnel.
func (s *Server) permits(_ net.Addr, peer net.IP) bool {
	addr, ok := netip.AddrFromSlice(peer)
	return ok && addr.Unmap() == s.cfg.Target.Addr()
}

// admits reports whether user may have one more relay.
func (s *Server) admits(user, _ string, _ net.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total < maxRelays && s.relays[user] < maxRelaysOfUser
}

func (s *Server) created(client, _ net.Addr, _, user, _ string, _ net.Addr, _ int) {
	s.streams.proved(client)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total++
	s.relays[user]++
	s.cfg.Log.Debug("relay made", "user", user, "client", client.String())
}

func (s *Server) deleted(_, _ net.Addr, _, user, _ string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	if s.relays[user]--; s.relays[user] <= 0 {
		delete(s.relays, user)
	}
}
