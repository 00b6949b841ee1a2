package media

import (
	"fmt"

	"github.com/offhook/offhook/internal/media/codec"
)

const (
	// maxClips bounds what is kept encoded: more than all sounds in all codecs.
	maxClips = 256
	// maxClipBytes bounds their payloads: an hour and a half of G.711.
	maxClipBytes = 48 << 20
)

// clipKey names a sound as some listeners get it.
type clipKey struct {
	content
	coding

	frame int // samples of a packet at speechRate
}

// clip is a sound in packets. Each is encoded when the first listener gets there
// and kept: a thousand callers who hear ringback cost one encoder, and that only
// for its first round.
type clip struct {
	frames [][]byte
	total  int // of frames when complete
	frame  int // samples of a packet
	source source
	enc    codec.Encoder // nil when complete
}

// clips makes and keeps them. It belongs to the player's goroutine.
type clips struct {
	sources sources
	pool    *codec.Pool
	kept    map[clipKey]*clip
	bytes   int // of payloads since kept was cleared
	pcm     [2 * speechRate * 60 / 1000]int16
	buf     [MaxPayload]byte
}

// open returns the clip of what is played in format f.
func (c *clips) open(what content, f Format) (*clip, error) {
	key := clipKey{what, f.coding().shared(), samplesOf(f)}
	if kept, ok := c.kept[key]; ok {
		return kept, nil
	}
	from, err := c.sources.open(what, c.sources.rate(what, f.Codec), 0)
	if err != nil {
		return nil, err
	}
	enc, err := key.encoder(c.pool, from.rate)
	if err != nil {
		return nil, fmt.Errorf("media: sound: %w", err)
	}
	if len(c.kept) >= maxClips || c.bytes >= maxClipBytes {
		clear(c.kept) // who plays one still has it
		c.bytes = 0
	}
	made := &clip{source: from, enc: enc, frame: key.frame * from.rate / speechRate}
	made.total = (from.length + made.frame - 1) / made.frame
	if from.endless { // a packet that is not full would be a gap at each round
		made.total = max(1, from.length/made.frame)
	}
	c.kept[key] = made
	return made, nil
}

// payload returns the payload of packet n, false behind the end. An empty one is
// a packet that could not be encoded.
func (c *clips) payload(p *clip, n int) ([]byte, bool) {
	if p.source.endless {
		n %= p.total
	}
	if n >= p.total {
		return nil, false
	}
	for len(p.frames) <= n {
		pcm := c.pcm[:p.frame]
		p.source.read(pcm)
		size, err := p.enc.Encode(c.buf[:], pcm)
		if err != nil {
			size = 0
		}
		p.frames = append(p.frames, append([]byte(nil), c.buf[:size]...))
		c.bytes += size
	}
	return p.frames[n], true
}

// finish gives back the encoder of a clip that is complete.
func (c *clips) finish(p *clip, k Codec) {
	if p.enc != nil && len(p.frames) == p.total {
		c.pool.PutEncoder(k, p.source.rate, p.enc)
		p.enc, p.source.read = nil, nil
	}
}
