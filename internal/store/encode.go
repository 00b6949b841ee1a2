package store

import (
	"strings"

	"github.com/offhook/offhook/internal/core"
)

// body is what a log row keeps beside its columns. The names are part of the
// stored format.
type body struct {
	Call      core.CallID `json:"call"`
	Edge      string      `json:"edge"`
	Direction string      `json:"direction"`
	From      party       `json:"from"`
	To        party       `json:"to"`
	Cause     core.Cause  `json:"cause,omitempty"`
	Reason    string      `json:"reason,omitempty"`
	Code      int         `json:"code,omitempty"`
	Peer      core.LegID  `json:"peer,omitempty"`
}

// party is a core.Party as stored: clean text, users as core.UserID.String.
type party struct {
	User   string `json:"user,omitempty"`
	Trunk  string `json:"trunk,omitempty"`
	Number string `json:"number,omitempty"`
	Name   string `json:"name,omitempty"`
}

func toBody(c core.LegChange) body {
	b := body{
		Call: c.Call, Edge: c.Edge.String(), Direction: c.Direction.String(),
		From: toParty(c.From), To: toParty(c.To), Peer: c.Peer,
	}
	if c.Kind == core.ChangeEnded {
		b.Cause, b.Reason, b.Code = c.Cause, c.Reason.String(), c.Code
	}
	return b
}

func (b body) change() core.LegChange {
	return core.LegChange{
		Call: b.Call, Edge: parseWord[core.Edge](b.Edge), Direction: parseWord[core.Direction](b.Direction),
		From: b.From.party(), To: b.To.party(),
		Cause: b.Cause, Reason: parseWord[core.Reason](b.Reason), Code: b.Code, Peer: b.Peer,
	}
}

func toParty(p core.Party) party {
	return party{User: clean(p.User.String()), Trunk: clean(p.Trunk), Number: clean(p.Number), Name: clean(p.Name)}
}

func (p party) party() core.Party {
	return core.Party{User: core.ParseUserID(p.User), Trunk: p.Trunk, Number: p.Number, Name: p.Name}
}

// clean makes text from the network storable: PostgreSQL takes neither invalid
// UTF-8 nor NUL.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// parseWord is the inverse of the String methods of core's small enumerations.
// An unknown word, of a newer program, gives the zero value.
func parseWord[T interface {
	~uint8
	String() string
}](word string) T {
	for v := range 256 {
		if T(v).String() == word {
			return T(v)
		}
	}
	return 0
}
