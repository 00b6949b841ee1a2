package voice

import (
	"strings"

	"github.com/offhook/offhook/internal/core"
)

// unknown is how a caller without a number is called.
const unknown = "unknown"

// partyText is how applications see a party: digits without +, the name of a user,
// or an address.
func partyText(p core.Party) string {
	number := strings.TrimPrefix(p.Number, "+")
	switch {
	case p.User.App != "" && p.User.App != core.AccountApp:
		return p.User.Name
	case number != "":
		return number
	case p.User.Name != "" && p.User.App == "":
		return p.User.Name
	}
	return unknown
}

// isAppUser says whether the party is a user of an application.
func isAppUser(p core.Party) bool { return p.User.App != "" && p.User.App != core.AccountApp }

// endpointType is the kind of connection of a party.
func endpointType(p core.Party, edge core.Edge) string {
	switch {
	case edge == core.EdgeSocket:
		return "websocket"
	case isAppUser(p):
		return "app"
	case p.User.App == core.AccountApp || isSIP(p.Number):
		return "sip"
	case p.Trunk != "":
		return "phone"
	case !p.User.IsZero():
		return "vbc"
	}
	return "phone"
}

func isSIP(number string) bool {
	return strings.HasPrefix(number, "sip:") || strings.HasPrefix(number, "sips:")
}
