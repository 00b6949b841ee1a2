package main

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// packetTime is the length of audio in a packet.
	packetTime = 20 * time.Millisecond
	rtpHeader  = 12
	// stamp is what a G.711 payload of ours begins with: 8 bytes send time in Unix
	// nanoseconds and 4 bytes sequence. A relay must not touch the payload, so it
	// makes loss and delay exact.
	stampSize   = 12
	g711Payload = 160
)

// coding is what a stream sends.
type coding struct {
	payloadType uint8
	step        uint32   // RTP clock units a packet
	payloads    [][]byte // sent in turn; nil: stamped G.711
}

// stream is the RTP socket of one phone: it sends what it is told to by a pacer,
// and accounts for what comes in.
type stream struct {
	conn   *net.UDPConn
	addr   netip.AddrPort
	remote atomic.Pointer[netip.AddrPort] // where to send; nil: nobody yet
	window *window
	wanted uint8 // payload type that must come in
	peer   *peer // of a browser's, nil for a phone's

	// The pacer's own.
	out     coding
	packet  [rtpHeader + 1500]byte
	number  uint32 // of the packet
	clock   uint32 // RTP time
	written uint64 // packets sent inside the window
	sealed  [rtpHeader + 1600]byte

	// The reader's own until the socket is closed.
	heard   uint64 // packets that were sent, or for unstamped ones came, inside the window
	doubled uint64
	foreign uint64 // of another payload type
	silent  uint64 // without sound
	last    uint32 // highest number
	delays  durations
	first   atomic.Int64 // when the first came, Unix nanoseconds

	reading sync.WaitGroup
}

// window is the part of a run that counts.
type window struct{ from, to atomic.Int64 } // Unix nanoseconds; from 0: not begun

func (w *window) contains(at int64) bool {
	from := w.from.Load()
	return from != 0 && at >= from && at < w.to.Load()
}

// open begins the window and ends it after d.
func (w *window) open(d time.Duration) {
	now := time.Now()
	w.to.Store(now.Add(d).UnixNano())
	w.from.Store(now.UnixNano())
}

// newStream binds a phone's socket on ip. wanted is the payload type that must come
// in.
func newStream(ip netip.Addr, w *window, out coding, wanted uint8) (*stream, error) {
	return openStream(ip, w, out, wanted, nil)
}

// openStream binds a phone's socket, or that of the browser p.
func openStream(ip netip.Addr, w *window, out coding, wanted uint8, p *peer) (*stream, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
	if err != nil {
		return nil, err
	}
	if err := stampArrivals(conn); err != nil {
		return nil, err
	}
	addr, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return nil, err
	}
	s := &stream{conn: conn, addr: addr, window: w, out: out, wanted: wanted, peer: p, clock: rand.Uint32()}
	s.packet[0], s.packet[1] = 2<<6, out.payloadType
	binary.BigEndian.PutUint32(s.packet[8:], rand.Uint32())
	s.reading.Go(s.read)
	return s, nil
}

// stampArrivals lets the kernel note when each packet reached the socket, so that
// the delay does not contain how long our own goroutine took to wake up.
func stampArrivals(conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var option error
	err = raw.Control(func(fd uintptr) {
		option = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
	})
	if err != nil {
		return err
	}
	return option
}

// close ends the reader; afterwards the counters may be read.
func (s *stream) close() {
	if s.peer != nil {
		s.peer.end()
	}
	_ = s.conn.Close()
	s.reading.Wait()
}

// sendTo sets where packets go.
func (s *stream) sendTo(addr netip.AddrPort) { s.remote.Store(&addr) }

// send writes the next packet, on the pacer's goroutine.
func (s *stream) send() {
	to := s.remote.Load()
	if to == nil {
		return
	}
	s.number++
	s.clock += s.out.step
	binary.BigEndian.PutUint16(s.packet[2:], uint16(s.number))
	binary.BigEndian.PutUint32(s.packet[4:], s.clock)
	size := g711Payload
	if s.out.payloads != nil {
		size = copy(s.packet[rtpHeader:], s.out.payloads[int(s.number)%len(s.out.payloads)])
	}
	now := time.Now().UnixNano()
	if s.out.payloads == nil {
		binary.BigEndian.PutUint64(s.packet[rtpHeader:], uint64(now))
		binary.BigEndian.PutUint32(s.packet[rtpHeader+8:], s.number)
	}
	if s.window.contains(now) {
		s.written++
	}
	packet := s.packet[:rtpHeader+size]
	if s.peer != nil {
		sealed, err := s.peer.out.EncryptRTP(s.sealed[:0], packet, nil)
		if err != nil {
			return // counts as lost
		}
		packet = sealed
	}
	_, _ = s.conn.WriteToUDPAddrPort(packet, *to) // a packet that is not sent counts as lost
}

func (s *stream) read() {
	var buf [1600]byte
	var control [64]byte
	for {
		n, c, _, _, err := s.conn.ReadMsgUDPAddrPort(buf[:], control[:])
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue // an ICMP error
		}
		packet := buf[:n]
		if s.peer != nil && n > rtpHeader {
			packet = s.peer.open(packet)
		}
		if len(packet) <= rtpHeader {
			continue
		}
		if isRTCP := packet[1] >= 192 && packet[1] <= 223; !isRTCP { // that is for the phone one port below
			s.arrived(packet, arrival(control[:c]))
		}
	}
}

// arrived accounts for one packet that reached us at that time.
func (s *stream) arrived(packet []byte, at int64) {
	s.first.CompareAndSwap(0, at)
	if packet[1]&0x7f != s.wanted {
		s.foreign++
		return
	}
	payload := packet[rtpHeader:]
	switch {
	case s.out.payloads != nil: // what is transcoded carries no stamp
		if s.window.contains(at) {
			s.heard++
			if !sounds(s.wanted, payload) {
				s.silent++
			}
		}
	case len(payload) >= stampSize:
		s.stamped(int64(binary.BigEndian.Uint64(payload)), binary.BigEndian.Uint32(payload[8:]), at) //nolint:gosec // our own clock
	}
}

func (s *stream) stamped(sent int64, number uint32, at int64) {
	if !s.window.contains(sent) {
		return
	}
	if number == s.last {
		s.doubled++
		return
	}
	s.last = number
	s.heard++
	s.delays = append(s.delays, time.Duration(at-sent))
}

// sounds reports whether a payload of a tone is louder than silence.
func sounds(payloadType uint8, payload []byte) bool {
	if payloadType != pcmuType {
		return len(payload) > 3 // shorter is discontinued transmission
	}
	loud := 0
	for _, b := range payload {
		if b&0x7f < 0x60 { // mu-law counts down from silence
			loud++
		}
	}
	return loud > len(payload)/4
}

// arrival returns the kernel's time of a packet, now if it gave none.
func arrival(control []byte) int64 {
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil || len(messages) == 0 || len(messages[0].Data) < 16 {
		return time.Now().UnixNano()
	}
	data := messages[0].Data // a timespec
	return int64(binary.LittleEndian.Uint64(data))*1e9 + int64(binary.LittleEndian.Uint64(data[8:]))
}
