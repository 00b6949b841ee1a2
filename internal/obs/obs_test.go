package obs

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLoggerFormats(t *testing.T) {
	for _, tc := range []struct {
		level, format string
		json          bool
		lines         int
	}{
		{"info", "auto", true, 2}, // a buffer is no terminal
		{"info", "json", true, 2},
		{"debug", "text", false, 3},
		{"error", "text", false, 1},
	} {
		var out bytes.Buffer
		log, err := NewLogger(&out, tc.level, tc.format)
		if err != nil {
			t.Fatal(err)
		}
		log.Debug("a")
		log.Info("b", "call", "c1", "leg", "l1")
		log.Error("c")
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != tc.lines {
			t.Errorf("%s/%s: %d lines, want %d", tc.level, tc.format, len(lines), tc.lines)
		}
		if got := json.Valid([]byte(lines[0])); got != tc.json {
			t.Errorf("%s/%s: JSON %v in %q", tc.level, tc.format, got, lines[0])
		}
	}
	for _, bad := range [][2]string{{"loud", "text"}, {"info", "xml"}} {
		if _, err := NewLogger(io.Discard, bad[0], bad[1]); err == nil {
			t.Errorf("%v accepted", bad)
		}
	}
}

func TestDurationsAreReadable(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		log, err := NewLogger(&out, "info", format)
		if err != nil {
			t.Fatal(err)
		}
		log.Info("draining", "limit", 90*time.Second)
		FlushLog(log)
		if !strings.Contains(out.String(), "1m30s") {
			t.Errorf("%s: %s", format, out.String())
		}
	}
}

func TestTerminalGetsText(t *testing.T) {
	tty, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a character device too, and always there
	if err != nil {
		t.Fatal(err)
	}
	if !isTerminal(tty) {
		t.Error("a character device is not taken for a terminal")
	}
	if err := tty.Close(); err != nil {
		t.Error(err)
	}
}

func TestMetrics(t *testing.T) {
	m := NewMetrics("v1")
	var calls atomic.Uint64
	m.Gauge("legs", "Living legs.", Labels{"edge": "sip"}, func() float64 { return 3 })
	m.Gauge("legs", "Living legs.", Labels{"edge": "browser"}, func() float64 { return 2 })
	m.Gauges("trunk_up", "Trunks.", "trunk", func() map[string]float64 { return map[string]float64{"a": 1, "b": 0} })
	m.Counter("calls_total", "Calls offered.", nil, calls.Load)
	calls.Add(7)
	ring := NewHistogram("ring_seconds", "Ringing.", time.Second, 10*time.Second)
	m.Histogram(ring)
	ring.Took(2 * time.Second)

	rec := httptest.NewRecorder()
	m.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	for _, want := range []string{
		`offhook_legs{edge="sip"} 3`, `offhook_legs{edge="browser"} 2`, `offhook_trunk_up{trunk="a"} 1`, `offhook_trunk_up{trunk="b"} 0`, "\noffhook_calls_total 7",
		`offhook_ring_seconds_bucket{le="1"} 0`, `offhook_ring_seconds_bucket{le="10"} 1`, `offhook_ring_seconds_sum 2`,
		"# TYPE offhook_calls_total counter", `offhook_build_info{version="v1"} 1`, "go_goroutines", "process_resident_memory_bytes",
	} {
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}
