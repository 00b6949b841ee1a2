// Package obs is how a node is watched: its log and its metrics. Other packages
// keep plain counters and are handed a logger; cmd connects both here. Log lines
// about a call, a leg or a SIP dialog carry it in the attribute "call", "leg" or
// "dialog" (Call-ID).
package obs

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

// NewLogger returns a logger that writes to w. Level is debug, info, warn or
// error; format is text, json, or auto: text if w is a terminal. As JSON, what is less
// than a warning is written a moment later, with what else was logged: FlushLog must be
// called before the program ends.
func NewLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	var options slog.HandlerOptions
	var least slog.Level
	if err := least.UnmarshalText([]byte(strings.ToUpper(level))); err != nil {
		return nil, fmt.Errorf("obs.NewLogger: %w", err)
	}
	options.Level = least
	switch {
	case format == "json" || format == "auto" && !isTerminal(w):
		options.ReplaceAttr = durationText
		out := newLines(w)
		return slog.New(gathering{slog.NewJSONHandler(out, &options), out}), nil
	case format == "text" || format == "auto":
		options.ReplaceAttr = shortTime
		return slog.New(slog.NewTextHandler(w, &options)), nil
	}
	return nil, fmt.Errorf("obs.NewLogger: format %q is none of auto, text, json", format)
}

// shortTime leaves the time of day: who reads a terminal knows the date.
func shortTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		a.Value = slog.StringValue(a.Value.Time().Format("15:04:05.000"))
	}
	return a
}

// durationText writes durations as the configuration does, 1m30s, and not in
// nanoseconds.
func durationText(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// isTerminal reports whether w is a character device.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
