// Package outward connects to hosts that others named: in a script, a request, a
// redirect. What is not public, our own network above all, it leaves alone unless
// the operator has listed it.
package outward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// ErrPrivate is an address that is not public and not listed.
var ErrPrivate = errors.New("is no public address")

// Guard says which addresses may be connected to. The zero Guard allows public
// addresses only.
type Guard struct {
	setting string
	names   map[string]bool // whatever they resolve to
	nets    []netip.Prefix
	own     func(hostPort string) bool
}

// With returns a guard that also allows what own does: the name or address of a
// URL, in lower case, with its port.
func (g Guard) With(own func(hostPort string) bool) Guard {
	g.own = own
	return g
}

// NewGuard reads a list of hosts that are allowed besides public addresses: names,
// addresses and networks. Setting is the configuration key of the list, which
// errors name.
func NewGuard(setting string, hosts []string) (Guard, error) {
	g := Guard{setting: setting, names: make(map[string]bool)}
	for _, host := range hosts {
		if p, err := netip.ParsePrefix(host); err == nil {
			g.nets = append(g.nets, p.Masked())
		} else if a, err := netip.ParseAddr(host); err == nil {
			g.nets = append(g.nets, netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
		} else if host != "" && !strings.ContainsAny(host, "/:") {
			g.names[strings.ToLower(host)] = true
		} else {
			return Guard{}, fmt.Errorf("%s: %q is neither a name nor an address nor a network", setting, host)
		}
	}
	return g, nil
}

// Dial connects to a host of a URL, within 5 s. The address is checked when it is
// known and before a packet leaves, so that no name can lead elsewhere the second
// time.
func (g Guard) Dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: 5 * time.Second}
	if !g.names[strings.ToLower(host)] && (g.own == nil || !g.own(strings.ToLower(hostPort))) {
		d.Control = func(_, address string, _ syscall.RawConn) error { return g.check(address) }
	}
	return d.DialContext(ctx, network, hostPort)
}

// check says why an address with its port must not be connected to.
func (g Guard) check(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	addr := at.Addr().Unmap().WithZone("")
	for _, p := range g.nets {
		if p.Contains(addr) {
			return nil
		}
	}
	if !isPublic(addr) {
		if g.setting == "" {
			return fmt.Errorf("%v %w", addr, ErrPrivate)
		}
		return fmt.Errorf("%v %w; %s can allow it", addr, ErrPrivate, g.setting)
	}
	return nil
}

// isPublic reports whether an address is one of the public Internet. Of IPv6 only
// global unicast is (RFC 4291 section 2.4), less what embeds an IPv4 address.
func isPublic(a netip.Addr) bool {
	if a.Is6() && !netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20}), 3).Contains(a) {
		return false
	}
	for _, p := range reserved() {
		if p.Contains(a) {
			return false
		}
	}
	return a.IsValid()
}

// reserved are the blocks of the IANA special-purpose registries that are not
// reachable globally, multicast, and one service of a cloud.
func reserved() []netip.Prefix {
	var list []netip.Prefix
	for _, p := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
		"192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
		"168.63.129.16/32", // Azure's metadata and control
		"2001::/23",        // Teredo, benchmarks, ORCHID
		"2001:db8::/32", "2002::/16", "3fff::/20",
	} {
		list = append(list, netip.MustParsePrefix(p))
	}
	return list
}
