package store_test

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/store"
	"github.com/offhook/offhook/internal/store/sqlite"
)

// BenchmarkAppend writes whole legs of five entries, 20 legs in a transaction,
// and reports the time of one leg.
func BenchmarkAppend(b *testing.B) {
	s, err := sqlite.Open(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "bench.db"), store.NewKey())
	if err != nil {
		b.Fatal(err)
	}
	kinds := []core.ChangeKind{core.ChangeBegan, core.ChangeRinging, core.ChangeAnswered, core.ChangeBridged, core.ChangeEnded}
	const legs = 20
	batch := make([]core.LegEntry, 0, legs*len(kinds))
	round := 0
	for b.Loop() {
		batch = batch[:0]
		for i := range legs {
			for seq, kind := range kinds {
				batch = append(batch, entry(core.LegID(fmt.Sprintf("%d-%d", round, i)), seq+1, kind, seq))
			}
		}
		if _, err := s.Append(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		round++
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*legs), "us/leg")
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkAppendCall writes calls of two legs as they come at a low rate: the
// beginning in one transaction, the end in another.
func BenchmarkAppendCall(b *testing.B) {
	s, err := sqlite.Open(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "bench.db"), store.NewKey())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		one, two := core.LegID(rand.Text()), core.LegID(rand.Text())
		for _, batch := range [][]core.LegEntry{{
			entry(one, 1, core.ChangeBegan, 0), entry(two, 1, core.ChangeBegan, 0),
			entry(two, 2, core.ChangeRinging, 0), entry(one, 2, core.ChangeRinging, 0),
			entry(two, 3, core.ChangeAnswered, 0), entry(one, 3, core.ChangeAnswered, 0),
			entry(two, 4, core.ChangeBridged, 0), entry(one, 4, core.ChangeBridged, 0),
		}, {
			entry(one, 5, core.ChangeEnded, 1), entry(two, 5, core.ChangeEnded, 1),
		}} {
			if _, err := s.Append(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}
