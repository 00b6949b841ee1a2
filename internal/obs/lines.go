package obs

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	// linesWait is how long a line may wait for others before they are written
	// together, unless FlushLog comes first.
	linesWait = 100 * time.Millisecond
	// linesRoom is how many bytes may wait; who logs more writes.
	linesRoom = 64 << 10
)

// lines writes what is logged within a moment by one system call. Each tells the
// scheduler, which wakes the runtime's monitor thread; that then looks around for as
// long as the process works. One in the middle of each message cost a call more than
// formatting the line (ADR 0024).
type lines struct {
	to io.Writer

	writing sync.Mutex // held while writing, so that lines stay in order
	spare   []byte     // empty; guarded by writing

	mu  sync.Mutex // guards what follows
	buf []byte
	due *time.Timer // runs while buf has something
}

func newLines(to io.Writer) *lines {
	l := &lines{to: to}
	l.due = time.AfterFunc(time.Hour, l.flush)
	l.due.Stop()
	return l
}

// Write implements io.Writer for whole lines.
func (l *lines) Write(line []byte) (int, error) {
	if l.add(line) > linesRoom {
		l.flush()
	}
	return len(line), nil
}

// add returns how many bytes wait.
func (l *lines) add(line []byte) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.buf) == 0 {
		l.due.Reset(linesWait)
	}
	l.buf = append(l.buf, line...)
	return len(l.buf)
}

// flush returns when all that was logged before is written.
func (l *lines) flush() {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	l.due.Stop()
	out := l.buf
	l.buf = l.spare
	l.mu.Unlock()
	if len(out) > 0 {
		_, _ = l.to.Write(out) // a log that cannot be written has nobody to tell
	}
	l.spare = nil
	if cap(out) <= linesRoom {
		l.spare = out[:0]
	}
}

// gathering is a handler that writes through lines. Warnings and errors do not wait:
// they may be the last that a process says.
type gathering struct {
	slog.Handler
	lines *lines
}

// Handle implements slog.Handler.
func (g gathering) Handle(ctx context.Context, r slog.Record) error {
	err := g.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		g.lines.flush()
	}
	return err
}

// WithAttrs implements slog.Handler.
func (g gathering) WithAttrs(attrs []slog.Attr) slog.Handler {
	return gathering{g.Handler.WithAttrs(attrs), g.lines}
}

// WithGroup implements slog.Handler.
func (g gathering) WithGroup(name string) slog.Handler {
	return gathering{g.Handler.WithGroup(name), g.lines}
}

// FlushLog returns when everything that log was told before is written. It is for the
// end of the program.
func FlushLog(log *slog.Logger) {
	if g, ok := log.Handler().(gathering); ok {
		g.lines.flush()
	}
}
