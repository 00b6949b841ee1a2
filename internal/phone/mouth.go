package phone

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/dtmf"
)

// A press lasts five packets of 20 ms; the last is sent three times, and a pause
// of audio follows (RFC 4733 section 2.5.1).
const (
	pressPackets = 5
	pressEnds    = 3
	pausePackets = 5
	pressVolume  = 10 // -10 dBm0
)

// noisePackets is after how many packets of a pause its noise is sent again.
const noisePackets = 10

// mouth makes the packets of one call. Its stream of time stamps never breaks.
type mouth struct {
	codec   media.Codec
	encoder codec.Encoder
	seq     uint16
	stamp   uint32
	buf     [media.HeaderRoom + media.MaxPayload + media.TailRoom]byte

	noise  uint8 // see Config.Noise
	rested int   // packets of the pause so far
	marker bool

	pressed int // packets of the key in keys[0] that were sent, pause included
	mu      sync.Mutex
	keys    string // guarded by mu
}

func (m *mouth) press(keys string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range strings.ToUpper(keys) {
		if strings.ContainsRune(dtmf.Keys, k) {
			m.keys += string(k)
		}
	}
}

// say sends one packet: pcm, Frame samples, or a part of a key in its place.
func (m *mouth) say(path media.Path, pcm []int16) {
	f := path.Format()
	step := f.Codec.ClockRate() / 50
	defer func() { m.stamp += step }()
	if m.key(path, f) {
		return
	}
	if m.rest(path, f, pcm) {
		return
	}
	if m.codec != f.Codec {
		encoder, err := codec.NewEncoder(f.Codec, Rate)
		if err != nil {
			return // cannot be: we offered only what we encode
		}
		m.codec, m.encoder = f.Codec, encoder
	}
	n, err := m.encoder.Encode(m.buf[media.HeaderRoom:media.HeaderRoom+media.MaxPayload], pcm)
	if err != nil || n == 0 {
		return
	}
	m.send(path, media.Packet{Type: f.SendType, Timestamp: m.stamp, Marker: m.marker}, n)
	m.marker = false
}

// skip lets n packets pass that were never made.
func (m *mouth) skip(f media.Format, n int) { m.stamp += uint32(n) * (f.Codec.ClockRate() / 50) }

// rest sends comfort noise, and then nothing, in place of silence if the far end
// takes that.
func (m *mouth) rest(path media.Path, f media.Format, pcm []int16) bool {
	if m.noise == 0 || f.SendNoise == 0 || slices.ContainsFunc(pcm, func(x int16) bool { return x != 0 }) {
		m.marker = m.marker || m.rested > 0 // a talkspurt begins
		m.rested = 0
		return false
	}
	if m.rested++; m.rested%noisePackets == 1 {
		m.buf[media.HeaderRoom] = m.noise
		m.send(path, media.Packet{Type: f.SendNoise, Timestamp: m.stamp}, 1)
	}
	return true
}

// key sends the next packet of the first key in the queue, if there is one and
// the far end takes keys.
func (m *mouth) key(path media.Path, f media.Format) bool {
	m.mu.Lock()
	keys := m.keys
	m.mu.Unlock()
	if keys == "" || f.SendDTMF == 0 {
		return false
	}
	n := m.pressed
	m.pressed++
	if n >= pressPackets { // the pause, which is audio
		if m.pressed == pressPackets+pausePackets {
			m.pressed = 0
			m.mu.Lock()
			m.keys = m.keys[1:]
			m.mu.Unlock()
		}
		return false
	}
	step := f.DTMFClock / 50
	begin := m.stamp - uint32(n)*step // all packets of a press have the time of its beginning
	payload := m.buf[media.HeaderRoom:]
	payload[0] = byte(strings.IndexByte(dtmf.Keys, keys[0]))
	payload[1] = pressVolume
	binary.BigEndian.PutUint16(payload[2:], uint16(uint32(n+1)*step))
	copies := 1
	if n == pressPackets-1 {
		payload[1] |= 0x80 // the end, sent again in case it is lost
		copies = pressEnds
	}
	for range copies {
		m.send(path, media.Packet{Type: f.SendDTMF, Timestamp: begin, Marker: n == 0}, 4)
	}
	return true
}

// send sends the n bytes that are in buf.
func (m *mouth) send(path media.Path, p media.Packet, n int) {
	p.Buf, p.Len, p.Seq = m.buf[:], n, m.seq
	m.seq++
	path.Send(&p)
}
