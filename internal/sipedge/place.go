package sipedge

import (
	"crypto/rand"
	"encoding/binary"
	"net/netip"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/media/udp"
	"github.com/offhook/offhook/internal/sip"
)

// resolveTime bounds the look-up of a trunk's host name.
const resolveTime = 3 * time.Second

// placeOn returns where media of a peer that is reached on flow goes.
func (e *Edge) placeOn(flow sip.Flow) place {
	local := flow.Local().Addr().Unmap()
	remote := flow.Remote().Addr().Unmap()
	if !local.IsValid() || local.IsUnspecified() {
		return e.placeTowards(remote)
	}
	return place{bind: local, advertise: e.publicFor(local, remote), peer: remote}
}

// placeTowards returns where media of a peer at remote goes.
func (e *Edge) placeTowards(remote netip.Addr) place {
	local := localTowards(remote)
	return place{bind: local, advertise: e.publicFor(local, remote), peer: remote}
}

// publicFor returns the address that a peer at remote can send to.
func (e *Edge) publicFor(local, remote netip.Addr) netip.Addr {
	if !e.cfg.PublicMedia.IsValid() || remote.IsLoopback() {
		return local
	}
	for _, p := range e.cfg.Local {
		if p.Contains(remote) {
			return local
		}
	}
	return e.cfg.PublicMedia
}

// localTowards returns our address on the way to remote.
func localTowards(remote netip.Addr) netip.Addr {
	local, err := udp.Towards(remote)
	if err != nil {
		return netip.IPv4Unspecified()
	}
	return local
}

// sessionID returns a random o= session id. It stays below 2^62 for phones that
// read it as a signed number.
func sessionID() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return binary.BigEndian.Uint64(b[:]) >> 2
}

// addrSpec returns the URI of a name-addr or addr-spec value.
func addrSpec(v string) string {
	if _, rest, ok := strings.Cut(v, "<"); ok {
		uri, _, _ := strings.Cut(rest, ">")
		return uri
	}
	uri, _, _ := strings.Cut(strings.TrimSpace(v), ";")
	return uri
}

func callIDOf(req *sip.Request) string { return req.CallID().Value() }
