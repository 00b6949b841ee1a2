package media

import (
	"log/slog"
	"sync/atomic"
	"time"
	"weak"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/media/guard"
)

const (
	// patience is how long a listener hears nothing while his music is got: a tone
	// for a blink would be worse. After that he hears ringback.
	patience = 500 * time.Millisecond
	// failedFor is how long a sound lasts that should end and cannot be played: who
	// repeats it does not spin.
	failedFor = time.Second
)

// stage is what all need who play sounds to legs.
type stage struct {
	events   Events
	log      *slog.Logger
	files    Files
	speaker  Speaker
	ringback core.Sound // stands in for music
	sources  sources
	panics   guard.Panics
}

func newStage(c Config) *stage {
	return &stage{
		events: c.Events, log: c.Log, files: c.Files, speaker: c.Speaker,
		ringback: core.Sound{Kind: core.SoundRingback, Name: c.Ringback}, sources: sources{c.Prompt},
	}
}

// cue is a sound that a leg is given: it says what is to be heard of it. It belongs
// to who plays it.
type cue struct {
	leg      core.LegID
	sound    core.Sound
	search   *search   // on its way, nil when it is known
	pcm      *file.PCM // what came
	began    bool      // something of it is played
	standing bool      // something stands in for it
	ends     time.Time // of the silence in its place; zero if it has none
}

// search is a file, URL or speech on its way to a listener.
type search struct {
	begun time.Time
	found atomic.Pointer[finding] // nil until it is known
}

// finding is how a search ended.
type finding struct {
	pcm *file.PCM
	err error
}

func (s *search) end(pcm *file.PCM, err error) { s.found.Store(&finding{pcm, err}) }

// cue begins to get a sound for leg.
func (g *stage) cue(leg core.LegID, sound core.Sound, now time.Time) cue {
	c := cue{leg: leg, sound: sound}
	switch sound.Kind {
	case core.SoundFile, core.SoundMusic:
		c.search = &search{begun: now}
		if g.files == nil {
			c.search.end(nil, errNoFiles)
		} else {
			g.files.Open(sound.Name, c.search.end)
		}
	case core.SoundSpeech:
		c.search = &search{begun: now}
		if g.speaker == nil {
			c.search.end(nil, errNoSpeech)
		} else {
			g.speaker.Speak(sound, c.search.end)
		}
	case core.SoundNone, core.SoundRingback, core.SoundBusy, core.SoundPrompt, core.SoundHold, core.SoundBeep: // at hand
	}
	return c
}

// next returns what is to be played from now on, if that is news. Until a file is
// there, and if it never comes, callers who wait for music hear ringback, and others
// nothing.
func (g *stage) next(c *cue, now time.Time) (what content, news bool) {
	if c.search == nil {
		if c.began || !c.ends.IsZero() {
			return content{}, false
		}
		c.began = true
		return content{sound: plain(c.sound)}, true
	}
	found := c.search.found.Load()
	switch {
	case found == nil && c.sound.Kind == core.SoundMusic && !c.standing && now.Sub(c.search.begun) >= patience:
		return g.standIn(c)
	case found == nil:
		return content{}, false
	}
	c.search, c.began = nil, true
	if found.err != nil {
		return g.fail(c, found.err, now)
	}
	c.pcm, c.standing = found.pcm, false
	return content{plain(c.sound), weak.Make(found.pcm)}, true
}

// standIn gives ringback in place of music.
func (g *stage) standIn(c *cue) (what content, news bool) {
	c.standing = true
	return content{sound: g.ringback}, true
}

// fail reports that c cannot be played, and returns what is heard instead.
func (g *stage) fail(c *cue, err error, now time.Time) (what content, news bool) {
	g.log.Warn("a sound cannot be played", "leg", string(c.leg), "error", err)
	g.post(core.SoundFailed{Leg: c.leg, Sound: c.sound, Why: err.Error()})
	switch {
	case c.standing:
		return content{}, false // it goes on, unless it is what failed
	case c.sound.Kind == core.SoundMusic:
		return g.standIn(c)
	case c.sound.Ends():
		c.ends = now.Add(failedFor)
	}
	return content{}, false
}

// played reports the end of c.
func (g *stage) played(c *cue) { g.post(core.Played{Leg: c.leg, Sound: c.sound}) }

func (g *stage) post(ev core.Event) {
	if err := g.events.Post(ev); err != nil {
		g.log.Debug("event not taken", "error", err)
	}
}

// silenced reports whether the silence in place of c is over.
func (c *cue) silenced(now time.Time) bool { return !c.ends.IsZero() && !now.Before(c.ends) }

// rounds returns how often what c plays is played, 0 for ever.
func (c *cue) rounds() int {
	if c.standing || !c.sound.Ends() {
		return 0
	}
	return max(1, int(c.sound.Loop))
}
