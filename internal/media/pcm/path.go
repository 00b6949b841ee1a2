// Package pcm has the path of a leg that is no phone: linear samples in place of a
// codec, functions in place of a socket. Recorders and recognisers hear by it, and
// WebSocket legs speak by it, too; Every is the clock of those that speak.
package pcm

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/codec"
)

// FrameTime is how long a frame lasts.
const FrameTime = 20 * time.Millisecond

// Config says what a Path does with what comes.
type Config struct {
	// Rate is 8000, 16000 or 24000 Hz.
	Rate int
	// Heard gets 20 ms of what the leg hears, every 20 ms, also of silence. At counts
	// the samples from the first frame on; a jump in it is time for which there is
	// nothing. It runs on the mixer's goroutine: it must not block, and pcm is valid
	// until it returns. Nil hears nothing.
	Heard func(at int64, pcm []int16)
	// Key gets each key of those whom the leg hears, when it ends. It must not block.
	Key func(key byte, lasted time.Duration)
}

// Path implements media.Path.
type Path struct {
	cfg    Config
	format media.Format

	in struct {
		sync.Mutex // guards what follows, against two mixers while a leg changes hands

		begun    bool
		expected uint32 // timestamp of the next packet
		at       int64
		pcm      []int16
	}
	out struct {
		sync.Mutex // guards what follows, and that nobody hears us after Receive(nil)

		receive func(*media.Packet)
		packet  media.Packet
	}
	stats struct {
		sync.Mutex
		media.Stats
	}
}

// New returns a path at a rate of Config.
func New(cfg Config) *Path {
	p := &Path{cfg: cfg, format: media.Format{Codec: codec.L16(cfg.Rate), SendType: 96, RecvType: 96, PTime: 20}}
	p.in.pcm = make([]int16, cfg.Rate/50)
	p.out.packet = media.Packet{
		Buf: make([]byte, media.HeaderRoom+media.MaxPayload+media.TailRoom), Type: 96, SSRC: rand.Uint32(),
		Seq: uint16(rand.Uint32()), Timestamp: rand.Uint32(), Marker: true,
	}
	return p
}

// Frame is how many samples a frame has.
func (p *Path) Frame() int { return p.cfg.Rate / 50 }

// Say sends a frame of the leg's own voice. Silence of it need not be said, but
// Rest must count it. Its caller is one goroutine and keeps the time.
func (p *Path) Say(pcm []int16) {
	p.out.Lock()
	defer p.out.Unlock()
	k := &p.out.packet
	k.Seq++
	k.Len = 2 * len(pcm)
	codec.PutLinear(k.Payload(), pcm)
	if p.out.receive != nil {
		p.out.receive(k)
	}
	k.Timestamp += uint32(len(pcm))
	k.Marker = false
	p.stats.Lock()
	p.stats.PacketsReceived++
	p.stats.BytesReceived += uint64(k.Len)
	p.stats.Unlock()
}

// Rest counts a frame of silence.
func (p *Path) Rest() {
	p.out.Lock()
	defer p.out.Unlock()
	p.out.packet.Timestamp += uint32(p.Frame())
	p.out.packet.Marker = true
}

// Format implements media.Path.
func (p *Path) Format() media.Format { return p.format }

// Receive implements media.Path.
func (p *Path) Receive(f func(*media.Packet)) {
	p.out.Lock()
	defer p.out.Unlock()
	p.out.receive = f
}

// Send implements media.Path.
func (p *Path) Send(k *media.Packet) {
	p.stats.Lock()
	p.stats.PacketsSent++
	p.stats.BytesSent += uint64(k.Len)
	p.stats.Unlock()
	n := k.Len / 2
	if p.cfg.Heard == nil || n == 0 {
		return
	}
	p.in.Lock()
	defer p.in.Unlock()
	if gap := int32(k.Timestamp - p.in.expected); p.in.begun && gap > 0 { // back in time is another source's count
		p.in.at += int64(gap)
	}
	p.in.begun, p.in.expected = true, k.Timestamp+uint32(n)
	if n > len(p.in.pcm) {
		p.in.pcm = make([]int16, n)
	}
	codec.GetLinear(p.in.pcm[:n], k.Payload())
	p.cfg.Heard(p.in.at, p.in.pcm[:n])
	p.in.at += int64(n)
}

// HearKey takes a key of those whom the leg hears.
func (p *Path) HearKey(key byte, lasted time.Duration) {
	if p.cfg.Key != nil {
		p.cfg.Key(key, lasted)
	}
}

// Stats implements media.Path.
func (p *Path) Stats() media.Stats {
	p.stats.Lock()
	defer p.stats.Unlock()
	return p.stats.Stats
}

// Diagnose implements media.Path.
func (p *Path) Diagnose(media.Stats) media.Diagnosis { return media.Diagnosis{} }

// Close implements media.Path. There is nothing to free.
func (p *Path) Close() { p.Receive(nil) }
