//go:build !linux

package udp

import "net/netip"

// quickTowards knows no quicker way than package net.
func quickTowards(netip.Addr) (local netip.Addr, ok bool) { return netip.Addr{}, false }
