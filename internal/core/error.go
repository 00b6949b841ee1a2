package core

import (
	"errors"
	"strings"
)

// Kind classifies an error for the edge that must answer it. The zero value is
// Internal: logged in full, told to the client as "internal error".
type Kind uint8

const (
	// Internal is a fault of ours.
	Internal Kind = iota
	// Invalid is bad input.
	Invalid
	// Unauthorized is a missing or wrong credential.
	Unauthorized
	// Forbidden is a valid credential without the right.
	Forbidden
	// NotFound is an unknown or already ended object.
	NotFound
	// Conflict is a request that does not fit the object's state.
	Conflict
	// Unavailable is a refusal for now: overload, drain, limit.
	Unavailable
)

// String returns the lower-case word for k, as used on the wire.
func (k Kind) String() string {
	switch k {
	case Internal:
		return "internal"
	case Invalid:
		return "invalid"
	case Unauthorized:
		return "unauthorized"
	case Forbidden:
		return "forbidden"
	case NotFound:
		return "not_found"
	case Conflict:
		return "conflict"
	case Unavailable:
		return "unavailable"
	}
	return "internal"
}

// Error says which operation failed on which call or leg, and of which kind.
type Error struct {
	Op   string // "engine.Post"
	Call CallID
	Leg  LegID
	Kind Kind
	Err  error
}

// Error implements error: "op: call c: leg l: cause".
func (e *Error) Error() string {
	parts := []string{e.Op}
	if e.Call != "" {
		parts = append(parts, "call "+string(e.Call))
	}
	if e.Leg != "" {
		parts = append(parts, "leg "+string(e.Leg))
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	} else {
		parts = append(parts, e.Kind.String())
	}
	return strings.Join(parts, ": ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first *Error in err's chain, else Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
