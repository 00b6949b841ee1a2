package route

import (
	"time"

	"github.com/offhook/offhook/internal/core"
)

// The refusals that are given in several places.
var (
	notAllowed    = Refusal{Cause: core.CauseNotAllowed, Code: 403, Sound: prompt(core.PromptNotAllowed)}
	unknownNumber = Refusal{Cause: core.CauseUnallocated, Code: 404, Sound: prompt(core.PromptUnknownNumber)}
	userBusy      = Refusal{Cause: core.CauseBusy, Code: 486, Sound: prompt(core.PromptBusy)}
)

func prompt(name string) core.Sound { return core.Sound{Kind: core.SoundPrompt, Name: name} }

// Plan decides whom a new call reaches.
//
// A trunk reaches our numbers and nothing else: there is no way from here to a
// trunk but by the phones that a number or a group names. A user of an
// application reaches the application, or, if that takes no calls, users of the
// same application; an account reaches numbers that lead to its applications. A
// user of the house reaches users by name, users and groups by number, and every
// other number that the limits allow over a trunk.
func (d *Directory) Plan(req Request) Plan {
	switch {
	case req.From.Trunk != "":
		return d.planTrunk(req)
	case req.From.User.App == core.AccountApp:
		return d.planAccount(req)
	case req.From.User.App != "":
		return d.planApp(req)
	case req.From.User.Name != "":
		return d.planUser(req)
	}
	return refuse(core.Party{Number: req.Dialled}, Refusal{Cause: core.CauseNotAllowed, Code: 403})
}

func (d *Directory) planTrunk(req Request) Plan {
	digits := d.normalise(req.Dialled)
	n, ok := d.number(digits)
	if !ok {
		// Nothing is announced: the carrier has its own announcement for 404, in the caller's language.
		return refuse(core.Party{Number: req.Dialled}, Refusal{Cause: core.CauseUnallocated, Code: 404})
	}
	if rule, ok := d.ruleFor(req.From, n.Number); ok {
		if rule.Block {
			return refuse(core.Party{Number: digits}, Refusal{Cause: core.CauseRejected, Code: 603})
		}
		return d.reach(req, *rule.To, digits)
	}
	return d.planNumber(req, n, digits)
}

// planApp lets an application that takes calls decide, whatever was dialled.
func (d *Directory) planApp(req Request) Plan {
	app, _ := d.Application(req.From.User.App)
	if app.Answer.URL != "" {
		return Plan{To: core.Party{Number: req.Dialled}, App: app.ID}
	}
	if req.Dialled == "" {
		return refuse(core.Party{Number: req.Dialled}, unknownNumber)
	}
	// Users of an application may exist by their token alone, so who has no
	// registration is unreachable, not unknown.
	return d.planOne(req, core.UserID{App: req.From.User.App, Name: req.Dialled}, "")
}

// planAccount reaches what the owner of applications may call from a SIP client of
// his own: the numbers that lead to them.
func (d *Directory) planAccount(req Request) Plan {
	digits := d.normalise(req.Dialled)
	n, ok := d.number(digits)
	if !ok {
		return refuse(core.Party{Number: req.Dialled}, Refusal{Cause: core.CauseUnallocated, Code: 404})
	}
	plan := d.planNumber(req, n, digits)
	if !d.OfAccount(plan.App, req.From.User.Name) {
		return refuse(core.Party{Number: digits}, Refusal{Cause: core.CauseNotAllowed, Code: 403})
	}
	return plan
}

func (d *Directory) planUser(req Request) Plan {
	if d.emergency(req.Dialled) {
		return refuse(core.Party{Number: req.Dialled}, notAllowed)
	}
	if _, ok := d.User(core.UserID{Name: req.Dialled}); ok {
		return d.planOne(req, core.UserID{Name: req.Dialled}, "")
	}
	digits := d.normalise(req.Dialled)
	if digits == "" || d == nil {
		return refuse(core.Party{Number: req.Dialled}, unknownNumber)
	}
	if n, ok := d.number(digits); ok {
		return d.planNumber(req, n, digits)
	}
	if id, ok := d.byPhone.get(digits, digits); ok {
		return d.planOne(req, id, digits)
	}
	if len(d.res.Trunks) > 0 && !d.mayDial(digits) {
		return refuse(core.Party{Number: digits}, notAllowed)
	}
	plan := d.planPhone(req, digits)
	if plan.Dial != nil {
		plan.Dial.By = req.From.User
	}
	return plan
}

// planNumber goes where a number of ours leads at this time; digits is which
// number of the pattern it is.
func (d *Directory) planNumber(req Request, n Number, digits string) Plan {
	if n.Schedule != "" && !d.Open(n.Schedule, req.Now) {
		return d.reach(req, *n.Closed, digits)
	}
	return d.reach(req, n.Destination(), digits)
}

// Divert decides where a call goes on when a group did not take it; nil is
// nowhere, and then the call ends as the group left it.
func (d *Directory) Divert(req Request, to *Destination) Plan {
	if to == nil || d == nil {
		return refuse(core.Party{Number: req.Dialled}, Refusal{Cause: core.CauseNoAnswer, Code: 480})
	}
	return d.reach(req, *to, d.normalise(req.Dialled))
}

