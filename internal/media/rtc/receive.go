package rtc

import (
	"time"

	"github.com/offhook/offhook/internal/media"
)

// take takes a DTLS record, or SRTP, of an address that leads here.
func (p *Path) take(r *reader, datagram []byte) {
	p.reading.Lock()
	defer p.reading.Unlock()
	if datagram[0] < 64 {
		p.dtlsRecord(datagram)
		return
	}
	p.encrypted(r, datagram)
}

// encrypted takes an SRTP or SRTCP packet that was read to its place in r.Buf, and
// hands audio on. Needs reading.
func (p *Path) encrypted(r *reader, datagram []byte) {
	k := p.keys.Load()
	if k == nil || len(datagram) < rtpHeader {
		p.malformed.Add(1) // before the handshake's end, or too short
		return
	}
	if typ := datagram[1]; typ >= 192 && typ < 224 { // RFC 5761 section 4
		p.control(k, r, datagram)
		return
	}
	plain, ok := k.open(datagram, &r.rtp)
	if !ok {
		p.unauthentic.Add(1)
		return
	}
	p.deliver(r, plain)
}

// deliver hands a decrypted packet to the path's receiver.
func (p *Path) deliver(r *reader, plain []byte) {
	head := &r.rtp
	start := head.MarshalSize()
	end := len(plain)
	if head.Padding && end > start {
		end -= int(plain[end-1]) // RFC 3550 section 5.1
	}
	format := p.format.Load()
	event := format.RecvDTMF != 0 && head.PayloadType == format.RecvDTMF
	length := end - start
	if length <= 0 || length > media.MaxPayload {
		p.malformed.Add(1)
		return
	}
	if !event && head.PayloadType != format.RecvType {
		p.wrongType.Add(1)
		return
	}
	p.received.Add(1)
	p.receivedBytes.Add(uint64(length))
	p.reports.arrived(head.SSRC, head.SequenceNumber, head.Timestamp, time.Now(), format.Codec.ClockRate())

	if start != rtpHeader { // contributing sources or an extension
		copy(r.Buf[media.HeaderRoom:], plain[start:end])
	}
	r.Packet = media.Packet{
		Buf: r.Buf[:], Len: length, Type: head.PayloadType, Marker: head.Marker,
		Seq: head.SequenceNumber, Timestamp: head.Timestamp, SSRC: head.SSRC,
	}
	if event {
		if digit, ok := p.digits.key(&r.Packet); ok {
			p.cfg.OnDigit(digit)
		}
	}
	if f := p.receive.Load(); f != nil {
		(*f)(&r.Packet)
	}
}
