package udp

import (
	"net/netip"

	"github.com/offhook/offhook/internal/media"
)

const (
	// HeaderSize is the length of an RTP header without contributing sources and
	// extension.
	HeaderSize = 12
	// MaxDatagram is the longest datagram read; longer ones are cut.
	MaxDatagram = 2048
	// at is where a datagram begins in its buffer.
	at = media.HeaderRoom - HeaderSize
)

// Datagram is what came in. It lies where a payload behind a plain RTP header is
// just where a media.Packet wants it, so that relaying copies nothing. Its callee
// may write to it, and must not keep it.
type Datagram struct {
	// Buf holds Bytes, with room before and after for what a relay adds.
	Buf  [at + MaxDatagram + media.TailRoom]byte
	Size int
	From netip.AddrPort
	// Packet is the callee's, to be filled in.
	Packet media.Packet
}

// Room is where a datagram is read to.
func (d *Datagram) Room() []byte { return d.Buf[at : at+MaxDatagram] }

// Bytes are the datagram.
func (d *Datagram) Bytes() []byte { return d.Room()[:d.Size] }
