package rtc

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/dtmf"
	"github.com/offhook/offhook/internal/media/sdp"
)

const (
	// maxDatagram is the longest datagram we send: header, payload, longest tag.
	maxDatagram = rtpHeader + media.MaxPayload + media.TailRoom
	// maxRemotes is how many addresses of one far end lead to its path: its
	// candidate pairs with us, of which a phone on Wi-Fi, mobile and VPN with
	// both IP versions has six.
	maxRemotes = 8
	// takeover is how long an address belongs to the path whose checks came from
	// it. Without it a user could take another's address away by one check with a
	// forged source.
	takeover = 10 * time.Second
)

var _ media.Path = (*Path)(nil)

// Path is the WebRTC connection of one browser. It implements media.Path.
type Path struct {
	srv  *Server
	cfg  PathConfig
	ssrc uint32

	peer      atomic.Pointer[remote]      // where we send
	assoc     atomic.Pointer[association] // takes DTLS records
	keys      atomic.Pointer[keys]        // of the association in use
	format    atomic.Pointer[media.Format]
	receive   atomic.Pointer[func(*media.Packet)]
	stream    media.Stream
	lastCheck atomic.Int64 // when the last authenticated check came, in nanoseconds since born; 0 is never
	born      time.Time    // what that counts from, so that setting the clock makes nobody silent

	counters
	reports reports
	digits  digits
	mute    atomic.Bool // the far end does not want to hear us
	mum     atomic.Bool // the far end said that it sends nothing

	wg sync.WaitGroup // associations' goroutines

	// reading is held by who delivers a datagram. Nobody ever waits for it unless
	// the far end sends over UDP and TCP at once.
	reading sync.Mutex

	mu       sync.Mutex // guards what follows
	closed   bool
	up       bool
	current  *agent // credentials of the last answer
	former   *agent // those before, until current has found a way
	found    bool   // current has found a way
	restart  bool   // current is not the first
	remotes  []remote
	checked  remote // that the last check came from
	before   uint64 // packets received when tend last looked
	quiet    bool   // none came in the second before
	session  uint64 // o= of our descriptions
	version  uint64
	offered  []byte          // our last offer while an answer to it may come
	offering sdp.Credentials // those of offered
}

// digits finds keys in the telephone-events of the source that sends now.
type digits struct {
	source   uint32
	receiver dtmf.Receiver
}

// key returns the key of an event that begins a press.
func (d *digits) key(p *media.Packet) (byte, bool) {
	if d.source != p.SSRC { // another peer connection, with timestamps of its own
		*d = digits{source: p.SSRC}
	}
	return d.receiver.Key(p.Payload(), p.Timestamp)
}

// counters are what Stats reports, less what package media counts by itself.
type counters struct {
	received, sent, receivedBytes, sentBytes atomic.Uint64
	malformed, wrongType, unauthentic        atomic.Uint64
	dropped                                  atomic.Uint64
}

// NewPath makes a path that waits for an offer of either side. It fails only after Close.
func (s *Server) NewPath(cfg PathConfig) (*Path, error) {
	p := &Path{srv: s, cfg: cfg.withDefaults(), ssrc: rand.Uint32(), session: rand.Uint64() >> 2, born: time.Now()}
	p.reports.born = p.born
	p.format.Store(&media.Format{})
	if err := s.add(p); err != nil {
		return nil, err
	}
	return p, nil
}

// Format implements media.Path; its Codec is CodecNone before the first
// Answer or Accept.
func (p *Path) Format() media.Format { return *p.format.Load() }

// Stream lets all legs that p serves be one stream (media.Stream).
func (p *Path) Stream() *media.Stream { return &p.stream }

// Receive implements media.Path. One call of the former callback may still be
// running when it returns.
func (p *Path) Receive(f func(*media.Packet)) {
	if f == nil {
		p.receive.Store(nil)
		return
	}
	p.receive.Store(&f)
}

// Send implements media.Path. A packet is dropped if its Seq was sent before or
// is more than 63 behind the newest, and while the far end does not want audio.
func (p *Path) Send(packet *media.Packet) {
	k, to := p.keys.Load(), p.peer.Load()
	if k == nil || to == nil || p.mute.Load() || packet.Len > media.MaxPayload {
		p.dropped.Add(1)
		return
	}
	if !p.write(k, packet, *to) {
		p.dropped.Add(1)
		return
	}
	p.sent.Add(1)
	p.sentBytes.Add(uint64(packet.Len))
	p.reports.stamp(packet.Timestamp, time.Now())
}

