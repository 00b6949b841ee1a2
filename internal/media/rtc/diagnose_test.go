package rtc

import (
	"strings"
	"testing"
	"time"

	"github.com/pion/dtls/v3"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
)

// TestDiagnose follows browsers from the first check to the end.
func TestDiagnose(t *testing.T) {
	s := newServer(t, Config{ListenTCP: loopback})
	e := newPath(t, s)
	expect := func(since media.Stats, want core.Silence, text string) {
		t.Helper()
		if d := e.path.Diagnose(since); d.Silence != want || !strings.Contains(d.Text, text) || len(d.Text) > 255 {
			t.Errorf("%q (%s), want %q", d.Silence, d.Text, want)
		}
	}
	l := newLight(t, s)
	l.negotiate(e.path)
	expect(media.Stats{}, core.SilenceNoICE, "tcp 127.0.0.1:")
	l.check(nominate)
	expect(media.Stats{}, core.SilenceNoDTLS, "ICE is up")

	brief := newServer(t, Config{ListenTCP: loopback, ConsentTimeout: 500 * time.Millisecond})
	e = newPath(t, brief)
	l = newLight(t, brief)
	l.negotiate(e.path)
	l.check(nominate)
	time.Sleep(600 * time.Millisecond)
	expect(media.Stats{}, core.SilenceNoConsent, "gone")

	e = newPath(t, s)
	l = newLight(t, s)
	l.connect(e.path, dtls.SRTP_AEAD_AES_128_GCM)
	next(t, "up", e.up)
	expect(media.Stats{}, core.SilenceNoRTP, "microphone")
	before := e.path.Stats()
	l.send(append([]byte{0x80, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 7}, make([]byte, 30)...))
	for e.path.Stats() == before {
		time.Sleep(time.Millisecond)
	}
	expect(before, core.SilenceKeys, "authentication")
	before = e.path.Stats()
	l.send(l.encrypt(append([]byte{0x80, 13, 0, 2, 0, 0, 0, 9, 0, 0, 0, 7}, "hello"...)))
	for e.path.Stats() == before {
		time.Sleep(time.Millisecond)
	}
	expect(before, core.SilenceWrongType, "another payload type")
	l.send(l.encrypt(append([]byte{0x80, 0, 0, 3, 0, 0, 0, 9, 0, 0, 0, 7}, "hello"...)))
	next(t, "packet", e.packets)
	expect(e.path.Stats(), core.SilenceStopped, "(1 packets)")
}
