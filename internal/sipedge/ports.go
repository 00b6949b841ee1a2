package sipedge

import (
	"context"
	"net/netip"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/sdp"
)

// Poster takes events for the exchange. Neither method blocks; they fail only when
// the node has stopped.
type Poster interface {
	Post(ev core.Event) error
	// PostHere may carry out on the caller's goroutine what comes of ev, other legs'
	// work included. So the caller holds no lock and no packet path waits for it.
	PostHere(ev core.Event) error
}

// Secrets knows users' digest secrets and who may try again. No method blocks.
type Secrets interface {
	// Digest returns HA1 of the user for realm, with equal work for unknown users.
	Digest(user core.UserID, realm string) (md5Hex, sha256Hex string, known bool)
	// Blocked reports whether source or user failed too often lately.
	Blocked(source netip.Addr, user string) bool
	Failed(source netip.Addr, user string)
	Succeeded(source netip.Addr, user string)
}

// Media joins the paths of legs. All methods return at once; Detach of an
// unknown leg does nothing.
type Media interface {
	Attach(leg core.LegID, p media.Path)
	Detach(leg core.LegID)
	// Press takes a key of leg's party, which came outside RTP, to who hears it.
	Press(leg core.LegID, key byte)
}

// Ports makes RTP paths: *rtp.Allocator behind an adapter of cmd.
type Ports interface {
	// New binds a port pair at local and returns a path that is silent until
	// Start. peer is where the far end's signalling comes from; digit gets every
	// key of the far end, once.
	New(local, peer netip.Addr, digit func(byte)) (Path, error)
}

// Path is an RTP path.
type Path interface {
	media.Path
	// LocalPort is the RTP port.
	LocalPort() uint16
	// KeysTo lets f send keys to a far end that takes no telephone-events; nil lets
	// nobody.
	KeysTo(f func(key byte))
	// Protect makes it SRTP with these keys from the next Start on, or plain RTP if
	// c is nil.
	Protect(c *sdp.Crypto) error
	// Control says where RTCP goes.
	Control(c sdp.Control)
	// Start begins, or goes on with, a negotiated format towards remote, which
	// is not valid while the far end wants no RTP. The far end's source is
	// learnt anew.
	Start(f media.Format, remote netip.AddrPort)
	// Follow says where the far end's signalling comes from now: media of that host is
	// its own.
	Follow(peer netip.Addr)
	// Expect says whether the far end announced to send.
	Expect(rtp bool)
}

// WebPaths makes WebRTC paths: *rtc.Server behind an adapter of cmd.
type WebPaths interface {
	// New returns a path that waits for AnswerPrefer or Offer.
	New(ev WebEvents) (WebPath, error)
}

// WebEvents are called by a path on its own goroutines; they return at once.
type WebEvents struct {
	Up    func()     // sound can pass; also when it can again
	Down  func()     // sound cannot pass any more
	Digit func(byte) // one key of the far end, once
}

// WebPath is a WebRTC path. Its calls do not overlap and do not block; one that
// fails leaves the path as it was.
type WebPath interface {
	media.Path
	// AnswerPrefer answers an offer with the first of prefer that it has.
	AnswerPrefer(ctx context.Context, offer string, prefer []media.Codec) (answer string, err error)
	// Offer makes an offer; Accept takes the answer to it, maybe more than once.
	Offer(ctx context.Context, prefer []media.Codec) (offer string, err error)
	Accept(ctx context.Context, answer string) error
	// Held reports whether the far end does not want to hear us.
	Held() bool
}
