package rtc

import "net/netip"

// remote is where a far end sends from and is sent to: a UDP address, or one TCP
// connection. Two are the same way if they are equal.
type remote struct {
	addr netip.AddrPort
	tcp  *stream // nil for UDP
}

// write sends one datagram and never waits; a failure counts as a loss in the
// network.
func (s *Server) write(datagram []byte, to remote) bool {
	if to.tcp != nil {
		return to.tcp.write(datagram)
	}
	return s.conn.WriteTo(datagram, to.addr) == nil
}
