//go:build e2e

package e2e

import (
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// hostileHz is what attackers try to let others hear.
const hostileHz = 1500

// TestHostileMedia attacks the RTP port of a call: nothing of it is heard, the voices
// go on, and nobody is answered.
func TestHostileMedia(t *testing.T) {
	h := newHouse(t, "", "  trunks: [{name: line, uri: \"sip:127.0.0.1:9\", accept_from: [127.0.0.32/27]}]\n", []string{"ann"}, `endpoints: [{user: ann}]`)
	ann := h.user(t, "ann", phone.Config{Say: says(600)})
	call := h.dialIn(t, number(0))
	answered := ring(ann)
	answered.Answer()
	call.Await(phone.Answered, 10*time.Second)
	at := rtpPort(t, call)
	hears := func(what string) {
		t.Helper()
		time.Sleep(1500 * time.Millisecond) // for what must not be heard
		pcm := answered.Heard(time.Second)
		if p := meter.Purity(pcm, phone.Rate, hostileHz); p > 0.05 {
			t.Errorf("%s is heard: purity %.2f", what, p)
		}
		testkit.Eventually(t, soon, "during "+what+" the caller hears the callee", func() bool {
			return harness.HasTone(call.call.Heard(time.Second), phone.Rate, 600, 500*time.Millisecond)
		})
	}
	hears("nothing")
	for _, a := range []struct {
		what, ip string
		packets  int // a burst of 20 ms
		sources  int
	}{
		{"RTP of another host", "127.0.0.9", 1, 1},
		{"RTP of another host at ten times the rate", "127.0.0.9", 10, 1},
		{"RTP of ten sources", "127.0.0.9", 1, 10},
		{"RTP of another port of the caller's host", callerIP(t, call), 1, 1},
	} {
		var conns []*net.UDPConn
		for range a.sources {
			conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(a.ip)}, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: at})
			if err != nil {
				t.Fatal(err)
			}
			conns = append(conns, conn)
		}
		stop := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			shout(conns, a.packets, stop)
		}()
		hears(a.what)
		close(stop)
		<-done
		for _, conn := range conns {
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			if n, err := conn.Read(make([]byte, 1500)); err == nil {
				t.Errorf("%s: the attacker was sent %d bytes", a.what, n)
			}
			_ = conn.Close()
		}
	}
	for port := at; port <= at+1; port++ { // RTCP BYE, and packets of one byte
		conn, err := net.Dial("udp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		for ssrc := range 256 {
			_, _ = conn.Write([]byte{0x81, 203, 0, 1, 0, 0, 0, byte(ssrc)})
			_, _ = conn.Write([]byte{byte(ssrc)})
		}
		_ = conn.Close()
	}
	hears("RTCP BYE")
	call.call.HangUp()
	ann.Await(phone.Ended, 10*time.Second)
	h.AwaitLegs(t, 10*time.Second)
}

// shout sends a PCMU tone from every connection until stop is closed.
func shout(conns []*net.UDPConn, burst int, stop <-chan struct{}) {
	enc, err := codec.NewEncoder(media.PCMU, phone.Rate)
	if err != nil {
		return
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	packet, pcm := make([]byte, 12+160), make([]int16, 160)
	for n := 0; ; {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		for range burst {
			for i := range pcm {
				pcm[i] = int16(20000 * math.Sin(2*math.Pi*hostileHz*float64(n*160+i)/phone.Rate))
			}
			if _, err := enc.Encode(packet[12:], pcm); err != nil {
				return
			}
			packet[0] = 0x80
			binary.BigEndian.PutUint16(packet[2:], uint16(n))
			binary.BigEndian.PutUint32(packet[4:], uint32(n*160))
			for i, conn := range conns {
				binary.BigEndian.PutUint32(packet[8:], uint32(i+1))
				_, _ = conn.Write(packet) // the victim may refuse
			}
			n++
		}
	}
}

// rtpPort returns the port that the server gave a caller.
func rtpPort(t *testing.T, p *placed) int {
	t.Helper()
	for _, m := range p.Wire().Find("< SIP/2.0 200", " INVITE\r\n") {
		if found := regexp.MustCompile(`m=audio (\d+) `).FindStringSubmatch(m); found != nil {
			port, err := strconv.Atoi(found[1])
			if err == nil {
				return port
			}
		}
	}
	t.Fatal("no 200 with SDP came")
	return 0
}

// callerIP returns the address that a caller sends audio from.
func callerIP(t *testing.T, p *placed) string {
	t.Helper()
	for _, m := range p.Wire().Find("> INVITE ") {
		if found := regexp.MustCompile(`c=IN IP4 ([0-9.]+)`).FindStringSubmatch(m); found != nil {
			return found[1]
		}
	}
	t.Fatal("no INVITE with SDP went out")
	return ""
}
