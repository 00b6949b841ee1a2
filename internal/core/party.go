package core

// Party is what is known and shown about the person at a leg.
type Party struct {
	User   UserID // zero unless a registered user
	Trunk  string // name of the trunk the leg uses, "" unless it uses one
	Number string // E.164 digits or what was dialled, "" if none
	Name   string // display name, "" if none; never trusted, always escaped
}

// Contact is one live registration of a user. An edge reports it with
// ContactUp and may replace it by reporting the same ID again.
type Contact struct {
	ID     ContactID
	User   UserID
	Edge   Edge
	Device string // what the client calls itself, for people; may be ""
	// Rank is how much later than the user's best contacts this one rings: those of a
	// higher rank when all of the lower ones have failed. 0, the best, to 1000; it is
	// 1 - q of a registration in thousandths (RFC 3261 section 20.10).
	Rank int
}

// Target says where a new leg goes: to one contact, or to a number over a trunk,
// or to a SIP URI. In a plan, User without Contact stands for every live
// registration of that user; a Ring command always names the contact.
type Target struct {
	Contact ContactID // set for a registered phone or browser
	User    UserID    // whose contact it is
	Trunk   string    // set for a number on a trunk
	Number  string    // what to dial there, in the trunk's format
	URI     string    // set for a plain SIP URI of the configuration or an application
	Socket  Socket    // set for a WebSocket of an application
	Own     bool      // Number is one of ours that leads to an application
}

// Socket is a WebSocket server that takes part in a call with its audio.
type Socket struct {
	URI  string // ws or wss
	Rate int    // of 16-bit linear PCM: 8000, 16000 or 24000 Hz
	// Authorization is the value of that header; SocketToken makes it a token that
	// the application can check.
	Authorization string
	App           string // whose signature secret that token has
}

// SocketToken is the Authorization of a Socket that gets a signed token.
const SocketToken = "token"

// IsZero reports whether s is no socket.
func (s Socket) IsZero() bool { return s.URI == "" }
