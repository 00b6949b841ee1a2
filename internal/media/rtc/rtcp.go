package rtc

import (
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/feedback"
)

// reportEvery is the time between our RTCP reports (RFC 3550 section 6.2).
const reportEvery = 5 * time.Second

// reports is what RTCP reports tell of both streams of a path. Atomics are
// written on one side and read by the other; a report may mix two packets' values.
type reports struct {
	// Written under reading.
	ssrc, base, highest, count atomic.Uint32 // highest is the extended sequence number
	jitter                     atomic.Uint32 // in RTP clock units, times 16 (RFC 3550 appendix A.8)
	far                        feedback.Feedback
	begun                      bool   // needs reading
	transit, stamped           uint32 // of the last packet; need reading

	born time.Time // of the path

	// Written by senders.
	timestamp atomic.Uint32
	sentAt    atomic.Int64 // nanoseconds since born

	// Of the server's own goroutine, as they were at the last report.
	at              time.Time
	expected, heard uint32
	sent            uint64
}

// stamp notes the time of a packet that we sent.
func (r *reports) stamp(timestamp uint32, now time.Time) {
	r.timestamp.Store(timestamp)
	r.sentAt.Store(int64(now.Sub(r.born)))
}

// arrived notes a packet of the far end. Needs reading.
func (r *reports) arrived(ssrc uint32, seq uint16, timestamp uint32, now time.Time, clock uint32) {
	transit := uint32(now.Sub(r.born).Microseconds()*int64(clock/1000)/1000) - timestamp
	if !r.begun || r.ssrc.Load() != ssrc {
		r.begun = true
		r.ssrc.Store(ssrc)
		r.base.Store(uint32(seq))
		r.highest.Store(uint32(seq))
		r.count.Store(1)
		r.jitter.Store(0)
		r.transit, r.stamped = transit, timestamp
		return
	}
	r.count.Add(1)
	if highest := r.highest.Load(); int16(seq-uint16(highest)) > 0 {
		r.highest.Store(highest + uint32(seq-uint16(highest)))
	}
	if timestamp == r.stamped {
		return // a telephone-event keeps its timestamp and says nothing about jitter
	}
	change := int32(transit - r.transit)
	r.transit, r.stamped = transit, timestamp
	j := r.jitter.Load()
	r.jitter.Store(j + uint32(max(change, -change)) - (j+8)/16)
}

// fill adds what is known of both streams to the counters of the path.
func (r *reports) fill(s *media.Stats, clock uint32) {
	r.far.Fill(s)
	if heard := r.count.Load(); heard > 0 && clock > 0 {
		s.Lost = uint64(max(0, int32(r.highest.Load()-r.base.Load()+1-heard)))
		s.Jitter = time.Duration(r.jitter.Load()/16) * time.Second / time.Duration(clock)
	}
}

// reception returns our report about the far end's stream.
func (r *reports) reception(now time.Time) rtcp.ReceptionReport {
	highest, heard := r.highest.Load(), r.count.Load()
	expected := highest - r.base.Load() + 1
	report := rtcp.ReceptionReport{
		SSRC: r.ssrc.Load(), LastSequenceNumber: highest, Jitter: r.jitter.Load() / 16,
		TotalLost: uint32(max(0, int32(expected-heard))) & 0xffffff,
	}
	if interval := expected - r.expected; interval > 0 && interval < 1<<16 {
		lost := int64(interval) - int64(heard-r.heard)
		report.FractionLost = uint8(min(255, max(0, lost*256/int64(interval))))
	}
	r.expected, r.heard = expected, heard
	report.LastSenderReport, report.Delay = r.far.Echo(now)
	return report
}

// sendReport sends a sender or receiver report when it is time for one.
func (p *Path) sendReport(now time.Time) {
	k, to := p.keys.Load(), p.peer.Load()
	r := &p.reports
	if k == nil || to == nil || now.Sub(r.at) < reportEvery {
		return
	}
	r.at = now
	var about []rtcp.ReceptionReport
	if r.count.Load() > 0 {
		about = []rtcp.ReceptionReport{r.reception(now)}
	}
	packets := []rtcp.Packet{&rtcp.ReceiverReport{SSRC: p.ssrc, Reports: about}}
	if sent := p.sent.Load(); sent != r.sent {
		r.sent = sent
		packets[0] = &rtcp.SenderReport{
			SSRC: p.ssrc, NTPTime: feedback.NTP(now), RTPTime: p.rtpTime(now),
			PacketCount: uint32(sent), OctetCount: uint32(p.sentBytes.Load()), Reports: about,
		}
	}
	packets = append(packets, &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{
		Source: p.ssrc, Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: "offhook"}},
	}}})
	plain, err := rtcp.Marshal(packets)
	if err != nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if sealed, err := k.out.EncryptRTCP(k.buf[:0], plain, nil); err == nil {
		p.srv.write(sealed, *to)
	}
}

// rtpTime returns the RTP timestamp that our stream has now.
func (p *Path) rtpTime(now time.Time) uint32 {
	since := now.Sub(p.born) - time.Duration(p.reports.sentAt.Load())
	return p.reports.timestamp.Load() + uint32(since.Microseconds()*int64(p.Format().Codec.ClockRate())/1e6)
}

// control takes an SRTCP packet of the far end. Needs reading.
func (p *Path) control(k *keys, r *reader, datagram []byte) {
	plain, ok := k.openRTCP(datagram, &r.rtcp)
	if !ok {
		p.malformed.Add(1)
		return
	}
	p.reports.far.Read(plain, p.ssrc, p.Format().Codec.ClockRate(), time.Now())
}
