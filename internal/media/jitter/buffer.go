package jitter

import "time"

// Decoder turns payloads into samples; a codec.Decoder is one.
type Decoder interface {
	// Decode writes the samples of payload to pcm, which has room for 120 ms, and
	// returns how many they are.
	Decode(pcm []int16, payload []byte) (int, error)
	// Conceal fills pcm in place of what was lost. next is the payload right after
	// it, if that is known: it may hold a copy (FEC).
	Conceal(pcm []int16, next []byte) error
	// Reset forgets the stream, for another one.
	Reset()
}

// Config says what a Buffer plays. All of it must be set.
type Config struct {
	Rate  int    // of the samples, in Hz: 8000, 16000 or 48000
	Clock uint32 // RTP clock of the codec in Hz: 8000, also for G.722, or 48000
	// FEC says that packets may hold a copy of the one before (Opus). While packets
	// get lost a Buffer then waits for one packet more, to use it.
	FEC bool
}

// State says what Read gave.
type State uint8

const (
	// Silence is nothing to play: nobody spoke yet, a pause, a speaker who has gone.
	Silence State = iota
	// Speech is audio: decoded, concealed, or comfort noise.
	Speech
)

// Stats count since New or Reset.
type Stats struct {
	Received uint64 // packets, without doubled and late ones
	Lost     uint64 // packets that were not there when they were to be played
	Late     uint64 // of them, those that came later
	Doubled  uint64 // packets that came twice
	Invalid  uint64 // packets that the decoder refused
	// Samples that were made up, put in and left out.
	Concealed, Stretched, Removed uint64
}

const (
	// maxSequenceJump is how far sequence numbers may go ahead in one stream.
	maxSequenceJump = 500
	// maxLateRun is how many late packets in a row mean that the sender has begun
	// to count anew.
	maxLateRun = 10
	// reorderAtStart is how many packets before the first one that came are still
	// taken, as long as nothing was played.
	reorderAtStart = 8
)

// Buffer is an adaptive jitter buffer for one stream of packets. Put takes them
// as they come; Read gives audio at a steady pace. It is not safe for concurrent
// use.
type Buffer struct {
	cfg   Config
	dec   Decoder
	stats Stats

	// The stream as it arrives.
	begun   bool
	epoch   time.Time // what durations count from
	ssrc    uint32
	stamp   uint32 // newest timestamp and, in RTP clock units from the beginning,
	ticks   int64  // its place
	lateRun int
	arrival Arrival
	store   store

	// The stream as it is played. All places are in samples.
	playing bool   // false before the first packet and in a pause
	next    uint16 // sequence number to be played next; older ones are late
	expect  int64  // where the audio of next begins
	fifo    fifo
	frame   int // samples of the last packet
	owed    int // samples made up since the last packet, in place of nothing yet
	made    int // samples made up since the last packet, in all
	noise   Noise
	pace    pace
	now     time.Duration // of the Read in progress
}

// New returns a Buffer that decodes with dec, which it owns from now on.
func New(c Config, dec Decoder) *Buffer {
	b := &Buffer{cfg: c, fifo: newFIFO(c.Rate*past/1000, c.Rate*240/1000)}
	b.Reset(dec)
	return b
}

// Reset makes b ready for another stream and decoder, as New does. A nil dec only
// lets go of the old one; b must be reset again before it is used.
func (b *Buffer) Reset(dec Decoder) {
	b.dec, b.stats, b.begun = dec, Stats{}, false
	b.arrival, b.pace, b.noise = Arrival{}, pace{}, Noise{}
	b.clear()
	b.fifo.clear()
}

// clear forgets what was received and not decoded.
func (b *Buffer) clear() {
	b.store.clear()
	b.playing, b.frame = false, b.cfg.Rate/50
	b.owed, b.made, b.lateRun = 0, 0, 0
}

// Put takes one packet of audio that came now. It copies payload.
func (b *Buffer) Put(now time.Time, seq uint16, timestamp, ssrc uint32, payload []byte) {
	b.put(now, packet{seq: seq}, timestamp, ssrc, payload)
}

// PutNoise takes a packet of comfort noise (RFC 3389) of the same stream.
func (b *Buffer) PutNoise(now time.Time, seq uint16, timestamp, ssrc uint32, payload []byte) {
	b.put(now, packet{seq: seq, kind: noiseLevel}, timestamp, ssrc, payload)
}

