package media_test

import (
	"encoding/binary"
	"math"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/media/rtp"
	"github.com/offhook/offhook/internal/testkit"
)

// events collects what a Server reports.
type events chan core.Event

func (e events) Post(ev core.Event) error { e <- ev; return nil }

// office is a Server with its ports.
type office struct {
	t      testing.TB
	server *media.Server
	ports  *rtp.Allocator
	events events
}

func newOffice(t testing.TB) *office {
	t.Helper()
	testkit.CheckLeaks(t)
	o := &office{t: t, ports: rtp.NewAllocator(42000, 42999), events: make(events, 100)}
	o.server = media.NewServer(media.Config{Events: o.events, Prompt: func(name string) (file.PCM, bool) {
		return file.PCM{Rate: 8000, Samples: sine(1600, 1000)}, name == "hello"
	}})
	t.Cleanup(o.server.Close)
	return o
}

func sine(n int, freq float64) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(12000 * math.Sin(2*math.Pi*freq*float64(i)/8000))
	}
	return pcm
}

// party is a phone on a socket of its own, and the path to it.
type party struct {
	t      testing.TB
	leg    core.LegID
	path   *rtp.Path
	conn   *net.UDPConn
	to     netip.AddrPort
	format media.Format
	enc    codec.Encoder
	dec    codec.Decoder
	seq    uint16
	stamp  uint32
}

func formatOf(k media.Codec) media.Format {
	f := media.Format{Codec: k, SendType: 0, RecvType: 0, SendDTMF: 101, RecvDTMF: 101, DTMFClock: k.ClockRate(), PTime: 20}
	switch k {
	case media.PCMA:
		f.SendType, f.RecvType = 8, 8
	case media.Opus:
		f.SendType, f.RecvType, f.RecvDTMF = 111, 96, 110
	default:
	}
	return f
}

// join attaches a new party of that codec.
func (o *office) join(leg core.LegID, k media.Codec) *party {
	o.t.Helper()
	path, err := o.ports.New(rtp.Config{LocalIP: netip.MustParseAddr("127.0.0.1")})
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(path.Close)
	p := &party{
		t: o.t, leg: leg, path: path, conn: socket(o.t), format: formatOf(k), seq: 65500, stamp: math.MaxUint32 - 1000,
		to: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), path.LocalPort()),
	}
	if p.enc, err = codec.NewEncoder(k, 8000); err != nil {
		o.t.Fatal(err)
	}
	if p.dec, err = codec.NewDecoder(k, 8000); err != nil {
		o.t.Fatal(err)
	}
	path.Start(p.format, p.addr())
	o.server.Attach(leg, path)
	return p
}

func socket(t testing.TB) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (p *party) addr() netip.AddrPort { return p.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// packet returns the next packet of the party.
func (p *party) packet(pcm []int16) []byte {
	b := make([]byte, 12+1400)
	n, err := p.enc.Encode(b[12:], pcm)
	if err != nil {
		p.t.Fatal(err)
	}
	p.head(b, p.format.RecvType)
	p.stamp += uint32(len(pcm)) * p.format.Codec.ClockRate() / 8000
	return b[:12+n]
}

func (p *party) head(b []byte, payloadType uint8) {
	b[0], b[1] = 0x80, payloadType
	binary.BigEndian.PutUint16(b[2:], p.seq)
	binary.BigEndian.PutUint32(b[4:], p.stamp)
	copy(b[8:12], p.leg+"----")
	p.seq++
}

func (p *party) send(datagram []byte) {
	if _, err := p.conn.WriteToUDPAddrPort(datagram, p.to); err != nil {
		p.t.Fatal(err)
	}
}

func (p *party) say(pcm []int16) { p.send(p.packet(pcm)) }

// heard is one packet that came.
type heard struct {
	seq     uint16
	stamp   uint32
	ssrc    uint32
	kind    uint8
	marker  bool
	payload []byte
}

// listen returns the next packet, false if none comes within a time.
func (p *party) listen(within time.Duration) (heard, bool) {
	p.t.Helper()
	if err := p.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		p.t.Fatal(err)
	}
	return p.next()
}

// next returns the next packet, false if the socket or the time is at its end.
func (p *party) next() (heard, bool) {
	b := make([]byte, 1500)
	n, _, err := p.conn.ReadFromUDPAddrPort(b)
	if err != nil {
		return heard{}, false
	}
	return heard{
		seq: binary.BigEndian.Uint16(b[2:]), stamp: binary.BigEndian.Uint32(b[4:]), ssrc: binary.BigEndian.Uint32(b[8:]),
		kind: b[1] & 0x7f, marker: b[1]&0x80 != 0, payload: slices.Clone(b[12:n]),
	}, true
}

func (p *party) mustListen() heard {
	p.t.Helper()
	h, ok := p.listen(5 * time.Second)
	if !ok {
		p.t.Fatalf("%s hears nothing", p.leg)
	}
	return h
}

// decode returns what a packet sounds like.
func (p *party) decode(h heard) []int16 {
	p.t.Helper()
	pcm := make([]int16, codec.MaxSamples(8000))
	n, err := p.dec.Decode(pcm, h.payload)
	if err != nil {
		p.t.Fatal(err)
	}
	return pcm[:n]
}

// talk lets two legs hear each other.
func (o *office) talk(a, b core.LegID) {
	o.server.Do(core.Hear{Leg: a, From: []core.LegID{b}})
	o.server.Do(core.Hear{Leg: b, From: []core.LegID{a}})
}

func newEncoder(k media.Codec) (codec.Encoder, error) { return codec.NewEncoder(k, 8000) }
