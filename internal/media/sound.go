package media

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
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

const (
	// patience is how long a listener hears nothing while his music is got: a tone
	// for a blink would be worse. After that he hears ringback.
	patience = 500 * time.Millisecond
	// failedFor is how long an announcement lasts that cannot be played: who repeats
	// it does not spin.
	failedFor = time.Second
)

var (
	errNoSound = errors.New("no such sound")
	errNoFiles = errors.New("media: files are not played here")
)

// search is a file or URL on its way to a listener.
type search struct {
	begun time.Time
	found atomic.Pointer[finding] // nil until it is known
}

// finding is how a search ended.
type finding struct {
	pcm *file.PCM
	err error
}

// find begins to get a file or URL.
func find(files Files, name string, now time.Time) *search {
	s := &search{begun: now}
	if files == nil {
		s.found.Store(&finding{err: errNoFiles})
		return s
	}
	files.Open(name, func(pcm *file.PCM, err error) { s.found.Store(&finding{pcm, err}) })
	return s
}

// content is what is played: a sound, and the samples of one that is a file. A
// file that has changed is other content of the same name.
type content struct {
	sound core.Sound
	pcm   weak.Pointer[file.PCM]
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

// open returns a source at the rate that serves codec k best, and not above what
// the sound has.
func (s sources) open(what content, k Codec) (source, error) {
	switch name := what.sound.Name; what.sound.Kind {
	case core.SoundRingback:
		return ofTone(tone.Of(name).Ringback, 1), nil
	case core.SoundBusy:
		// A round of busy tone is a second: several of them are one clip, so that its
		// end falls on the end of a packet.
		return ofTone(tone.Of(name).Busy, 4), nil
	case core.SoundHold:
		music := tone.NewMusic(speechRate)
		return source{rate: speechRate, length: music.Length(), endless: true, read: music.Read}, nil
	case core.SoundPrompt:
		pcm, ok := s.prompt(name)
		if !ok {
			return source{}, fmt.Errorf("media: prompt %q: %w", name, errNoSound)
		}
		return ofPCM(pcm, speechRate, false), nil
	case core.SoundFile, core.SoundMusic:
		if pcm := what.pcm.Value(); pcm != nil {
			return ofPCM(*pcm, min(mixRate(k), pcm.Rate), what.sound.Kind == core.SoundMusic), nil
		}
	case core.SoundNone:
	}
	return source{}, fmt.Errorf("media: sound %d: %w", what.sound.Kind, errNoSound)
}

func ofTone(cadence []tone.Burst, rounds int) source {
	return source{
		rate: speechRate, length: rounds * tone.Length(cadence, speechRate), endless: true,
		read: tone.NewGenerator(cadence, speechRate).Read,
	}
}

// ofPCM plays samples at a rate, once with silence behind, or again and again.
func ofPCM(pcm file.PCM, rate int, endless bool) source {
	var (
		convert = resample.New(pcm.Rate, rate)
		left    = pcm.Samples
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
