package route

import (
	"github.com/offhook/offhook/internal/core"
)

// Directory is what can be reached, as an immutable snapshot: it is made whole,
// shared freely between goroutines and replaced whole. The nil Directory knows
// nobody.
type Directory struct {
	res     Resources
	users   map[core.UserID]User
	byPhone map[string]core.UserID // User.Number -> user
	numbers map[string]Number
	groups  map[string]Group
	trunks  map[string]Trunk
}

// NewDirectory checks r and makes a Directory of it. The error joins every
// mistake, each with the place it was found at: "groups[1].endpoints[0]: ...".
// r belongs to the Directory afterwards.
func NewDirectory(r Resources) (*Directory, error) {
	d := &Directory{
		res:     r,
		users:   make(map[core.UserID]User, len(r.Users)),
		byPhone: make(map[string]core.UserID),
		numbers: make(map[string]Number, len(r.Numbers)),
		groups:  make(map[string]Group, len(r.Groups)),
		trunks:  make(map[string]Trunk, len(r.Trunks)),
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
	return d.res
}

// User returns the user with this identity.
func (d *Directory) User(id core.UserID) (User, bool) {
	if d == nil {
		return User{}, false
	}
	u, ok := d.users[id]
	return u, ok
}

// Trunk returns the trunk of this name.
func (d *Directory) Trunk(name string) (Trunk, bool) {
	if d == nil {
		return Trunk{}, false
	}
	t, ok := d.trunks[name]
	return t, ok
}

// number returns the own number that digits are, in normal form.
func (d *Directory) number(digits string) (Number, bool) {
	if d == nil || digits == "" {
		return Number{}, false
	}
	n, ok := d.numbers[digits]
	return n, ok
}

// firstTrunk returns the trunk that outgoing numbers use.
func (d *Directory) firstTrunk() (Trunk, bool) {
	if d == nil || len(d.res.Trunks) == 0 {
		return Trunk{}, false
	}
	return d.res.Trunks[0], true
}
