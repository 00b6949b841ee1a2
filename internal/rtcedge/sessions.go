package rtcedge

import (
	"slices"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// Session is a device as applications see it.
type Session struct {
	Device core.ContactID
	User   core.UserID
	Since  time.Time
}

// Sessions returns the devices of a user, the oldest first: those that are
// connected, and those that may still come back.
func (e *Edge) Sessions(user core.UserID) []Session {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.users[user] == 0 {
		return nil
	}
	var all []Session
	for _, d := range e.devices {
		if d.user == user {
			all = append(all, Session{Device: d.id, User: user, Since: d.made})
		}
	}
	slices.SortFunc(all, func(a, b Session) int { return a.Since.Compare(b.Since) })
	return all
}

// EndSession ends a device of a user of app with all its legs, and tells its client
// not to come back. One that is not there, or not app's, is left alone.
func (e *Edge) EndSession(app string, id core.ContactID) {
	d := e.device(id)
	if d == nil || d.user.App != app {
		return
	}
	d.mu.Lock()
	s := d.socket
	d.mu.Unlock()
	d.end(core.CauseNormal, core.ReasonNone)
	if s != nil {
		s.drop(closeEnded)
	}
}
