package sip

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// place is where a listener is bound and what it calls itself on the wire.
type place struct {
	bound     netip.AddrPort
	advertise hostPort // host "" is the bound address
	routes    *routes  // of a wildcard address
}

func newPlace(bound netip.AddrPort, advertise string) (place, error) {
	p := place{bound: netip.AddrPortFrom(bound.Addr().Unmap(), bound.Port()), routes: &routes{}}
	if advertise == "" {
		return p, nil
	}
	at, err := parseHostPort(advertise)
	if err != nil {
		return place{}, err
	}
	if at.port == 0 {
		at.port = int(bound.Port())
	}
	p.advertise = at
	return p, nil
}

// parseHostPort reads "host", "host:port", "v6" and "[v6]:port". IPv6 addresses
// get brackets, as a URI needs them.
func parseHostPort(s string) (hostPort, error) {
	host, portText, err := net.SplitHostPort(s)
	if err != nil {
		host, portText = strings.Trim(s, "[]"), "0"
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || host == "" || strings.ContainsAny(host, " /;<>\"@\r\n") {
		return hostPort{}, fmt.Errorf("sip: %q is not host or host:port", s)
	}
	return hostPort{host: bracket(host), port: int(port)}, nil
}

func bracket(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}

// sentBy returns what the peer at to shall call us.
func (p place) sentBy(to netip.AddrPort) hostPort {
	if p.advertise.host != "" {
		return p.advertise
	}
	addr := p.bound.Addr()
	if addr.IsUnspecified() && p.routes != nil {
		if via := p.routes.localFor(to); via.IsValid() {
			addr = via
		}
	}
	return hostPort{host: bracket(addr.String()), port: int(p.bound.Port())}
}

// routes remembers which of our addresses reaches whom, for a few seconds.
type routes struct {
	mu    sync.Mutex // guards the fields below
	local map[netip.Addr]netip.Addr
	until time.Time
}

const (
	routesLife = 10 * time.Second
	maxRoutes  = 1024
)

// localFor asks the routing table which of our addresses reaches to. Nothing is
// sent: connecting a UDP socket only looks up the route.
func (r *routes) localFor(to netip.AddrPort) netip.Addr {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); now.After(r.until) || len(r.local) >= maxRoutes {
		r.local, r.until = make(map[netip.Addr]netip.Addr), now.Add(routesLife)
	}
	if addr, ok := r.local[to.Addr()]; ok {
		return addr
	}
	var addr netip.Addr
	if c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to)); err == nil {
		addr = addrOf(c.LocalAddr()).Addr()
		c.Close()
	}
	r.local[to.Addr()] = addr
	return addr
}

// addrOf returns the address of a UDP or TCP endpoint, zero for others.
func addrOf(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.UDPAddr:
		ap = a.AddrPort()
	case *net.TCPAddr:
		ap = a.AddrPort()
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
