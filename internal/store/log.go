package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/offhook/offhook/internal/core"
)

// Append writes entries to the histories of their legs and brings the call detail
// records up to date, all in one transaction. An entry that the log has already,
// or anything after the end of a leg, changes nothing; ignored counts them. If
// Append fails, none is written and the same entries can be given again.
//
// What a leg did since the last Append is one row or one change of a row: a
// statement costs more than what it writes.
func (s *Store) Append(ctx context.Context, entries []core.LegEntry) (ignored int, err error) {
	err = inTx(ctx, s.db, func(tx *sql.Tx) error {
		ignored = 0
		w := logWriter{ctx: ctx, tx: tx, log: s.log, status: s.status}
		for _, c := range chapters(entries) {
			old, err := w.write(c)
			if err != nil {
				return &core.Error{Op: "append", Call: c[0].Call, Leg: c[0].Leg, Err: err}
			}
			ignored += old
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("store.Append: %w", err)
	}
	return ignored, nil
}

// chapter is some of the entries of one leg, in order; never empty.
type chapter []*core.LegEntry

// chapters sorts entries by legs.
func chapters(entries []core.LegEntry) []chapter {
	of := make(map[core.LegID]int)
	var all []chapter
	for i := range entries {
		at, known := of[entries[i].Leg]
		if !known {
			at = len(all)
			of[entries[i].Leg] = at
			all = append(all, nil)
		}
		all[at] = append(all[at], &entries[i])
	}
	return all
}

// plausible returns c without what follows an end and without a second begin.
func (c chapter) plausible() chapter {
	if end := slices.IndexFunc(c, func(e *core.LegEntry) bool { return e.Kind == core.ChangeEnded }); end >= 0 {
		c = c[:end+1]
	}
	return append(c[:1], c[1:].after(c[0].Seq)...)
}

// after keeps the entries with higher numbers, without a begin.
func (c chapter) after(seq int) chapter {
	return slices.DeleteFunc(c, func(e *core.LegEntry) bool { return e.Seq <= seq || e.Kind == core.ChangeBegan })
}

// maxHistory is how long a history may grow, in characters, some hundred
// entries: whoever presses hold all day must not make each press dearer. Beyond
// it only the end is kept; the numbers of the entries show the gap.
const maxHistory = 16 << 10

// logText are the statements of the log. Times are null if it did not happen.
var logText = [...]string{
	logInsert: `INSERT INTO cdrs (leg, call, edge, direction, from_user, from_trunk, from_number, from_name,
			to_user, to_trunk, to_number, to_name, begun_us, answered_us, ended_us, talk_us, cause, reason, code, seq, history, silence, diagnosis, quality,
			app, hook_url, hook_method, headers, status)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)
		ON CONFLICT (leg) DO NOTHING`,
	logUpdate: `UPDATE cdrs SET call = $2, answered_us = COALESCE(answered_us, $3), ended_us = $4,
			talk_us = CASE WHEN $4 > COALESCE(answered_us, $3) THEN $4 - COALESCE(answered_us, $3) ELSE 0 END,
			cause = $5, reason = $6, code = $7, seq = $8,
			silence = CASE WHEN $12 = '' THEN silence ELSE $12 END, quality = CASE WHEN $14 = '' THEN quality ELSE $14 END, diagnosis = CASE WHEN $12 = '' THEN diagnosis ELSE $13 END,
			status = CASE WHEN $15 = '' THEN status ELSE $15 END,
			hook_url = CASE WHEN app = '' THEN $17 ELSE hook_url END, hook_method = CASE WHEN app = '' THEN $18 ELSE hook_method END,
			app = CASE WHEN app = '' THEN $16 ELSE app END,
			history = CASE WHEN length(history) < $9 OR $4 IS NOT NULL THEN history || $10 ELSE history END
		WHERE leg = $1 AND ended_us IS NULL AND seq < $11`,
	logFind: `SELECT seq, ended_us IS NOT NULL FROM cdrs WHERE leg = $1`,
}

const (
	logInsert = iota
	logUpdate
	logFind
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

	status func(core.LegChange) string // nil: no words
}

// statement returns a prepared statement inside the transaction.
func (w *logWriter) statement(which int) *sql.Stmt {
	if w.ours[which] == nil {
		w.ours[which] = w.tx.StmtContext(w.ctx, w.log[which])
	}
	return w.ours[which]
}

// exec runs a statement and reports whether it changed anything.
func (w *logWriter) exec(which int, args ...any) (changed bool, err error) {
	result, err := w.statement(which).ExecContext(w.ctx, args...) //nolint:sqlclosecheck // tx does
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// write adds a chapter and returns how many of its entries are nothing new. It
// bets on what is nearly always so, a new leg or the next chapter of a living
// one, and looks only if that fails.
func (w *logWriter) write(c chapter) (ignored int, err error) {
	all := len(c)
	c = c.plausible()
	add := w.update
	if c[0].Kind == core.ChangeBegan {
		add = w.insert
	}
	written, err := add(c)
	if err == nil && !written {
		c, err = w.writeRest(c)
	}
	return all - len(c), err
}

// writeRest adds what the log has not yet of a leg, and returns it.
func (w *logWriter) writeRest(c chapter) (chapter, error) {
	var seq int
	var over bool
	switch err := w.statement(logFind).QueryRowContext(w.ctx, c[0].Leg).Scan(&seq, &over); { //nolint:sqlclosecheck // as above
	case errors.Is(err, sql.ErrNoRows): // its begin was lost: for us it begins now
		_, err := w.insert(c)
		return c, err
	case err != nil || over:
		return nil, err
	}
	if c = c.after(seq); len(c) == 0 {
		return nil, nil
	}
	_, err := w.update(c)
	return c, err
}

// insert makes the record of a leg and reports whether there was none.
func (w *logWriter) insert(c chapter) (bool, error) {
	first, last := c[0], c[len(c)-1]
	history, err := encodeHistory(c)
	if err != nil {
		return false, err
	}
	headers, err := encodeHeaders(first.Headers)
	if err != nil {
		return false, err
	}
	o := outcomeOf(c)
	from, to := toParty(first.From), toParty(first.To)
	return w.exec(logInsert, first.Leg, last.Call, first.Edge.String(), first.Direction.String(),
		from.User, from.Trunk, from.Number, from.Name, to.User, to.Trunk, to.Number, to.Name,
		first.At.UnixMicro(), o.answered, o.ended, o.talk(), o.cause, o.reason, o.code, last.Seq, history, o.silence, o.diagnosis, o.quality,
		last.App, clean(last.Hook.URL), clean(last.Hook.Method), headers, w.statusOf(c))
}

// update goes on with the record of a living leg and reports whether it did: the
// leg must be known, alive, and not as far yet.
func (w *logWriter) update(c chapter) (bool, error) {
	first, last := c[0], c[len(c)-1]
	history, err := encodeHistory(c)
	if err != nil {
		return false, err
	}
	o := outcomeOf(c)
	return w.exec(logUpdate, first.Leg, last.Call, o.answered, o.ended, o.cause, o.reason, o.code, last.Seq, maxHistory, history, first.Seq, o.silence, o.diagnosis, o.quality, w.statusOf(c),
		last.App, clean(last.Hook.URL), clean(last.Hook.Method)) // a call of the house may be led to an application later
}

// statusOf returns the word for how far the leg of an application is after c, "" if
// that is as far as before.
func (w *logWriter) statusOf(c chapter) (word string) {
	if w.status == nil || c[len(c)-1].App == "" {
		return ""
	}
	for _, e := range c {
		word = cmp.Or(w.status(e.LegChange), word)
	}
	return word
}

// outcome is what a chapter brings to the columns of the record.
type outcome struct {
	answered, ended sql.NullInt64
	cause           core.Cause
	reason          string
	code            int
	silence         core.Silence // the last one
	diagnosis       string
	quality         string // JSON, "" if there was no audio
}

func outcomeOf(c chapter) outcome {
	var o outcome
	for _, e := range c {
		switch at := (sql.NullInt64{Int64: e.At.UnixMicro(), Valid: true}); e.Kind {
		case core.ChangeAnswered:
			if !o.answered.Valid {
				o.answered = at
			}
		case core.ChangeEnded:
			o.ended, o.cause, o.reason, o.code, o.quality = at, e.Cause, e.Reason.String(), e.Code, encodeQuality(e.Quality)
		case core.ChangeSilent:
			o.silence, o.diagnosis = e.Silence, clean(e.Diagnosis)
		case core.ChangeBegan, core.ChangeRinging, core.ChangeConfirming, core.ChangeBridged,
			core.ChangeHeld, core.ChangeResumed, core.ChangeMoved, core.ChangeParked, core.ChangeHeard,
			core.ChangeHuman, core.ChangeMachine, core.ChangeBeep, core.ChangeNoBeep, core.ChangeClosed, core.ChangeLeft:
		}
	}
	return o
}

// talk is the time from answer to end, in microseconds.
func (o outcome) talk() int64 {
	if !o.answered.Valid || !o.ended.Valid {
		return 0
	}
	return max(0, o.ended.Int64-o.answered.Int64)
}
