package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// AppLeg returns the record of a leg of an application. An unknown leg, and one
// that is not the application's, is NotFound.
func (s *Store) AppLeg(ctx context.Context, app string, leg core.LegID) (core.CDR, error) {
	const op = "store.AppLeg"
	r, err := s.CDR(ctx, leg)
	if err == nil && (r.App != app || app == "") {
		return core.CDR{}, &core.Error{Op: op, Kind: core.NotFound, Err: errors.New("leg is unknown")}
	}
	return r, err
}

// appLegsWhere selects what core.AppLegQuery does.
const appLegsWhere = `WHERE app = $1 AND app <> '' AND ($2 = '' OR status = $2) AND ($3 = '' OR call = $3) AND begun_us >= $4 AND begun_us <= $5`

// AppLegs returns one page of the records of an application's legs, and how many
// there are on all pages.
func (s *Store) AppLegs(ctx context.Context, q core.AppLegQuery) (page []core.CDR, total int, err error) {
	const op = "store.AppLegs"
	args := []any{q.App, q.Status, q.Call, micros(q.Since, 0), micros(q.Until, math.MaxInt64)}
	if err := s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM cdrs `+appLegsWhere, args...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", op, err)
	}
	order := "ASC"
	if q.Desc {
		order = "DESC"
	}
	rows, err := s.db.QueryContext(ctx, selectCDR+appLegsWhere+` ORDER BY begun_us `+order+`, leg `+order+` LIMIT $6 OFFSET $7`,
		append(args, min(max(q.Limit, 1), 1000), max(q.Offset, 0))...)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", op, err)
	}
	page, err = collect(rows, func() (core.CDR, error) { return scanCDR(rows) })
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", op, err)
	}
	return page, total, nil
}

// micros returns t in microseconds since 1970, otherwise for the zero Time.
func micros(t time.Time, otherwise int64) int64 {
	if t.IsZero() {
		return otherwise
	}
	return t.UnixMicro()
}
