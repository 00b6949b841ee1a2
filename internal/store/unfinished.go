package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// CloseUnfinished ends, in history and record, every leg that began and has no
// end: the program was killed while they lived. They end at at with
// core.CauseTempFailure. It is called once at start, before the first call, and
// returns how many there were.
func (s *Store) CloseUnfinished(ctx context.Context, at time.Time) (int, error) {
	var legs []core.LegEntry
	err := inTx(ctx, s.db, func(tx *sql.Tx) error {
		var err error
		if legs, err = unfinished(ctx, tx); err != nil {
			return err
		}
		for _, last := range legs {
			if err := interrupt(ctx, tx, last, at); err != nil {
				return &core.Error{Op: "close", Leg: last.Leg, Err: err}
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("store.CloseUnfinished: %w", err)
	}
	return len(legs), nil
}

// unfinished returns the last entry of every leg without an end. Its number is
// that of the last change, also of one that a long history left out.
func unfinished(ctx context.Context, tx *sql.Tx) ([]core.LegEntry, error) {
	rows, err := tx.QueryContext(ctx, `SELECT leg, seq, history FROM cdrs WHERE ended_us IS NULL`)
	if err != nil {
		return nil, err
	}
	return collect(rows, func() (core.LegEntry, error) {
		var leg core.LegID
		var seq int
		var text string
		if err := rows.Scan(&leg, &seq, &text); err != nil {
			return core.LegEntry{}, err
		}
		c, err := decodeHistory(leg, text)
		if err == nil && len(c) == 0 {
			err = fmt.Errorf("leg %s has no history", leg)
		}
		if err != nil {
			return core.LegEntry{}, err
		}
		last := c[len(c)-1]
		last.Seq = seq
		return last, nil
	})
}

// interrupt ends the leg whose last entry is given. The talk time goes to that
// entry, which is all that is known.
func interrupt(ctx context.Context, tx *sql.Tx, last core.LegEntry, at time.Time) error {
	end := last
	end.At, end.Seq, end.Kind, end.Cause, end.Peer, end.Slot = at, last.Seq+1, core.ChangeEnded, core.CauseTempFailure, "", ""
	text, err := encodeHistory(chapter{&end})
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE cdrs SET ended_us = $2, cause = $3, reason = $4, interrupted = 1, seq = $5, history = history || $6,
			talk_us = CASE WHEN $7 > answered_us THEN $7 - answered_us ELSE 0 END
		WHERE leg = $1`, end.Leg, at.UnixMicro(), end.Cause, end.Reason.String(), end.Seq, text, last.At.UnixMicro())
	return err
}
