package record

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
)

// Poster takes events for the exchange; Post never blocks.
type Poster interface{ Post(ev core.Event) error }

// Media lets a recording hear. All calls return at once.
type Media interface {
	Attach(leg core.LegID, p media.Path)
	Detach(leg core.LegID)
	Do(row core.Hear)
}

// Index knows the recordings; *store.Store is one.
type Index interface {
	PutRecording(ctx context.Context, r core.Recording) error
	Recording(ctx context.Context, app, file string) (core.Recording, error)
	UnfinishedRecordings(ctx context.Context) ([]core.Recording, error)
	OldRecordings(ctx context.Context, before time.Time, limit int) ([]core.Recording, error)
	RemoveRecording(ctx context.Context, file string) error
}

// Listener is told when a file can be fetched. It returns at once.
type Listener interface {
	// Recorded tells of a recording.
	Recorded(r core.Recording)
	// Transcribed tells of the text of a recording, with the ID of that.
	Transcribed(text core.Recording)
}

// Transcriber writes down what is said in a WAV file. It ends with ctx.
type Transcriber interface {
	Transcribe(ctx context.Context, language string, wav []byte) ([]Sentence, error)
}

// Config is what New needs. All but Transcriber, Keep, MaxTime and Log are required.
type Config struct {
	Media    Media
	Post     Poster
	Index    Index
	Blobs    Blobs
	Listener Listener
	// Transcriber is nil if there is none: then nobody is told of a text.
	Transcriber Transcriber
	// Keep is how long files are kept. Default 30 days.
	Keep time.Duration
	// MaxTime ends a recording that nothing else ends. Default 4h.
	MaxTime time.Duration
	Log     *slog.Logger // nil discards
}

// Recorder carries out the exchange's commands to record.
type Recorder struct {
	cfg     Config
	running sync.WaitGroup
	ctx     context.Context //nolint:containedctx // ends what runs beside recordings; Close cancels it
	stop    context.CancelFunc
	texts   chan struct{} // a place for each text that is being made
	dropped atomic.Uint64
	failed  atomic.Uint64

	mu     sync.Mutex // guards what follows
	closed bool
	live   map[core.RecordingID]*recording
}

// Stats are counters of a Recorder.
type Stats struct {
	Recordings int
	Dropped    uint64 // frames of 20 ms that the disk was too slow for
	Failed     uint64 // recordings that ended by an error
}

// New returns a Recorder that needs Start. Close ends it.
func New(cfg Config) *Recorder {
	cfg.Keep = cmp.Or(cfg.Keep, 30*24*time.Hour)
	cfg.MaxTime = cmp.Or(cfg.MaxTime, 4*time.Hour)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	r := &Recorder{cfg: cfg, texts: make(chan struct{}, maxTexts), live: make(map[core.RecordingID]*recording)}
	r.ctx, r.stop = context.WithCancel(context.Background())
	return r
}

// Start completes what a killed program left and begins to delete what is too old.
// The Listener is told from now on. Call it once, before the first recording.
func (r *Recorder) Start(ctx context.Context) error {
	if err := r.complete(ctx); err != nil {
		return err
	}
	r.running.Go(r.sweep)
	return nil
}

// Do carries out Record, SetRecord and StopRecord and returns at once.
func (r *Recorder) Do(cmd core.MediaCommand) {
	switch cmd := cmd.(type) {
	case core.Record:
		r.begin(cmd)
	case core.SetRecord:
		if it := r.find(cmd.ID); it != nil {
			it.hear(cmd.Channels)
		}
	case core.StopRecord:
		if it := r.find(cmd.ID); it != nil {
			it.end()
		}
	}
}

func (r *Recorder) find(id core.RecordingID) *recording {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live[id]
}

// begin lets a recording hear from now on; its file is made meanwhile.
func (r *Recorder) begin(cmd core.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.live[cmd.ID] != nil || len(cmd.Channels) == 0 || len(cmd.Channels) > maxChannels {
		r.post(core.RecordEnded{ID: cmd.ID, Leg: cmd.Leg})
		return
	}
	it := newRecording(r, cmd)
	r.live[cmd.ID] = it
	it.hear(cmd.Channels)
	r.running.Go(it.run)
}

// ended forgets a recording that hears nothing any more, and tells the exchange.
func (r *Recorder) ended(it *recording) {
	r.mu.Lock()
	delete(r.live, it.meta.ID)
	r.mu.Unlock()
	r.post(core.RecordEnded{ID: it.meta.ID, Leg: it.meta.Leg})
}

// Close ends all recordings and waits until their files are complete.
func (r *Recorder) Close() {
	r.mu.Lock()
	r.closed = true
	for _, it := range r.live {
		it.end()
	}
	r.mu.Unlock()
	r.stop()
	r.running.Wait()
}

// Stats returns the counters.
func (r *Recorder) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Stats{Recordings: len(r.live), Dropped: r.dropped.Load(), Failed: r.failed.Load()}
}

// Open opens a file of an application; NotFound if it has none of that name.
func (r *Recorder) Open(ctx context.Context, app, file string) (io.ReadSeekCloser, core.Recording, error) {
	meta, err := r.cfg.Index.Recording(ctx, app, file)
	if err != nil {
		return nil, core.Recording{}, err
	}
	content, size, err := r.cfg.Blobs.Open(FileName(meta))
	if errors.Is(err, fs.ErrNotExist) {
		err = &core.Error{Op: "record.Open", Kind: core.NotFound, Err: err}
	}
	if err != nil {
		return nil, core.Recording{}, err
	}
	meta.Size = size
	return content, meta, nil
}

func (r *Recorder) post(ev core.Event) {
	if err := r.cfg.Post.Post(ev); err != nil {
		r.cfg.Log.Debug("event not taken", "event", fmt.Sprintf("%T", ev), "error", err)
	}
}

// FileName is the name of a recording's file, with an ending for its kind.
func FileName(r core.Recording) string {
	switch r.ContentType {
	case typeOgg:
		return r.File + ".ogg"
	case typeJSON:
		return r.File + ".json"
	}
	return r.File + ".wav"
}

// The content types of files.
const (
	typeWAV  = "audio/wav"
	typeOgg  = "audio/ogg"
	typeJSON = "application/json"
)
