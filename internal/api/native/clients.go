package native

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/offhook/offhook/internal/source"
)

// Rate is how much one client, an IPv4 address or an IPv6 /64, may ask.
type Rate struct {
	// PerSecond is how many requests a second, Burst how many at once. 0 is no limit.
	PerSecond float64
	Burst     int
}

// maxClients bounds how many clients are told apart. Those beyond share one limit.
const maxClients = 10_000

// clients limits how much each of them asks.
type clients struct {
	rate Rate

	mu     sync.Mutex // guards the fields below
	known  map[netip.Addr]*rate.Limiter
	others *rate.Limiter
}

func newClients(r Rate) *clients {
	c := &clients{rate: r, known: make(map[netip.Addr]*rate.Limiter)}
	c.others = c.newLimiter()
	return c
}

func (c *clients) newLimiter() *rate.Limiter {
	return rate.NewLimiter(rate.Limit(c.rate.PerSecond), c.rate.Burst)
}

// wait returns 0 for a request that may be served, else how long its client shall
// wait before it asks again.
func (c *clients) wait(remote string, now time.Time) time.Duration {
	if c.rate.PerSecond == 0 {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.of(source.OfRemote(remote), now).ReserveN(now, 1)
	if !r.OK() {
		return time.Second // the burst is 0
	}
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// of returns the limit of a client.
func (c *clients) of(from netip.Addr, now time.Time) *rate.Limiter {
	if l, ok := c.known[from]; ok {
		return l
	}
	if len(c.known) >= maxClients {
		c.forgetIdle(now)
	}
	if len(c.known) >= maxClients {
		return c.others
	}
	l := c.newLimiter()
	c.known[from] = l
	return l
}

// forgetIdle forgets who has asked nothing for so long that it may ask all again.
func (c *clients) forgetIdle(now time.Time) {
	for from, l := range c.known {
		if l.TokensAt(now) >= float64(c.rate.Burst) {
			delete(c.known, from)
		}
	}
}
