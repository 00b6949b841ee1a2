package rtp

import (
	"net/netip"

	"github.com/offhook/offhook/internal/media"
)

// maxDatagram is the longest datagram read; longer ones are cut and fail to parse.
const maxDatagram = 1500

// datagram is what came in. It lies where a payload behind a plain header is just
// where a media.Packet wants it, so that relaying copies nothing.
type datagram struct {
	buf    [media.HeaderRoom - headerSize + maxDatagram + media.TailRoom]byte
	size   int
	from   netip.AddrPort
	packet media.Packet // of its own, to be filled in
}

// room is where a datagram is read to.
func (d *datagram) room() []byte {
	const at = media.HeaderRoom - headerSize
	return d.buf[at : at+maxDatagram]
}

// bytes are the datagram.
func (d *datagram) bytes() []byte { return d.room()[:d.size] }
