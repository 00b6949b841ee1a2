package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"

	"github.com/offhook/offhook/internal/core"
)

const selectCDR = `SELECT leg, call, edge, direction, from_user, from_trunk, from_number, from_name,
	to_user, to_trunk, to_number, to_name, begun_us, answered_us, ended_us, talk_us, cause, reason, code, interrupted, silence, diagnosis, quality,
	app, hook_url, hook_method, headers, status FROM cdrs `

// CDR returns the record of one leg; an unknown leg is NotFound.
func (s *Store) CDR(ctx context.Context, leg core.LegID) (core.CDR, error) {
	r, err := scanCDR(s.db.QueryRowContext(ctx, selectCDR+`WHERE leg = $1`, leg))
	return r, notFound("store.CDR", "leg", err)
}

// CDRs returns one page of records. Records that begin while pages are read come
// before the first page and disturb none.
func (s *Store) CDRs(ctx context.Context, q core.CDRQuery) ([]core.CDR, error) {
	before := int64(math.MaxInt64)
	if !q.BeforeTime.IsZero() {
		before = q.BeforeTime.UnixMicro()
	}
	rows, err := s.db.QueryContext(ctx, selectCDR+`WHERE (begun_us < $1 OR begun_us = $1 AND leg > $2) AND ($3 = '' OR from_user = $3 OR to_user = $3)
		ORDER BY begun_us DESC, leg LIMIT $4`, before, q.BeforeLeg, q.User.String(), min(max(q.Limit, 1), 1000))
	if err != nil {
		return nil, fmt.Errorf("store.CDRs: %w", err)
	}
	records, err := collect(rows, func() (core.CDR, error) { return scanCDR(rows) })
	if err != nil {
		return nil, fmt.Errorf("store.CDRs: %w", err)
	}
	return records, nil
}

func scanCDR(row interface{ Scan(...any) error }) (core.CDR, error) {
	var r core.CDR
	var from, to party
	var edge, direction, reason, quality, headers string
	var begun, talk int64
	var answered, ended sql.NullInt64
	err := row.Scan(&r.Leg, &r.Call, &edge, &direction, &from.User, &from.Trunk, &from.Number, &from.Name,
		&to.User, &to.Trunk, &to.Number, &to.Name, &begun, &answered, &ended, &talk, &r.Cause, &reason, &r.Code, &r.Interrupted, &r.Silence, &r.Diagnosis, &quality,
		&r.App, &r.Hook.URL, &r.Hook.Method, &headers, &r.Status)
	if err == nil {
		r.Headers, err = decodeHeaders(headers)
	}
	if err != nil {
		return core.CDR{}, err
	}
	r.Edge, r.Direction, r.Reason = parseWord[core.Edge](edge), parseWord[core.Direction](direction), parseWord[core.Reason](reason)
	r.From, r.To = from.party(), to.party()
	r.Begun, r.Answered, r.Ended = time.UnixMicro(begun), orZero(answered), orZero(ended)
	r.Talk = time.Duration(talk) * time.Microsecond
	r.Quality = decodeQuality(quality)
	return r, nil
}

func orZero(us sql.NullInt64) time.Time {
	if !us.Valid {
		return time.Time{}
	}
	return time.UnixMicro(us.Int64)
}
