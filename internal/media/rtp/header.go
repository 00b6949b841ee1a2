package rtp

import (
	"encoding/binary"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/udp"
)

// headerSize is the length of an RTP header without CSRC and extension.
const headerSize = udp.HeaderSize

// parse reads the RTP header of datagram into p and returns where the payload
// begins and ends (RFC 3550 sections 5.1 and 5.3.1). It accepts no empty
// payload.
func parse(datagram []byte, p *media.Packet) (begin, end int, ok bool) {
	if len(datagram) < headerSize || datagram[0]>>6 != 2 {
		return 0, 0, false
	}
	begin, end = headerSize+4*int(datagram[0]&0x0f), len(datagram)
	if datagram[0]&0x10 != 0 { // extension
		if begin+4 > end {
			return 0, 0, false
		}
		begin += 4 + 4*int(binary.BigEndian.Uint16(datagram[begin+2:]))
	}
	if datagram[0]&0x20 != 0 { // padding
		pad := int(datagram[end-1])
		if pad == 0 {
			return 0, 0, false
		}
		end -= pad
	}
	if begin >= end || end-begin > media.MaxPayload {
		return 0, 0, false
	}
	p.Marker = datagram[1]&0x80 != 0
	p.Type = datagram[1] & 0x7f
	p.Seq = binary.BigEndian.Uint16(datagram[2:])
	p.Timestamp = binary.BigEndian.Uint32(datagram[4:])
	p.SSRC = binary.BigEndian.Uint32(datagram[8:])
	return begin, end, true
}

// isRTCP reports whether a datagram on the RTP port is RTCP (RFC 5761 section 4).
func isRTCP(datagram []byte) bool {
	return len(datagram) >= 2 && datagram[1] >= 192 && datagram[1] <= 223
}

// write puts an RTP header before p's payload and returns the datagram.
func write(p *media.Packet, ssrc uint32) []byte {
	b := p.Buf[media.HeaderRoom-headerSize : media.HeaderRoom+p.Len]
	b[0] = 2 << 6
	b[1] = p.Type & 0x7f
	if p.Marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], p.Seq)
	binary.BigEndian.PutUint32(b[4:], p.Timestamp)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	return b
}
