// Package media moves and makes audio. A leg has at most one Path, the media
// connection to its party; Server joins paths as the core's Hear commands say:
// it relays packets between two legs with the same codec, transcodes between
// two with different ones, and plays sounds. The packet path takes no lock and
// allocates nothing.
package media

import (
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/codec"
)

// HeaderRoom and TailRoom are the free bytes that every Packet has before and
// after its payload in its buffer, so that the next path can write its own RTP
// header and authentication tag without a copy.
const (
	HeaderRoom = 32
	TailRoom   = 48
	// MaxPayload is the longest RTP payload accepted, in bytes.
	MaxPayload = 1400
)

// Packet is one RTP packet without its header bytes. It belongs to whoever made
// it and is valid until the callee returns; who keeps it must copy it.
type Packet struct {
	// Buf holds the payload at Buf[HeaderRoom : HeaderRoom+Len] and has TailRoom
	// bytes behind it. A callee may write into the rooms, never into the payload.
	Buf       []byte
	Len       int
	Type      uint8 // payload type as negotiated on the path it came from or goes to
	Marker    bool
	Seq       uint16
	Timestamp uint32 // in units of the codec's RTP clock
	SSRC      uint32
}

// Payload returns the payload bytes in the packet's buffer.
func (p *Packet) Payload() []byte { return p.Buf[HeaderRoom : HeaderRoom+p.Len] }

// Codec names an audio coding.
type Codec = codec.Kind

// The codecs; see package codec for what can be transcoded.
const (
	CodecNone = codec.None
	PCMU      = codec.PCMU
	PCMA      = codec.PCMA
	G722      = codec.G722
	Opus      = codec.Opus
	L16x8     = codec.L16x8
	L16x16    = codec.L16x16
	L16x24    = codec.L16x24
)

// Format is what offer and answer settled for a path: the codec in use and the
// payload types in each direction. A zero DTMF type is none.
type Format struct {
	Codec    Codec
	SendType uint8 // payload type we send Codec with (the far end's number)
	RecvType uint8 // payload type the far end sends Codec with (our number)
	SendDTMF uint8 // telephone-event at DTMFClock Hz, RFC 4733
	RecvDTMF uint8
	// SendNoise and RecvNoise are comfort noise (RFC 3389) at the codec's clock; zero
	// is none.
	SendNoise uint8
	RecvNoise uint8
	// DTMFClock is the clock of the telephone-event payload; 8000 or 48000.
	DTMFClock uint32
	NoTones   bool // tones in the far end's voice are no keys
	// Wishes are the far end's, of Opus.
	Wishes codec.Wishes
	PTime  int // milliseconds per packet we send: 20 unless the far end asked else
}

// isNoise reports whether p is comfort noise.
func (f Format) isNoise(p *Packet) bool { return f.RecvNoise != 0 && p.Type == f.RecvNoise }

// Path is the media connection of a leg: RTP or WebRTC. All methods are safe
// for concurrent use. One that can serve several legs, one after the other, has a
// method Stream() *Stream, too.
//
// A Path of linear PCM belongs to a virtual leg: a recorder, a recogniser, an
// application that talks by WebSocket. From Attach to Detach it is sent a packet
// every 20 ms, silence too, with timestamps that count samples; they jump where the
// process was held up for more than 100 ms. It is never reported silent or carried,
// and is told of keys by its method HearKey, if it has one.
type Path interface {
	// Format returns the negotiated format; it may change on renegotiation.
	Format() Format
	// Receive sets where accepted packets go from now on; nil drops them. The
	// callback runs on the path's read goroutine, one packet after the other, in
	// order of arrival; it must not block.
	Receive(func(*Packet))
	// Send writes one packet with p's Type, Marker, Seq and Timestamp and the
	// path's own SSRC. It may overwrite the rooms of p.Buf. It never blocks;
	// a packet that cannot be sent is dropped and counted.
	Send(p *Packet)
	// Stats returns counters since the path was made.
	Stats() Stats
	// Diagnose says why nothing was received since then.
	Diagnose(since Stats) Diagnosis
	// Close frees the path's resources and waits until its goroutines ended.
	Close()
}

// Stats are counters of one path since it was made.
type Stats struct {
	PacketsReceived, PacketsSent uint64
	BytesReceived, BytesSent     uint64
	Blocked                      uint64 // packets from a foreign source
	Malformed                    uint64 // packets that are no RTP
	WrongType                    uint64 // RTP packets of a type not negotiated
	Unauthentic                  uint64 // SRTP packets whose authentication fails
	Dropped                      uint64 // packets we could not send
	// Of what the far end sends, and of what RTCP tells both ends; 0 if unknown.
	Lost      uint64        // packets that did not come
	Jitter    time.Duration // mean change of the time on the way (RFC 3550 section 6.4.1)
	RoundTrip time.Duration // to the far end and back, at its last report
	FarLost   int           // percent of our packets that it did not get lately
	FarJitter time.Duration // of what it gets
}

// Events takes what Server reports. Post never blocks; it fails only when the
// node has stopped.
type Events interface{ Post(core.Event) error }
