package sounds

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/outward"
)

const (
	// maxMemory bounds the samples that are kept, in bytes: an hour and a half at
	// 16 kHz. What is played meanwhile stays with who plays it.
	maxMemory = 160 << 20
	// maxNames bounds the names that are remembered, failures included.
	maxNames = 512
	// maxLoads bounds how many sounds are got at the same time.
	maxLoads = 4
	// queueTime is how long a sound may wait for its turn.
	queueTime = time.Minute
	// getTime is how long it may take until all bytes of a URL are there.
	getTime = 10 * time.Second
	// decodeTime is how long decoding may take: MP3 goes 50 times faster than it
	// plays, on one slow core.
	decodeTime = time.Minute
	// askTime is how long listeners wait to hear whether a sound that was there has
	// changed; then they get it as it was.
	askTime = time.Second
	// retryAfter is how long a sound that failed is not tried again.
	retryAfter = 10 * time.Second
)

// Errors of Open.
var (
	ErrClosed = errors.New("closed")
	ErrBusy   = errors.New("too many sounds are asked for at once")
)

// Config says where sounds come from.
type Config struct {
	// Folder holds the files. It may be missing.
	Folder string
	// Hosts are the names, addresses and networks (10.1.0.0/16) that URLs may lead
	// to although they are not public.
	Hosts []string
	// Own says that a URL may lead to a host with that port although it is not
	// public: the operator has named it elsewhere. Nil allows none.
	Own func(hostPort string) bool
	// Instead names files of Folder that are played in place of URLs.
	Instead map[string]string
	// Log gets what an operator should know. Nil discards.
	Log *slog.Logger
}

// Library keeps sounds. It is safe for concurrent use.
type Library struct {
	log     *slog.Logger
	folder  folder
	instead map[string]string
	web     *web
	getTime time.Duration
	loads   chan struct{} // a token for each load
	decodes chan struct{} // a token: decoding takes a core

	ctx  context.Context //nolint:containedctx // ends the loads; Close cancels it
	stop func()
	wg   sync.WaitGroup

	mu     sync.Mutex // guards what follows
	closed bool
	kept   map[string]*entry
}

// entry is one name.
type entry struct {
	pcm     *file.PCM // nil if there is none, or none any more
	mark    mark      // of pcm
	err     error     // why the last try failed
	fresh   time.Time // until when the entry is believed
	used    time.Time
	loading bool
	slow    bool // it takes longer than askTime
	waiting []func(*file.PCM, error)
}

// mark tells a version of a sound from others. It is the origin's: time and size
// of a file, validators of HTTP.
type mark struct{ tag, modified string }

// answer is what an origin says of a sound.
type answer struct {
	pcm  *file.PCM // nil if it is still the one of the mark
	mark mark
	life time.Duration // for which it need not be asked again
}

// New returns an empty Library. Close ends it.
func New(c Config) (*Library, error) {
	g, err := outward.NewGuard("media.sound_hosts", c.Hosts)
	if err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	l := &Library{
		log: c.Log, folder: folder(c.Folder), instead: c.Instead, web: newWeb(g.With(c.Own)), getTime: getTime,
		loads: make(chan struct{}, maxLoads), decodes: make(chan struct{}, 1), kept: make(map[string]*entry),
	}
	ctx, stop := context.WithCancelCause(context.Background())
	l.ctx, l.stop = ctx, func() { stop(ErrClosed) }
	return l, nil
}

// Close ends all loads and waits for them; who waits for a sound gets an error.
func (l *Library) Close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.stop()
	l.wg.Wait()
}

// Open hands done, once, the sound of a file's name or of a URL, or the reason
// why there is none: before it returns if that is known, else later on a goroutine
// of the Library. It never blocks. The sound must not be changed; one that has
// changed at its origin is another one.
func (l *Library) Open(name string, done func(*file.PCM, error)) {
	if file, ok := l.instead[name]; ok {
		name = file
	}
	if o, known := l.open(name, done); known {
		done(o.pcm, o.err)
	}
}

// outcome is what done gets.
type outcome struct {
	pcm *file.PCM
	err error
}

