package media_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/testkit"
)

// line is a path without a socket.
type line struct {
	format  media.Format
	receive atomic.Pointer[func(*media.Packet)]
	stream  media.Stream
	inside  atomic.Int32
	clashes atomic.Int32
	sent    atomic.Int64
	last    media.Packet
}

func newLine(k media.Codec) *line { return &line{format: formatOf(k)} }

func (l *line) Format() media.Format          { return l.format }
func (l *line) Stream() *media.Stream         { return &l.stream }
func (l *line) Receive(f func(*media.Packet)) { l.receive.Store(&f) }

func (l *line) Send(p *media.Packet) {
	if l.inside.Add(1) > 1 {
		l.clashes.Add(1)
	}
	l.last = *p // the race detector sees two senders
	l.sent.Add(1)
	l.inside.Add(-1)
}
func (l *line) Stats() media.Stats { return media.Stats{} }

func (l *line) Diagnose(media.Stats) media.Diagnosis { return media.Diagnosis{} }
func (l *line) Close()                               {}

func (l *line) arrive(p *media.Packet) {
	if f := l.receive.Load(); f != nil && *f != nil {
		(*f)(p)
	}
}

// packets returns a packet of the codec whose numbers the caller advances.
func packets(t testing.TB, k media.Codec) *media.Packet {
	t.Helper()
	p := &party{t: t, format: formatOf(k)}
	var err error
	if p.enc, err = newEncoder(k); err != nil {
		t.Fatal(err)
	}
	payload := p.packet(sine(160, 1000))[12:]
	packet := &media.Packet{Buf: make([]byte, media.HeaderRoom+media.MaxPayload+media.TailRoom), Len: len(payload), Type: p.format.RecvType}
	copy(packet.Buf[media.HeaderRoom:], payload)
	return packet
}

func joined(t testing.TB, from, to media.Codec) (in, out *line, packet *media.Packet, step uint32) {
	t.Helper()
	server := media.NewServer(media.Config{Events: make(events, 10)})
	t.Cleanup(server.Close)
	in, out = newLine(from), newLine(to)
	server.Attach("a", in)
	server.Attach("b", out)
	server.Do(core.Hear{Leg: "b", From: []core.LegID{"a"}})
	return in, out, packets(t, from), from.ClockRate() / 50
}

func TestPacketPathDoesNotAllocate(t *testing.T) {
	for _, pair := range [][2]media.Codec{
		{media.PCMU, media.PCMU}, {media.Opus, media.Opus}, {media.PCMU, media.PCMA}, {media.PCMA, media.Opus}, {media.Opus, media.PCMU},
	} {
		synctest.Test(t, func(t *testing.T) {
			in, out, packet, step := joined(t, pair[0], pair[1])
			n := testing.AllocsPerRun(1000, func() {
				time.Sleep(20 * time.Millisecond)
				packet.Seq++
				packet.Timestamp += step
				in.arrive(packet)
			})
			if n != 0 {
				t.Errorf("%v to %v: %v allocations a packet", pair[0], pair[1], n)
			}
			if out.sent.Load() != 1001 {
				t.Errorf("%v to %v: %d packets came through", pair[0], pair[1], out.sent.Load())
			}
		})
	}
}

// Speakers talk on goroutines of their own while legs come, go and change whom
// they hear.
func TestChangesUnderTraffic(t *testing.T) {
	testkit.CheckLeaks(t)
	reports := make(events, 100000)
	server := media.NewServer(media.Config{Events: reports})
	defer server.Close()
	legs := []core.LegID{"a", "b", "c", "d"}
	kinds := []media.Codec{media.PCMU, media.Opus, media.PCMA, media.PCMU}
	lines := make([]*line, len(legs))
	var speakers sync.WaitGroup
	stop := make(chan struct{})
	for i := range legs {
		lines[i] = newLine(kinds[i])
		server.Attach(legs[i], lines[i])
		packet := packets(t, kinds[i])
		speakers.Go(func() {
			for ; ; packet.Seq++ {
				select {
				case <-stop:
					return
				default:
					packet.Timestamp += kinds[i].ClockRate() / 50
					lines[i].arrive(packet)
				}
			}
		})
	}
	unheard := func(l *line) bool { return l.sent.Load() == 0 }
	begin := time.Now()
	for time.Since(begin) < time.Second/2 || slices.ContainsFunc(lines, unheard) && time.Since(begin) < 20*time.Second {
		n := rand.IntN(len(legs))
		switch rand.IntN(8) {
		case 0:
			server.Detach(legs[n])
		case 1:
			server.Attach(legs[n], lines[n])
		case 2:
			server.Do(core.Hear{Leg: legs[n], Sound: core.Sound{Kind: core.SoundKind(1 + rand.IntN(4)), Name: "gb"}})
		case 3, 4, 5:
			from := slices.DeleteFunc(slices.Clone(legs), func(leg core.LegID) bool { return leg == legs[n] || rand.IntN(4) == 0 })
			server.Do(core.Hear{Leg: legs[n], From: from})
		default:
			server.Do(core.Hear{Leg: legs[n], From: []core.LegID{legs[(n+1+rand.IntN(3))%4]}})
		}
	}
	close(stop)
	speakers.Wait()
	for i, l := range lines {
		if l.clashes.Load() > 0 {
			t.Errorf("%s: %d packets sent at the same time", legs[i], l.clashes.Load())
		}
		if unheard(l) {
			t.Errorf("%s heard nothing", legs[i])
		}
	}
}

func BenchmarkRelay(b *testing.B) {
	in, _, packet, step := joined(b, media.PCMU, media.PCMU)
	b.ReportAllocs()
	for b.Loop() {
		packet.Seq++
		packet.Timestamp += step
		in.arrive(packet)
	}
}

// BenchmarkRelayOverSockets is a packet from one phone's socket through two RTP
// paths to the other's, the phones' own system calls included.
func BenchmarkRelayOverSockets(b *testing.B) {
	o := newOffice(b)
	from, to := o.join("a", media.PCMU), o.join("b", media.PCMU)
	o.talk("a", "b")
	from.say(sine(160, 1000))
	to.mustListen()
	datagram, answer := from.packet(sine(160, 1000)), make([]byte, 1500)
	if err := to.conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		datagram[3]++
		if datagram[3] == 0 {
			datagram[2]++
		}
		from.send(datagram)
		if _, _, err := to.conn.ReadFromUDPAddrPort(answer); err != nil {
			b.Fatal(err)
		}
	}
}
