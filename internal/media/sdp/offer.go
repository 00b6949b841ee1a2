package sdp

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/offhook/offhook/internal/media"
)

// Local is our side of a plain RTP stream.
type Local struct {
	Addr    netip.AddrPort // where we receive RTP; RTCP is one port above
	Session uint64         // o= session id: the same for the whole dialog
	Version uint64         // o= version: one more for every description that differs from the last
	// Direction limits what we offer or answer; the zero value is SendRecv.
	Direction Direction
	// Noise says that comfort noise (RFC 3389) is understood.
	Noise bool
	// NoEvents says that telephone-events (RFC 4733) are not wanted.
	NoEvents bool
	// Protection says what becomes of SRTP; without Secrets there is none.
	Protection Protection
	Secrets    *Secrets
}

// protection returns the policy that can be kept.
func (l Local) protection() Protection {
	if l.Secrets == nil {
		return ProtectNever
	}
	return l.Protection
}

// Result is what offer and answer settled.
type Result struct {
	Format media.Format
	// Remote is where the far end wants RTP. It is not valid while the far end
	// wants none (port 0, or hold by 0.0.0.0): keep the former one then.
	Remote netip.AddrPort
	// Direction is ours: SendOnly means that we send and get nothing.
	Direction Direction
	// Crypto protects both directions; nil is plain RTP.
	Crypto *Crypto
	// Control is where the far end wants RTCP. Ours is wanted on the port above RTP,
	// or, with Mux, on that of RTP itself, so that no a=rtcp of ours is ever due.
	Control Control
}

// Held reports whether the far end does not want to hear us.
func (r Result) Held() bool { return !r.Direction.Sends() }

// Offer is a description that a far end offers to us.
type Offer struct {
	desc  *Description
	audio int // index of the audio section we would take, -1 if none
}

// ParseOffer reads an offer. An offer without usable audio is no error here:
// Answer refuses it.
func ParseOffer(body []byte) (*Offer, error) {
	d, err := Parse(body)
	if err != nil {
		return nil, err
	}
	return &Offer{desc: d, audio: d.audio(ProtectAnswers)}, nil
}

// audio returns the index of the first live audio section of a transport that we
// speak, else of the first such section, else -1. Phones that would like SRTP
// but do not insist offer RTP/SAVP first and RTP/AVP second; some do so with DTLS but
// without ICE, which we do not speak.
func (d *Description) audio(p Protection) int {
	spoken := func(s Section) bool {
		return s.Kind == "audio" && (isWeb(s.Proto) || (isPlain(s.Proto) || isSDES(s.Proto)) && p.usable(&s))
	}
	for _, best := range []func(Section) bool{
		func(s Section) bool { return s.live() && (!isWeb(s.Proto) || d.credentials(&s).valid()) },
		func(s Section) bool { return s.live() },
	} {
		if i := slices.IndexFunc(d.Sections, func(s Section) bool { return spoken(s) && best(s) }); i >= 0 {
			return i
		}
	}
	return slices.IndexFunc(d.Sections, spoken)
}

// section returns the audio section of o, nil if it has none.
func (o *Offer) section() *Section {
	if o.audio < 0 {
		return nil
	}
	return &o.desc.Sections[o.audio]
}

// Check reports why an offer cannot be answered, whatever codecs we choose: no audio of
// ours, or no way to send there.
func (o *Offer) Check() error {
	const op = "Check"
	s := o.section()
	switch {
	case s == nil:
		return conflict(op, ErrNoAudio)
	case !isWeb(s.Proto):
		_, err := o.desc.remote(op, s)
		return err
	}
	r, err := o.desc.transport(op, s)
	if err == nil && r.Setup == Passive {
		return conflict(op, ErrNoAudio) // both would wait for a ClientHello
	}
	return err
}

// Codecs returns the codecs that the far end offers, best first.
func (o *Offer) Codecs() []media.Codec {
	var list []media.Codec
	if s := o.section(); s != nil {
		for _, p := range s.payloads() {
			if p.codec != media.CodecNone && !slices.Contains(list, p.codec) {
				list = append(list, p.codec)
			}
		}
	}
	return list
}

