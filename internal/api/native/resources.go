package native

import (
	"github.com/danielgtaylor/huma/v2"

	"github.com/offhook/offhook/internal/core/route"
)

// The bodies of the resources: what the configuration file has, and who keeps it.
type (
	// User is a user of the house.
	User struct {
		route.User
		Kept
	}
	// Trunk is a SIP peer that carries numbers.
	Trunk struct {
		route.Trunk
		Kept
	}
	// Group rings its endpoints for one call.
	Group struct {
		route.Group
		Kept
	}
	// Number is something that can be dialled from outside.
	Number struct {
		route.Number
		Kept
	}
	// Schedule says when something is open.
	Schedule struct {
		route.Schedule
		Kept
	}
	// Caller is a rule for certain callers.
	Caller struct {
		route.CallerRule
		Kept
	}
)

// resources registers the operations of every kind.
func (a *API) resources(h huma.API) {
	collection[User]{
		kind: route.KindUsers, word: "user",
		pick: func(r route.Resources, name string) []User {
			return each(r.Users, func(u route.User) (User, bool) { return User{User: u}, meant(name, u.Name) && u.App == "" })
		},
		name: func(v *User) string { return v.Name },
		keep: func(v *User) any {
			v.App = "" // applications keep their own users
			return v.User
		},
		mark: func(v *User, o Origin) { v.Origin = o },
	}.register(a, h)
	collection[Trunk]{
		kind: route.KindTrunks, word: "trunk",
		pick: func(r route.Resources, name string) []Trunk {
			return each(r.Trunks, func(t route.Trunk) (Trunk, bool) { return Trunk{Trunk: t}, meant(name, t.Name) })
		},
		name: func(v *Trunk) string { return v.Name },
		keep: func(v *Trunk) any { return v.Trunk },
		mark: func(v *Trunk, o Origin) { v.Origin = o },
	}.register(a, h)
	collection[Group]{
		kind: route.KindGroups, word: "group",
		pick: func(r route.Resources, name string) []Group {
			return each(r.Groups, func(g route.Group) (Group, bool) { return Group{Group: g}, meant(name, g.Name) })
		},
		name: func(v *Group) string { return v.Name },
		keep: func(v *Group) any { return v.Group },
		mark: func(v *Group, o Origin) { v.Origin = o },
	}.register(a, h)
	collection[Number]{
		kind: route.KindNumbers, word: "number",
		pick: func(r route.Resources, name string) []Number {
			return each(r.Numbers, func(n route.Number) (Number, bool) { return Number{Number: n}, meant(name, n.Number) })
		},
		name: func(v *Number) string { return v.Number.Number },
		keep: func(v *Number) any { return v.Number },
		mark: func(v *Number, o Origin) { v.Origin = o },
	}.register(a, h)
	collection[Schedule]{
		kind: route.KindSchedules, word: "schedule",
		pick: func(r route.Resources, name string) []Schedule {
			return each(r.Schedules, func(s route.Schedule) (Schedule, bool) { return Schedule{Schedule: s}, meant(name, s.Name) })
		},
		name: func(v *Schedule) string { return v.Name },
		keep: func(v *Schedule) any { return v.Schedule },
		mark: func(v *Schedule, o Origin) { v.Origin = o },
	}.register(a, h)
	collection[Caller]{
		kind: route.KindCallers, word: "caller-rule",
		pick: func(r route.Resources, name string) []Caller {
			return each(r.Callers, func(c route.CallerRule) (Caller, bool) { return Caller{CallerRule: c}, meant(name, c.Name) })
		},
		name: func(v *Caller) string { return v.Name },
		keep: func(v *Caller) any { return v.CallerRule },
		mark: func(v *Caller, o Origin) { v.Origin = o },
	}.register(a, h)
	a.accounts(h)
	a.applications(h)
}

// meant reports whether a resource is asked for; no name asks for all.
func meant(asked, name string) bool { return asked == "" || asked == name }

// each makes the bodies of those resources that body says so.
func each[R, V any](list []R, body func(R) (V, bool)) []V {
	out := []V{}
	for _, r := range list {
		if v, ok := body(r); ok {
			out = append(out, v)
		}
	}
	return out
}
