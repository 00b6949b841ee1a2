package obs

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// writes keeps what is written, one string for each system call that it would be.
type writes struct {
	mu   sync.Mutex
	list []string
}

func (w *writes) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, string(b))
	return len(b), nil
}

// take returns the lines of each write since the last call.
func (w *writes) take() (lines []int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.list {
		lines = append(lines, strings.Count(s, "\n"))
	}
	w.list = nil
	return lines
}

// TestLinesAreWrittenTogether: within linesWait, and at once with a warning, which comes
// after all that was logged before it.
func TestLinesAreWrittenTogether(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(log *slog.Logger)
		want string
	}{
		{"two lines of a moment", func(log *slog.Logger) {
			log.Info("a")
			log.With("leg", "1").Info("b")
			time.Sleep(linesWait)
			synctest.Wait()
		}, "[2]"},
		{"two lines of two moments", func(log *slog.Logger) {
			log.Info("a")
			time.Sleep(linesWait)
			synctest.Wait()
			log.WithGroup("g").Info("b")
			time.Sleep(linesWait)
			synctest.Wait()
		}, "[1 1]"},
		{"a warning", func(log *slog.Logger) { log.Info("a"); log.With("leg", "1").Warn("b") }, "[2]"},
		{"an error alone", func(log *slog.Logger) { log.Error("b") }, "[1]"},
		{"at the end", func(log *slog.Logger) { log.Info("a"); FlushLog(log.With("leg", "1")); FlushLog(log) }, "[1]"},
		{"nothing", func(log *slog.Logger) { FlushLog(log); time.Sleep(time.Minute) }, "[]"},
		{"below the level", func(log *slog.Logger) { log.Debug("a"); FlushLog(log) }, "[]"},
		{"more than there is room for", func(log *slog.Logger) {
			log.Info("a", "long", strings.Repeat("a", linesRoom))
			log.Info("b")
			FlushLog(log)
		}, "[1 1]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &writes{}
				log, err := NewLogger(w, "info", "json")
				if err != nil {
					t.Fatal(err)
				}
				tc.do(log)
				if got := fmt.Sprint(w.take()); got != tc.want {
					t.Errorf("lines of each write: %s, want %s", got, tc.want)
				}
			})
		})
	}
}

// TestLinesStayInOrder: of one goroutine, whoever writes them.
func TestLinesStayInOrder(t *testing.T) {
	w := &writes{}
	log, err := NewLogger(w, "info", "json")
	if err != nil {
		t.Fatal(err)
	}
	const each = 500
	var wg sync.WaitGroup
	for who := range 4 {
		wg.Go(func() {
			for i := range each {
				log.Info("line", "who", who, "i", i)
				if i%50 == who {
					FlushLog(log)
				}
			}
		})
	}
	wg.Wait()
	FlushLog(log)
	all := strings.Join(w.list, "")
	for who := range 4 {
		at := 0
		for i := range each {
			line := fmt.Sprintf(`"who":%d,"i":%d}`, who, i)
			n := strings.Index(all[at:], line)
			if n < 0 {
				t.Fatalf("line %d of %d is missing, or before the one before it", i, who)
			}
			at += n + len(line)
		}
	}
}

// BenchmarkLog is a line such as a call writes.
func BenchmarkLog(b *testing.B) {
	log, err := NewLogger(io.Discard, "info", "json")
	if err != nil {
		b.Fatal(err)
	}
	log = log.With("leg", "0b1d9a8e-0000-4000-8000-123412341234")
	b.ReportAllocs()
	for b.Loop() {
		log.Info("outgoing call", "call", "0b1d9a8e-0000-4000-8000-123412341235", "to", "sip:alice@192.0.2.1:5060", "from", "12995550100")
	}
	FlushLog(log)
}
