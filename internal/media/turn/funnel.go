package turn

import (
	"errors"
	"net"
	"net/netip"

	pion "github.com/pion/turn/v5"
)

// funnels make the sockets that relays send from. It implements
// pion.RelayAddressGenerator.
type funnels struct{ target netip.AddrPort }

// errNoTCP refuses relays of TCP (RFC 6062).
var errNoTCP = errors.New("turn: no relay of TCP")

// Validate implements pion.RelayAddressGenerator.
func (f *funnels) Validate() error { return nil }

// AllocatePacketConn implements pion.RelayAddressGenerator.
func (f *funnels) AllocatePacketConn(c pion.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	conn, err := net.ListenUDP(c.Network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(f.target.Addr(), 0)))
	if err != nil {
		return nil, nil, err
	}
	return funnel{conn, f.target}, conn.LocalAddr(), nil
}

// AllocateListener implements pion.RelayAddressGenerator.
func (f *funnels) AllocateListener(pion.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errNoTCP
}

// AllocateConn implements pion.RelayAddressGenerator.
func (f *funnels) AllocateConn(pion.AllocateConnConfig) (net.Conn, error) { return nil, errNoTCP }

// funnel is a socket that leads to target only. Permissions know no ports
// (RFC 8656 section 9), so that whatever a client asks for ends here.
type funnel struct {
	net.PacketConn
	target netip.AddrPort
}

// WriteTo drops what is for anybody else.
func (f funnel) WriteTo(p []byte, to net.Addr) (int, error) {
	if !f.leadsTo(to) {
		return len(p), nil
	}
	return f.PacketConn.WriteTo(p, to)
}

// ReadFrom drops what comes from anybody else.
func (f funnel) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		n, from, err := f.PacketConn.ReadFrom(p)
		if err != nil || f.leadsTo(from) {
			return n, from, err
		}
	}
}

func (f funnel) leadsTo(addr net.Addr) bool {
	udp, ok := addr.(*net.UDPAddr)
	return ok && netip.AddrPortFrom(udp.AddrPort().Addr().Unmap(), udp.AddrPort().Port()) == f.target
}
