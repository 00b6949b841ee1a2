package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// CloseUnfinished ends, in log and records, every leg that began and has no
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
		for _, e := range legs {
			e.At = at
			if err := interrupt(ctx, tx, e); err != nil {
				return &core.Error{Op: "close", Leg: e.Leg, Err: err}
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("store.CloseUnfinished: %w", err)
	}
	return len(legs), nil
}

// unfinished returns the last change of every leg without an end, made into its
// end, but for the time.
func unfinished(ctx context.Context, tx *sql.Tx) ([]core.LegEntry, error) {
	rows, err := tx.QueryContext(ctx, `SELECT leg, seq, body FROM leg_events
		WHERE (leg, seq) IN (SELECT leg, MAX(seq) FROM leg_events
			WHERE leg IN (SELECT leg FROM cdrs WHERE ended_us IS NULL) GROUP BY leg)`)
	if err != nil {
		return nil, err
	}
	return collect(rows, func() (core.LegEntry, error) {
		var e core.LegEntry
		var text string
		var leg core.LegID
		if err := rows.Scan(&leg, &e.Seq, &text); err != nil {
			return e, err
		}
		var b body
		if err := json.Unmarshal([]byte(text), &b); err != nil {
			return e, err
		}
		e.Seq++
		e.LegChange = b.change()
		e.Leg, e.Kind, e.Cause, e.Peer = leg, core.ChangeEnded, core.CauseTempFailure, ""
		return e, nil
	})
}

// interrupt writes the end e of a leg. The talk time goes to the leg's last
// entry before it, which is all that is known.
func interrupt(ctx context.Context, tx *sql.Tx, e core.LegEntry) error {
	text, err := json.Marshal(toBody(e.LegChange))
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE cdrs SET ended_us = $2, cause = $3, reason = $4, interrupted = 1,
			talk_us = COALESCE((SELECT MAX(at_us) FROM leg_events WHERE leg_events.leg = $1) - answered_us, 0)
		WHERE leg = $1`, e.Leg, e.At.UnixMicro(), e.Cause, e.Reason.String()); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO leg_events (leg, seq, at_us, kind, body) VALUES ($1, $2, $3, $4, $5)`,
		e.Leg, e.Seq, e.At.UnixMicro(), e.Kind.String(), string(text))
	return err
}