// Direction returns the offered direction as the far end sees it, with all
// forms of hold taken into account.
func (o *Offer) Direction() Direction {
	if s := o.section(); s != nil {
		return o.desc.direction(s)
	}
	return Inactive
}

// Answer takes the first codec of prefer that is offered, keeps the offerer's
// payload types, refuses every other stream in its place, and writes our
// answer. A hold is answered as RFC 3264 section 6.1 says: sendonly by recvonly,
// inactive by inactive.
func (o *Offer) Answer(local Local, prefer []media.Codec) (answer []byte, r Result, err error) {
	const op = "Answer"
	at := o.desc.audio(local.protection())
	if at < 0 || isWeb(o.desc.Sections[at].Proto) {
		return nil, Result{}, conflict(op, ErrNoAudio)
	}
	s := &o.desc.Sections[at]
	c, ok := choose(s.payloads(), prefer)
	if !ok {
		return nil, Result{}, conflict(op, ErrNoCommonCodec)
	}
	if r.Remote, err = o.desc.remote(op, s); err != nil {
		return nil, Result{}, err
	}
	r.Direction = o.desc.direction(s).Reverse().And(local.Direction)
	if !local.Noise {
		c.noise = payload{}
	}
	if local.NoEvents {
		c.event = payload{}
	}
	r.Format = format(c, c, s.ptime())

	d := o.refusal(local)
	mine := local.section(s.Proto, r.Direction, c.payloads()...)
	if s.Port == 0 {
		mine.Port = 0
	} else {
		r.Crypto = local.accept(&mine, s)
		if r.Control = s.control(r.Remote); r.Control.Mux {
			mine.Attrs = append(mine.Attrs, Attr{Key: "rtcp-mux"})
		}
	}
	d.Sections[at] = mine
	return d.Marshal(), r, nil
}

// Refuse writes the answer that takes no stream of o.
func (o *Offer) Refuse(local Local) []byte { return o.refusal(local).Marshal() }

func (o *Offer) refusal(local Local) *Description {
	d := local.description()
	for i := range o.desc.Sections {
		d.Sections = append(d.Sections, o.desc.Sections[i].refused())
	}
	return d
}

// NewOffer writes an offer of codecs, best first, each with its events. Codecs
// must not be empty.
func NewOffer(local Local, codecs []media.Codec) []byte {
	d := local.description()
	proto, p := "RTP/AVP", local.protection()
	if p == ProtectRequired {
		proto = "RTP/SAVP"
	}
	mine := local.section(proto, local.Direction, local.offered(codecs)...)
	if p == ProtectRequired || p == ProtectOptional {
		mine.offerCrypto(local.Secrets)
	}
	mine.Attrs = append(mine.Attrs, Attr{Key: "rtcp-mux"})
	d.Sections = []Section{mine}
	return d.Marshal()
}

// offered returns our payloads for codecs, the events of their clocks, and comfort
// noise for those that may have it, as far as we want them.
func (l Local) offered(codecs []media.Codec) []payload {
	var list, events []payload
	for _, c := range codecs {
		list = append(list, own(c))
		if e := ownEvent(c.ClockRate()); !l.NoEvents && !slices.Contains(events, e) {
			events = append(events, e)
		}
	}
	if l.Noise && slices.ContainsFunc(list, func(p payload) bool { return p.clock == ownNoise().clock }) {
		list = append(list, ownNoise())
	}
	return append(list, events...)
}

// ParseAnswer reads the answer to offer, which is what NewOffer returned.
func ParseAnswer(offer, body []byte) (Result, error) {
	const op = "ParseAnswer"
	ours, theirs, err := parsePair(offer, body)
	if err != nil {
		return Result{}, err
	}
	mine, s := &ours.Sections[0], &theirs.Sections[0]
	if s.Port == 0 || !isPlain(s.Proto) && !isSDES(s.Proto) {
		return Result{}, conflict(op, ErrNoAudio)
	}
	crypto, ok := agreed(mine, s)
	if !ok || crypto == nil && isSDES(mine.Proto) {
		return Result{}, conflict(op, ErrUnprotected)
	}
	f, ok := settled(mine, s)
	if !ok {
		return Result{}, conflict(op, ErrNoCommonCodec)
	}
	remote, err := theirs.remote(op, s)
	if err != nil {
		return Result{}, err
	}
	dir := theirs.direction(s).Reverse().And(ours.direction(mine))
	return Result{Format: f, Remote: remote, Direction: dir, Crypto: crypto, Control: s.control(remote)}, nil
}