// write sends a packet under the keys k.
func (p *Path) write(k *keys, packet *media.Packet, to remote) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	datagram, ok := k.seal(packet, p.ssrc)
	return ok && p.srv.write(datagram, to)
}

// seal writes packet as SRTP into k's buffer.
func (k *keys) seal(packet *media.Packet, ssrc uint32) ([]byte, bool) {
	if !k.sent.Take(packet.Seq) {
		return nil, false
	}
	b := k.buf[:rtpHeader+packet.Len]
	b[0] = 2 << 6
	b[1] = packet.Type & 0x7f
	if packet.Marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], packet.Seq)
	binary.BigEndian.PutUint32(b[4:], packet.Timestamp)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	copy(b[rtpHeader:], packet.Payload())
	sealed, err := k.out.EncryptRTP(b, b, &k.head)
	return sealed, err == nil
}

// Stats implements media.Path. Packets of strangers are counted by the Server.
func (p *Path) Stats() media.Stats {
	s := media.Stats{
		PacketsReceived: p.received.Load(), PacketsSent: p.sent.Load(),
		BytesReceived: p.receivedBytes.Load(), BytesSent: p.sentBytes.Load(),
		Malformed: p.malformed.Load(), WrongType: p.wrongType.Load(), Unauthentic: p.unauthentic.Load(), Dropped: p.dropped.Load(),
	}
	p.reports.fill(&s, p.Format().Codec.ClockRate())
	return s
}

// Close implements media.Path. One Receive callback may still be running when it
// returns; none begins after.
func (p *Path) Close() {
	p.mu.Lock()
	p.closed = true
	remotes, current, former := p.remotes, p.current, p.former
	p.remotes, p.current, p.former, p.up = nil, nil, nil, false
	p.mu.Unlock()
	p.receive.Store(nil)
	p.srv.removeAgent(current)
	p.srv.removeAgent(former)
	for _, r := range remotes {
		p.srv.routes.drop(r, p)
	}
	if a := p.assoc.Load(); a != nil {
		a.cancel()
	}
	p.wg.Wait()
	p.srv.remove(p)
}

// spawn runs f on a goroutine that Close waits for, unless p is closed.
func (p *Path) spawn(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.wg.Go(f)
	}
	return !p.closed
}

// heard notes a sign of life that only the far end can give.
func (p *Path) heard(now time.Time) { p.lastCheck.Store(max(1, int64(now.Sub(p.born)))) }

// silence returns for how long nothing was heard.
func (p *Path) silence(now time.Time) time.Duration {
	return now.Sub(p.born) - time.Duration(p.lastCheck.Load())
}

// dtlsRecord takes a record of an address that leads here. Needs reading.
func (p *Path) dtlsRecord(record []byte) {
	if a := p.assoc.Load(); a != nil {
		a.deliver(record)
	}
}

// lostWay forgets a way that has ended.
func (p *Path) lostWay(from remote) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.srv.routes.drop(from, p)
	p.remotes = slices.DeleteFunc(p.remotes, func(r remote) bool { return r == from })
	if peer := p.peer.Load(); peer != nil && *peer == from {
		p.peer.Store(nil) // the next check shows another
	}
}

// learnLocked makes from lead to p, in place of the oldest address if there are too
// many. It is false if from belongs to another live path.
func (p *Path) learnLocked(from remote, now time.Time) bool {
	if slices.Contains(p.remotes, from) {
		return true
	}
	if other := p.srv.routes.find(from); other != nil && other != p && other.silence(now) < takeover {
		return false
	}
	if len(p.remotes) == maxRemotes {
		peer := p.peer.Load()
		oldest := slices.IndexFunc(p.remotes, func(r remote) bool { return peer == nil || r != *peer })
		p.srv.routes.drop(p.remotes[oldest], p)
		p.remotes = slices.Delete(p.remotes, oldest, oldest+1)
	}
	p.remotes = append(p.remotes, from)
	p.srv.routes.set(from, p)
	return true
}
