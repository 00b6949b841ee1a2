package rtp

import (
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/dtmf"
)

var _ media.Path = (*Path)(nil)

// Config says how a path is bound and what it reports.
type Config struct {
	// LocalIP is where to bind, unspecified for every address.
	LocalIP netip.Addr
	// Peer is where the far end's signalling comes from; media of that host is
	// believed beside the address in its SDP. It may be invalid.
	Peer netip.Addr
	// OnDigit gets every key of the far end once (RFC 4733). It is called on the
	// goroutine that reads and must not block. Nil ignores.
	OnDigit func(key byte)
	// Log gets one line when the far end's source is learnt. Nil discards.
	Log *slog.Logger
}

// Path is the RTP connection of one leg. It implements media.Path.
type Path struct {
	allocator *Allocator
	port      uint16
	cfg       Config
	ssrc      uint32
	rtp, rtcp *socket

	format  atomic.Pointer[media.Format]
	remote  atomic.Pointer[netip.AddrPort] // where we send, nil while nobody wants RTP
	receive atomic.Pointer[func(*media.Packet)]
	news    atomic.Pointer[netip.AddrPort] // signalled address for who reads
	stream  media.Stream

	received, sent, receivedBytes, sentBytes atomic.Uint64
	blocked, malformed, dropped              atomic.Uint64
	stamp                                    atomic.Uint64 // last sent timestamp, for reports
	receivedThen                             atomic.Uint64 // received when reportToSilence looked last

	source  source // all three: of who reads the socket
	digits  dtmf.Receiver
	reports reports

	mu      sync.Mutex // guards started and closed
	started bool
	closed  bool
}

func newPath(a *Allocator, port uint16, c Config, rtpSocket, rtcpSocket *socket) *Path {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.OnDigit == nil {
		c.OnDigit = func(byte) {}
	}
	c.Peer = c.Peer.Unmap()
	p := &Path{
		allocator: a, port: port, cfg: c, ssrc: rand.Uint32(), rtp: rtpSocket, rtcp: rtcpSocket,
	}
	p.format.Store(&media.Format{})
	return p
}

// LocalPort returns the RTP port; RTCP is on the next.
func (p *Path) LocalPort() uint16 { return p.port }

// Start begins with a negotiated format, or goes on with another one after a new
// offer and answer. remote is where the far end wants RTP; while it is not valid
// nothing is sent and who is heard stays; else that is decided anew.
func (p *Path) Start(f media.Format, remote netip.AddrPort) {
	remote = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port())
	p.format.Store(&f)
	if remote.IsValid() {
		p.news.Store(&remote)
		p.remote.Store(&remote)
	} else {
		p.remote.Store(nil)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.started || p.closed {
		return
	}
	p.started = true
	if err := p.rtp.start(p.arrived); err != nil { // out of kernel memory
		p.cfg.Log.Error("media of the far end cannot be read", "err", err)
	}
}

// Format implements media.Path; its Codec is CodecNone before Start.
func (p *Path) Format() media.Format { return *p.format.Load() }

// Stream lets all legs that p serves be one stream (media.Stream).
func (p *Path) Stream() *media.Stream { return &p.stream }

// Receive implements media.Path.
func (p *Path) Receive(f func(*media.Packet)) {
	if f == nil {
		p.receive.Store(nil)
		return
	}
	p.receive.Store(&f)
}

// Send implements media.Path.
func (p *Path) Send(packet *media.Packet) {
	to := p.remote.Load()
	if to == nil {
		return // the far end asked for silence
	}
	if packet.Len > media.MaxPayload {
		p.dropped.Add(1)
		return
	}
	if err := p.rtp.writeTo(write(packet, p.ssrc), *to); err != nil {
		p.dropped.Add(1)
		return
	}
	p.sentBytes.Add(uint64(packet.Len))
	p.stamp.Store(uint64(packet.Timestamp))
	if p.sent.Add(1)%reportPackets == 0 {
		p.reportToSilence()
	}
}

// Stats implements media.Path.
func (p *Path) Stats() media.Stats {
	return media.Stats{
		PacketsReceived: p.received.Load(), PacketsSent: p.sent.Load(),
		BytesReceived: p.receivedBytes.Load(), BytesSent: p.sentBytes.Load(),
		Blocked: p.blocked.Load(), Malformed: p.malformed.Load(), Dropped: p.dropped.Load(),
	}
}

// Close implements media.Path. The port pair rests before it is used again. It
// must not be called by the Receive callback.
func (p *Path) Close() {
	p.mu.Lock()
	first := !p.closed
	p.closed = true
	p.mu.Unlock()
	if first {
		p.receive.Store(nil)
		p.rtp.close()
		p.rtcp.close()
		p.allocator.release(p.port, rest)
		p.allocator.closed()
	}
}

// arrived checks one datagram and hands it on.
func (p *Path) arrived(d *datagram) {
	if signalled := p.news.Swap(nil); signalled != nil {
		p.source.reset(*signalled, p.cfg.Peer)
	}
	packet, now := &d.packet, time.Now()
	begin, end, ok := parse(d.bytes(), packet)
	if !ok {
		if !isRTCP(d.bytes()) {
			p.malformed.Add(1)
		}
		return
	}
	f := p.format.Load()
	isEvent := f.RecvDTMF != 0 && packet.Type == f.RecvDTMF
	if packet.Type != f.RecvType && !isEvent {
		p.malformed.Add(1)
		return
	}
	ok, moved := p.source.accept(d.from, now)
	if !ok {
		p.blocked.Add(1)
		return
	}
	if moved {
		p.moved(d.from)
	}
	p.received.Add(1)
	p.receivedBytes.Add(uint64(end - begin))
	p.reports.arrived(p, packet, now)
	packet.Buf = d.buf[begin-headerSize:]
	packet.Len = end - begin
	if isEvent {
		if key, ok := p.digits.Key(packet.Payload(), packet.Timestamp); ok {
			p.cfg.OnDigit(key)
		}
	}
	if f := p.receive.Load(); f != nil {
		(*f)(packet)
	}
}

// moved sends to where the far end sends from (symmetric RTP, RFC 4961), unless
// it asked for nothing.
func (p *Path) moved(from netip.AddrPort) {
	old := p.remote.Load()
	if old == nil || *old == from {
		return
	}
	if p.remote.CompareAndSwap(old, &from) {
		p.cfg.Log.Info("far end's media source learnt", "signalled", *old, "source", from)
	}
}
