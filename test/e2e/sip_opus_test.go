//go:build e2e

package e2e

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestWireOpusWishes: who takes 8 kbit/s of narrowband in packets of 40 ms at most gets
// that, and no more (RFC 7587 section 6.1): ringback and then the voice of a phone.
func TestWireOpusWishes(t *testing.T) {
	t.Parallel()
	w := newWired(t, "")
	ear, err := net.ListenPacket("udp4", net.JoinHostPort(w.trunk.Addr().String(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ear.Close() }()
	_, port, err := net.SplitHostPort(ear.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	description := strings.ReplaceAll(scriptedSDP("[local_ip]", port, "sendrecv"), "RTP/AVP 0 101", "RTP/AVP 96 101")
	description = strings.ReplaceAll(description, "a=rtpmap:0 PCMU/8000",
		"a=rtpmap:96 opus/48000/2\na=fmtp:96 maxplaybackrate=8000;maxaveragebitrate=8000\na=ptime:60\na=maxptime:40")
	var s script
	s.send(first(description))
	s.trying()
	s.want(`response="183" optional="true"`)
	s.want(`response="180" optional="true"`)
	s.want(`response="200" rrs="true"`, "body: m=audio [1-9][0-9]* RTP/AVP 96 101")
	s.send(then("ACK", 1, ""))
	s.pause(2000)
	s.hangUp(2)
	harness.NewUser(t, w.Offhook, "desk", "purple-monkey", phone.Config{
		AutoAnswer: true, AnswerAfter: 300 * time.Millisecond, Codecs: []media.Codec{media.PCMU},
	})
	caller := w.calls(t, &s)
	packets, bytes, narrow := 0, 0, true
	for packets < 40 {
		if err := ear.SetReadDeadline(time.Now().Add(soon)); err != nil {
			t.Fatal(err)
		}
		var buf [1500]byte
		n, _, err := ear.ReadFrom(buf[:])
		if err != nil || n < 13 || buf[1]&0x7f != 96 {
			break
		}
		packets, bytes, narrow = packets+1, bytes+n-12, narrow && buf[12]>>3 < 4
	}
	rate := bytes * 8 * 25 / max(packets, 1)
	t.Log("heard " + strconv.Itoa(packets) + " packets, " + strconv.Itoa(rate) + " bit/s")
	if packets < 40 || rate > 8400 || !narrow {
		t.Errorf("%d packets of 40 ms with %d bit/s, narrowband only: %v", packets, rate, narrow)
	}
	harness.WantSuccess(t, caller, 100*time.Second)
}
