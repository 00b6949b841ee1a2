package sipedge

import (
	"strings"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// passed is what of a caller's INVITE goes on to whom its leg calls.
type passed struct {
	headers   []sip.Header // with the caller's spelling
	hops      uint32       // Max-Forwards of the next INVITE
	loops     int          // how often the call came back to us
	private   bool         // the caller wants to be shown to nobody (RFC 3323)
	diverting string       // number of ours that was dialled from outside
}

// Bounds of the headers that are carried: a caller must not blow up the INVITEs
// that we send over UDP.
const (
	maxCarried      = 24
	maxCarriedBytes = 2048
)

// passedOf reads what of an INVITE goes on.
func passedOf(tx *sip.ServerTx, req *sip.Request) passed {
	c := passed{hops: defaultHops, loops: tx.Loops(), private: hidden(req)}
	if mf := req.MaxForwards(); mf != nil {
		c.hops = min(mf.Val(), defaultHops) - 1 // 0 was refused by the stack
	}
	size := 0
	for _, h := range req.Headers() {
		if !goesOn(h.Name()) {
			continue
		}
		if size += len(h.Name()) + len(h.Value()); size > maxCarriedBytes || len(c.headers) == maxCarried {
			break
		}
		c.headers = append(c.headers, sip.NewHeader(h.Name(), h.Value()))
	}
	return c
}

const (
	defaultHops = 70 // RFC 3261 section 8.1.1.6
	// maxLoops is how often a call may come back: once is a number of our own that
	// was dialled by way of a trunk.
	maxLoops = 1
)

// goesOn reports whether a header is the parties' own business: private ones and
// User-to-User (RFC 7433).
func goesOn(name string) bool {
	return len(name) > 2 && strings.EqualFold(name[:2], "X-") || strings.EqualFold(name, "User-to-User")
}

// passedFor returns what the caller of a leg sent along. A browser's call begins here.
func (e *Edge) passedFor(caller core.LegRef) passed {
	if l := e.leg(caller.Leg); l != nil {
		return l.passed
	}
	return passed{hops: defaultHops}
}
