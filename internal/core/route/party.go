package route

import "github.com/offhook/offhook/internal/core"

// The words of Endpoint.CallerID.
const (
	callerIDCaller  = "caller"
	callerIDDialled = "dialled"
	callerIDTrunk   = "trunk"
)

// Caller returns the party of an incoming leg as target shall see it; show is a
// Branch's CallerID: "", digits, or "trunk". A user shows the display name of the
// directory, never one made up by the phone, and on a trunk the own number or else
// the trunk's: carriers refuse others. A caller who came from a trunk keeps the
// number it called with, as does the SIP client of an account.
func (d *Directory) Caller(from core.Party, target core.Target, show string) core.Party {
	trunk, onTrunk := d.Trunk(target.Trunk)
	if !from.User.IsZero() && from.User.App != core.AccountApp {
		u, _ := d.User(from.User)
		from.Name, from.Number = u.DisplayName, u.Number
		if onTrunk && from.Number == "" {
			from.Number = trunk.CallerID
		}
	}
	switch {
	case show == callerIDTrunk && onTrunk && trunk.CallerID != "":
		from.Number = trunk.CallerID
	case isNumber(show):
		from.Number = show
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
