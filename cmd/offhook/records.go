package main

import (
	"context"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/events"
	"github.com/offhook/offhook/internal/store"
)

// appRecords shows applications the records of their legs as they are now: a change
// is in the store half a second after it is told.
type appRecords struct {
	store *store.Store
	bus   *events.Bus
}

// AppLeg returns the record of a leg of an application, NotFound of any other.
func (r appRecords) AppLeg(ctx context.Context, app string, leg core.LegID) (core.CDR, error) {
	if record, err := r.store.AppLeg(ctx, app, leg); err == nil && !record.Ended.IsZero() {
		return record, nil // it does not change any more
	}
	if err := r.bus.Flush(ctx); err != nil {
		return core.CDR{}, err
	}
	return r.store.AppLeg(ctx, app, leg)
}

// AppLegs returns one page of records, and how many there are on all pages.
func (r appRecords) AppLegs(ctx context.Context, q core.AppLegQuery) ([]core.CDR, int, error) {
	if err := r.bus.Flush(ctx); err != nil {
		return nil, 0, err
	}
	return r.store.AppLegs(ctx, q)
}

// houseStore shows the house records as they are now. If what waits cannot be written
// within logTime it shows those that are in the store.
type houseStore struct {
	*store.Store
	bus *events.Bus
}

// CDR implements native.Store.
func (s houseStore) CDR(ctx context.Context, leg core.LegID) (core.CDR, error) {
	if record, err := s.Store.CDR(ctx, leg); err == nil && !record.Ended.IsZero() {
		return record, nil // it does not change any more
	}
	s.settle(ctx)
	return s.Store.CDR(ctx, leg)
}

// CDRs implements native.Store.
func (s houseStore) CDRs(ctx context.Context, q core.CDRQuery) ([]core.CDR, error) {
	s.settle(ctx)
	return s.Store.CDRs(ctx, q)
}

func (s houseStore) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, logTime)
	defer cancel()
	_ = s.bus.Flush(ctx) // the bus logs what it cannot write
}

// liveEvents lets the API follow the bus.
type liveEvents struct{ bus *events.Bus }

// Subscribe implements native.Events.
func (l liveEvents) Subscribe(buffer int) (entries <-chan core.LegEntry, end func()) {
	s := l.bus.Subscribe(buffer)
	return s.C(), s.Close
}
