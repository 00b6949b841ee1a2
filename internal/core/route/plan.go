package route

import (
	"time"

	"github.com/offhook/offhook/internal/core"
)

// DefaultRingTimeout bounds ringing where the configuration sets nothing.
const DefaultRingTimeout = 30 * time.Second

// defaultCountry is whose ringback tone a caller hears where nothing is set.
const defaultCountry = "us"

// Plan says what to do about a new incoming leg: ring Targets, or, when Refusal
// is set, refuse.
type Plan struct {
	// To is who was called, as far as we know it.
	To core.Party
	// Targets are rung all at once. One with User and no Contact stands for every
	// live registration of that user.
	Targets []core.Target
	// Group says that Targets are a group's, whose early media never reaches the caller.
	Group       bool
	RingTimeout time.Duration // 1s to 180s
	Ringback    string        // country of the tone the caller hears
	Refusal     *Refusal
}

// Refusal is why a call goes nowhere.
type Refusal struct {
	Cause  core.Cause
	Code   int    // SIP status
	Prompt string // announced first as early media; "" for none
}

// Plan decides whom an incoming leg reaches.
//
// A trunk reaches our numbers and nothing else: there is no way from here to a
// trunk but the phone endpoints of a group that a number leads to. A user of
// an application reaches users of the same application and nobody else. A user
// of the house reaches users by name, users and groups by number, and every
// other number over the first trunk.
func (d *Directory) Plan(from core.Party, dialled string) Plan {
	switch {
	case from.Trunk != "":
		return d.planTrunk(dialled)
	case from.User.App != "":
		return d.planApp(from.User, dialled)
	case from.User.Name != "":
		return d.planUser(dialled)
	}
	return refuse(core.Party{Number: dialled}, Refusal{Cause: core.CauseNotAllowed, Code: 403})
}

func (d *Directory) planTrunk(dialled string) Plan {
	digits := Normalise(dialled)
	if n, ok := d.number(digits); ok {
		return d.planNumber(n)
	}
	// No prompt: the carrier has its own announcement for 404, in the caller's language.
	return refuse(core.Party{Number: dialled}, Refusal{Cause: core.CauseUnallocated, Code: 404})
}

func (d *Directory) planApp(user core.UserID, dialled string) Plan {
	if !isName(dialled) {
		return refuse(core.Party{Number: dialled}, unknownNumber)
	}
	// Users of an application may exist by their token alone, so who has no
	// registration is unreachable, not unknown.
	return d.planOne(core.UserID{App: user.App, Name: dialled}, "")
}

func (d *Directory) planUser(dialled string) Plan {
	if Emergency(dialled) {
		return refuse(core.Party{Number: dialled},
			Refusal{Cause: core.CauseNotAllowed, Code: 403, Prompt: core.PromptNotAllowed})
	}
	if _, ok := d.User(core.UserID{Name: dialled}); ok {
		return d.planOne(core.UserID{Name: dialled}, "")
	}
	digits := Normalise(dialled)
	if digits == "" || d == nil {
		return refuse(core.Party{Number: dialled}, unknownNumber)
	}
	if n, ok := d.number(digits); ok {
		return d.planNumber(n)
	}
	if id, ok := d.byPhone[digits]; ok {
		return d.planOne(id, digits)
	}
	trunk, ok := d.firstTrunk()
	if !ok {
		return refuse(core.Party{Number: digits}, unknownNumber)
	}
	return Plan{
		To:          core.Party{Trunk: trunk.Name, Number: digits},
		Targets:     []core.Target{{Trunk: trunk.Name, Number: digits}},
		RingTimeout: DefaultRingTimeout,
		Ringback:    defaultCountry,
	}
}

var unknownNumber = Refusal{Cause: core.CauseUnallocated, Code: 404, Prompt: core.PromptUnknownNumber}

func (d *Directory) planNumber(n Number) Plan {
	if n.User != "" {
		return d.planOne(core.UserID{Name: n.User}, n.Number)
	}
	g := d.groups[n.Group] // NewDirectory made sure of it
	plan := Plan{
		To:          core.Party{Number: n.Number, Name: g.Name},
		Group:       true,
		RingTimeout: g.RingTimeout,
		Ringback:    g.CallerHears,
	}
	if plan.RingTimeout == 0 {
		plan.RingTimeout = DefaultRingTimeout
	}
	if plan.Ringback == "" {
		plan.Ringback = defaultCountry
	}
	for _, e := range g.Endpoints {
		plan.Targets = append(plan.Targets, d.target(e))
	}
	return plan
}

func (d *Directory) planOne(id core.UserID, number string) Plan {
	u, _ := d.User(id)
	return Plan{
		To:          core.Party{User: id, Number: number, Name: u.DisplayName},
		Targets:     []core.Target{{User: id}},
		RingTimeout: DefaultRingTimeout,
		Ringback:    defaultCountry,
	}
}

func (d *Directory) target(e Endpoint) core.Target {
	switch {
	case e.User != "":
		return core.Target{User: core.UserID{Name: e.User}}
	case e.SIP != "":
		return core.Target{URI: e.SIP}
	}
	trunk, _ := d.firstTrunk() // NewDirectory made sure of it
	return core.Target{Trunk: trunk.Name, Number: Normalise(e.Phone)}
}

func refuse(to core.Party, why Refusal) Plan {
	return Plan{To: to, Refusal: &why}
}

// Caller returns the party of an incoming leg as target shall see it. A user
// shows the display name of the directory, never one made up by the phone, and
// on a trunk the own number or else the trunk's: carriers refuse others. A
// caller who came from a trunk keeps the number it called with.
func (d *Directory) Caller(from core.Party, target core.Target) core.Party {
	if from.User.IsZero() {
		return from
	}
	u, _ := d.User(from.User)
	from.Name, from.Number = u.DisplayName, u.Number
	if trunk, ok := d.Trunk(target.Trunk); ok && from.Number == "" {
		from.Number = trunk.CallerID
	}
	return from
}

// Callee returns the party at target as shown to others; dialled is the number
// of ours that was called, "" if none.
func (d *Directory) Callee(target core.Target, dialled string) core.Party {
	if target.User.IsZero() {
		return core.Party{Trunk: target.Trunk, Number: target.Number, Name: target.URI}
	}
	u, _ := d.User(target.User)
	return core.Party{User: target.User, Number: dialled, Name: u.DisplayName}
}
