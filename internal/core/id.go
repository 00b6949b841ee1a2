package core

import "strings"

// LegID names one leg: one party's connection to us. It is a lower-case
// version 4 UUID, unique for ever.
type LegID string

// CallID names one call: the legs that hear each other. Same form as LegID.
type CallID string

// ContactID names one live registration of a user: a SIP binding or a
// connected browser. It is unique on a node while the registration lives.
type ContactID string

// UserID names a user. Users of the house have an empty App; users of an
// application are (application id, name), so that an application can never
// speak for a house user of the same name.
type UserID struct {
	App  string
	Name string
}

// String returns "name" for a house user and "app/name" for an application's.
func (u UserID) String() string {
	if u.App == "" {
		return u.Name
	}
	return u.App + "/" + u.Name
}

// ParseUserID is the inverse of UserID.String.
func ParseUserID(s string) UserID {
	if app, name, ok := strings.Cut(s, "/"); ok {
		return UserID{App: app, Name: name}
	}
	return UserID{Name: s}
}

// IsZero reports whether u names nobody.
func (u UserID) IsZero() bool { return u == UserID{} }

// Edge says which package speaks to a leg's party.
type Edge uint8

const (
	// EdgeSIP legs are phones and trunks; package sipedge owns them.
	EdgeSIP Edge = iota + 1
	// EdgeBrowser legs use our JSON signalling; package rtcedge owns them.
	EdgeBrowser
	// EdgeSocket legs are WebSocket servers of applications; package wsedge owns them.
	EdgeSocket
	// EdgeLoop legs come in pairs, one that rings a number of ours and one that is
	// offered by it; package loopedge owns them.
	EdgeLoop
)

// String returns "sip", "browser", "websocket" or "loop", "none" for no edge.
func (e Edge) String() string {
	switch e {
	case EdgeSIP:
		return "sip"
	case EdgeBrowser:
		return "browser"
	case EdgeSocket:
		return "websocket"
	case EdgeLoop:
		return "loop"
	}
	return "none"
}
