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
	defer s.forget()
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
	defer s.forget()
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

// loadOverrides reads what was opened and closed by hand.
func loadOverrides(ctx context.Context, q querier, into *[]route.Override) error {
	*into = nil
	return eachSwitch(ctx, q, switchSchedule, func(_, text string) error {
		var o route.Override
		err := json.Unmarshal([]byte(text), &o)
		*into = append(*into, o)
		return err
	})
}

// loadUserSwitches puts what users switched into users.
func loadUserSwitches(ctx context.Context, q querier, users []route.User) error {
	switched := make(map[core.UserID]userSwitch)
	err := eachSwitch(ctx, q, switchUser, func(name, text string) error {
		var u userSwitch
		err := json.Unmarshal([]byte(text), &u)
		switched[core.ParseUserID(name)] = u
		return err
	})
	for i := range users {
		if u, ok := switched[users[i].ID()]; ok {
			users[i].DoNotDisturb = u.DoNotDisturb
		}
	}
	return err
}

// eachSwitch calls each for the switches of a kind.
func eachSwitch(ctx context.Context, q querier, kind string, each func(name, text string) error) error {
	//nolint:sqlclosecheck // collect closes them
	rows, err := q.QueryContext(ctx, `SELECT name, body FROM switches WHERE kind = $1 ORDER BY name`, kind)
	if err != nil {
		return err
	}
	_, err = collect(rows, func() (none struct{}, err error) {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return none, err
		}
		return none, each(name, text)
	})
	return err
}
