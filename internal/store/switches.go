package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// The kinds of switches: what people turn at run time, whoever keeps the
// resource itself.
const (
	switchSchedule = "schedule" // body: route.Override
	switchUser     = "user"     // body: userSwitch; the name is core.UserID.String
)

type userSwitch struct {
	DoNotDisturb bool `json:"do_not_disturb"`
}

// SetOverride opens or closes a schedule by hand. An unknown one is NotFound.
func (s *Store) SetOverride(ctx context.Context, o route.Override) error {
	return s.turn(ctx, "store.SetOverride", switchSchedule, o.Schedule, o)
}

// ClearOverride lets a schedule hold again, also if it did.
func (s *Store) ClearOverride(ctx context.Context, schedule string) error {
	return inTx(ctx, s.db, func(tx *sql.Tx) error {
		if err := exists(ctx, tx, switchSchedule, schedule); err != nil {
			return notFound("store.ClearOverride", "schedule "+schedule, err)
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM switches WHERE kind = $1 AND name = $2`, switchSchedule, schedule)
		return err
	})
}

// SetDoNotDisturb stops or lets ring a user's devices, whatever the user's
// resource says. An unknown user is NotFound.
func (s *Store) SetDoNotDisturb(ctx context.Context, user core.UserID, on bool) error {
	return s.turn(ctx, "store.SetDoNotDisturb", switchUser, user.String(), userSwitch{DoNotDisturb: on})
}

func (s *Store) turn(ctx context.Context, op, kind, name string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return inTx(ctx, s.db, func(tx *sql.Tx) error {
		if err := exists(ctx, tx, kind, name); err != nil {
			return notFound(op, kind+" "+name, err)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO switches (kind, name, body) VALUES ($1, $2, $3)
			ON CONFLICT (kind, name) DO UPDATE SET body = excluded.body`, kind, name, string(text))
		return err
	})
}

// exists returns sql.ErrNoRows if a switch has nothing to switch.
func exists(ctx context.Context, q querier, kind, name string) error {
	var one int
	if kind == switchSchedule {
		return q.QueryRowContext(ctx, `SELECT 1 FROM schedules WHERE name = $1`, name).Scan(&one)
	}
	id := core.ParseUserID(name)
	return q.QueryRowContext(ctx, `SELECT 1 FROM users WHERE app = $1 AND name = $2`, id.App, id.Name).Scan(&one)
}

// loadSwitches puts what was switched into r.
func loadSwitches(ctx context.Context, q querier, r *route.Resources) error {
	rows, err := q.QueryContext(ctx, `SELECT kind, name, body FROM switches ORDER BY kind, name`)
	if err != nil {
		return err
	}
	users := make(map[core.UserID]userSwitch)
	_, err = collect(rows, func() (none struct{}, err error) {
		var kind, name, text string
		if err := rows.Scan(&kind, &name, &text); err != nil {
			return none, err
		}
		switch kind {
		case switchSchedule:
			var o route.Override
			err = json.Unmarshal([]byte(text), &o)
			r.Overrides = append(r.Overrides, o)
		case switchUser:
			var u userSwitch
			err = json.Unmarshal([]byte(text), &u)
			users[core.ParseUserID(name)] = u
		}
		return none, err
	})
	for i := range r.Users {
		if u, ok := users[r.Users[i].ID()]; ok {
			r.Users[i].DoNotDisturb = u.DoNotDisturb
		}
	}
	return err
}
