package sipedge

import (
	"slices"
	"strings"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// Bounds of the headers that applications see and set.
const (
	maxShown      = 32
	maxShownBytes = 1024 // of one
)

// shownHeaders returns what an application may see of an INVITE: private headers and
// User-to-User, with the caller's spelling.
func shownHeaders(req *sip.Request) []core.Header {
	var shown []core.Header
	for _, h := range req.Headers() {
		if goesOn(h.Name()) && !ours(h.Name()) && len(h.Value()) <= maxShownBytes && len(shown) < maxShown {
			shown = append(shown, core.Header{Name: h.Name(), Value: strings.ToValidUTF8(h.Value(), "\uFFFD")})
		}
	}
	return shown
}

// ours reports whether a private header is one that the platform adds, and that says
// nothing of the caller.
func ours(name string) bool {
	const prefix = "X-Nexmo"
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

// withHeaders adds to an INVITE's headers those that an application set, in place of
// what the caller sent under the same names. Nothing else than shownHeaders can be
// set, and none that would be more than one line.
func withHeaders(headers []sip.Header, set []core.Header) []sip.Header {
	set = slices.DeleteFunc(slices.Clone(set), func(h core.Header) bool {
		return !goesOn(h.Name) || !isToken(h.Name) || len(h.Value) > maxShownBytes || strings.ContainsFunc(h.Value, isControl)
	})
	set = set[:min(len(set), maxShown)]
	headers = slices.DeleteFunc(slices.Clone(headers), func(old sip.Header) bool { return isSet(set, old.Name()) })
	for _, h := range set {
		headers = append(headers, sip.NewHeader(h.Name, h.Value))
	}
	return headers
}

func isSet(set []core.Header, name string) bool {
	return slices.ContainsFunc(set, func(h core.Header) bool { return strings.EqualFold(h.Name, name) })
}

// isToken reports whether s can be the name of a header (RFC 3261 section 25.1).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-.!%*_+`'~", r)
	})
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
