package sdp

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Setup is a DTLS role (RFC 4145 section 4, RFC 5763 section 5).
type Setup string

// The roles. An offer says ActPass; the answerer chooses. We choose Passive.
const (
	ActPass Setup = "actpass"
	Active  Setup = "active"
	Passive Setup = "passive"
)

// Fingerprint is the hash of a certificate (RFC 8122 section 5).
type Fingerprint struct {
	Hash  string // "sha-256", lower case
	Value []byte
}

// String returns the attribute's value, "sha-256 AB:CD:...".
func (f Fingerprint) String() string {
	var b strings.Builder
	b.WriteString(f.Hash)
	for i, v := range f.Value {
		b.WriteByte(" :"[min(i, 1)])
		b.WriteString(strings.ToUpper(hex.EncodeToString([]byte{v})))
	}
	return b.String()
}

// Equal reports whether f and g are the same hash of the same bytes.
func (f Fingerprint) Equal(g Fingerprint) bool {
	return f.Hash == g.Hash && bytes.Equal(f.Value, g.Value)
}

// Credentials are the ICE user fragment and password of one side (RFC 8445
// section 5.3). New ones in an offer are an ICE restart.
type Credentials struct{ Ufrag, Pwd string }

// Candidate is an ICE candidate of component 1 (RFC 8839 section 5.1).
type Candidate struct {
	Addr netip.AddrPort // not valid for a name, such as mDNS ".local"
	TCP  bool
}

// transport reads ICE and DTLS of s. Setup is the author's here. A section that
// is bundled with an earlier one may leave its transport to that one (RFC 9143
// section 7.1.3).
func (d *Description) transport(op string, s *Section) (WebResult, error) {
	r := WebResult{Session: d.Session, Credentials: d.credentials(s)}
	if !r.Credentials.valid() {
		return r, invalid(op, "ICE user fragment or password missing or out of range")
	}
	if r.Fingerprints = d.fingerprints(s); len(r.Fingerprints) == 0 {
		return r, invalid(op, "no certificate fingerprint")
	}
	if _, ok := s.Attr("rtcp-mux"); !ok {
		return r, invalid(op, "RTCP must be multiplexed (rtcp-mux)")
	}
	switch r.Setup = Setup(strings.ToLower(d.transportAttr(s, "setup"))); r.Setup {
	case ActPass, Active, Passive:
	default:
		return r, invalid(op, "DTLS setup %.20q", r.Setup)
	}
	r.Candidates = candidates(s)
	return r, nil
}

// transportAttr returns an attribute of s, of the session, or of the section
// that s is bundled with.
func (d *Description) transportAttr(s *Section, key string) string {
	if v, ok := d.inherited(s, key); ok {
		return v
	}
	v, _ := d.tagged(s).Attr(key)
	return v
}

func (d *Description) credentials(s *Section) Credentials {
	return Credentials{Ufrag: d.transportAttr(s, "ice-ufrag"), Pwd: d.transportAttr(s, "ice-pwd")}
}

// valid checks the lengths of RFC 8839 section 5.4; longer than 256 is an attack.
func (c Credentials) valid() bool {
	return len(c.Ufrag) >= 4 && len(c.Ufrag) <= 256 && len(c.Pwd) >= 22 && len(c.Pwd) <= 256
}

// tagged returns the first section of the BUNDLE group that s is in, else s.
func (d *Description) tagged(s *Section) *Section {
	mid, ok := s.Attr("mid")
	if !ok || !d.bundles(mid) {
		return s
	}
	group := strings.Fields(d.bundle())
	i := slices.IndexFunc(d.Sections, func(o Section) bool { m, ok := o.Attr("mid"); return ok && m == group[0] })
	if i < 0 {
		return s
	}
	return &d.Sections[i]
}

// bundle returns the mids of the BUNDLE group.
func (d *Description) bundle() string {
	for _, a := range d.Attrs {
		if kind, mids, _ := strings.Cut(a.Value, " "); a.Key == "group" && strings.EqualFold(kind, "BUNDLE") {
			return mids
		}
	}
	return ""
}

func (d *Description) bundles(mid string) bool {
	return slices.Contains(strings.Fields(d.bundle()), mid)
}

func (s *Section) bundleOnly() bool {
	_, ok := s.Attr("bundle-only")
	return ok
}

// live reports whether s is neither refused nor removed.
func (s *Section) live() bool { return s.Port != 0 || s.bundleOnly() }

// webDirection is direction without the hold forms of plain RTP: in WebRTC the
// address 0.0.0.0 and port 9 say that candidates come later (RFC 8840).
func (d *Description) webDirection(s *Section) Direction {
	if dir, ok := statedDirection(s.Attrs); ok {
		return dir
	}
	dir, _ := statedDirection(d.Attrs)
	return dir
}

func (d *Description) fingerprints(s *Section) []Fingerprint {
	for _, attrs := range [][]Attr{s.Attrs, d.Attrs, d.tagged(s).Attrs} {
		var list []Fingerprint
		for _, a := range attrs {
			if f, ok := parseFingerprint(a.Value); a.Key == "fingerprint" && ok {
				list = append(list, f)
			}
		}
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

func parseFingerprint(value string) (Fingerprint, bool) {
	f := strings.Fields(value)
	if len(f) != 2 {
		return Fingerprint{}, false
	}
	v, err := hex.DecodeString(strings.ReplaceAll(f[1], ":", ""))
	return Fingerprint{Hash: strings.ToLower(f[0]), Value: v}, err == nil && len(v) >= 20
}

// maxCandidates is far above what a browser with many networks gathers.
const maxCandidates = 64

func candidates(s *Section) []Candidate {
	var list []Candidate
	for _, a := range s.Attrs {
		if a.Key != "candidate" || len(list) == maxCandidates {
			continue
		}
		if c, ok := parseCandidate(a.Value); ok {
			list = append(list, c)
		}
	}
	return list
}

// parseCandidate reads "foundation component transport priority address port
// typ type ...".
func parseCandidate(value string) (Candidate, bool) {
	f := strings.Fields(value)
	if len(f) < 8 || f[1] != "1" {
		return Candidate{}, false
	}
	port, err := strconv.ParseUint(f[5], 10, 16)
	if err != nil {
		return Candidate{}, false
	}
	c := Candidate{TCP: strings.EqualFold(f[2], "tcp")}
	if addr, err := netip.ParseAddr(f[4]); err == nil {
		c.Addr = netip.AddrPortFrom(addr.Unmap(), uint16(port))
	}
	return c, true
}

// hostCandidate writes candidate number i, earlier ones with a higher priority
// (RFC 8445 section 5.1.2.1); TCP is below every UDP (RFC 6544 section 4.2).
func hostCandidate(c Candidate, i int) string {
	preference := uint64(65535 - i)
	transport, suffix := "udp", ""
	if c.TCP {
		transport, suffix, preference = "tcp", " tcptype passive", preference-8192
	}
	priority := 126<<24 | preference<<8 | 255
	return strings.Join([]string{
		strconv.Itoa(i + 1), "1", transport, strconv.FormatUint(priority, 10),
		c.Addr.Addr().Unmap().String(), strconv.Itoa(int(c.Addr.Port())), "typ host",
	}, " ") + suffix
}
