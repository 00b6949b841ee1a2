package feedback

import (
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/offhook/offhook/internal/media"
)

func TestReportAboutUs(t *testing.T) {
	now := time.Unix(1000, 0)
	ago := func(d time.Duration) uint32 { return uint32(NTP(now.Add(-d)) >> 16) }
	about := func(ssrc uint32) rtcp.ReceptionReport {
		return rtcp.ReceptionReport{SSRC: ssrc, FractionLost: 26, Jitter: 480, LastSenderReport: ago(250 * time.Millisecond), Delay: 65536 / 10}
	}
	for _, c := range []struct {
		name    string
		packets []rtcp.Packet
		want    media.Stats
	}{
		{
			"a sender's",
			[]rtcp.Packet{&rtcp.SenderReport{SSRC: 9, Reports: []rtcp.ReceptionReport{about(7)}}},
			media.Stats{FarLost: 10, FarJitter: 10 * time.Millisecond, RoundTrip: 150 * time.Millisecond},
		},
		{
			"a receiver's, after what we do not read, about us and another",
			[]rtcp.Packet{
				&rtcp.SourceDescription{}, &rtcp.ReceiverReport{SSRC: 9, Reports: []rtcp.ReceptionReport{{SSRC: 8, FractionLost: 255}, about(7)}},
			},
			media.Stats{FarLost: 10, FarJitter: 10 * time.Millisecond, RoundTrip: 150 * time.Millisecond},
		},
		{"about others", []rtcp.Packet{&rtcp.ReceiverReport{SSRC: 9, Reports: []rtcp.ReceptionReport{about(8)}}}, media.Stats{}},
		{
			"from who has no report of ours yet",
			[]rtcp.Packet{&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: 7, FractionLost: 128}}}},
			media.Stats{FarLost: 50},
		},
		{
			"with a clock that cannot be",
			[]rtcp.Packet{&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: 7, LastSenderReport: ago(-time.Hour)}}}},
			media.Stats{},
		},
	} {
		data, err := rtcp.Marshal(c.packets)
		if err != nil {
			t.Fatal(err)
		}
		var f Feedback
		var got media.Stats
		f.Read(data, 7, 48000, now)
		f.Fill(&got)
		if d := got.RoundTrip - c.want.RoundTrip; d < time.Millisecond && d > -time.Millisecond {
			got.RoundTrip = c.want.RoundTrip
		}
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestEcho(t *testing.T) {
	var f Feedback
	now := time.Unix(1000, 0)
	if last, delay := f.Echo(now); last != 0 || delay != 0 {
		t.Error("an echo of nothing")
	}
	data, err := (&rtcp.SenderReport{SSRC: 9, NTPTime: 0x1122334455667788}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	f.Read(data, 7, 8000, now)
	if last, delay := f.Echo(now.Add(time.Second / 2)); last != 0x33445566 || delay != 32768 {
		t.Errorf("%#x, %d", last, delay)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte{0x81, 201, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2, 3, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0, 8})
	f.Fuzz(func(t *testing.T, data []byte) {
		var far Feedback
		var s media.Stats
		far.Read(data, 2, 8000, time.Unix(1000, 0))
		if far.Fill(&s); s.FarLost < 0 || s.FarLost > 100 || s.RoundTrip < 0 || s.RoundTrip > 10*time.Second {
			t.Errorf("%+v", s)
		}
	})
}
