package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// CDR is a call detail record: the history of one leg in one row.
type CDR struct {
	Leg       core.LegID
	Call      core.CallID // the call it was in at the end
	Edge      core.Edge
	Direction core.Direction
	From, To  core.Party
	Begun     time.Time
	Answered  time.Time     // zero if it never was
	Ended     time.Time     // zero while it lives
	Talk      time.Duration // from Answered to Ended
	Cause     core.Cause
	Reason    core.Reason
	Code      int // SIP status that ended an unanswered leg, 0 if none
	// Interrupted marks a leg that was alive when the program was killed: Ended
	// is the next start, and Talk is what the log proves, the real time is longer.
	Interrupted bool
}

const selectCDR = `SELECT leg, call, edge, direction, from_user, from_trunk, from_number, from_name,
	to_user, to_trunk, to_number, to_name, begun_us, answered_us, ended_us, talk_us, cause, reason, code, interrupted FROM cdrs `

// CDR returns the record of one leg; an unknown leg is NotFound.
func (s *Store) CDR(ctx context.Context, leg core.LegID) (CDR, error) {
	r, err := scanCDR(s.db.QueryRowContext(ctx, selectCDR+`WHERE leg = $1`, leg))
	return r, notFound("store.CDR", "leg", err)
}

// RecentCDRs returns the records of the legs that began last, the newest first,
// at most limit (1 to 1000).
func (s *Store) RecentCDRs(ctx context.Context, limit int) ([]CDR, error) {
	rows, err := s.db.QueryContext(ctx, selectCDR+`ORDER BY begun_us DESC, leg LIMIT $1`, min(max(limit, 1), 1000))
	if err != nil {
		return nil, fmt.Errorf("store.RecentCDRs: %w", err)
	}
	records, err := collect(rows, func() (CDR, error) { return scanCDR(rows) })
	if err != nil {
		return nil, fmt.Errorf("store.RecentCDRs: %w", err)
	}
	return records, nil
}

// CDRQuery selects call detail records, the newest first.
type CDRQuery struct {
	// Limit is how many at most, 1 to 1000.
	Limit int
	// BeforeTime and BeforeLeg are Begun and Leg of the last record of the page
	// before; the zero Time is the first page.
	BeforeTime time.Time
	BeforeLeg  core.LegID
	// User, if not zero, is who called or was called.
	User core.UserID
}

// CDRs returns one page of records. Records that begin while pages are read come
// before the first page and disturb none.
func (s *Store) CDRs(ctx context.Context, q CDRQuery) ([]CDR, error) {
	before := int64(math.MaxInt64)
	if !q.BeforeTime.IsZero() {
		before = q.BeforeTime.UnixMicro()
	}
	rows, err := s.db.QueryContext(ctx, selectCDR+`WHERE (begun_us < $1 OR begun_us = $1 AND leg > $2) AND ($3 = '' OR from_user = $3 OR to_user = $3)
		ORDER BY begun_us DESC, leg LIMIT $4`, before, q.BeforeLeg, q.User.String(), min(max(q.Limit, 1), 1000))
	if err != nil {
		return nil, fmt.Errorf("store.CDRs: %w", err)
	}
	records, err := collect(rows, func() (CDR, error) { return scanCDR(rows) })
	if err != nil {
		return nil, fmt.Errorf("store.CDRs: %w", err)
	}
	return records, nil
}

func scanCDR(row interface{ Scan(...any) error }) (CDR, error) {
	var r CDR
	var from, to party
	var edge, direction, reason string
	var begun, talk int64
	var answered, ended sql.NullInt64
	err := row.Scan(&r.Leg, &r.Call, &edge, &direction, &from.User, &from.Trunk, &from.Number, &from.Name,
		&to.User, &to.Trunk, &to.Number, &to.Name, &begun, &answered, &ended, &talk, &r.Cause, &reason, &r.Code, &r.Interrupted)
	if err != nil {
		return CDR{}, err
	}
	r.Edge, r.Direction, r.Reason = parseWord[core.Edge](edge), parseWord[core.Direction](direction), parseWord[core.Reason](reason)
	r.From, r.To = from.party(), to.party()
	r.Begun, r.Answered, r.Ended = time.UnixMicro(begun), orZero(answered), orZero(ended)
	r.Talk = time.Duration(talk) * time.Microsecond
	return r, nil
}

func orZero(us sql.NullInt64) time.Time {
	if !us.Valid {
		return time.Time{}
	}
	return time.UnixMicro(us.Int64)
}
