package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// PutRecording adds a recording, or replaces what is known of it.
func (s *Store) PutRecording(ctx context.Context, r core.Recording) error {
	transcribe := ""
	if r.Transcribe != nil {
		text, err := json.Marshal(r.Transcribe)
		if err != nil {
			return fmt.Errorf("store.PutRecording: %w", err)
		}
		transcribe = string(text)
	}
	ended := sql.NullInt64{Int64: r.Ended.UnixMicro(), Valid: !r.Ended.IsZero()}
	_, err := s.db.ExecContext(ctx, `INSERT INTO recordings
		(file, kind, id, app, leg, call, hook_url, hook_method, begun_us, ended_us, size, channels, content_type, transcribe)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (file) DO UPDATE SET ended_us = excluded.ended_us, size = excluded.size, channels = excluded.channels, content_type = excluded.content_type`,
		r.File, string(r.Kind), r.ID, r.App, r.Leg, r.Call, r.Hook.URL, r.Hook.Method, r.Begun.UnixMicro(), ended, r.Size, r.Channels, r.ContentType, transcribe)
	if err != nil {
		return fmt.Errorf("store.PutRecording: %w", err)
	}
	return nil
}

const selectRecording = `SELECT file, kind, id, app, leg, call, hook_url, hook_method, begun_us, ended_us, size, channels, content_type, transcribe FROM recordings `

// Recording returns a recording of an application; one that it has not, or that is
// still being made, is NotFound.
func (s *Store) Recording(ctx context.Context, app, file string) (core.Recording, error) {
	r, err := scanRecording(s.db.QueryRowContext(ctx, selectRecording+`WHERE file = $1 AND app = $2 AND ended_us IS NOT NULL`, file, app))
	return r, notFound("store.Recording", "recording", err)
}

// UnfinishedRecordings returns those that are being made, or were when a program
// was killed.
func (s *Store) UnfinishedRecordings(ctx context.Context) ([]core.Recording, error) {
	return s.recordings(ctx, "store.UnfinishedRecordings", `WHERE ended_us IS NULL ORDER BY begun_us, file`)
}

// OldRecordings returns finished recordings that began before a time, the oldest
// first, at most limit.
func (s *Store) OldRecordings(ctx context.Context, before time.Time, limit int) ([]core.Recording, error) {
	return s.recordings(ctx, "store.OldRecordings", `WHERE begun_us < $1 AND ended_us IS NOT NULL ORDER BY begun_us, file LIMIT $2`, before.UnixMicro(), limit)
}

// RemoveRecording forgets a recording; one that is not there is no error.
func (s *Store) RemoveRecording(ctx context.Context, file string) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM recordings WHERE file = $1`, file); err != nil {
		return fmt.Errorf("store.RemoveRecording: %w", err)
	}
	return nil
}

func (s *Store) recordings(ctx context.Context, op, where string, args ...any) ([]core.Recording, error) {
	rows, err := s.db.QueryContext(ctx, selectRecording+where, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	list, err := collect(rows, func() (core.Recording, error) { return scanRecording(rows) })
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return list, nil
}

func scanRecording(row interface{ Scan(...any) error }) (core.Recording, error) {
	var r core.Recording
	var begun int64
	var ended sql.NullInt64
	var transcribe string
	if err := row.Scan(&r.File, &r.Kind, &r.ID, &r.App, &r.Leg, &r.Call, &r.Hook.URL, &r.Hook.Method, &begun, &ended, &r.Size, &r.Channels, &r.ContentType, &transcribe); err != nil {
		return core.Recording{}, err
	}
	r.Begun, r.Ended = time.UnixMicro(begun), orZero(ended)
	if transcribe == "" {
		return r, nil
	}
	r.Transcribe = new(core.Transcription)
	return r, json.Unmarshal([]byte(transcribe), r.Transcribe)
}
