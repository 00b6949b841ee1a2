//go:build !linux

package sip

import "net"

// quiet stands for that of Linux on systems where nobody runs an exchange.
func quiet(conn *net.UDPConn) packetConn { return conn }
