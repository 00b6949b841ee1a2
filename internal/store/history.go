package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// page is one entry of a stored history. The names are part of the stored format.
type page struct {
	Seq    int        `json:"seq"`
	At     int64      `json:"at"` // microseconds since 1970
	Kind   string     `json:"kind"`
	*Scene            // nil if nothing changed since the entry before
	Cause  core.Cause `json:"cause,omitempty"`
	Reason string     `json:"reason,omitempty"`
	Code   int        `json:"code,omitempty"`
	Peer   core.LegID `json:"peer,omitempty"`
	Slot   string     `json:"slot,omitempty"`

	Silence   core.Silence `json:"silence,omitempty"`
	Diagnosis string       `json:"diagnosis,omitempty"`
	Quality   core.Quality `json:"quality,omitzero"`
}

// Scene is what seldom changes between two entries. It is exported for package
// json only.
type Scene struct {
	Call      core.CallID `json:"call"`
	Edge      string      `json:"edge"`
	Direction string      `json:"direction"`
	From      party       `json:"from"`
	To        party       `json:"to"`
}

func sceneOf(c core.LegChange) *Scene {
	return &Scene{Call: c.Call, Edge: c.Edge.String(), Direction: c.Direction.String(), From: toParty(c.From), To: toParty(c.To)}
}

// encodeHistory writes a chapter as JSON objects, one after the other. The first
// has its scene, so that chapters can be joined.
func encodeHistory(c chapter) (string, error) {
	var b strings.Builder
	lines := json.NewEncoder(&b)
	var last Scene
	for i, e := range c {
		p := page{Seq: e.Seq, At: e.At.UnixMicro(), Kind: e.Kind.String(), Peer: e.Peer, Slot: clean(e.Slot), Silence: e.Silence, Diagnosis: clean(e.Diagnosis), Quality: e.Quality}
		if s := sceneOf(e.LegChange); i == 0 || *s != last {
			p.Scene, last = s, *s
		}
		if e.Kind == core.ChangeEnded {
			p.Cause, p.Reason, p.Code = e.Cause, e.Reason.String(), e.Code
		}
		if err := lines.Encode(p); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

// decodeHistory is the inverse of encodeHistory.
func decodeHistory(leg core.LegID, text string) ([]core.LegEntry, error) {
	var c []core.LegEntry
	var scene Scene
	for pages := json.NewDecoder(strings.NewReader(text)); ; {
		var p page
		if err := pages.Decode(&p); errors.Is(err, io.EOF) {
			return c, nil
		} else if err != nil {
			return nil, fmt.Errorf("history of leg %s: %w", leg, err)
		}
		if p.Scene != nil {
			scene = *p.Scene
		}
		c = append(c, core.LegEntry{At: time.UnixMicro(p.At), Seq: p.Seq, LegChange: core.LegChange{
			Kind: parseWord[core.ChangeKind](p.Kind), Leg: leg, Call: scene.Call,
			Edge: parseWord[core.Edge](scene.Edge), Direction: parseWord[core.Direction](scene.Direction),
			From: scene.From.party(), To: scene.To.party(),
			Cause: p.Cause, Reason: parseWord[core.Reason](p.Reason), Code: p.Code, Peer: p.Peer, Slot: p.Slot, Silence: p.Silence, Diagnosis: p.Diagnosis, Quality: p.Quality,
		}})
	}
}

// LegEvents returns the history of one leg in order; an unknown leg has none.
func (s *Store) LegEvents(ctx context.Context, leg core.LegID) ([]core.LegEntry, error) {
	var text string
	err := s.db.QueryRowContext(ctx, `SELECT history FROM cdrs WHERE leg = $1`, leg).Scan(&text)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("store.LegEvents: %w", err)
	}
	entries, err := decodeHistory(leg, text)
	if err != nil {
		return nil, fmt.Errorf("store.LegEvents: %w", err)
	}
	return entries, nil
}
