package rtc

import (
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/pion/dtls/v3"

	"github.com/offhook/offhook/internal/media/udp"
)

// relayed connects two light browsers whose paths relay to each other.
func relayed(tb testing.TB, profile dtls.SRTPProtectionProfile) (s *Server, caller, callee *light, pa, pb *Path) {
	tb.Helper()
	s, err := NewServer(Config{Listen: loopback})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	caller, callee = newLight(tb, s), newLight(tb, s)
	pa, pb = connectLight(tb, s, caller, profile), connectLight(tb, s, callee, profile)
	pa.Receive(pb.Send)
	pb.Receive(pa.Send)
	return s, caller, callee, pa, pb
}

func connectLight(tb testing.TB, s *Server, l *light, profile dtls.SRTPProtectionProfile) *Path {
	tb.Helper()
	up := make(chan struct{}, 10)
	p, err := s.NewPath(PathConfig{OnUp: func() { up <- struct{}{} }})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.Close)
	l.connect(p, profile)
	<-up
	return p
}

// BenchmarkRelay is one packet from a browser to another: read, route, decrypt,
// encrypt and write, without the two halves' far ends. It must not allocate.
func BenchmarkRelay(b *testing.B) {
	for name, profile := range map[string]dtls.SRTPProtectionProfile{
		"GCM": dtls.SRTP_AEAD_AES_128_GCM, "AES-CM": dtls.SRTP_AES128_CM_HMAC_SHA1_80,
	} {
		b.Run(name, func(b *testing.B) {
			s, caller, _, pa, _ := relayed(b, profile)
			from := *pa.peer.Load()
			packets := make([][]byte, 1000)
			r := reader{Datagram: new(udp.Datagram)}
			payload := make([]byte, 80)
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				if i%len(packets) == 0 {
					b.StopTimer()
					for j := range packets {
						packets[j] = caller.seal(uint16(i+j), 7, payload)
					}
					b.StartTimer()
				}
				datagram := r.Room()[:len(packets[i%len(packets)])]
				copy(datagram, packets[i%len(packets)])
				s.deliver(&r, datagram, from)
				i++
			}
			if st := pa.Stats(); st.PacketsReceived < uint64(b.N) {
				b.Fatalf("only %d of %d packets were taken: %+v", st.PacketsReceived, b.N, st)
			}
		})
	}
}

// BenchmarkSocket is the CPU time of a packet through the socket, both far ends'
// system calls included, beside the same packets through a plain UDP relay: the
// difference is what we cost.
func BenchmarkSocket(b *testing.B) {
	b.Run("relay", func(b *testing.B) {
		_, caller, callee, _, _ := relayed(b, dtls.SRTP_AEAD_AES_128_GCM)
		seal := func(seq uint16) []byte { return caller.seal(seq, 7, make([]byte, 80)) }
		flow(b, caller.conn, caller.to, seal, callee.media)
	})
	b.Run("control", func(b *testing.B) {
		relay, far := listen(b), listen(b)
		arrived := make(chan []byte, 1000)
		go read(relay, func(packet []byte) { _, _ = relay.WriteTo(packet, far.LocalAddr()) })
		go read(far, func(packet []byte) { arrived <- append([]byte(nil), packet...) })
		packet := make([]byte, 108)
		flow(b, listen(b), relay.LocalAddr(), func(uint16) []byte { return packet }, arrived)
	})
}

func read(conn *net.UDPConn, take func([]byte)) {
	for buf := make([]byte, 2048); ; {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		take(buf[:n])
	}
}

// flow sends b.N bursts of 20 packets and waits for each to arrive. Sealing the
// packets is not counted.
func flow(b *testing.B, from *net.UDPConn, to net.Addr, seal func(uint16) []byte, arrived <-chan []byte) {
	b.Helper()
	const burst = 20
	var spent time.Duration
	var sent int
	for b.Loop() {
		var packets [burst][]byte
		for i := range packets {
			packets[i] = seal(uint16(sent + i))
		}
		before := cpu(b)
		for _, p := range packets {
			if _, err := from.WriteTo(p, to); err != nil {
				b.Fatal(err)
			}
		}
		for range packets {
			<-arrived
		}
		sent += burst
		spent += cpu(b) - before
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(sent)/1000, "cpu-us/packet")
	b.ReportMetric(0, "ns/op")
}

func listen(tb testing.TB) *net.UDPConn {
	tb.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(loopback))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	return conn
}

// TestPacketPathDoesNotAllocate fails when the way of a packet allocates.
func TestPacketPathDoesNotAllocate(t *testing.T) {
	s, caller, _, pa, pb := relayed(t, dtls.SRTP_AEAD_AES_128_GCM)
	from := *pa.peer.Load()
	r := reader{Datagram: new(udp.Datagram)}
	var packets [][]byte
	for i := range 202 {
		packets = append(packets, caller.seal(uint16(i), 7, make([]byte, 80)))
	}
	i := 0
	allocs := testing.AllocsPerRun(200, func() {
		datagram := r.Room()[:len(packets[i])]
		copy(datagram, packets[i])
		s.deliver(&r, datagram, from)
		i++
	})
	if allocs != 0 {
		t.Errorf("%v allocations per relayed packet", allocs)
	}
	if sent := pb.Stats().PacketsSent; sent < 200 {
		t.Errorf("only %d packets were relayed", sent)
	}
}

// BenchmarkForgedCheck is what a check costs us that names a path and is signed
// with a wrong password, the dearest datagram a stranger can send.
func BenchmarkForgedCheck(b *testing.B) {
	s, err := NewServer(Config{Listen: loopback})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	p, err := s.NewPath(PathConfig{})
	if err != nil {
		b.Fatal(err)
	}
	l := newLight(b, s)
	l.negotiate(p)
	l.ours.Pwd = newCredentials().Pwd
	forged := l.request(nominate).Raw
	r := reader{Datagram: new(udp.Datagram)}
	b.ReportAllocs()
	for b.Loop() {
		s.deliver(&r, forged, remote{addr: loopback})
	}
}

// BenchmarkConnect is the server's and the client's cost of a connection.
func BenchmarkConnect(b *testing.B) {
	s, err := NewServer(Config{Listen: loopback})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	before := cpu(b)
	for b.Loop() {
		l := newLight(b, s)
		connectLight(b, s, l, dtls.SRTP_AEAD_AES_128_GCM).Close()
		_ = l.conn.Close()
	}
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-us/op")
}

// BenchmarkMemory is what a standing path keeps, with the client's association
// beside it, which is as large as ours.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		s, err := NewServer(Config{Listen: loopback})
		if err != nil {
			b.Fatal(err)
		}
		const n = 100
		before := footprint()
		goroutines := runtime.NumGoroutine()
		lights := make([]*light, n)
		for i := range lights {
			lights[i] = newLight(b, s)
			connectLight(b, s, lights[i], dtls.SRTP_AEAD_AES_128_GCM)
		}
		after := footprint()
		b.ReportMetric(float64(after-before)/n/1024, "KB/pair")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/n, "goroutines/pair")
		_ = s.Close()
	}
}

func footprint() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

func cpu(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
