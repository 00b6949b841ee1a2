package route

import (
	"cmp"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// DefaultAppRingTimeout is how long an application lets endpoints ring.
const DefaultAppRingTimeout = 60 * time.Second

// AppEndpoint is what an application rings: exactly one of Phone, User, House, URI
// and Socket is set.
type AppEndpoint struct {
	Phone  string      // a number, one of ours or over a trunk
	Trunk  string      // with Phone: over that trunk and no other; "" is any that carries it
	User   string      // of the application
	House  string      // user of the house
	URI    string      // SIP
	Socket core.Socket // WebSocket
}

// Shown returns number, in normal form, if an application may show it as the
// caller's, because it leads to the application; else "".
func (d *Directory) Shown(app, number string) string {
	digits := d.normalise(number)
	n, ok := d.number(digits)
	if ok && (n.Application == app || n.Closed != nil && n.Closed.Application == app) {
		return digits
	}
	return ""
}

// AppEndpoint returns what an application, or who looks after it, means by a name: a
// user of the house, a number, else a user of the application.
func (d *Directory) AppEndpoint(to string) AppEndpoint {
	if _, ok := d.User(core.UserID{Name: to}); ok {
		return AppEndpoint{House: to}
	}
	if d.normalise(to) != "" {
		return AppEndpoint{Phone: to}
	}
	return AppEndpoint{User: to}
}

// AppBranch returns what an endpoint of an application's call rings for timeout.
// What cannot be rung has a Refusal.
func (d *Directory) AppBranch(req Request, app string, to AppEndpoint, timeout time.Duration) Branch {
	b := Branch{Timeout: timeout, Weight: 1}
	switch {
	case to.User != "":
		b.Target.User, b.Waits = core.UserID{App: app, Name: to.User}, true
	case to.House != "":
		d.houseBranch(&b, core.UserID{Name: to.House})
	case !to.Socket.IsZero():
		b.Target.Socket = to.Socket
	case to.URI != "":
		b.Target.URI = to.URI
		if !isURI(to.URI) {
			b.Refusal = &Refusal{Cause: core.CauseInvalidNumber, Code: 484}
		}
	default:
		d.phoneBranch(&b, req, to)
	}
	return b
}

// PlanOwn decides where a number of ours leads that an application rang.
func (d *Directory) PlanOwn(req Request) Plan {
	digits := d.normalise(req.Dialled)
	n, ok := d.number(digits)
	if !ok { // it was taken away meanwhile
		return refuse(core.Party{Number: req.Dialled}, Refusal{Cause: core.CauseUnallocated, Code: 404})
	}
	return d.planNumber(req, n, digits)
}

func (d *Directory) houseBranch(b *Branch, user core.UserID) {
	b.Target.User = user
	u, known := d.User(user)
	switch {
	case !known:
		b.Refusal = &Refusal{Cause: core.CauseNoRoute}
	case u.DoNotDisturb:
		b.Refusal = &Refusal{Cause: core.CauseBusy, Code: 486}
	}
}

// phoneBranch goes where the number leads if it is ours, else over a trunk. One that
// leads to an application is rung as itself: PlanOwn says which one is asked.
func (d *Directory) phoneBranch(b *Branch, req Request, to AppEndpoint) {
	digits := d.normalise(to.Phone)
	b.Target.Number = digits
	switch {
	case d.emergency(to.Phone):
		b.Refusal = &Refusal{Cause: core.CauseNotAllowed, Code: 403}
		return
	case digits == "":
		b.Refusal = &Refusal{Cause: core.CauseInvalidNumber, Code: 484}
		return
	}
	if n, ok := d.number(digits); ok && to.Trunk == "" {
		plan := d.planNumber(req, n, digits)
		b.Group, b.Refusal = plan.Dial, plan.Refusal
		b.Target.Own = plan.App != ""
		return
	}
	if !d.mayDial(digits) {
		b.Refusal = &Refusal{Cause: core.CauseNotAllowed, Code: 403}
		return
	}
	b.Trunks = d.attempts(req, digits)
	if to.Trunk != "" {
		b.Trunks = nil
		if _, ok := d.Trunk(to.Trunk); ok {
			b.Trunks = []string{to.Trunk}
		}
	}
	if len(b.Trunks) == 0 {
		b.Refusal = &Refusal{Cause: core.CauseNoRoute}
		return
	}
	b.Target.Trunk = b.Trunks[0]
}

// AppDial returns the hunt for endpoints of an application, all at once. What is to
// be changed of it is for the caller to change.
func AppDial(app string, branches []Branch, timeout time.Duration) *Dial {
	d := &Dial{
		Strategy: Simultaneous, Timeout: timeout, Hears: defaultHears(), Branches: branches,
		By: core.UserID{App: app}, NoEarly: len(branches) > 1,
	}
	if len(branches) > 1 {
		d.Group = "application " + app // so that its turns are remembered
	}
	for i := range d.Branches {
		d.Branches[i].Endpoint = i + 1
	}
	return d
}

// GroupDial returns the hunt of a group of the directory, nil if there is none.
func (d *Directory) GroupDial(req Request, name string) *Dial {
	if d == nil {
		return nil
	}
	g, ok := d.groups[name]
	if !ok {
		return nil
	}
	return d.dial(req, g, "")
}

// Change lets an application's call ring in its own way. What it does not know, or
// leaves out, stays as it is.
func (d *Dial) Change(strategy Strategy, confirm *Confirm, hears string, timeout time.Duration) {
	switch strategy {
	case Simultaneous, Sequential, RoundRobin, Random, LeastRecent:
		d.Strategy = strategy
	}
	if confirm != nil {
		c := *confirm
		var m mistakes
		if checkConfirm(&m, "", &c); len(m) > 0 {
			c = Confirm{}
		}
		d.Confirm, d.Prompt, d.ConfirmTimeout = c.ready()
	}
	if sound, err := parseWaiting(hears); err == nil {
		d.Hears = sound
	}
	if timeout > 0 {
		d.Timeout = timeout
	}
}

// CallsRate is how many legs an application may begin in a second.
func (a Application) CallsRate() float64 {
	return cmp.Or(a.CallsPerSecond, DefaultAppCallsPerSecond)
}

// MostMembers is how many legs a conversation of the application may have.
func (a Application) MostMembers() int { return cmp.Or(a.Members, DefaultMembers) }
