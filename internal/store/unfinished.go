package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// CloseUnfinished ends, in history and record, every leg that began and has no
// end: the program was killed while they lived. They end at at with
// core.CauseTempFailure. It is called once at start, before the first call, and
// returns their records, for who has to tell applications. What cannot be read keeps
// nobody from starting: with an error of type UnreadableErrors all else is done.
func (s *Store) CloseUnfinished(ctx context.Context, at time.Time) ([]core.CDR, error) {
	var closed []core.CDR
	var bad UnreadableErrors
	err := inTx(ctx, s.db, func(tx *sql.Tx) error {
		closed, bad = nil, nil
		legs, err := unfinished(ctx, tx, &bad)
		if err != nil {
			return err
		}
		for _, last := range legs {
			if err := s.interrupt(ctx, tx, last, at); err != nil {
				return &core.Error{Op: "close", Leg: last.Leg, Err: err}
			}
			r, err := scanCDR(tx.QueryRowContext(ctx, selectCDR+`WHERE leg = $1`, last.Leg))
			if err != nil {
				bad = append(bad, fmt.Errorf("record of leg %s: %w", last.Leg, err))
				continue
			}
			closed = append(closed, r)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store.CloseUnfinished: %w", err)
	}
	if len(bad) > 0 {
		return closed, bad
	}
	return closed, nil
}

// UnreadableErrors says what of the records could not be read, a row each.
type UnreadableErrors []error

// Error implements error.
func (u UnreadableErrors) Error() string {
	return fmt.Sprintf("%d records cannot be read, the first because of: %v", len(u), u[0])
}

// unfinished returns the last entry of every leg without an end. Its number is
// that of the last change, also of one that a long history left out. Of a leg whose
// history cannot be read it is all that is known. What cannot be read goes to bad.
func unfinished(ctx context.Context, tx *sql.Tx, bad *UnreadableErrors) ([]core.LegEntry, error) {
	rows, err := tx.QueryContext(ctx, `SELECT leg, seq, history, app, answered_us IS NOT NULL FROM cdrs WHERE ended_us IS NULL`)
	if err != nil {
		return nil, err
	}
	legs, err := collect(rows, func() (core.LegEntry, error) {
		var leg core.LegID
		var seq int
		var text, app string
		var answered bool
		if err := rows.Scan(&leg, &seq, &text, &app, &answered); err != nil {
			*bad = append(*bad, err)
			return core.LegEntry{}, nil
		}
		c, err := decodeHistory(leg, text)
		if err == nil && len(c) == 0 {
			err = fmt.Errorf("leg %s has no history", leg)
		}
		last := core.LegEntry{LegChange: core.LegChange{Leg: leg}}
		if err == nil {
			last = c[len(c)-1]
		} else {
			*bad = append(*bad, err)
		}
		last.Seq, last.App, last.Answered = seq, app, answered
		return last, nil
	})
	return slices.DeleteFunc(legs, func(e core.LegEntry) bool { return e.Leg == "" }), err
}

// interrupt ends the leg whose last entry is given. The talk time goes to that
// entry, which is all that is known.
func (s *Store) interrupt(ctx context.Context, tx *sql.Tx, last core.LegEntry, at time.Time) error {
	end := last
	end.At, end.Seq, end.Kind, end.Cause, end.Peer, end.Slot = at, last.Seq+1, core.ChangeEnded, core.CauseTempFailure, "", ""
	text, err := encodeHistory(chapter{&end})
	if err != nil {
		return err
	}
	w := logWriter{status: s.status}
	_, err = tx.ExecContext(ctx, `UPDATE cdrs SET ended_us = $2, cause = $3, reason = $4, interrupted = 1, seq = $5, history = history || $6, status = CASE WHEN $8 = '' THEN status ELSE $8 END,
			talk_us = CASE WHEN $7 > answered_us THEN $7 - answered_us ELSE 0 END
		WHERE leg = $1`, end.Leg, at.UnixMicro(), end.Cause, end.Reason.String(), end.Seq, text, last.At.UnixMicro(), w.statusOf(chapter{&end}))
	return err
}