// reach goes to a destination; digits is the number of ours that was called.
func (d *Directory) reach(req Request, to Destination, digits string) Plan {
	switch {
	case to.Group != "":
		return Plan{To: core.Party{Number: digits, Name: to.Group}, Dial: d.dial(req, d.groups[to.Group], digits)}
	case to.User != "":
		return d.planOne(req, core.UserID{Name: to.User}, digits)
	case to.Phone != "":
		phone := d.normalise(to.Phone)
		if n, ok := d.number(phone); ok {
			return d.planNumber(req, n, phone) // NewDirectory made sure that this ends
		}
		return d.planPhone(req, phone)
	case to.Application != "":
		return Plan{To: core.Party{Number: digits}, App: to.Application}
	}
	sound, _ := parseAnnouncement(to.Announce) // NewDirectory made sure of it
	return refuse(core.Party{Number: digits}, Refusal{Cause: core.CauseNormal, Code: 480, Sound: sound})
}

// planPhone goes to a number over a trunk.
func (d *Directory) planPhone(req Request, digits string) Plan {
	trunks := d.attempts(req, digits)
	if len(trunks) == 0 {
		return refuse(core.Party{Number: digits}, unknownNumber)
	}
	return Plan{
		To:   core.Party{Trunk: trunks[0], Number: digits},
		Dial: single(Branch{Target: core.Target{Trunk: trunks[0], Number: digits}, Trunks: trunks}),
	}
}

func (d *Directory) planOne(req Request, id core.UserID, number string) Plan {
	u, _ := d.User(id)
	to := core.Party{User: id, Number: number, Name: u.DisplayName}
	if u.DoNotDisturb && id != req.From.User { // one's own devices may call each other
		return refuse(to, userBusy)
	}
	return Plan{To: to, Dial: single(Branch{Target: core.Target{User: id}})}
}

// defaultHears is what a caller hears while it rings, where nothing is set.
func defaultHears() core.Sound { return core.Sound{Kind: core.SoundRingback, Name: "us"} }

// single is the hunt for one endpoint.
func single(b Branch) *Dial {
	b.Timeout, b.Weight = DefaultRingTimeout, 1
	return &Dial{Strategy: Simultaneous, Timeout: DefaultRingTimeout, Hears: defaultHears(), Branches: []Branch{b}}
}

// dial is the hunt of a group.
func (d *Directory) dial(req Request, g Group, digits string) *Dial {
	out := &Dial{
		Group: g.Name, Strategy: g.Strategy, Timeout: time.Duration(g.RingTimeout), Hears: defaultHears(), SkipBusy: g.SkipBusy,
		NoAnswer: g.NoAnswer, Busy: g.Busy, Unreachable: g.Unreachable, Failed: g.Failed,
	}
	if out.Strategy == "" {
		out.Strategy = Simultaneous
	}
	if out.Timeout == 0 {
		out.Timeout = DefaultRingTimeout
	}
	if g.CallerHears != "" {
		out.Hears, _ = parseWaiting(g.CallerHears) // NewDirectory made sure of it
	}
	if g.Confirm != nil {
		out.Confirm, out.Prompt, out.ConfirmTimeout = g.Confirm.ready()
	}
	turn := out.Timeout
	if out.Strategy != Simultaneous {
		turn = time.Duration(g.StepTimeout)
		if turn == 0 {
			turn = DefaultStepTimeout
		}
	}
	for _, e := range g.Endpoints {
		if b, ok := d.branch(req, e, digits); ok {
			b.Timeout = min(out.Timeout, orElse(time.Duration(e.Timeout), turn))
			out.Branches = append(out.Branches, b)
		}
	}
	return out
}

// branch is one endpoint of a group; ok is false for who is not to be disturbed.
func (d *Directory) branch(req Request, e Endpoint, digits string) (b Branch, ok bool) {
	b = Branch{Delay: time.Duration(e.Delay), Weight: max(1, e.Weight), CallerID: e.CallerID}
	switch e.CallerID {
	case callerIDCaller:
		b.CallerID = ""
	case callerIDDialled:
		b.CallerID = digits
	}
	switch {
	case e.Group != "":
		b.Group = d.dial(req, d.groups[e.Group], digits)
	case e.User != "":
		b.Target.User = core.UserID{Name: e.User}
		u, _ := d.User(b.Target.User)
		return b, !u.DoNotDisturb
	case e.SIP != "":
		b.Target.URI = e.SIP
	default:
		number := d.normalise(e.Phone)
		b.Trunks = d.attempts(req, number)
		if len(b.Trunks) == 0 {
			return b, false
		}
		b.Target = core.Target{Trunk: b.Trunks[0], Number: number}
	}
	return b, true
}

// ready returns the key, what is said until it is pressed, and for how long.
func (c Confirm) ready() (key byte, sound core.Sound, timeout time.Duration) {
	key, sound = '1', prompt(core.PromptConfirm)
	if c.Key != "" {
		key = c.Key[0]
	}
	if c.Prompt != "" {
		sound, _ = parseAnnouncement(c.Prompt) // NewDirectory made sure of it
	}
	return key, sound, orElse(time.Duration(c.Timeout), DefaultConfirmTimeout)
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

func refuse(to core.Party, why Refusal) Plan {
	return Plan{To: to, Refusal: &why}
}
