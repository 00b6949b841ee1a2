package exchange

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// ladder writes the last entries of the log for people: the time, who reported
// what, and indented what was ordered. Legs are called by the order they began. What
// happens over and over is told once.
func (w *world) ladder(entries int) string {
	names := &script{names: map[core.LegID]core.LegID{}}
	for i, l := range w.legs {
		kind := "in"
		if l.outbound {
			kind = "out"
		}
		names.names[l.Leg] = core.LegID(fmt.Sprintf("%s%d", kind, i+1))
	}
	for i, l := range w.wires {
		names.names[l.Leg] = core.LegID(fmt.Sprintf("wire%d", i+1))
	}
	longestFirst := slices.SortedFunc(maps.Keys(names.names), func(a, b core.LegID) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) // caller-1 is part of caller-10
	})
	var b strings.Builder
	start := time.Unix(1e9, 0)
	log := w.log
	for len(log) > 2*entries && fmt.Sprint(log[len(log)-entries:]) == fmt.Sprint(log[len(log)-2*entries:len(log)-entries]) {
		log = log[:len(log)-entries]
	}
	for _, entry := range log[max(0, len(log)-2*entries):] {
		switch entry := entry.(type) {
		case time.Time:
			fmt.Fprintf(&b, "%8.2fs ", entry.Sub(start).Seconds())
		case core.Publish:
			fmt.Fprintf(&b, "%12s* %s\n", "", names.change(entry.Change))
		case core.Ring:
			fmt.Fprintf(&b, "%12s> ring %s at %s%s%s for %s\n", "", names.name(entry.Leg),
				entry.Target.Contact, entry.Target.Number, entry.Target.URI, names.name(entry.Caller.Leg))
		case core.Command:
			fmt.Fprintf(&b, "%12s> %s\n", "", names.line(entry))
		case core.Event:
			text := strings.TrimPrefix(fmt.Sprintf("%T%+v", entry, entry), "core.")
			for _, id := range longestFirst {
				text = strings.ReplaceAll(text, string(id), string(names.names[id]))
			}
			fmt.Fprintf(&b, "%s\n", text)
		}
	}
	return b.String()
}
