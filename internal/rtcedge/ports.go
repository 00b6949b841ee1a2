package rtcedge

import (
	"context"
	"net/netip"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
)

// Poster takes events for the exchange. Post never blocks and never calls back
// into this package before it returns; after the drain it returns an error. The
// edge posts while it holds a device's lock, so that the order of events is the
// order of the facts.
type Poster interface {
	Post(ev core.Event) error
}

// Authenticator says who a client is. A wrong password, an unknown user and a
// bad token are all core.Unauthorized; too many failures of a source or a user
// are core.Unavailable. Source is where the socket comes from.
type Authenticator interface {
	Token(ctx context.Context, source netip.Addr, token core.Secret) (core.UserID, error)
	Password(source netip.Addr, user string, password core.Secret) (core.UserID, error)
}

// PathEvents are called by a path on its own goroutines; they return at once.
type PathEvents struct {
	Up    func()     // ICE and DTLS are done; also after a successful restart
	Down  func()     // the far end's checks stopped or it closed its end
	Digit func(byte) // one key by RFC 4733, once per press: 0-9 * # A-D
}

// Path is a WebRTC path that can be negotiated again and again.
type Path interface {
	media.Path
	// Answer takes an SDP offer and returns our answer. The first one starts the
	// path; a later one renegotiates it or restarts ICE. A bad offer is
	// core.Invalid and leaves the path as it was. Calls do not overlap.
	Answer(ctx context.Context, offer string) (answer string, err error)
}

// Paths makes WebRTC paths.
type Paths interface {
	NewPath(ev PathEvents) (Path, error)
}

// Media joins paths to legs. All calls return at once and are safe for
// concurrent use.
type Media interface {
	// Attach makes p the path of leg, in place of another one.
	Attach(leg core.LegID, p media.Path)
	// Detach takes leg's path away; without one it does nothing.
	Detach(leg core.LegID)
	// Press takes a key of leg's party, which came outside RTP, to who hears it.
	Press(leg core.LegID, key byte)
}
