//go:build e2e

package harness

import (
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/offhook/offhook/internal/testkit"
)

// Leg is what the database says about one leg.
type Leg struct {
	ID, Call    string
	Direction   string   // "inbound" or "outbound"
	User        string   // who was called
	Trunk       string   // by which trunk
	Events      []string // kinds, in order: "began", ..., "ended"
	Cause, Code int      // of its end
	Reason      string
	Ended       bool // its call detail record is complete
	Interrupted bool
	Silence     string // why its party was not heard when it was silent last
}

// Count returns how many of the leg's events are of a kind.
func (l Leg) Count(kind string) (n int) {
	for _, k := range l.Events {
		if k == kind {
			n++
		}
	}
	return n
}

// Whole says what is wrong with the leg's history, "" if it begins once, first,
// and ends once, last, also in its call detail record.
func (l Leg) Whole() string {
	switch n := len(l.Events); {
	case n == 0:
		return "it has a call detail record but no event"
	case l.Count("began") != 1 || l.Events[0] != "began":
		return "it does not begin once, first"
	case l.Count("ended") != 1 || l.Events[n-1] != "ended":
		return "it does not end once, last"
	case !l.Ended:
		return "its call detail record is open"
	}
	return ""
}

// Legs returns all legs of the database in the order of their beginning. It
// reads beside a running program, and also what a killed one left.
func (o *Offhook) Legs() []Leg {
	o.t.Helper()
	db := o.database()
	defer db.Close() //nolint:errcheck // only read
	legs, err := readLegs(db)
	if err != nil {
		o.t.Fatalf("read the database: %v", err)
	}
	return legs
}

// AwaitLegs waits until every leg of the database is over, and fails the test
// for each whose history is not whole. It returns them.
func (o *Offhook) AwaitLegs(t testing.TB, within time.Duration) []Leg {
	t.Helper()
	var legs []Leg
	testkit.Eventually(t, within, "every leg has its end in the database", func() bool {
		legs = o.Legs()
		for _, l := range legs {
			if l.Count("ended") == 0 {
				return false
			}
		}
		return true
	})
	for _, l := range legs {
		if wrong := l.Whole(); wrong != "" {
			t.Errorf("leg %s %v: %s", l.ID, l.Events, wrong)
		}
	}
	return legs
}

// LockDatabase keeps everybody else from writing into the database until it is called.
func (o *Offhook) LockDatabase() (unlock func()) {
	o.t.Helper()
	db := o.openDatabase("rw")
	conn, err := db.Conn(background())
	if err == nil {
		_, err = conn.ExecContext(background(), "BEGIN IMMEDIATE")
	}
	if err != nil {
		o.t.Fatalf("lock the database: %v", err)
	}
	return func() {
		_, err := conn.ExecContext(background(), "ROLLBACK")
		if err := errors.Join(err, conn.Close(), db.Close()); err != nil {
			o.t.Errorf("unlock the database: %v", err)
		}
	}
}

// Count returns how many rows a table has.
func (o *Offhook) Count(table string) (n int) {
	o.t.Helper()
	db := o.database()
	defer db.Close()                                                                                 //nolint:errcheck // only read
	if err := db.QueryRowContext(background(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil { //nolint:gosec // a test's own word
		o.t.Fatal(err)
	}
	return n
}

// database opens the database to read.
func (o *Offhook) database() *sql.DB {
	o.t.Helper()
	return o.openDatabase("ro")
}

func (o *Offhook) openDatabase(mode string) *sql.DB {
	o.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(o.Folder, "offhook.db")+"?mode="+mode+"&_pragma=busy_timeout(5000)")
	if err != nil {
		o.t.Fatal(err)
	}
	return db
}

func readLegs(db *sql.DB) ([]Leg, error) {
	records, err := db.QueryContext(background(), `SELECT leg, call, direction, to_user, to_trunk, cause, code, reason, ended_us IS NOT NULL, interrupted, silence, history
		FROM cdrs ORDER BY begun_us, leg`)
	if err != nil {
		return nil, err
	}
	defer records.Close()
	var legs []Leg
	for records.Next() {
		var l Leg
		var history string
		if err := records.Scan(&l.ID, &l.Call, &l.Direction, &l.User, &l.Trunk, &l.Cause, &l.Code, &l.Reason, &l.Ended, &l.Interrupted, &l.Silence, &history); err != nil {
			return nil, err
		}
		if l.Events, err = kinds(history); err != nil {
			return nil, err
		}
		legs = append(legs, l)
	}
	return legs, records.Err()
}

// kinds reads what happened from a stored history: JSON objects one after the other.
func kinds(history string) ([]string, error) {
	var list []string
	for entries := json.NewDecoder(strings.NewReader(history)); ; {
		var e struct{ Kind string }
		if err := entries.Decode(&e); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		list = append(list, e.Kind)
	}
}
