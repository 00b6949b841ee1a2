package sdp

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/offhook/offhook/internal/media"
)

// webProto is the profile of WebRTC audio (RFC 8829 section 5.1.2).
const webProto = "UDP/TLS/RTP/SAVPF"

// WebLocal is our side of a WebRTC stream.
type WebLocal struct {
	Session, Version uint64 // as in Local
	Credentials      Credentials
	Fingerprint      Fingerprint
	Candidates       []Candidate // where we listen, best first; at least one
	SSRC             uint32      // that we send with
	Direction        Direction   // as in Local
}

// WebResult is what offer and answer settled for a WebRTC stream.
type WebResult struct {
	Format       media.Format
	Direction    Direction // ours
	Credentials  Credentials
	Fingerprints []Fingerprint // any one of them must fit the far end's certificate
	Candidates   []Candidate
	Setup        Setup // ours: Passive waits for the far end's ClientHello
	// Session is the far end's o= session id; another one is another peer
	// connection (RFC 8829 section 5.2.1).
	Session uint64
}

// WebRTC reports whether o offers audio over DTLS-SRTP.
func (o *Offer) WebRTC() bool {
	s := o.section()
	return s != nil && isWeb(s.Proto)
}

func isWeb(proto string) bool {
	p := strings.ToUpper(proto)
	return strings.HasSuffix(p, "TLS/RTP/SAVPF") || strings.HasSuffix(p, "TLS/RTP/SAVP")
}

// Credentials returns the far end's ICE credentials; ok is false if they are
// missing or out of range.
func (o *Offer) Credentials() (c Credentials, ok bool) {
	if s := o.section(); s != nil {
		c = o.desc.credentials(s)
	}
	return c, c.valid()
}

// AnswerWeb answers a browser's offer as an ICE-lite agent and DTLS server: it
// takes one codec of the audio section and refuses every other section.
func (o *Offer) AnswerWeb(local WebLocal, prefer []media.Codec) (answer []byte, r WebResult, err error) {
	const op = "AnswerWeb"
	if !o.WebRTC() || !o.section().live() {
		return nil, WebResult{}, conflict(op, ErrNoAudio)
	}
	s := o.section()
	c, ok := choose(s.payloads(), prefer)
	if !ok {
		return nil, WebResult{}, conflict(op, ErrNoCommonCodec)
	}
	if r, err = o.desc.transport(op, s); err != nil {
		return nil, WebResult{}, err
	}
	if r.Setup == Passive {
		return nil, WebResult{}, conflict(op, ErrNoAudio) // both would wait for a ClientHello
	}
	r.Setup = Passive
	r.Direction = o.desc.webDirection(s).Reverse().And(local.Direction)
	c.noise = payload{} // browsers would leave out quiet speech, to save nothing that matters
	r.Format = format(c, c, s.ptime())

	d := local.description()
	for i := range o.desc.Sections {
		refused := o.desc.Sections[i].refused()
		refused.Conn = connTo(netip.IPv4Unspecified()) // there is none at session level (RFC 8866 section 5.7)
		if mid, ok := o.desc.Sections[i].Attr("mid"); ok {
			refused.Attrs = []Attr{{"mid", mid}}
		}
		d.Sections = append(d.Sections, refused)
	}
	mid, _ := s.Attr("mid")
	if mid != "" && o.desc.bundles(mid) {
		d.Attrs = append(d.Attrs, Attr{"group", "BUNDLE " + mid})
	}
	d.Sections[o.audio] = local.section(s.Proto, mid, Passive, r.Direction, c.payloads())
	return d.Marshal(), r, nil
}

// NewWebOffer writes an offer of ours to a browser, for SIP over WebSocket:
// ICE-lite, either DTLS role. Codecs must not be empty.
func NewWebOffer(local WebLocal, codecs []media.Codec) []byte {
	d := local.description()
	d.Attrs = append(d.Attrs, Attr{"group", "BUNDLE 0"})
	d.Sections = []Section{local.section(webProto, "0", ActPass, local.Direction, Local{}.offered(codecs))}
	return d.Marshal()
}

// ParseWebAnswer reads the answer to offer, which is what NewWebOffer returned.
func ParseWebAnswer(offer, body []byte) (WebResult, error) {
	const op = "ParseWebAnswer"
	ours, theirs, err := parsePair(offer, body)
	if err != nil {
		return WebResult{}, err
	}
	mine, s := &ours.Sections[0], &theirs.Sections[0]
	if s.Port == 0 || !isWeb(s.Proto) {
		return WebResult{}, conflict(op, ErrNoAudio)
	}
	f, ok := settled(mine, s)
	if !ok {
		return WebResult{}, conflict(op, ErrNoCommonCodec)
	}
	r, err := theirs.transport(op, s)
	if err != nil {
		return WebResult{}, err
	}
	switch r.Setup {
	case Active:
		r.Setup = Passive
	case Passive:
		r.Setup = Active
	case ActPass:
		return WebResult{}, invalid(op, "an answer must choose a DTLS role")
	}
	r.Format = f
	r.Direction = theirs.webDirection(s).Reverse().And(ours.webDirection(mine))
	return r, nil
}

func (l WebLocal) description() *Description {
	return &Description{
		Session: l.Session, Version: l.Version, Origin: l.Candidates[0].Addr.Addr().Unmap(),
		Attrs: []Attr{{Key: "ice-lite"}},
	}
}

// section writes our audio section with all of its transport.
func (l WebLocal) section(proto, mid string, setup Setup, dir Direction, list []payload) Section {
	first := l.Candidates[0].Addr
	s := Section{Kind: "audio", Port: first.Port(), Proto: proto, Conn: connTo(first.Addr())}
	if mid != "" {
		s.Attrs = append(s.Attrs, Attr{"mid", mid})
	}
	s.describe(list...)
	s.Attrs = append(
		s.Attrs, Attr{Key: dir.String()}, Attr{Key: "rtcp-mux"},
		Attr{"ice-ufrag", l.Credentials.Ufrag}, Attr{"ice-pwd", l.Credentials.Pwd},
		Attr{"fingerprint", l.Fingerprint.String()}, Attr{"setup", string(setup)},
		// Without a stream id a browser's track event has no stream to play.
		Attr{"msid", "offhook audio"},
		Attr{"ssrc", strconv.FormatUint(uint64(l.SSRC), 10) + " cname:offhook"},
	)
	for i, c := range l.Candidates {
		s.Attrs = append(s.Attrs, Attr{"candidate", hostCandidate(c, i)})
	}
	s.Attrs = append(s.Attrs, Attr{Key: "end-of-candidates"})
	return s
}
