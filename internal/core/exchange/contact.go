package exchange

import (
	"slices"

	"github.com/offhook/offhook/internal/core"
)

// registrations are the live contacts of all users.
type registrations struct {
	byID   map[core.ContactID]core.Contact
	byUser map[core.UserID][]core.ContactID // in the order they came
}

func newRegistrations() registrations {
	return registrations{
		byID:   make(map[core.ContactID]core.Contact),
		byUser: make(map[core.UserID][]core.ContactID),
	}
}

// put takes in a contact and reports whether it is new for its user.
func (r *registrations) put(c core.Contact) (added bool) {
	old, known := r.byID[c.ID]
	if known && old.User == c.User {
		r.byID[c.ID] = c
		return false
	}
	r.remove(c.ID)
	r.byID[c.ID] = c
	r.byUser[c.User] = append(r.byUser[c.User], c.ID)
	return true
}

func (r *registrations) remove(id core.ContactID) {
	c, ok := r.byID[id]
	if !ok {
		return
	}
	delete(r.byID, id)
	rest := slices.DeleteFunc(r.byUser[c.User], func(o core.ContactID) bool { return o == id })
	if len(rest) == 0 {
		delete(r.byUser, c.User)
		return
	}
	r.byUser[c.User] = rest
}

// of returns the contacts of a user, in the order they came.
func (r *registrations) of(user core.UserID) []core.Contact {
	ids := r.byUser[user]
	contacts := make([]core.Contact, len(ids))
	for i, id := range ids {
		contacts[i] = r.byID[id]
	}
	return contacts
}

// contactUp takes in a registration. A new one rings at once for every hunt that
// rings its user: who opens the page while the group rings can still answer.
func (x *Exchange) contactUp(contact core.Contact) {
	if contact.ID == "" || contact.User.IsZero() || !x.contacts.put(contact) {
		return
	}
	for _, c := range x.callsWhere(func(c *liveCall) bool { return c.hunt != nil }) {
		late := c.hunt.Late(contact.User)
		for _, node := range late {
			if c.programmed() && node.Endpoint().Over() {
				continue // the application was told so
			}
			if !node.SkipsBusy() || x.lines[contact.User] == 0 {
				x.candidateContacts(c, node, contact.User)
			}
		}
		if len(late) > 0 {
			x.advance(c) // it may have to wait for its rank
		}
	}
}
