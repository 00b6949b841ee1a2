package media

import (
	"errors"
	"fmt"
	"math"
	"weak"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/media/resample"
	"github.com/offhook/offhook/internal/media/tone"
)

// Files gets the sounds of files and URLs.
type Files interface {
	// Open hands done, once, the sound of that name, or the reason why there is
	// none: before it returns if that is at hand, else later on another goroutine.
	// It never blocks. The sound stays the callee's and does not change: one that
	// has changed is another one.
	Open(name string, done func(*file.PCM, error))
}

// Speaker makes speech of text.
type Speaker interface {
	// Speak hands done, once, what a SoundSpeech sounds like, or why there is
	// nothing: before it returns if that is at hand, else later on another goroutine. It
	// never blocks. What it hands out does not change; 8000 or 16000 Hz cost least.
	// Loop, Level and No of the Sound mean nothing to it.
	Speak(sound core.Sound, done func(*file.PCM, error))
}

var (
	errNoSound  = errors.New("no such sound")
	errNoFiles  = errors.New("media: files are not played here")
	errNoSpeech = errors.New("text to speech is not installed")
)

// content is what is played: a plain sound, and the samples of one that is a file or
// speech. A file that has changed is other content of the same name.
type content struct {
	sound core.Sound
	pcm   weak.Pointer[file.PCM]
}

// plain returns what makes s sound as it does: two that are plainly the same share
// what is made of them. Loop is LoopForever if it is repeated, else 0.
func plain(s core.Sound) core.Sound {
	p := core.Sound{Kind: s.Kind, Name: s.Name, Level: max(-10, min(10, s.Level))}
	if s.Loop > 1 {
		p.Loop = core.LoopForever
	}
	return p
}

// source makes the samples of a sound.
type source struct {
	rate    int
	length  int           // in samples, until it repeats or ends
	endless bool          // and repeats
	read    func([]int16) // fills it with the next samples
}

// sources makes sources.
type sources struct {
	prompt func(string) (file.PCM, bool)
}

// rate returns the rate that serves codec k best, and not above what the sound has.
func (s sources) rate(what content, k Codec) int {
	if pcm := what.pcm.Value(); pcm != nil {
		return max(speechRate, min(mixRate(k), pcm.Rate))
	}
	return speechRate
}

// open returns a source at rate that begins with sample from of the sound.
func (s sources) open(what content, rate, from int) (source, error) {
	made, err := s.make(what, rate, from)
	if level := what.sound.Level; err == nil && level != 0 {
		made.read = louder(made.read, level)
	}
	return made, err
}

func (s sources) make(what content, rate, from int) (source, error) {
	repeated := what.sound.Loop != 0
	switch name := what.sound.Name; what.sound.Kind {
	case core.SoundRingback:
		return ofTone(tone.Of(name).Ringback, 1, rate, from), nil
	case core.SoundBusy:
		// A round of busy tone is a second: several of them are one clip, so that its
		// end falls on the end of a packet.
		return ofTone(tone.Of(name).Busy, 4, rate, from), nil
	case core.SoundHold:
		music := tone.NewMusic(rate)
		music.Seek(from)
		return source{rate: rate, length: music.Length(), endless: true, read: music.Read}, nil
	case core.SoundBeep:
		beep := ofTone(tone.Beep(), 1, rate, from)
		beep.endless = repeated
		return beep, nil
	case core.SoundPrompt:
		if pcm, ok := s.prompt(name); ok {
			return ofPCM(pcm, rate, from, repeated), nil
		}
		return source{}, fmt.Errorf("media: prompt %q: %w", name, errNoSound)
	case core.SoundFile, core.SoundMusic, core.SoundSpeech:
		if pcm := what.pcm.Value(); pcm != nil && len(pcm.Samples) > 0 {
			return ofPCM(*pcm, rate, from, repeated || what.sound.Kind == core.SoundMusic), nil
		}
	case core.SoundNone:
	}
	return source{}, fmt.Errorf("media: sound %d: %w", what.sound.Kind, errNoSound)
}

func ofTone(cadence []tone.Burst, rounds, rate, from int) source {
	generator, length := tone.NewGenerator(cadence, rate), rounds*tone.Length(cadence, rate)
	generator.Read(make([]int16, from%length)) // a few seconds at most
	return source{rate: rate, length: length, endless: true, read: generator.Read}
}

// ofPCM plays samples at a rate, once with silence behind, or again and again.
func ofPCM(pcm file.PCM, rate, from int, endless bool) source {
	from = from * pcm.Rate / rate
	if endless {
		from %= len(pcm.Samples)
	}
	var (
		convert = resample.New(pcm.Rate, rate)
		left    = pcm.Samples[min(from, len(pcm.Samples)):]
		ready   []int16
	)
	return source{
		rate: rate, length: len(pcm.Samples) * rate / pcm.Rate, endless: endless,
		read: func(out []int16) {
			for len(ready) < len(out) {
				if len(left) == 0 && endless {
					left = pcm.Samples
				}
				block := left[:min(len(left), len(out))]
				left = left[len(block):]
				if len(block) == 0 {
					block = make([]int16, len(out))
				}
				ready = convert.Append(ready, block)
			}
			ready = ready[:copy(ready, ready[copy(out, ready):])]
		},
	}
}

// louder changes what read gives by level, -10 to 10: each step is 2 dB, and -10 is
// silence. What gets louder than full scale stays at full scale.
func louder(read func([]int16), level int8) func([]int16) {
	const one = 1 << 12
	gain := int32(math.Round(one * math.Pow(10, float64(level)/10)))
	if level <= -10 {
		gain = 0
	}
	return func(pcm []int16) {
		read(pcm)
		for i, s := range pcm {
			pcm[i] = int16(max(math.MinInt16, min(math.MaxInt16, int32(s)*gain/one)))
		}
	}
}
