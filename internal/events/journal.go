package events

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/outage"
)

// Journal is a Log in front of another. Entries are safe from the end of the
// process once they are in its file, which costs one write; the log behind, a
// database, gets them together a moment later. What a killed process had not
// passed on is passed on by OpenJournal at the next start.
type Journal struct {
	log     Log
	logger  *slog.Logger
	trouble *outage.Watch // of log

	mu      sync.Mutex // guards the fields below
	files   [2]*os.File
	current int             // of files: where entries go; the other is empty or being passed on
	size    int64           // of the current file
	buf     []byte          // spare
	waiting []core.LegEntry // what the current file holds
	spare   []core.LegEntry // empty, for the next waiting
	held    int             // entries in both files

	due     *time.Timer        // fires when waiting has gathered
	hurry   chan chan struct{} // from Flush; run closes what it gets when it has passed all on
	stop    chan struct{}      // closed by Close
	over    chan struct{}      // closed when run has returned
	stopped chan error         // gets what Close returns
}

const (
	// together is how long entries gather for the log behind. A transaction costs
	// as much as several calls bring to it; who reads records asks for Flush before.
	together = 500 * time.Millisecond
	// maxHeld is how many entries may wait while the log behind fails.
	maxHeld = maxVital
)

// OpenJournal makes or opens the journal in folder and passes on to log what an
// earlier process left there. It belongs to one process at a time.
func OpenJournal(ctx context.Context, folder string, log Log, logger *slog.Logger) (*Journal, error) {
	j := &Journal{
		log: log, logger: logger, trouble: outage.New(logger, "changes of legs wait in the journal for the database"),
		due: time.NewTimer(together), hurry: make(chan chan struct{}),
		stop: make(chan struct{}), over: make(chan struct{}), stopped: make(chan error, 1),
	}
	err := j.open(folder)
	if err == nil {
		err = j.recover(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("events.OpenJournal: %w", errors.Join(err, j.closeFiles()))
	}
	go j.run() //nolint:contextcheck // ctx is for opening only
	return j, nil
}

func (j *Journal) open(folder string) (err error) {
	for i, name := range [len(j.files)]string{"legs-1.journal", "legs-2.journal"} {
		j.files[i], err = os.OpenFile(filepath.Join(folder, name), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator's own folder
		if err != nil {
			return err
		}
	}
	return nil
}

func (j *Journal) closeFiles() error {
	var errs []error
	for _, f := range j.files {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// recover passes on what is in the files. What the log has already, it ignores.
func (j *Journal) recover(ctx context.Context) error {
	var left []core.LegEntry
	for _, f := range j.files {
		entries, bad, err := readEntries(f)
		if err != nil { // the write during which the process was killed: nobody was told of it
			j.logger.Warn("the end of a journal is not whole", "file", f.Name(), "error", err)
		}
		if len(bad) > 0 {
			j.logger.Error("entries of a journal are damaged and are left out", "file", f.Name(), "entries", len(bad), "error", bad[0])
		}
		left = append(left, entries...)
	}
	// Either file may be the older one.
	slices.SortStableFunc(left, func(a, b core.LegEntry) int { return cmp.Compare(a.Seq, b.Seq) })
	for batch := range slices.Chunk(left, maxBatch) {
		if err := j.pass(ctx, batch); err != nil {
			return err
		}
	}
	return errors.Join(j.files[0].Truncate(0), j.files[1].Truncate(0))
}

// pass gives entries to the log behind. If it does not take them together, those are
// left out that it does not take alone either, as long as it works at all.
func (j *Journal) pass(ctx context.Context, batch []core.LegEntry) error {
	if _, err := j.log.Append(ctx, batch); err == nil {
		return nil
	}
	for _, e := range batch {
		_, err := j.log.Append(ctx, []core.LegEntry{e})
		if err == nil {
			continue
		}
		if _, broken := j.log.Append(ctx, nil); broken != nil {
			return broken
		}
		j.logger.Error("an entry of a journal is left out", "leg", string(e.Leg), "seq", e.Seq, "error", err)
	}
	return nil
}

// readEntries reads a journal, a line for each entry. Lines that are none are bad;
// err is about one that has no end.
func readEntries(r io.Reader) (entries []core.LegEntry, bad []error, err error) {
	for lines := bufio.NewReader(r); ; {
		line, end := lines.ReadBytes('\n')
		var e core.LegEntry
		switch err := json.Unmarshal(line, &e); {
		case err == nil:
			entries = append(entries, e)
		case end == nil:
			bad = append(bad, err)
		case len(line) > 0:
			return entries, bad, err
		}
		if errors.Is(end, io.EOF) {
			return entries, bad, nil
		}
		if end != nil {
			return entries, bad, end
		}
	}
}

// errBehind says that the log behind fails for so long that nothing more is taken.
var errBehind = errors.New("too many entries wait for the log behind")

// Append implements Log.
func (j *Journal) Append(_ context.Context, entries []core.LegEntry) (ignored int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.held+len(entries) > maxHeld {
		return 0, errBehind
	}
	j.buf = j.buf[:0]
	for i := range entries {
		if j.buf, err = appendLine(j.buf, &entries[i]); err != nil {
			return 0, fmt.Errorf("events: journal: %w", err)
		}
	}
	f := j.files[j.current]
	n, err := f.WriteAt(j.buf, j.size)
	if err != nil { // the next one must not follow half a line
		return 0, fmt.Errorf("events: journal: %w", errors.Join(err, f.Truncate(j.size)))
	}
	if len(j.waiting) == 0 {
		j.due.Reset(together)
	}
	j.size += int64(n)
	j.waiting = append(j.waiting, entries...)
	j.held += len(entries)
	return 0, nil
}

// Close passes on what waits and closes the files. What the log behind does not
// take stays in them for the next start. Append must not be called any more.
func (j *Journal) Close() error {
	close(j.stop)
	return <-j.stopped
}

// Flush returns when everything that was appended before is in the log behind.
func (j *Journal) Flush(ctx context.Context) error {
	if err := ask(ctx, j.hurry, j.over); err != nil {
		return fmt.Errorf("events: journal: %w", err)
	}
	return nil
}

// Trouble says why the log behind takes nothing just now, nil if it does.
func (j *Journal) Trouble() error { return j.trouble.Err() }

func (j *Journal) run() {
	defer j.due.Stop()
	defer close(j.over)
	var err error
	for closing := false; !closing && err == nil; {
		var asked chan struct{}
		select {
		case <-j.due.C:
		case asked = <-j.hurry:
		case <-j.stop:
			closing = true
		}
		if err = j.passOn(); asked != nil {
			close(asked)
		}
	}
	j.stopped <- errors.Join(err, j.closeFiles())
}

// passOn gives the log behind what waits, however often that has to be tried. It
// fails only if the journal is being closed; then the file keeps it.
func (j *Journal) passOn() error {
	batch, file := j.turn()
	if len(batch) == 0 {
		return nil
	}
	for part := range slices.Chunk(batch, maxBatch) {
		if err := j.passOnPart(part); err != nil {
			return fmt.Errorf("events: %d changes wait in the journal for the next start: %w", len(batch), err)
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.held -= len(batch)
	if cap(batch) <= maxSpare {
		clear(batch) // of what it points to
		j.spare = batch[:0]
	}
	if err := file.Truncate(0); err != nil { // a start finds entries again that the log has, and ignores
		j.logger.Error("a journal cannot be emptied", "file", file.Name(), "error", err)
	}
	return nil
}

// turn takes what waits and lets new entries go to the other file.
func (j *Journal) turn() ([]core.LegEntry, *os.File) {
	j.mu.Lock()
	defer j.mu.Unlock()
	batch, file := j.waiting, j.files[j.current]
	if len(batch) > 0 {
		j.waiting, j.spare, j.size, j.current = j.spare, nil, 0, 1-j.current
	}
	return batch, file
}

func (j *Journal) passOnPart(part []core.LegEntry) error {
	for {
		closing := isClosed(j.stop)
		ignored, err := j.log.Append(context.Background(), part)
		j.trouble.Report(err)
		switch {
		case err == nil && ignored > 0:
			j.logger.Warn("leg events ignored by the log", "count", ignored)
			return nil
		case err == nil || closing:
			return err
		}
		pause(retry, j.stop)
	}
}
