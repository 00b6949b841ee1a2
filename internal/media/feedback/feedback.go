// Package feedback reads what the far end of an RTP path says about it in RTCP
// (RFC 3550 section 6).
package feedback

import (
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/media"
)

// Feedback is what the far end's reports say. The zero value is ready; all methods
// are safe for concurrent use.
type Feedback struct {
	lastSR    atomic.Uint32 // middle 32 bits of the time in its last sender report
	lastSRAt  atomic.Int64  // when that came, in Unix nanoseconds
	roundTrip atomic.Int64  // ns
	lost      atomic.Int32  // percent of our packets that it missed lately
	jitter    atomic.Int64  // of our packets when they reach it, ns
}

// RTCP packet types (RFC 3550 section 12.1), and the sizes of their parts.
const (
	senderReport, receiverReport = 200, 201
	reportHeader, senderInfo     = 8, 20
	receptionReport              = 24
)

// Read takes a compound packet (RFC 3550 section 6.1). ours is the source that
// reports are about, clock its RTP clock in Hz.
func (f *Feedback) Read(compound []byte, ours, clock uint32, now time.Time) {
	for len(compound) >= reportHeader {
		size := 4 + 4*int(binary.BigEndian.Uint16(compound[2:]))
		if size > len(compound) || compound[0]>>6 != 2 {
			return
		}
		packet, count := compound[:size], int(compound[0]&0x1f)
		compound = compound[size:]
		switch packet[1] {
		case senderReport:
			if len(packet) < reportHeader+senderInfo {
				return
			}
			f.lastSR.Store(binary.BigEndian.Uint32(packet[reportHeader+2:]))
			f.lastSRAt.Store(now.UnixNano())
			f.blocks(packet[reportHeader+senderInfo:], count, ours, clock, now)
		case receiverReport:
			f.blocks(packet[min(reportHeader, len(packet)):], count, ours, clock, now)
		}
	}
}

// blocks reads the reception reports of one packet.
func (f *Feedback) blocks(b []byte, count int, ours, clock uint32, now time.Time) {
	for ; count > 0 && len(b) >= receptionReport; count, b = count-1, b[receptionReport:] {
		if binary.BigEndian.Uint32(b) != ours {
			continue
		}
		f.lost.Store(int32(b[4]) * 100 / 256)
		f.jitter.Store(int64(binary.BigEndian.Uint32(b[12:])) * int64(time.Second) / int64(max(clock, 1)))
		if last := binary.BigEndian.Uint32(b[16:]); last != 0 {
			// All three in 1/65536 s (RFC 3550 section 6.4.1, figure 2).
			trip := uint32(NTP(now)>>16) - last - binary.BigEndian.Uint32(b[20:])
			if trip < 10<<16 { // else one of the clocks is wrong
				f.roundTrip.Store(int64(trip) * int64(time.Second) >> 16)
			}
		}
	}
}

// Fill adds it to the counters of a path.
func (f *Feedback) Fill(s *media.Stats) {
	s.RoundTrip, s.FarJitter = time.Duration(f.roundTrip.Load()), time.Duration(f.jitter.Load())
	s.FarLost = int(f.lost.Load())
}

// Echo returns the last sender report and how long ago it came, for our report: the
// far end measures the round trip with it.
func (f *Feedback) Echo(now time.Time) (last, delay uint32) {
	at := f.lastSRAt.Load()
	if at == 0 {
		return 0, 0
	}
	return f.lastSR.Load(), uint32(now.Sub(time.Unix(0, at)) * 65536 / time.Second)
}

// NTP returns now as a 64-bit NTP time, seconds since 1900 (RFC 3550 section 4).
func NTP(now time.Time) uint64 {
	const from1900to1970 = 2208988800
	return uint64(now.Unix()+from1900to1970)<<32 | uint64(now.Nanosecond())<<32/1e9
}
