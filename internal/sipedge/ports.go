package sipedge

import (
	"net/netip"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
)

// Poster takes events for the exchange. Post never blocks; it fails only when
// the node has stopped.
type Poster interface{ Post(core.Event) error }

// Secrets knows users' digest secrets and who may try again. No method blocks.
type Secrets interface {
	// Digest returns HA1 of the user for realm, with equal work for unknown users.
	Digest(user core.UserID, realm string) (md5Hex, sha256Hex string, known bool)
	// Blocked reports whether source or user failed too often lately.
	Blocked(source netip.Addr, user string) bool
	Failed(source netip.Addr, user string)
	Succeeded(source netip.Addr, user string)
}

// Media joins the paths of legs. Both methods return at once; Detach of an
// unknown leg does nothing.
type Media interface {
	Attach(leg core.LegID, p media.Path)
	Detach(leg core.LegID)
}