// PutEvent notes a packet of the same stream that is not to be played, such as a
// telephone-event: its number is not lost, and there is a pause.
func (b *Buffer) PutEvent(seq uint16, ssrc uint32) {
	if ahead := int(int16(seq - b.next)); b.begun && ssrc == b.ssrc && ahead >= 0 && ahead < slots && b.store.get(seq) == nil {
		b.store.put(packet{seq: seq, kind: event}, nil)
	}
}

func (b *Buffer) put(now time.Time, p packet, timestamp, ssrc uint32, payload []byte) {
	if len(payload) == 0 || len(payload) > arenaSize/slots*4 {
		b.stats.Invalid++
		return
	}
	ahead := int(int16(p.seq - b.next))
	switch {
	case !b.begun || ssrc != b.ssrc || ahead > maxSequenceJump:
		b.begin(now, p.seq, timestamp, ssrc)
	case ahead < 0:
		if b.late(now, timestamp) {
			return
		}
		b.begin(now, p.seq, timestamp, ssrc)
	case b.store.get(p.seq) != nil:
		b.stats.Doubled++
		return
	case ahead >= slots:
		b.skip(p.seq - slots + 1)
	}
	b.lateRun = 0
	b.stats.Received++
	p.pos = b.place(timestamp)
	b.observe(now, p.pos)
	b.store.put(p, payload)
}

// begin takes a packet as the first of a stream.
func (b *Buffer) begin(now time.Time, seq uint16, timestamp, ssrc uint32) {
	if !b.begun {
		b.epoch = now
	} else {
		b.dec.Reset()
		b.arrival.forget()
	}
	b.clear()
	b.begun, b.ssrc, b.stamp, b.ticks = true, ssrc, timestamp, 0
	b.next = seq - reorderAtStart
}

// late notes a packet whose time is over and reports whether it belongs to the
// stream at all.
func (b *Buffer) late(now time.Time, timestamp uint32) bool {
	if b.lateRun++; b.lateRun >= maxLateRun {
		return false
	}
	b.stats.Late++
	b.observe(now, b.place(timestamp))
	return true
}

// place returns where the audio of a timestamp begins, in samples.
func (b *Buffer) place(timestamp uint32) int64 {
	change := int32(timestamp - b.stamp)
	ticks := b.ticks + int64(change)
	if change > 0 {
		b.stamp, b.ticks = timestamp, ticks
	}
	return ticks * int64(b.cfg.Rate) / int64(b.cfg.Clock)
}

func (b *Buffer) observe(now time.Time, pos int64) {
	at := now.Sub(b.epoch)
	b.arrival.note(passage{at: at, transit: at - b.duration(pos)})
}

// skip gives up what waits before seq.
func (b *Buffer) skip(seq uint16) {
	for ; b.next != seq; b.next++ {
		if p := b.store.get(b.next); p != nil {
			b.store.drop(p)
			b.stats.Removed += uint64(b.frame)
		}
	}
	b.playing = false
}

// Delay returns how long the sample that Read gives next has waited, compared with
// the earliest packets of the last seconds.
func (b *Buffer) Delay() time.Duration {
	if !b.playing {
		return 0
	}
	return b.now - b.arrival.earliest - b.duration(b.head())
}

// Target returns how late a packet may come and still be played.
func (b *Buffer) Target() time.Duration { return b.target() }

// Due returns when the packet that is played next should be read: then it may be
// as late as Target, and its samples wait no longer than that. A reader that has a
// clock of its own and starts it then saves up to 20 ms. It reports false when
// nothing waits.
func (b *Buffer) Due() (time.Time, bool) {
	p := b.store.first(b.next)
	if p == nil {
		return time.Time{}, false
	}
	return b.epoch.Add(b.due(p)), true
}

func (b *Buffer) due(p *packet) time.Duration {
	return b.arrival.earliest + b.duration(p.pos) + b.target()
}

// Jitter returns how late packets come: see Arrival.Lateness.
func (b *Buffer) Jitter() time.Duration { return b.arrival.Lateness() }

// Noise reports whether there is comfort noise to play, now or behind what waits.
func (b *Buffer) Noise() bool { return b.noise.on }

// Stats returns what was counted since New or Reset.
func (b *Buffer) Stats() Stats { return b.stats }

// duration returns how long samples last.
func (b *Buffer) duration(samples int64) time.Duration {
	return time.Duration(samples) * time.Second / time.Duration(b.cfg.Rate)
}

// samples returns how many samples last d.
func (b *Buffer) samples(d time.Duration) int {
	return int(d * time.Duration(b.cfg.Rate) / time.Second)
}
