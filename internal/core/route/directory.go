package route

import (
	"slices"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// Directory is what can be reached, as an immutable snapshot: it is made whole,
// shared freely between goroutines and replaced whole. The nil Directory knows
// nobody.
type Directory struct {
	res       Resources
	grown     *int // see grow
	users     *shelves[core.UserID, User]
	byPhone   *shelves[string, core.UserID] // User.Number -> user
	numbers   map[string]Number             // the exact ones
	patterns  []numberPattern               // the others, the best match first
	groups    map[string]Group
	trunks    map[string]Trunk
	schedules map[string]*schedule
	overrides map[string]Override
	rules     []callerRule

	applications map[string]Application
	accounts     map[string]Account
}

type numberPattern struct {
	pattern
	Number
}

// NewDirectory checks r and makes a Directory of it. The error joins every
// mistake, each with the place it was found at: "groups[1].endpoints[0]: ...".
// r belongs to the Directory afterwards. It reads the time zones that schedules
// name; nothing is read later.
func NewDirectory(r Resources) (*Directory, error) {
	d := &Directory{
		res:       r,
		users:     &shelves[core.UserID, User]{},
		byPhone:   &shelves[string, core.UserID]{},
		numbers:   make(map[string]Number, len(r.Numbers)),
		groups:    make(map[string]Group, len(r.Groups)),
		trunks:    make(map[string]Trunk, len(r.Trunks)),
		schedules: make(map[string]*schedule, len(r.Schedules)),
		overrides: make(map[string]Override, len(r.Overrides)),

		applications: make(map[string]Application, len(r.Applications)),
		accounts:     make(map[string]Account, len(r.Accounts)),
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	return d, nil
}

// Resources returns what the Directory was made of; it must not be changed.
func (d *Directory) Resources() Resources {
	if d == nil {
		return Resources{}
	}
	r := d.res
	r.Users = slices.Clip(r.Users) // what is behind them is another Directory's; see grow
	return r
}

// User returns the user with this identity.
func (d *Directory) User(id core.UserID) (User, bool) {
	if d == nil {
		return User{}, false
	}
	return d.users.get(id.Name, id)
}

// Trunk returns the trunk of this name.
func (d *Directory) Trunk(name string) (Trunk, bool) {
	if d == nil {
		return Trunk{}, false
	}
	t, ok := d.trunks[name]
	return t, ok
}

// HasSchedule reports whether there is a schedule of this name.
func (d *Directory) HasSchedule(name string) bool {
	if d == nil {
		return false
	}
	_, ok := d.schedules[name]
	return ok
}

// Open reports whether a schedule is open at now: as an override says, else by
// its hours. An unknown schedule is closed.
func (d *Directory) Open(name string, now time.Time) bool {
	if d == nil {
		return false
	}
	if o, ok := d.overrides[name]; ok && (o.Until.IsZero() || now.Before(o.Until)) {
		return o.Open
	}
	s, ok := d.schedules[name]
	return ok && s.open(now)
}

// Parking returns the slots where calls wait.
func (d *Directory) Parking() Parking {
	p := DefaultParking()
	if d == nil || d.res.Parking == (Parking{}) {
		return p
	}
	set := d.res.Parking
	if set.Timeout == 0 {
		set.Timeout = p.Timeout
	}
	return set
}

// normalise brings a dialled number to E.164 digits without +, or "".
func (d *Directory) normalise(dialled string) string {
	if d == nil {
		return Normalise(dialled)
	}
	return d.res.Dialling.normalise(dialled)
}

// emergency reports whether a dialled string is an emergency number.
func (d *Directory) emergency(dialled string) bool {
	if d == nil {
		return Emergency(dialled)
	}
	return d.res.Dialling.emergency(dialled)
}

// number returns the own number that digits are, in normal form.
func (d *Directory) number(digits string) (Number, bool) {
	if d == nil || digits == "" {
		return Number{}, false
	}
	if n, ok := d.numbers[digits]; ok {
		return n, true
	}
	for _, p := range d.patterns {
		if p.matches(digits) {
			return p.Number, true
		}
	}
	return Number{}, false
}
