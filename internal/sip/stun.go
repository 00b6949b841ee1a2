package sip

import (
	"encoding/binary"
	"net/netip"
)

// Keep-alives of UDP flows are STUN binding requests on the SIP port (RFC 5626
// section 4.4.2): the answer tells a phone that the way is open, and a changed
// address that its NAT forgot it.
const (
	stunHeader  = 20
	stunRequest = 0x0001
	stunSuccess = 0x0101
	stunCookie  = 0x2112a442
	stunXorAddr = 0x0020 // XOR-MAPPED-ADDRESS
)

// stunAnswer returns the answer to a binding request from that address, nil if
// data is none (RFC 8489). It is at most 24 bytes longer than the request, so that
// forging a source is not worth it.
func stunAnswer(data []byte, from netip.AddrPort) []byte {
	if len(data) < stunHeader || binary.BigEndian.Uint16(data) != stunRequest || binary.BigEndian.Uint32(data[4:]) != stunCookie ||
		int(binary.BigEndian.Uint16(data[2:])) != len(data)-stunHeader {
		return nil
	}
	addr := from.Addr().Unmap().AsSlice()
	family := byte(1)
	if len(addr) == 16 {
		family = 2
	}
	for i := range addr {
		addr[i] ^= data[4+i] // the cookie, then the transaction ID
	}
	b := binary.BigEndian.AppendUint16(nil, stunSuccess)
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(addr))) //nolint:gosec // 12 or 24
	b = append(b, data[4:stunHeader]...)
	b = binary.BigEndian.AppendUint16(b, stunXorAddr)
	b = binary.BigEndian.AppendUint16(b, uint16(4+len(addr))) //nolint:gosec // 8 or 20
	b = append(b, 0, family)
	b = binary.BigEndian.AppendUint16(b, from.Port()^uint16(stunCookie>>16))
	return append(b, addr...)
}
