package rtp

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/feedback"
	"github.com/offhook/offhook/internal/media/sdp"
	"github.com/offhook/offhook/internal/media/udp"
)

// FuzzControlled gives a path any RTCP of its far end, plain or as SRTCP: it never
// makes a figure that cannot be, and the next true report is understood.
func FuzzControlled(f *testing.F) {
	from := netip.MustParseAddrPort("127.0.0.1:4001")
	near, far := cryptoPair(sdp.AESGCM128)
	p := newPath(NewAllocator(4000, 4001), 4000, Config{}, nil, nil)
	p.format.Store(&media.Format{Codec: media.Opus})
	p.remote.Store(&from)
	shields := map[*sdp.Crypto]*shield{near: nil, far: nil}
	for c := range shields {
		s, err := newShield(*c, nil)
		if err != nil {
			f.Fatal(err)
		}
		shields[c] = s
	}
	// hear gives p a datagram; it is false if SRTCP cannot carry it.
	hear := func(data []byte, sealed bool) bool {
		p.shield.Store(nil)
		if sealed {
			p.shield.Store(shields[near])
			var ok bool
			if data, ok = shields[far].sealControl(data); !ok {
				return false
			}
		}
		d := &udp.Datagram{From: from}
		d.Size = copy(d.Room(), data)
		p.controlled(d)
		return true
	}
	about := rtcp.ReceptionReport{SSRC: p.ssrc, FractionLost: 64, Jitter: 480}
	truth, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 7, Reports: []rtcp.ReceptionReport{about}}})
	if err != nil {
		f.Fatal(err)
	}
	for _, sealed := range []bool{false, true} {
		f.Add(truth, sealed)
		for _, packets := range [][]rtcp.Packet{
			{&rtcp.SenderReport{SSRC: 7, NTPTime: feedback.NTP(time.Now()), Reports: []rtcp.ReceptionReport{{SSRC: 9}, about}}, &rtcp.SourceDescription{}},
			{&rtcp.ReceiverReport{SSRC: 7}, &rtcp.Goodbye{Sources: []uint32{7}, Reason: "bye"}},
			{&rtcp.PictureLossIndication{SenderSSRC: 7, MediaSSRC: p.ssrc}, &rtcp.ExtendedReport{SenderSSRC: 7}},
		} {
			data, err := rtcp.Marshal(packets)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data, sealed)
			f.Add(data[:len(data)-1], sealed)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, sealed bool) {
		if len(data) < 8 || len(data) > 1400 {
			return
		}
		binary.BigEndian.PutUint32(data[4:], 7) // one far end: others are FuzzParse's and TestSourcesAreBounded's
		p.far = feedback.Feedback{}
		if !hear(data, sealed) {
			return
		}
		if s := p.Stats(); s.Unauthentic+p.allocator.Panics() != 0 || s.FarLost < 0 || s.FarLost > 100 || s.RoundTrip < 0 || s.RoundTrip > 10*time.Second || s.FarJitter < 0 {
			t.Errorf("%x: %+v", data, s)
		}
		if !hear(truth, sealed) {
			t.Fatal("a true report cannot be sent")
		}
		if s := p.Stats(); s.FarLost != 25 || s.FarJitter != 10*time.Millisecond {
			t.Errorf("after %x a report is understood as %+v", data, s)
		}
	})
}
