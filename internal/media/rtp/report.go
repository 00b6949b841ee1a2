package rtp

import (
	"net/netip"
	"time"

	"github.com/pion/rtcp"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/feedback"
	"github.com/offhook/offhook/internal/media/udp"
)

// reportEvery is the time between our RTCP reports (RFC 3550 section 6.2).
const reportEvery = 5 * time.Second

// reportPackets is how many packets we send in that time, 20 ms each.
const reportPackets = uint64(reportEvery / (20 * time.Millisecond))

// reports follows the far end's stream for our RTCP reports. It belongs to the
// reading of the path: a report goes out beside a packet that came in.
type reports struct {
	begun           bool
	ssrc            uint32
	base, highest   uint32 // extended sequence numbers
	heard           uint32
	expectedAtLast  uint32
	heardAtLast     uint32
	transit, jitter uint32 // RTP clock units; jitter times 16 (RFC 3550 appendix A.8)
	sent            time.Time
}

// arrived notes a packet and sends a report when it is time for one.
func (r *reports) arrived(p *Path, packet *media.Packet, now time.Time) {
	f := p.Format()
	clock := int64(f.Codec.ClockRate())
	transit := uint32(now.UnixMicro()*(clock/1000)/1000) - packet.Timestamp // 48 kHz times microseconds is too much for 64 bits
	if !r.begun || r.ssrc != packet.SSRC {
		seq := uint32(packet.Seq)
		*r = reports{begun: true, ssrc: packet.SSRC, base: seq, highest: seq, transit: transit, sent: now}
	}
	r.heard++
	if ahead := packet.Seq - uint16(r.highest); int16(ahead) > 0 {
		r.highest += uint32(ahead)
	}
	if packet.Type == f.RecvType { // a telephone-event has the time of its beginning
		change := int32(transit - r.transit)
		r.transit = transit
		r.jitter += uint32(max(change, -change)) - (r.jitter+8)/16
	}
	p.lost.Store(uint64(max(0, int32(r.highest-r.base+1-r.heard))))
	p.jitter.Store(int64(r.jitter/16) * int64(time.Second) / clock)
	if now.Sub(r.sent) >= reportEvery {
		r.sent = now
		p.report(r, now)
	}
}

// reception returns our report about the far end's stream.
func (r *reports) reception(far *feedback.Feedback, now time.Time) rtcp.ReceptionReport {
	expected := r.highest - r.base + 1
	report := rtcp.ReceptionReport{
		SSRC: r.ssrc, LastSequenceNumber: r.highest, Jitter: r.jitter / 16,
		TotalLost: uint32(max(0, int32(expected-r.heard))) & 0xffffff,
	}
	if interval := int64(expected - r.expectedAtLast); interval > 0 {
		lost := interval - int64(r.heard-r.heardAtLast)
		report.FractionLost = uint8(min(255, max(0, lost*256/interval)))
	}
	r.expectedAtLast, r.heardAtLast = expected, r.heard
	report.LastSenderReport, report.Delay = far.Echo(now)
	return report
}

// reportToSilence sends a report to a far end that sends nothing, as one that put
// us on hold: its packets cause none.
func (p *Path) reportToSilence() {
	if received := p.received.Load(); p.receivedThen.Swap(received) == received {
		p.report(nil, time.Now())
	}
}

// report sends a sender report with what we heard, if anything.
func (p *Path) report(r *reports, now time.Time) {
	to := p.remote.Load()
	if to == nil {
		return
	}
	var about []rtcp.ReceptionReport
	if r != nil {
		about = append(about, r.reception(&p.far, now))
	}
	packets := []rtcp.Packet{
		&rtcp.SenderReport{
			SSRC: p.ssrc, NTPTime: feedback.NTP(now),
			RTPTime: uint32(p.stamp.Load()), PacketCount: uint32(p.sent.Load()), OctetCount: uint32(p.sentBytes.Load()), Reports: about,
		},
		&rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{
			Source: p.ssrc, Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: "offhook"}},
		}}},
	}
	if data, err := rtcp.Marshal(packets); err == nil {
		p.sendControl(data, *to)
	}
}

// sendControl sends RTCP to a far end that wants RTP at to: one port above, unless
// both share one or it said where. A lost report is made good by the next.
func (p *Path) sendControl(data []byte, to netip.AddrPort) {
	socket, c := p.rtcp, p.control.Load()
	switch {
	case c.Mux:
		socket = p.rtp
	case c.At.IsValid():
		to = c.At
	default:
		to = netip.AddrPortFrom(to.Addr(), to.Port()+1)
	}
	if s := p.shield.Load(); s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		sealed, ok := s.sealControl(data)
		if !ok {
			return
		}
		data = sealed
	}
	_ = socket.WriteTo(data, to)
}

// controlled takes a datagram of RTCP. Only who may send us RTP is believed, and who
// gets our RTCP.
func (p *Path) controlled(d *udp.Datagram) {
	defer p.survive()
	to, data, from := p.remote.Load(), d.Bytes(), d.From.Addr()
	if to == nil || from != to.Addr() && from != p.control.Load().At.Addr() {
		return
	}
	if s := p.shield.Load(); s != nil {
		plain, ok := s.openControl(data)
		if !ok {
			p.unauthentic.Add(1)
			return
		}
		data = plain
	}
	p.far.Read(data, p.ssrc, p.Format().Codec.ClockRate(), time.Now())
}
