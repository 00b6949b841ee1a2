package media

import (
	"errors"
	"fmt"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/media/tone"
)

// maxClips bounds what is kept encoded: more than all sounds in all codecs.
const maxClips = 256

// clipKey names a sound as some listeners get it.
type clipKey struct {
	sound core.Sound
	codec Codec
	frame int // samples of a packet
}

// clip is a sound in packets. Each is encoded when the first listener gets there
// and kept: a thousand callers who hear ringback cost one encoder, and that only
// for its first round.
type clip struct {
	frames  [][]byte
	total   int // of frames when complete
	endless bool
	frame   int
	source  func(pcm []int16)
	enc     codec.Encoder // nil when complete
}

// clips makes and keeps them. It belongs to the player's goroutine.
type clips struct {
	prompt func(string) (file.PCM, bool)
	pool   *codec.Pool
	kept   map[clipKey]*clip
	pcm    [speechRate * 60 / 1000]int16
	buf    [MaxPayload]byte
}

var errNoSound = errors.New("no such sound")

// open returns the clip of sound for format f.
func (c *clips) open(sound core.Sound, f Format) (*clip, error) {
	key := clipKey{sound, f.Codec, samplesOf(f)}
	if kept, ok := c.kept[key]; ok {
		return kept, nil
	}
	source, length, err := c.source(sound)
	if err != nil {
		return nil, err
	}
	enc, err := c.pool.Encoder(f.Codec, speechRate)
	if err != nil {
		return nil, fmt.Errorf("media: sound: %w", err)
	}
	if len(c.kept) >= maxClips {
		clear(c.kept) // who plays one still has it
	}
	made := &clip{
		source: source, enc: enc, frame: key.frame, total: (length + key.frame - 1) / key.frame,
		endless: sound.Kind != core.SoundPrompt,
	}
	c.kept[key] = made
	return made, nil
}

// source returns what makes the samples of a sound and how many they are, until
// it repeats or ends.
func (c *clips) source(sound core.Sound) (read func([]int16), length int, err error) {
	plan := tone.Of(sound.Name)
	switch sound.Kind {
	case core.SoundRingback:
		return tone.NewGenerator(plan.Ringback, speechRate).Read, tone.Length(plan.Ringback, speechRate), nil
	case core.SoundBusy:
		// A round of busy tone is a second: several of them are one clip, so that its
		// end falls on the end of a packet.
		const rounds = 4
		return tone.NewGenerator(plan.Busy, speechRate).Read, rounds * tone.Length(plan.Busy, speechRate), nil
	case core.SoundHold:
		music := tone.NewMusic(speechRate)
		return music.Read, music.Length(), nil
	case core.SoundPrompt:
		pcm, ok := c.prompt(sound.Name)
		if !ok || pcm.Rate != speechRate {
			return nil, 0, fmt.Errorf("media: prompt %q at %d Hz: %w", sound.Name, pcm.Rate, errNoSound)
		}
		return recording(pcm.Samples), len(pcm.Samples), nil
	case core.SoundNone, core.SoundFile, core.SoundMusic: // files and URLs are not played yet
	}
	return nil, 0, fmt.Errorf("media: sound %d: %w", sound.Kind, errNoSound)
}

// recording reads samples once; silence follows.
func recording(samples []int16) func([]int16) {
	return func(pcm []int16) {
		n := copy(pcm, samples)
		samples = samples[n:]
		clear(pcm[n:])
	}
}

// payload returns the payload of packet n, false behind the end. An empty one is
// a packet that could not be encoded.
func (c *clips) payload(p *clip, n int) ([]byte, bool) {
	if p.endless && p.total > 0 {
		n %= p.total
	}
	if n >= p.total {
		return nil, false
	}
	for len(p.frames) <= n {
		pcm := c.pcm[:p.frame]
		p.source(pcm)
		size, err := p.enc.Encode(c.buf[:], pcm)
		if err != nil {
			size = 0
		}
		p.frames = append(p.frames, append([]byte(nil), c.buf[:size]...))
	}
	return p.frames[n], true
}

// finish gives back the encoder of a clip that is complete.
func (c *clips) finish(p *clip, k Codec) {
	if p.enc != nil && len(p.frames) == p.total {
		c.pool.PutEncoder(k, speechRate, p.enc)
		p.enc, p.source = nil, nil
	}
}
