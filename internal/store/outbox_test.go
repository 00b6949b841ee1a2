package store_test

import (
	"slices"
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/store"
)

func TestOutbox(t *testing.T) {
	contract(t, func(t sub, open func(store.Key) (*store.Store, error)) {
		s := mustOpen(t, open, store.NewKey())
		check := func(want ...core.OutboxEntry) {
			t.Helper()
			if got, err := s.Outbox(t.Context()); err != nil || !slices.Equal(got, want) {
				t.Errorf("%v, %v, want %v", got, err, want)
			}
		}
		check()
		a, b, c := core.OutboxEntry{ID: 1 << 50, Body: `{"n":1}`}, core.OutboxEntry{ID: 1<<50 + 1, Body: "ü"}, core.OutboxEntry{ID: 7, Body: "{}"}
		for _, change := range []struct {
			add    []core.OutboxEntry
			remove []int64
		}{
			{[]core.OutboxEntry{b, a}, nil},
			{[]core.OutboxEntry{c, {ID: a.ID, Body: "other"}}, []int64{b.ID, 99}}, // what is there stays, what is not need not go
		} {
			if err := s.ChangeOutbox(t.Context(), change.add, change.remove); err != nil {
				t.Fatal(err)
			}
		}
		check(c, a)
	})
}
