package speech

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/file"
)

// maxListening is how many parties may be listened to at once.
const maxListening = 2000

// Poster takes events for the exchange; Post never blocks.
type Poster interface{ Post(ev core.Event) error }

// Media lets a listening hear. All calls return at once.
type Media interface {
	Attach(leg core.LegID, p media.Path)
	Detach(leg core.LegID)
	Do(row core.Hear)
}

// Keeper keeps what was said as a file of an application, and names it.
type Keeper interface {
	Keep(ctx context.Context, app string, leg core.LegID, pcm file.PCM) (string, error)
}

// ListenerConfig is what NewListener needs.
type ListenerConfig struct {
	Media Media
	Post  Poster
	// Recogniser understands; without one every Listen fails at once.
	Recogniser Recogniser
	Keeper     Keeper // nil keeps nothing
	// Timeout bounds the wait for a text once somebody has spoken. Default 10s.
	Timeout time.Duration
	Log     *slog.Logger // nil discards
}

// Listener carries out the exchange's commands to recognise speech.
type Listener struct {
	cfg     ListenerConfig
	running sync.WaitGroup

	mu     sync.Mutex // guards what follows
	closed bool
	live   map[core.Turn]*listening
}

// NewListener returns a Listener. Close ends it.
func NewListener(cfg ListenerConfig) *Listener {
	cfg.Timeout = cmp.Or(cfg.Timeout, 10*time.Second)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Listener{cfg: cfg, live: make(map[core.Turn]*listening)}
}

// Do carries out Listen and StopListen and returns at once.
func (l *Listener) Do(cmd core.MediaCommand) {
	switch cmd := cmd.(type) {
	case core.Listen:
		l.begin(cmd)
	case core.StopListen:
		l.mu.Lock()
		it := l.live[cmd.Turn]
		delete(l.live, cmd.Turn)
		l.mu.Unlock()
		if it != nil {
			it.stop(errStopped)
		}
	}
}

// begin listens to a party, in place of what the same turn listened to before.
func (l *Listener) begin(cmd core.Listen) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed, l.live[cmd.Turn] != nil:
	case l.cfg.Recogniser == nil:
		l.post(core.SpeechHeard{Leg: cmd.Leg, Turn: cmd.Turn, Result: core.SpeechResult{Error: NoRecogniser}})
	case len(l.live) >= maxListening:
		l.post(core.SpeechHeard{Leg: cmd.Leg, Turn: cmd.Turn, Result: core.SpeechResult{Error: ErrBusy.Error()}})
	default:
		it := newListening(l, cmd)
		l.live[cmd.Turn] = it
		l.running.Go(it.run)
	}
}

// report tells the exchange what came of it, unless it does not want to know any
// more.
func (l *Listener) report(it *listening, result core.SpeechResult) {
	l.mu.Lock()
	wanted := l.live[it.order.Turn] == it
	if wanted {
		delete(l.live, it.order.Turn)
	}
	l.mu.Unlock()
	if wanted {
		l.post(core.SpeechHeard{Leg: it.order.Leg, Turn: it.order.Turn, Result: result})
	}
}

// Close ends all that is listened to, without a result, and waits for it.
func (l *Listener) Close() {
	l.mu.Lock()
	l.closed = true
	for turn, it := range l.live {
		it.stop(ErrClosed)
		delete(l.live, turn)
	}
	l.mu.Unlock()
	l.running.Wait()
}

func (l *Listener) post(ev core.Event) {
	if err := l.cfg.Post.Post(ev); err != nil {
		l.cfg.Log.Debug("event not taken", "event", fmt.Sprintf("%T", ev), "error", err)
	}
}
