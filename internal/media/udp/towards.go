package udp

import (
	"fmt"
	"net"
	"net/netip"
)

// Towards returns this machine's address on the way to remote. No packet is sent.
func Towards(remote netip.Addr) (netip.Addr, error) {
	if local, ok := quickTowards(remote); ok {
		return local, nil
	}
	return dialTowards(remote)
}

// dialTowards asks by package net.
func dialTowards(remote netip.Addr) (netip.Addr, error) {
	const discard = 9 // any port would do
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(remote, discard)))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("udp: the way to %v: %w", remote, err)
	}
	defer func() { _ = c.Close() }() // nothing was written
	local, err := netip.ParseAddrPort(c.LocalAddr().String())
	return local.Addr().Unmap(), err
}
