package route

import (
	"errors"
	"slices"

	"github.com/offhook/offhook/internal/core"
)

// WithUser returns a Directory with a user more, or with another one of the same
// identity, and what is wrong with that user, if anything is: then there is no
// Directory. d stays as it is. The rest is not checked again, for nothing depends on a
// user but that there is one; so it costs the same among ten users and ten thousand.
//
// Those who derive Directories from each other do so one at a time.
func (d *Directory) WithUser(u User) (*Directory, []MisfitError) {
	old, replaces := d.User(u.ID())
	if replaces && old.Number != u.Number {
		return d.rebuiltWith(u) // the old number may now reach somebody else
	}
	next := *d
	alone := Directory{res: Resources{Dialling: d.res.Dialling}, users: &shelves[core.UserID, User]{}, byPhone: &shelves[string, core.UserID]{}}
	var m mistakes
	alone.checkUser(&m, "users[0]", u)
	if len(m) > 0 {
		return nil, Misfits(Resources{Users: []User{u}}, errors.Join(m...))
	}
	next.users = d.users.with(u.Name, u.ID(), u)
	if replaces {
		next.res.Users = slices.Clone(d.res.Users)
		next.res.Users[d.userAt(u)] = u
		next.grown = nil // another array
		return &next, nil
	}
	next.res.Users, next.grown = grow(d.res.Users, d.grown, u)
	if u.Number != "" && u.App == "" {
		if _, taken := d.byPhone.get(u.Number, u.Number); !taken {
			next.byPhone = d.byPhone.with(u.Number, u.Number, u.ID())
		}
	}
	return &next, nil
}

// userAt returns where in the order a user is, -1 if nowhere.
func (d *Directory) userAt(u User) int {
	return slices.IndexFunc(d.res.Users, func(o User) bool { return o.Name == u.Name && o.App == u.App })
}

// rebuiltWith replaces a user and makes everything anew.
func (d *Directory) rebuiltWith(u User) (*Directory, []MisfitError) {
	r := d.res
	r.Users = slices.Clone(r.Users)
	r.Users[d.userAt(u)] = u
	next, err := NewDirectory(r)
	if err != nil {
		return nil, Misfits(r, err)
	}
	return next, nil
}

// grow appends to a list that others share. The array below it is used further if
// nobody has appended to it before: *grown is how much of it is in use.
func grow(list []User, grown *int, u User) ([]User, *int) {
	if grown == nil || *grown != len(list) || len(list) == cap(list) {
		list = append(make([]User, 0, len(list)+len(list)/4+8), list...)
		grown = new(int)
	}
	list = append(list, u)
	*grown = len(list)
	return list, grown
}