// parsePair reads our offer and its answer; both have a first section.
func parsePair(offer, body []byte) (ours, theirs *Description, err error) {
	if ours, err = Parse(offer); err != nil {
		return nil, nil, err
	}
	if theirs, err = Parse(body); err != nil {
		return nil, nil, err
	}
	if len(ours.Sections) == 0 || len(theirs.Sections) == 0 || theirs.Sections[0].Kind != "audio" {
		return nil, nil, conflict("ParseAnswer", ErrNoAudio)
	}
	return ours, theirs, nil
}

// settled matches an answer's section with our offer's. The first codec of the
// answer that we offered is in use (RFC 3264 section 6.1). We send the answerer's
// payload types and get our own.
func settled(mine, s *Section) (media.Format, bool) {
	offered := mine.payloads()
	answered := s.payloads()
	for i, p := range answered {
		// A dynamic type without rtpmap can only mean what we offered under it.
		at := slices.IndexFunc(offered, func(o payload) bool { return o.typ == p.typ })
		if _, hasMap := s.param("rtpmap", strconv.Itoa(int(p.typ))); !hasMap && at >= 0 {
			answered[i] = offered[at]
		}
	}
	for _, p := range answered {
		codec := []media.Codec{p.codec}
		recv, ok := choose(offered, codec)
		if !ok {
			continue
		}
		send, _ := choose(answered, codec)
		if send.event.typ == 0 {
			recv.event = payload{}
		} else if recv.event.clock != send.event.clock {
			recv.event = eventFor(offered, send.event.clock)
		}
		if send.noise.typ == 0 || recv.noise.typ == 0 {
			send.noise, recv.noise = payload{}, payload{}
		}
		return format(send, recv, s.ptime()), true
	}
	return media.Format{}, false
}

func format(send, recv choice, ptime int) media.Format {
	return media.Format{
		Codec: send.audio.codec, SendType: send.audio.typ, RecvType: recv.audio.typ,
		SendDTMF: send.event.typ, RecvDTMF: recv.event.typ, DTMFClock: send.event.clock,
		SendNoise: send.noise.typ, RecvNoise: recv.noise.typ, PTime: ptime, Wishes: send.audio.wishes(),
	}
}

func (l Local) description() *Description {
	return &Description{
		Session: l.Session, Version: l.Version, Origin: l.Addr.Addr().Unmap(), Conn: connTo(l.Addr.Addr()),
	}
}

// section writes our audio section.
func (l Local) section(proto string, dir Direction, list ...payload) Section {
	s := Section{Kind: "audio", Port: l.Addr.Port(), Proto: proto}
	s.describe(list...)
	s.Attrs = append(s.Attrs, Attr{"ptime", "20"}, Attr{Key: dir.String()})
	return s
}

// refused returns s as it stands in an answer that does not take it.
func (s *Section) refused() Section {
	return Section{Kind: s.Kind, Proto: s.Proto, Formats: s.Formats}
}

// remote returns where the author of s wants RTP, the zero AddrPort for hold.
func (d *Description) remote(op string, s *Section) (netip.AddrPort, error) {
	c := d.conn(s)
	switch {
	case s.Port == 0 || c.Addr.IsValid() && c.Addr.IsUnspecified():
		return netip.AddrPort{}, nil
	case c.Host == "":
		return netip.AddrPort{}, invalid(op, "no connection address")
	case !c.Addr.IsValid():
		return netip.AddrPort{}, invalid(op, "connection address %.60q is not an IP address", c.Host)
	case c.Addr.IsMulticast():
		return netip.AddrPort{}, invalid(op, "connection address %s is multicast", c.Addr)
	}
	return netip.AddrPortFrom(c.Addr, s.Port), nil
}

// isPlain reports whether proto is RTP without encryption.
func isPlain(proto string) bool {
	return strings.EqualFold(proto, "RTP/AVP") || strings.EqualFold(proto, "RTP/AVPF")
}
