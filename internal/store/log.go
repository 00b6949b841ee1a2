package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// Append writes entries to the event log and brings the call detail records up
// to date, all in one transaction, in the order given. An entry that the log has
// already, or a second begin or end of a leg, changes nothing; ignored counts
// them. If Append fails, none is written and the same entries can be given again.
func (s *Store) Append(ctx context.Context, entries []core.LegEntry) (ignored int, err error) {
	err = inTx(ctx, s.db, func(tx *sql.Tx) error {
		w := logWriter{ctx: ctx, tx: tx, log: s.log}
		for _, e := range entries {
			written, err := w.write(e)
			if err != nil {
				return &core.Error{Op: "append", Call: e.Call, Leg: e.Leg, Err: err}
			}
			if !written {
				ignored++
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("store.Append: %w", err)
	}
	return ignored, nil
}

// logText are the statements of the log.
var logText = [...]string{
	logEntry: `INSERT INTO leg_events (leg, seq, at_us, kind, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
	logBegin: `INSERT INTO cdrs (leg, call, edge, direction, from_user, from_trunk, from_number, from_name,
			to_user, to_trunk, to_number, to_name, begun_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (leg) DO NOTHING`,
	logAnswer: `UPDATE cdrs SET answered_us = $2 WHERE leg = $1 AND answered_us IS NULL AND ended_us IS NULL`,
	logMove:   `UPDATE cdrs SET call = $2 WHERE leg = $1 AND ended_us IS NULL`,
	logEnd: `UPDATE cdrs SET ended_us = $2, call = $3, cause = $4, reason = $5, code = $6,
			talk_us = CASE WHEN answered_us IS NULL OR answered_us > $2 THEN 0 ELSE $2 - answered_us END
		WHERE leg = $1`,
}

const (
	logEntry = iota
	logBegin
	logAnswer
	logMove
	logEnd
)

// logStatements are logText, prepared once: that costs as much as running them.
type logStatements [len(logText)]*sql.Stmt

func prepareLog(ctx context.Context, db *sql.DB) (*logStatements, error) {
	var l logStatements
	for i, text := range logText {
		stmt, err := db.PrepareContext(ctx, text) //nolint:sqlclosecheck // close does, in every case
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
		l[i] = stmt
	}
	return &l, nil
}

func (l *logStatements) close() error {
	var errs []error
	for _, stmt := range l {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	return errors.Join(errs...)
}

// logWriter is one Append.
type logWriter struct {
	ctx  context.Context //nolint:containedctx // a logWriter lives inside one call
	tx   *sql.Tx
	log  *logStatements
	ours logStatements // those of log that were used, in tx, which closes them
}

// exec runs a statement and reports whether it changed anything.
func (w *logWriter) exec(which int, args ...any) (changed bool, err error) {
	if w.ours[which] == nil {
		w.ours[which] = w.tx.StmtContext(w.ctx, w.log[which])
	}
	result, err := w.ours[which].ExecContext(w.ctx, args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// write adds one entry; written is false if the log had it already.
func (w *logWriter) write(e core.LegEntry) (written bool, err error) {
	body, err := json.Marshal(toBody(e.LegChange))
	if err != nil {
		return false, err
	}
	written, err = w.exec(logEntry, e.Leg, e.Seq, e.At.UnixMicro(), e.Kind.String(), string(body))
	if err != nil || !written {
		return false, err
	}
	return true, w.record(e)
}

// record applies one new log entry to the leg's call detail record.
func (w *logWriter) record(e core.LegEntry) error {
	var err error
	switch e.Kind {
	case core.ChangeBegan:
		err = w.begin(e)
	case core.ChangeAnswered:
		_, err = w.exec(logAnswer, e.Leg, e.At.UnixMicro())
	case core.ChangeEnded:
		err = w.end(e)
	case core.ChangeMoved, core.ChangeBridged: // perhaps in another call than it began in
		_, err = w.exec(logMove, e.Leg, e.Call)
	case core.ChangeRinging, core.ChangeConfirming, core.ChangeHeld, core.ChangeResumed, core.ChangeParked:
	}
	return err
}

func (w *logWriter) begin(e core.LegEntry) error {
	from, to := toParty(e.From), toParty(e.To)
	_, err := w.exec(logBegin, e.Leg, e.Call, e.Edge.String(), e.Direction.String(),
		from.User, from.Trunk, from.Number, from.Name, to.User, to.Trunk, to.Number, to.Name, e.At.UnixMicro())
	return err
}

// end completes the record. A leg whose begin was lost has none yet; it gets one
// that began and ended now.
func (w *logWriter) end(e core.LegEntry) error {
	complete := func() (known bool, err error) {
		return w.exec(logEnd, e.Leg, e.At.UnixMicro(), e.Call, e.Cause, e.Reason.String(), e.Code)
	}
	known, err := complete()
	if err != nil || known {
		return err
	}
	if err := w.begin(e); err != nil {
		return err
	}
	_, err = complete()
	return err
}

// LegEvents returns the log of one leg in order; an unknown leg has none.
func (s *Store) LegEvents(ctx context.Context, leg core.LegID) ([]core.LegEntry, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT seq, at_us, kind, body FROM leg_events WHERE leg = $1 ORDER BY seq`, leg)
	if err != nil {
		return nil, fmt.Errorf("store.LegEvents: %w", err)
	}
	entries, err := collect(rows, func() (core.LegEntry, error) {
		var e core.LegEntry
		var at int64
		var kind, text string
		if err := rows.Scan(&e.Seq, &at, &kind, &text); err != nil {
			return e, err
		}
		var b body
		if err := json.Unmarshal([]byte(text), &b); err != nil {
			return e, err
		}
		e.At = time.UnixMicro(at)
		e.LegChange = b.change()
		e.Leg = leg
		e.Kind = parseWord[core.ChangeKind](kind)
		return e, nil
	})
	if err != nil {
		return nil, fmt.Errorf("store.LegEvents: %w", err)
	}
	return entries, nil
}

// collect reads all rows with scan and closes them.
func collect[T any](rows *sql.Rows, scan func() (T, error)) ([]T, error) {
	var all []T
	for rows.Next() {
		item, err := scan()
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		all = append(all, item)
	}
	return all, errors.Join(rows.Err(), rows.Close())
}
