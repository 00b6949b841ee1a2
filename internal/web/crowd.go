package web

import (
	"container/list"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/source"
)

// crowd bounds the connections that speak HTTP, so that strangers who only connect
// cannot take the files that calls need for their sockets. When there are too many,
// the one that has been silent for longest makes room. A connection that became a
// WebSocket is no longer counted here: its owner has limits.
type crowd struct {
	most, perSource int
	log             *slog.Logger

	mu      sync.Mutex // guards the fields below
	inside  map[net.Conn]*guest
	quiet   *list.List         // of net.Conn: those that have asked nothing, oldest first
	sources map[netip.Addr]int // connections of each network
	refused int
	told    time.Time // when the log last said so
}

// guest is a connection that is counted.
type guest struct {
	from  netip.Addr
	quiet *list.Element // nil while it asks something
}

// tellEvery is the least time between two lines about refused connections.
const tellEvery = 10 * time.Second

func newCrowd(most, perSource int, log *slog.Logger) *crowd {
	return &crowd{most: most, perSource: perSource, log: log, inside: make(map[net.Conn]*guest), quiet: list.New(), sources: make(map[netip.Addr]int)}
}

// state is the ConnState of http.Server.
func (c *crowd) state(conn net.Conn, now http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch now {
	case http.StateNew:
		if !c.enterLocked(conn, source.OfRemote(conn.RemoteAddr().String())) {
			drop(conn)
		}
	case http.StateActive, http.StateIdle:
		c.hearLocked(conn, now == http.StateIdle)
	case http.StateHijacked, http.StateClosed:
		c.leaveLocked(conn)
	}
}

// enterLocked counts a connection in, unless there are too many. A source on this
// machine, a proxy perhaps, speaks for many and is bounded by the whole only.
func (c *crowd) enterLocked(conn net.Conn, from netip.Addr) bool {
	if !from.IsLoopback() && c.sources[from] >= c.perSource {
		c.refuseLocked(from)
		return false
	}
	if len(c.inside) >= c.most {
		oldest := c.quiet.Front()
		c.refuseLocked(from)
		if oldest == nil {
			return false
		}
		silent := oldest.Value.(net.Conn) //nolint:forcetypeassert // nothing else is put in
		c.leaveLocked(silent)
		drop(silent)
	}
	c.inside[conn] = &guest{from: from, quiet: c.quiet.PushBack(conn)}
	c.sources[from]++
	return true
}

// drop closes a connection at once. Closing TLS would wait for the peer to take the
// farewell.
func drop(conn net.Conn) {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	_ = conn.Close() // nobody is told
}

// hearLocked notes whether a connection asks something or has got its answer.
func (c *crowd) hearLocked(conn net.Conn, quiet bool) {
	g := c.inside[conn]
	if g == nil {
		return
	}
	if g.quiet != nil {
		c.quiet.Remove(g.quiet)
		g.quiet = nil
	}
	if quiet {
		g.quiet = c.quiet.PushBack(conn)
	}
}

// leaveLocked counts a connection out, if it was counted in.
func (c *crowd) leaveLocked(conn net.Conn) {
	g := c.inside[conn]
	if g == nil {
		return
	}
	c.hearLocked(conn, false)
	delete(c.inside, conn)
	if c.sources[g.from]--; c.sources[g.from] == 0 {
		delete(c.sources, g.from)
	}
}

// refuseLocked counts one that is turned away, and says so from time to time.
func (c *crowd) refuseLocked(from netip.Addr) {
	c.refused++
	if now := time.Now(); now.Sub(c.told) >= tellEvery {
		c.told = now
		c.log.Warn("HTTP connections refused: too many at once", "source", from, "of_source", c.sources[from], "in_all", len(c.inside), "refused", c.refused)
	}
}