// open returns what is known of a sound, or sees to it that done gets it.
func (l *Library) open(name string, done func(*file.PCM, error)) (o outcome, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return outcome{err: fmt.Errorf("sounds: %s: %w", display(name), ErrClosed)}, true
	}
	now := time.Now()
	e := l.kept[name]
	if e == nil {
		if !l.makeRoomLocked() {
			return outcome{err: fmt.Errorf("sounds: %s: %w", display(name), ErrBusy)}, true
		}
		e = new(entry)
		l.kept[name] = e
	}
	e.used = now
	if !e.loading && now.Before(e.fresh) || e.slow && e.pcm != nil {
		return outcome{e.pcm, e.err}, true
	}
	e.waiting = append(e.waiting, done)
	if !e.loading {
		e.loading = true
		old := e.mark
		l.wg.Go(func() { l.load(name, e, old) })
	}
	return outcome{}, false
}

// makeRoomLocked lets a name be added, and reports whether there was any to drop.
func (l *Library) makeRoomLocked() bool {
	if len(l.kept) < maxNames {
		return true
	}
	oldest := l.oldestLocked(func(*entry) bool { return true })
	delete(l.kept, oldest)
	return oldest != ""
}

// oldestLocked returns the name that nobody has used for longest, of those that
// are not loading and that fit, "" if there is none.
func (l *Library) oldestLocked(fits func(*entry) bool) string {
	oldest := ""
	for name, e := range l.kept {
		if !e.loading && fits(e) && (oldest == "" || e.used.Before(l.kept[oldest].used)) {
			oldest = name
		}
	}
	return oldest
}

// load gets a sound and tells all who wait for it.
func (l *Library) load(name string, e *entry, old mark) {
	impatient := time.AfterFunc(askTime, func() { l.answerOld(e) })
	a, err := l.get(name, old)
	impatient.Stop()
	l.mu.Lock()
	e.settle(name, a, err, l.log)
	l.shrinkLocked(e)
	waiting, pcm, err := e.waiting, e.pcm, e.err
	e.waiting, e.loading, e.slow = nil, false, false
	l.mu.Unlock()
	for _, done := range waiting {
		done(pcm, err)
	}
}

// answerOld gives those who wait for news of a sound the one that was there.
func (l *Library) answerOld(e *entry) {
	l.mu.Lock()
	if !e.loading || e.pcm == nil {
		l.mu.Unlock()
		return
	}
	waiting, pcm := e.waiting, e.pcm
	e.waiting, e.slow = nil, true
	l.mu.Unlock()
	for _, done := range waiting {
		done(pcm, nil)
	}
}

// settle notes how a load ended. A server that is in trouble does not take away
// what was got from it before.
func (e *entry) settle(name string, a answer, err error, log *slog.Logger) {
	now := time.Now()
	switch {
	case err == nil:
		e.err, e.mark, e.fresh = nil, a.mark, now.Add(a.life)
		if a.pcm != nil {
			e.pcm = a.pcm
		}
	case e.pcm != nil && isURL(name) && !errors.Is(err, errRefused):
		e.fresh = now.Add(retryAfter)
		log.Warn("a sound cannot be asked for again and is played as it was", "error", err)
	default:
		*e = entry{err: err, fresh: now.Add(retryAfter), used: e.used, waiting: e.waiting}
	}
}

// shrinkLocked drops the sounds that nobody has used for longest until the others
// and latest fit into memory.
func (l *Library) shrinkLocked(latest *entry) {
	total := 0
	for _, e := range l.kept {
		total += e.size()
	}
	for total > maxMemory {
		name := l.oldestLocked(func(e *entry) bool { return e != latest && e.pcm != nil })
		if name == "" {
			return
		}
		total -= l.kept[name].size()
		delete(l.kept, name)
	}
}

func (e *entry) size() int {
	if e.pcm == nil {
		return 0
	}
	return 2 * cap(e.pcm.Samples)
}

// get asks the origin of a sound.
func (l *Library) get(name string, old mark) (a answer, err error) {
	if err := take(l.ctx, l.loads); err != nil {
		return answer{}, fmt.Errorf("sounds: %s: %w", display(name), err)
	}
	defer func() { <-l.loads }()
	if isURL(name) {
		ctx, cancel := context.WithTimeout(l.ctx, l.getTime)
		defer cancel()
		a, err = l.web.get(ctx, name, old, l.decode)
	} else {
		a, err = l.folder.get(name, old, l.decode)
	}
	if err != nil {
		return answer{}, fmt.Errorf("sounds: %s: %w", display(name), err)
	}
	return a, nil
}

// take takes a token when there is one.
func take(ctx context.Context, tokens chan struct{}) error {
	ctx, cancel := context.WithTimeoutCause(ctx, queueTime, ErrBusy)
	defer cancel()
	select {
	case tokens <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func isURL(name string) bool { return strings.Contains(name, "://") }
