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
// returns their records, for who has to tell applications.
func (s *Store) CloseUnfinished(ctx context.Context, at time.Time) ([]core.CDR, error) {
	var closed []core.CDR
	err := inTx(ctx, s.db, func(tx *sql.Tx) error {
		legs, err := unfinished(ctx, tx)
		if err != nil {
			return err
		}
		for _, last := range legs {
			if err := s.interrupt(ctx, tx, last, at); err != nil {
				return &core.Error{Op: "close", Leg: last.Leg, Err: err}
			}
			r, err := scanCDR(tx.QueryRowContext(ctx, selectCDR+`WHERE leg = $1`, last.Leg))
			if err != nil {
				return err
			}
			closed = append(closed, r)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store.CloseUnfinished: %w", err)
	}
	return closed, nil
}

// unfinished returns the last entry of every leg without an end. Its number is
// that of the last change, also of one that a long history left out.
func unfinished(ctx context.Context, tx *sql.Tx) ([]core.LegEntry, error) {
	rows, err := tx.QueryContext(ctx, `SELECT leg, seq, history, app, answered_us IS NOT NULL FROM cdrs WHERE ended_us IS NULL`)
	if err != nil {
		return nil, err
	}
	return collect(rows, func() (core.LegEntry, error) {
		var leg core.LegID
		var seq int
		var text, app string
		var answered bool
		if err := rows.Scan(&leg, &seq, &text, &app, &answered); err != nil {
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
		last.Seq, last.App, last.Answered = seq, app, answered
		return last, nil
	})
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
