package rtc

import (
	"crypto/rand"
	"net"
	"slices"
	"strings"

	"github.com/pion/stun/v3"

	"github.com/offhook/offhook/internal/media/sdp"
)

// agent is one generation of ICE credentials of a path (RFC 8445 section 2.4).
// An ICE restart makes the next one; the former serves until the next has found
// a way.
type agent struct {
	path   *Path
	local  sdp.Credentials
	remote sdp.Credentials
}

// newCredentials returns fresh ICE credentials: RFC 8445 section 5.3 asks for 24
// and 128 random bits; rand.Text has 26 characters of 5 bits.
func newCredentials() sdp.Credentials {
	return sdp.Credentials{Ufrag: rand.Text()[:12], Pwd: rand.Text()}
}

func (s *Server) addAgent(a *agent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agents[a.local.Ufrag] = a
}

func (s *Server) removeAgent(a *agent) {
	if a == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.agents[a.local.Ufrag] == a { // a fork of the far end may have our credentials now
		delete(s.agents, a.local.Ufrag)
	}
}

// agentFor returns the agent that a check's USERNAME "ours:theirs" names.
func (s *Server) agentFor(username string) *agent {
	ours, theirs, _ := strings.Cut(username, ":")
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.agents[ours]; a != nil && a.remote.Ufrag == theirs {
		return a
	}
	return nil
}

// check handles a STUN message. Only binding requests of a far end that knows
// one of our passwords get an answer; others are dropped in silence, so that we
// cannot be used to flood a third party.
func (s *Server) check(r *reader, datagram []byte, from remote) {
	m := &r.stun
	if !s.serves(from.addr.Addr()) || stun.Decode(datagram, m) != nil {
		s.blocked.Add(1)
		return
	}
	a := s.authenticated(m)
	if a == nil || m.Type != stun.BindingRequest {
		s.blocked.Add(1)
		return
	}
	a.request(m, from)
}

// authenticated returns the agent whose password signed m, or nil.
func (s *Server) authenticated(m *stun.Message) *agent {
	var username stun.Username
	if username.GetFrom(m) != nil {
		return nil
	}
	a := s.agentFor(username.String())
	if a == nil || stun.NewShortTermIntegrity(a.local.Pwd).Check(m) != nil {
		return nil
	}
	if m.Contains(stun.AttrFingerprint) && stun.Fingerprint.Check(m) != nil {
		return nil
	}
	return a
}

// request answers a connectivity check as RFC 8445 section 7.3 says and tells
// the path where its far end is.
func (a *agent) request(m *stun.Message, from remote) {
	if unknown := unknownAttributes(m); len(unknown) > 0 {
		a.reply(m, from, stun.BindingError, stun.CodeUnknownAttribute, unknown)
		return
	}
	if m.Contains(stun.AttrICEControlled) {
		// A lite agent never controls: the far end must (section 6.1.1).
		a.reply(m, from, stun.BindingError, stun.CodeRoleConflict)
		return
	}
	if !a.path.reachable(a, from, m.Contains(stun.AttrUseCandidate)) {
		return
	}
	a.reply(m, from, stun.BindingSuccess, &stun.XORMappedAddress{
		IP: net.IP(from.addr.Addr().AsSlice()), Port: int(from.addr.Port()),
	})
}

// reply sends a signed response to m.
func (a *agent) reply(m *stun.Message, to remote, typ stun.MessageType, attrs ...stun.Setter) {
	setters := slices.Concat(
		[]stun.Setter{stun.NewTransactionIDSetter(m.TransactionID), typ}, attrs,
		[]stun.Setter{stun.NewShortTermIntegrity(a.local.Pwd), stun.Fingerprint},
	)
	response, err := stun.Build(setters...)
	if err != nil {
		return
	}
	a.path.srv.write(response.Raw, to)
}

// unknownAttributes lists the attributes of m that must be understood and are
// not (RFC 8489 section 6.3.1).
func unknownAttributes(m *stun.Message) stun.UnknownAttributes {
	var unknown stun.UnknownAttributes
	for _, attr := range m.Attributes {
		switch attr.Type {
		case stun.AttrUsername, stun.AttrMessageIntegrity, stun.AttrPriority, stun.AttrUseCandidate,
			stun.AttrRealm, stun.AttrNonce, stun.AttrMappedAddress, stun.AttrXORMappedAddress, stun.AttrErrorCode:
		default:
			if attr.Type.Required() {
				unknown = append(unknown, attr.Type)
			}
		}
	}
	return unknown
}
