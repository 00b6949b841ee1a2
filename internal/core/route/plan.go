package route

import (
	"cmp"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// DefaultRingTimeout bounds ringing where the configuration sets nothing.
const DefaultRingTimeout = 30 * time.Second

// defaultCountry is whose ringback tone a caller hears where nothing is set.
const defaultCountry = "us"

// Plan says what to do about a call: ring somebody, or refuse. Exactly one of
// Ring and Refusal is set.
type Plan struct {
	// To is who was called, as far as we know it.
	To      core.Party
	Ring    *Ring
	Refusal *Refusal
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
func (d *Directory) Plan(_ time.Time, from core.Party, dialled string) Plan {
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
		To:   core.Party{Trunk: trunk.Name, Number: digits},
		Ring: single(Step{Attempts: []core.Target{{Trunk: trunk.Name, Number: digits}}}),
	}
}

var unknownNumber = Refusal{Cause: core.CauseUnallocated, Code: 404, Prompt: core.PromptUnknownNumber}

func (d *Directory) planNumber(n Number) Plan {
	if n.User != "" {
		return d.planOne(core.UserID{Name: n.User}, n.Number)
	}
	return Plan{To: core.Party{Number: n.Number, Name: n.Group}, Ring: d.ring(n.Group)}
}

// ring makes a group's Ring; NewDirectory made sure that it and all it names exist.
func (d *Directory) ring(group string) *Ring {
	g := d.groups[group]
	r := &Ring{
		Key:     g.Name,
		Timeout: cmp.Or(g.RingTimeout, DefaultRingTimeout),
		Hears:   core.Sound{Kind: core.SoundRingback, Name: cmp.Or(g.CallerHears, defaultCountry)},
	}
	for _, e := range g.Endpoints {
		r.Steps = append(r.Steps, d.step(e))
	}
	return r
}

func (d *Directory) planOne(id core.UserID, number string) Plan {
	u, _ := d.User(id)
	return Plan{To: core.Party{User: id, Number: number, Name: u.DisplayName}, Ring: single(Step{User: id})}
}

// single rings one endpoint, whose early media the caller may hear.
func single(s Step) *Ring {
	return &Ring{
		Steps: []Step{s}, Timeout: DefaultRingTimeout, EarlyMedia: true,
		Hears: core.Sound{Kind: core.SoundRingback, Name: defaultCountry},
	}
}

func (d *Directory) step(e Endpoint) Step {
	switch {
	case e.User != "":
		return Step{User: core.UserID{Name: e.User}}
	case e.SIP != "":
		return Step{URI: e.SIP}
	}
	trunk, _ := d.firstTrunk() // NewDirectory made sure of it
	return Step{Attempts: []core.Target{{Trunk: trunk.Name, Number: Normalise(e.Phone)}}}
}

// Follow plans where a call goes that was sent on: by a fall-through or a
// transfer. to is neither zero nor an announcement.
func (d *Directory) Follow(now time.Time, from core.Party, to Destination) Plan {
	switch {
	case d == nil:
	case to.Group != "":
		if _, ok := d.groups[to.Group]; ok {
			return Plan{To: core.Party{Name: to.Group}, Ring: d.ring(to.Group)}
		}
	case to.User != "":
		if _, ok := d.User(core.UserID{Name: to.User}); ok {
			return d.planOne(core.UserID{Name: to.User}, "")
		}
	case to.Number != "":
		return d.Plan(now, from, to.Number)
	}
	return refuse(core.Party{}, unknownNumber)
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
