package sipedge

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// authenticate proves which house user, or which account, sent the request of tx, by
// digest. When it returns false the request is answered. An unknown user and a wrong
// password get the same answer after the same work.
func (e *Edge) authenticate(tx *sip.ServerTx) (core.UserID, bool) {
	source := tx.Flow().Remote().Addr()
	name, result := e.digest.Check(tx)
	user, _, _ := e.login(name)
	if result != sip.AuthMissing && e.secrets.Blocked(source, name) {
		tx.Reply(403, "")
		return core.UserID{}, false
	}
	switch result {
	case sip.AuthOK:
		e.secrets.Succeeded(source, name)
		e.gate.knows(source)
		return user, true
	case sip.AuthMissing:
		e.digest.Challenge(tx, false)
	case sip.AuthStale:
		e.digest.Challenge(tx, true)
	case sip.AuthFailed:
		e.secrets.Failed(source, name)
		e.log.Info("digest refused", "user", name, "source", source, "method", tx.Request().Method)
		tx.Reply(403, "")
	}
	return core.UserID{}, false
}

// lookup serves the digest checker.
func (e *Edge) lookup(name string) (sip.HA1, bool) {
	_, secret, known := e.login(name)
	return secret, known
}

// login returns whose credentials have a name, a user of the house or, if there is
// none, an account; all others are users of the house whom nobody knows. Users of
// applications have no SIP phones.
func (e *Edge) login(name string) (user core.UserID, secret sip.HA1, known bool) {
	house, account := core.UserID{Name: name}, core.UserID{App: core.AccountApp, Name: name}
	houseMD5, houseSHA, knownHouse := e.secrets.Digest(house, e.cfg.Realm)
	accountMD5, accountSHA, knownAccount := e.secrets.Digest(account, e.cfg.Realm)
	if knownAccount && !knownHouse {
		return account, sip.HA1{MD5: accountMD5, SHA256: accountSHA}, true
	}
	return house, sip.HA1{MD5: houseMD5, SHA256: houseSHA}, knownHouse
}

// caller finds out who sends an INVITE: a trunk by its address, else a user by
// digest. A request that brings credentials is a user's, also from a trunk's
// address. When it returns false the INVITE is answered.
func (e *Edge) caller(tx *sip.ServerTx, req *sip.Request) (from core.Party, contact core.ContactID, ok bool) {
	from = identity(req)
	withCredentials := sip.HeaderValue(req, "Proxy-Authorization") != "" || sip.HeaderValue(req, "Authorization") != ""
	if trunk, known := e.trunkOf(tx, req); known && !withCredentials {
		from.Trunk, from.Number = trunk.Name, trunk.Digits(from.Number)
		return from, "", true
	}
	user, ok := e.authenticate(tx)
	if !ok {
		return core.Party{}, "", false
	}
	from.User = user
	return from, e.callingContact(user, tx.Flow(), req), true
}

// trunkOf finds the trunk that sends an INVITE: by the contact we registered there,
// else by its address.
func (e *Edge) trunkOf(tx *sip.ServerTx, req *sip.Request) (Trunk, bool) {
	table := e.trunks.Load()
	if name, ok := e.registrations.find(req.Recipient.User, tx.Flow()); ok {
		t, known := table.byName[name]
		return t, known
	}
	return table.from(tx.Flow().Remote().Addr())
}

// dialled returns the number that a trunk calls. One that calls the contact we
// registered names it elsewhere (RFC 3455 section 4.2, else To).
func (e *Edge) dialled(req *sip.Request, trunk string) string {
	number := userOf(req.Recipient)
	if trunk == "" {
		return number
	}
	if e.registrations.known(req.Recipient.User) {
		number = userOf(req.To().Address)
		if uri, err := sip.ParseURI(addrSpec(sip.HeaderValue(req, "P-Called-Party-ID"))); err == nil && userOf(uri) != "" {
			number = userOf(uri)
		}
	}
	return e.trunks.Load().byName[trunk].Digits(number)
}

// userOf returns whom a URI names: the user part of a SIP URI without its parameters
// (RFC 3261 section 19.1.6: a telephone-subscriber's), or the number of a tel URI. What
// is said to be a telephone number comes without visual separators (RFC 3966 section 3).
func userOf(uri sip.Uri) string {
	user := uri.User
	kind, _ := sip.Param(uri.UriParams, "user")
	number := strings.EqualFold(kind, "phone")
	if strings.EqualFold(uri.Scheme, "tel") {
		_, user, _ = strings.Cut(uri.String(), ":")
		number = true
	}
	user, _, _ = strings.Cut(user, ";")
	if user = unescape(user); number {
		user = separators.Replace(user)
	}
	return user
}

var separators = strings.NewReplacer("-", "", ".", "", "(", "", ")", "")

// callingContact returns the registration of the phone that calls, so that the
// call does not ring it.
func (e *Edge) callingContact(user core.UserID, flow sip.Flow, req *sip.Request) core.ContactID {
	var uri string
	if c := req.Contact(); c != nil {
		uri = c.Address.HostPort()
	}
	for _, b := range e.bindings.of(user) {
		if b.flow == flow && (flow.Reliable() || b.uri.HostPort() == uri) {
			return b.id
		}
	}
	return ""
}

// identity says who calls: by the asserted identity (RFC 3325), else by From;
// nobody if the caller asks not to be shown. The number is not even kept: a callee
// may sit behind a trunk of somebody else.
func identity(req *sip.Request) core.Party {
	if hidden(req) {
		return core.Party{}
	}
	number := userOf(req.From().Address)
	if uri, ok := assertedIdentity(req); ok {
		number = userOf(uri)
	}
	return core.Party{Number: number, Name: req.From().DisplayName}
}

// hidden reports whether the caller asks for privacy of any kind that conceals
// who calls (RFC 3323 section 4.2, RFC 3325 section 9.3).
func hidden(req *sip.Request) bool {
	for _, v := range sip.HeaderValues(req, "Privacy") {
		for kind := range strings.SplitSeq(v, ";") {
			switch strings.ToLower(strings.TrimSpace(kind)) {
			case "id", "user", "header":
				return true
			}
		}
	}
	return false
}

// assertedIdentity returns the URI of P-Asserted-Identity that carries a user.
func assertedIdentity(req *sip.Request) (sip.Uri, bool) {
	for _, v := range sip.HeaderValues(req, "P-Asserted-Identity") {
		if uri, err := sip.ParseURI(addrSpec(v)); err == nil && userOf(uri) != "" {
			return uri, true
		}
	}
	return sip.Uri{}, false
}

// unescape undoes %-escapes of a URI's user part; what cannot be undone stays.
func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// trunkTable is an immutable snapshot of the trunks.
type trunkTable struct {
	byName map[string]Trunk
	list   []Trunk
}

// from returns the trunk whose address range has addr; the longest prefix wins.
func (t *trunkTable) from(addr netip.Addr) (Trunk, bool) {
	best, bits := -1, -1
	for i := range t.list {
		for _, p := range t.list[i].sources {
			if p.Bits() > bits && p.Contains(addr.Unmap()) {
				best, bits = i, p.Bits()
			}
		}
	}
	if best < 0 {
		return Trunk{}, false
	}
	return t.list[best], true
}

// reach reports whether uri is a host of a trunk.
func (t *trunkTable) reach(uri sip.Uri) bool {
	return slices.ContainsFunc(t.list, func(trunk Trunk) bool { return trunk.has(uri) })
}
