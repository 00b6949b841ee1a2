package media_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/meter"
)

// typeNoise is comfort noise (RFC 3389).
const typeNoise = 13

// withNoise is a line whose far end knows comfort noise.
func withNoise(k media.Codec) *line {
	l := newLine(k)
	l.format.SendNoise, l.format.RecvNoise = typeNoise, typeNoise
	return l
}

// A speaker who sends one packet of comfort noise for a whole pause is heard with
// that noise by who does not know it, and what he says then is clean. Who knows it
// gets the packet.
func TestComfortNoise(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to *line
		mixed    bool
		made     bool // here
	}{
		{"to who does not know it, same codec", withNoise(media.PCMU), newLine(media.PCMU), false, true},
		{"to another codec", withNoise(media.PCMU), withNoise(media.PCMA), false, true},
		{"to Opus", withNoise(media.PCMA), newLine(media.Opus), false, true},
		{"of G.722", withNoise(media.G722), newLine(media.PCMU), false, true},
		{"in a mix", withNoise(media.PCMU), newLine(media.PCMA), true, true},
		{"relayed", withNoise(media.PCMU), withNoise(media.PCMU), false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := media.NewServer(media.Config{})
				defer server.Close()
				to := &noiseEar{line: c.to}
				server.Attach("a", c.from)
				server.Attach("b", to)
				row := core.Hear{Leg: "b", From: []core.LegID{"a"}}
				if c.mixed {
					server.Attach("c", newLine(media.PCMU))
					row.From = append(row.From, "c")
				}
				server.Do(row)
				time.Sleep(13 * time.Millisecond) // so that no packet meets a step of the mix at one virtual instant
				speakAround(t, c.from)
				time.Sleep(300 * time.Millisecond)
				server.Do(core.Hear{Leg: "b"})
				synctest.Wait()
				to.judge(t, c.made)
			})
		})
	}
}

// The parts of what speakAround says, in packets of 20 ms.
const (
	toneUntil  = 50
	pauseUntil = toneUntil + 400 // longer than a smoother stays without reason
	saidUntil  = pauseUntil + 100
)

// speakAround says a tone, is silent with noise of -50 dBov, and says the tone again.
func speakAround(t *testing.T, a *line) {
	t.Helper()
	enc, err := codec.NewEncoder(a.format.Codec, 8000)
	if err != nil {
		t.Fatal(err)
	}
	pcm, seq := sine(saidUntil*160, 1000), uint16(65500)
	for n := range saidUntil {
		p := &media.Packet{
			Buf: make([]byte, media.HeaderRoom+media.MaxPayload+media.TailRoom), Type: a.format.RecvType,
			Seq: seq, Timestamp: uint32(n) * 160, SSRC: 1, Marker: n == pauseUntil,
		}
		switch {
		case n == toneUntil:
			p.Type, p.Len, p.Buf[media.HeaderRoom] = typeNoise, 1, 50
		case n > toneUntil && n < pauseUntil:
			time.Sleep(20 * time.Millisecond)
			continue
		default:
			if p.Len, err = enc.Encode(p.Buf[media.HeaderRoom:], pcm[160*n:160*n+160]); err != nil {
				t.Fatal(err)
			}
		}
		seq++
		a.arrive(p)
		time.Sleep(20 * time.Millisecond)
	}
}

// noiseEar keeps what is sent to a line, by its timestamps.
type noiseEar struct {
	*line
	dec   codec.Decoder
	first uint32
	seqs  []uint16
	heard []int16
	noise int // packets of comfort noise
	wrong error
}

func (e *noiseEar) Send(p *media.Packet) {
	if e.dec == nil {
		e.first = p.Timestamp
		e.dec, e.wrong = codec.NewDecoder(e.format.Codec, 8000)
	}
	e.seqs = append(e.seqs, p.Seq)
	if e.format.SendNoise != 0 && p.Type == e.format.SendNoise {
		e.noise++
		return
	}
	pcm := make([]int16, codec.MaxSamples(8000))
	n, err := e.dec.Decode(pcm, p.Payload())
	if err != nil {
		e.wrong = err
	}
	at := int((p.Timestamp - e.first) / (e.format.Codec.ClockRate() / 8000))
	for len(e.heard) < at+n {
		e.heard = append(e.heard, 0)
	}
	copy(e.heard[at:], pcm[:n])
}

// judge wants the tone, noise of -50 dB, the tone, and numbers without gaps. Opus
// takes 3 dB off white noise.
func (e *noiseEar) judge(t *testing.T, made bool) {
	t.Helper()
	if e.wrong != nil {
		t.Error(e.wrong)
	}
	for i, seq := range e.seqs[1:] {
		if seq != e.seqs[i]+1 {
			t.Fatalf("number %d after %d", seq, e.seqs[i])
		}
	}
	if len(e.heard) < (saidUntil-20)*160 {
		t.Fatalf("%d samples heard", len(e.heard))
	}
	part := func(from, to int) []int16 { return e.heard[from*160 : to*160] }
	for name, pcm := range map[string][]int16{"before": part(5, toneUntil-10), "after": part(pauseUntil+10, saidUntil-15)} {
		if purity := meter.Purity(pcm, 8000, 1000); purity < 0.99 {
			t.Errorf("the tone %s the pause has purity %.3f", name, purity)
		}
	}
	level := meter.Level(part(toneUntil+15, pauseUntil-5))
	t.Logf("noise of %.1f dB, %d packets of it", level, e.noise)
	switch {
	case made && (math.Abs(level+50) > 4 || e.noise > 0):
		t.Errorf("the pause has %.1f dB, want -50; %d packets of comfort noise", level, e.noise)
	case !made && e.noise != 1:
		t.Errorf("%d packets of comfort noise, want the one of the speaker", e.noise)
	}
}
