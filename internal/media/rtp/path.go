package rtp

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/dtmf"
	"github.com/offhook/offhook/internal/media/feedback"
	"github.com/offhook/offhook/internal/media/sdp"
	"github.com/offhook/offhook/internal/media/udp"
)

var _ media.Path = (*Path)(nil)

// typeNoise is comfort noise (RFC 3389), which some gateways send unasked.
const typeNoise = 13

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
	rtp, rtcp *udp.Socket

	format  atomic.Pointer[media.Format]
	remote  atomic.Pointer[netip.AddrPort] // where we send, nil while nobody wants RTP
	receive atomic.Pointer[func(*media.Packet)]
	news    atomic.Pointer[netip.AddrPort] // signalled address for who reads
	shield  atomic.Pointer[shield]         // nil is plain RTP
	keys    atomic.Pointer[func(key byte)]
	control atomic.Pointer[sdp.Control] // where RTCP goes
	stream  media.Stream

	received, sent, receivedBytes, sentBytes            atomic.Uint64
	blocked, malformed, unauthentic, wrongType, dropped atomic.Uint64
	stranger                                            atomic.Pointer[netip.AddrPort] // the first that was blocked
	foreign                                             atomic.Uint32                  // the last payload type that was not negotiated
	mum                                                 atomic.Bool                    // the far end said that it sends nothing
	lost                                                atomic.Uint64                  // packets of the far end that did not come
	jitter                                              atomic.Int64                   // of its packets, in nanoseconds
	far                                                 feedback.Feedback
	resting                                             atomic.Int64               // when comfort noise came, unless anything came since
	peer                                                atomic.Pointer[netip.Addr] // where its signalling comes from
	stamp                                               atomic.Uint64              // last sent timestamp, for reports
	receivedThen                                        atomic.Uint64              // received when reportToSilence looked last

	source  source // all three: of who reads the socket
	digits  dtmf.Receiver
	reports reports

	mu      sync.Mutex // guards what follows
	started bool
	closed  bool
	former  *shield // the last one, also while there is none
}

func newPath(a *Allocator, port uint16, c Config, rtpSocket, rtcpSocket *udp.Socket) *Path {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.OnDigit == nil {
		c.OnDigit = func(byte) {}
	}
	p := &Path{
		allocator: a, port: port, cfg: c, ssrc: rand.Uint32(), rtp: rtpSocket, rtcp: rtcpSocket,
	}
	p.format.Store(&media.Format{})
	p.Control(sdp.Control{})
	p.Follow(c.Peer)
	return p
}

// Follow says where the far end's signalling comes from now, in place of Config.Peer.
// Its source is learnt anew, if it has one.
func (p *Path) Follow(peer netip.Addr) {
	peer = peer.Unmap()
	if old := p.peer.Swap(&peer); old != nil && *old != peer {
		p.news.Store(p.remote.Load())
	}
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
	if err := errors.Join(p.rtp.Start(p.arrived), p.rtcp.Start(p.controlled)); err != nil { // out of kernel memory
		p.cfg.Log.Error("media of the far end cannot be read", "err", err)
	}
}

