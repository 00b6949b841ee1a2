package speech

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/file"
)

const (
	// maxMemory bounds the samples that are kept in memory, in bytes: more than half
	// an hour at 16 kHz. What is played meanwhile stays with who plays it.
	maxMemory = 64 << 20
	// maxWaiting bounds the texts that are spoken or wait for their turn.
	maxWaiting = 256
)

// Errors of Speak.
var (
	ErrClosed = errors.New("closed")
	ErrBusy   = errors.New("too many texts are to be spoken at once")
	errSlow   = errors.New("takes too long")
)

// SpeakerConfig says what a Speaker works with.
type SpeakerConfig struct {
	// Engine speaks; nil leaves the recorded announcements and digits.
	Engine Engine
	// Folder keeps what was spoken for the next start, DiskBytes of it. "" keeps
	// nothing.
	Folder    string
	DiskBytes int64
	// Parallel is how many texts are spoken at once. Default 4.
	Parallel int
	// Timeout bounds how long a text may take. Default 20s.
	Timeout time.Duration
	// Log gets what an operator should know. Nil discards.
	Log *slog.Logger
}

// Speaker speaks texts and keeps what was spoken. It is safe for concurrent use.
type Speaker struct {
	cfg   SpeakerConfig
	disk  *disk
	turns chan struct{} // a token for each text that is being spoken

	ctx  context.Context //nolint:containedctx // ends what is being spoken; Close cancels it
	stop context.CancelCauseFunc
	wg   sync.WaitGroup

	mu     sync.Mutex // guards what follows
	closed bool
	kept   map[spokenKey]*spoken
	bytes  int // of samples in kept
	busy   int // texts that are not finished
}

// spokenKey tells two things to say apart.
type spokenKey struct{ engine, voice, language, text string }

// spoken is a text in memory, or one that is under way.
type spoken struct {
	pcm     *file.PCM // nil while it is under way
	used    time.Time
	waiting []func(*file.PCM, error)
}

// NewSpeaker returns a Speaker that has spoken nothing yet. Close ends it.
func NewSpeaker(cfg SpeakerConfig) *Speaker {
	cfg.Parallel = cmp.Or(cfg.Parallel, 4)
	cfg.Timeout = cmp.Or(cfg.Timeout, 20*time.Second)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Speaker{
		cfg: cfg, disk: openDisk(cfg.Folder, cfg.DiskBytes, cfg.Log), turns: make(chan struct{}, cfg.Parallel),
		kept: make(map[spokenKey]*spoken),
	}
	s.ctx, s.stop = context.WithCancelCause(context.Background())
	return s
}

// Close ends what is being spoken and waits for it; who waits for a text gets an
// error.
func (s *Speaker) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop(ErrClosed)
	s.wg.Wait()
}

// Speak hands done, once, the text of a sound as speech, or the reason why there
// is none: before it returns if that is known, else later on a goroutine of the
// Speaker. It never blocks. The sound must not be changed.
func (s *Speaker) Speak(sound core.Sound, done func(*file.PCM, error)) {
	if pcm, err := s.ask(sound, done); pcm != nil || err != nil {
		done(pcm, err)
	}
}

// ask returns what is known, or sees to it that done gets it.
func (s *Speaker) ask(sound core.Sound, done func(*file.PCM, error)) (*file.PCM, error) {
	key := spokenKey{language: cmp.Or(sound.Language, defaultLanguage), text: sound.Name}
	if e := s.cfg.Engine; e != nil {
		key.engine = e.Name()
		key.voice = e.Voice(Voice{Language: sound.Language, Style: int(sound.Style), Name: sound.Voice})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	entry := s.kept[key]
	switch {
	case s.closed:
		return nil, fmt.Errorf("speech: %w", ErrClosed)
	case entry == nil && s.busy >= maxWaiting:
		return nil, fmt.Errorf("speech: %w", ErrBusy)
	case entry == nil:
		entry = new(spoken)
		s.kept[key] = entry
		s.busy++
		s.wg.Go(func() { s.make(key, entry) })
	}
	entry.used = time.Now()
	if entry.pcm != nil {
		return entry.pcm, nil
	}
	entry.waiting = append(entry.waiting, done)
	return nil, nil
}

// make speaks a text and tells all who wait for it.
func (s *Speaker) make(key spokenKey, entry *spoken) {
	began := time.Now()
	pcm, err := s.render(key)
	if err != nil && !errors.Is(err, ErrClosed) {
		s.cfg.Log.Debug("a text cannot be spoken", "engine", key.engine, "voice", key.voice, "characters", len(key.text), "took", time.Since(began), "error", err)
	}
	s.mu.Lock()
	waiting := entry.waiting
	entry.waiting = nil
	s.busy--
	if err != nil {
		delete(s.kept, key)
	} else {
		entry.pcm = pcm
		s.bytes += 2 * len(pcm.Samples)
		s.shrinkLocked(entry)
	}
	s.mu.Unlock()
	for _, done := range waiting {
		done(pcm, err)
	}
}

// shrinkLocked drops what was not used for longest until the rest fits. The newest
// stays.
func (s *Speaker) shrinkLocked(newest *spoken) {
	for s.bytes > maxMemory {
		var oldest spokenKey
		var found *spoken
		for key, e := range s.kept {
			if e.pcm != nil && e != newest && (found == nil || e.used.Before(found.used)) {
				oldest, found = key, e
			}
		}
		if found == nil {
			return
		}
		s.bytes -= 2 * len(found.pcm.Samples)
		delete(s.kept, oldest)
	}
}

// render waits for a turn and returns the sound of a text.
func (s *Speaker) render(key spokenKey) (*file.PCM, error) {
	runs, err := parse(key.text)
	if err != nil {
		return nil, err
	}
	if s.cfg.Engine == nil {
		return recorded(runs)
	}
	ctx, cancel := context.WithTimeoutCause(s.ctx, s.cfg.Timeout, errSlow)
	defer cancel()
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
	case <-ctx.Done():
		return nil, fmt.Errorf("speech: %w", context.Cause(ctx))
	}
	if pcm := s.disk.read(key); pcm != nil {
		return pcm, nil
	}
	pcm, err := s.speak(ctx, key, runs)
	if err != nil {
		return nil, err
	}
	s.disk.write(key, pcm)
	return pcm, nil
}

// speak lets the engine speak all runs and joins them.
func (s *Speaker) speak(ctx context.Context, key spokenKey, runs []run) (*file.PCM, error) {
	var all joined
	for _, r := range runs {
		if r.text != "" {
			pcm, err := s.cfg.Engine.Speak(ctx, Utterance{Text: r.text, Voice: key.voice, Language: key.language, Rate: r.rate, Pitch: r.pitch})
			if err != nil {
				return nil, err
			}
			all.add(pcm, gainFactor(r.gain))
		}
		all.silence(r.pause)
	}
	return all.pcm()
}