// Protect makes what is sent and accepted from now on SRTP with these keys, or
// plain RTP if c is nil. Call it before Start, and again when a new offer and answer may
// have brought other keys.
func (p *Path) Protect(c *sdp.Crypto) error {
	if p.shield.Load().same(c) {
		return nil
	}
	if c == nil {
		p.shield.Store(nil)
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s, err := newShield(*c, p.former)
	if err == nil {
		p.former = s
		p.shield.Store(s)
	}
	return err
}

// Control says where RTCP goes: to the port above RTP until told otherwise.
func (p *Path) Control(c sdp.Control) { p.control.Store(&c) }

// Expect says whether the far end announced to send. It does until told otherwise.
func (p *Path) Expect(rtp bool) { p.mum.Store(!rtp) }

// KeysTo lets f send keys to the far end, which takes no telephone-events; nil lets
// nobody. f must not block.
func (p *Path) KeysTo(f func(key byte)) {
	if f == nil {
		p.keys.Store(nil)
		return
	}
	p.keys.Store(&f)
}

// SendKey sends a key as KeysTo said; it is false if that said nothing.
func (p *Path) SendKey(key byte) bool {
	f := p.keys.Load()
	if f != nil {
		(*f)(key)
	}
	return f != nil
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
	if !p.write(packet, *to) {
		p.dropped.Add(1)
		return
	}
	p.sentBytes.Add(uint64(packet.Len))
	p.stamp.Store(uint64(packet.Timestamp))
	if p.sent.Add(1)%reportPackets == 0 {
		p.reportToSilence()
	}
}

// write sends a packet, protected or not.
func (p *Path) write(packet *media.Packet, to netip.AddrPort) bool {
	s := p.shield.Load()
	if s == nil {
		return p.rtp.WriteTo(write(packet, p.ssrc), to) == nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sealed, ok := s.seal(packet, p.ssrc)
	return ok && p.rtp.WriteTo(sealed, to) == nil
}

// Stats implements media.Path.
func (p *Path) Stats() media.Stats {
	s := media.Stats{
		PacketsReceived: p.received.Load(), PacketsSent: p.sent.Load(),
		BytesReceived: p.receivedBytes.Load(), BytesSent: p.sentBytes.Load(),
		Blocked: p.blocked.Load(), Malformed: p.malformed.Load(), WrongType: p.wrongType.Load(),
		Unauthentic: p.unauthentic.Load(), Dropped: p.dropped.Load(),
		Lost: p.lost.Load(), Jitter: time.Duration(p.jitter.Load()),
	}
	p.far.Fill(&s)
	return s
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
		p.rtp.Close()
		p.rtcp.Close()
		p.allocator.release(p.port, rest)
	}
}

// survive, deferred, lets a panic cost the datagram at hand: one goroutine reads for
// all paths.
func (p *Path) survive() {
	if v := recover(); v != nil {
		p.malformed.Add(1)
		p.allocator.panics.Note(p.cfg.Log, "reading a datagram", v)
	}
}

// arrived checks one datagram and hands it on.
func (p *Path) arrived(d *udp.Datagram) {
	defer p.survive()
	if signalled := p.news.Swap(nil); signalled != nil {
		p.source.reset(*signalled, *p.peer.Load())
	}
	if isRTCP(d.Bytes()) {
		p.controlled(d)
		return
	}
	if !p.open(d) {
		return
	}
	packet, now := &d.Packet, time.Now()
	begin, end, ok := parse(d.Bytes(), packet)
	if !ok {
		p.malformed.Add(1)
		return
	}
	f := p.format.Load()
	isEvent := f.RecvDTMF != 0 && packet.Type == f.RecvDTMF
	isNoise := packet.Type != f.RecvType && (packet.Type == typeNoise || f.RecvNoise != 0 && packet.Type == f.RecvNoise)
	if packet.Type != f.RecvType && !isEvent && !isNoise {
		p.foreign.Store(uint32(packet.Type))
		p.wrongType.Add(1)
		return
	}
	ok, moved := p.source.accept(d.From, now)
	if !ok {
		if p.blocked.Add(1) == 1 {
			from := d.From // d is used again
			p.stranger.Store(&from)
		}
		return
	}
	if moved {
		p.moved(d.From)
	}
	p.received.Add(1)
	p.receivedBytes.Add(uint64(end - begin))
	p.reports.arrived(p, packet, now)
	p.rest(isNoise, now)
	if isNoise && f.RecvNoise == 0 {
		return // a sign of life, which nobody can decode
	}
	packet.Buf = d.Buf[begin-headerSize:]
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

// rest notes whether the far end is silent on purpose.
func (p *Path) rest(noise bool, now time.Time) {
	var since int64
	if noise {
		since = now.UnixNano()
	}
	if p.resting.Load() != since {
		p.resting.Store(since)
	}
}

// open makes a protected datagram readable. A stranger's is counted and dropped.
func (p *Path) open(d *udp.Datagram) bool {
	s := p.shield.Load()
	if s == nil {
		return true
	}
	plain, ok, wrong := s.open(d.Bytes())
	if !ok {
		p.unauthentic.Add(1)
		if wrong {
			p.cfg.Log.Warn("media cannot be decrypted: the far end uses another key than it said, or none", "suite", s.crypto.Suite.String(), "source", d.From)
		}
		return false
	}
	d.Size = len(plain)
	return true
}

// moved sends to where the far end sends from (symmetric RTP, RFC 4961), unless
// it asked for nothing.
func (p *Path) moved(from netip.AddrPort) {
	old := p.remote.Load()
	if old == nil || *old == from {
		return
	}
	if p.remote.CompareAndSwap(old, &from) {
		if c := *p.control.Load(); from.Addr() != old.Addr() && c.At.IsValid() {
			p.Control(sdp.Control{Mux: c.Mux}) // what it says of RTCP is as wrong as of RTP
		}
		p.cfg.Log.Info("far end's media source learnt", "signalled", *old, "source", from)
	}
}
