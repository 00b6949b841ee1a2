package sip

import (
	"crypto/hmac"
	"crypto/md5" // digest of RFC 3261, not a choice
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strings"
	"sync"
	"time"
)

// HA1 is a stored secret: hex of hash(username:realm:password), lower case. An
// empty field means that algorithm cannot be used for this user.
type HA1 struct{ MD5, SHA256 string }

// HashHA1 makes the stored secret of a password.
func HashHA1(username, realm, password string) HA1 {
	a1 := username + ":" + realm + ":" + password
	return HA1{MD5: hashHex(md5.New(), a1), SHA256: hashHex(sha256.New(), a1)}
}

func hashHex(h hash.Hash, s string) string {
	h.Write([]byte(s))
	return hex.EncodeToString(h.Sum(nil))
}

// AuthConfig says how an Authenticator challenges.
type AuthConfig struct {
	// Realm is the realm of the challenges.
	Realm string
	// Lookup returns the secret of a user. It must take the same time for known
	// and unknown ones, and must not block.
	Lookup func(username string) (HA1, bool)
	// SHA256 offers SHA-256 after MD5 (RFC 8760), but not on WebSockets: their clients
	// read the first challenge only.
	SHA256 bool
	// NonceTTL is how long a nonce is good, default 10 min.
	NonceTTL time.Duration
	// Key signs nonces; nil makes a random one. Nodes that share users share it.
	Key []byte
}

// AuthResult is what Check found.
type AuthResult uint8

const (
	// AuthMissing is a request without credentials for our realm: challenge it.
	AuthMissing AuthResult = iota
	// AuthOK is a proven user.
	AuthOK
	// AuthStale is an old or foreign nonce, whatever the password: challenge with stale=true.
	AuthStale
	// AuthFailed is an unknown user or a wrong password, which look the same.
	AuthFailed
)

// Authenticator challenges requests and checks the answers. It keeps no state
// per client: nonces are signed, bound to the peer's IP address, and good for
// NonceTTL and any nonce-count, because browser clients repeat theirs (sip.js
// sends the same nonce, cnonce and nc with every refresh).
type Authenticator struct {
	c     AuthConfig
	dummy HA1       // stands in for unknown users, so that they cost the same
	macs  sync.Pool // of hash.Hash: keyed ones, which remember the key's share of the work
}

// NewAuthenticator returns an Authenticator.
func NewAuthenticator(c AuthConfig) *Authenticator {
	setDefault(&c.NonceTTL, 10*time.Minute)
	if c.Key == nil {
		c.Key = []byte(rand.Text() + rand.Text())
	}
	a := &Authenticator{c: c, dummy: HashHA1(rand.Text(), c.Realm, rand.Text())}
	a.macs.New = func() any { return hmac.New(sha256.New, c.Key) }
	return a
}

// Check proves who sent the request of tx. The user name is returned also with
// AuthFailed, for lock-out, but never to be trusted then. REGISTER brings its
// credentials in Authorization, anything else in Proxy-Authorization or
// Authorization.
func (a *Authenticator) Check(tx *ServerTx) (username string, result AuthResult) {
	cred, ok := a.credentials(tx.req)
	if !ok {
		return "", AuthMissing
	}
	ha1, known := a.c.Lookup(cred.username)
	if !known {
		ha1 = a.dummy
	}
	match := a.match(&cred, ha1, string(tx.req.Method)) && known && sameTarget(cred.uri, tx.req.Recipient)
	switch {
	case !a.fresh(cred.nonce, tx): // says nothing about the password
		return cred.username, AuthStale
	case !match:
		return cred.username, AuthFailed
	}
	return cred.username, AuthOK
}

// credentials returns the digest credentials for our realm.
func (a *Authenticator) credentials(req *Request) (cred digestReply, ok bool) {
	for _, name := range [...]string{"Authorization", "Proxy-Authorization"} {
		for _, v := range HeaderValues(req, name) {
			if cred, ok = parseDigestReply(v); ok && cred.realm == a.c.Realm {
				return cred, true
			}
		}
	}
	return digestReply{}, false
}

// match recomputes the response (RFC 2617 section 3.2.2, RFC 8760).
func (a *Authenticator) match(cred *digestReply, ha1 HA1, method string) bool {
	var stored string
	var h hash.Hash
	switch strings.ToUpper(cred.algorithm) {
	case "", "MD5":
		stored, h = ha1.MD5, md5.New()
	case "SHA-256":
		stored, h = ha1.SHA256, sha256.New()
	}
	if stored == "" || (cred.qop != "" && cred.qop != "auth") {
		return false
	}
	ha2 := hashHex(h, method+":"+cred.uri)
	h.Reset()
	want := stored + ":" + cred.nonce + ":"
	if cred.qop != "" {
		want += hexCount(cred.count) + ":" + cred.cnonce + ":" + cred.qop + ":"
	}
	want = hashHex(h, want+ha2)
	return subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(cred.response))) == 1
}

// hexCount writes a nonce-count as on the wire, eight digits.
func hexCount(n uint32) string {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return hex.EncodeToString(b[:])
}

// sameTarget keeps credentials from being used for another place than they were
// made for. Ports and parameters may differ: phones disagree about them.
func sameTarget(digestURI string, uri Uri) bool {
	u, err := ParseURI(digestURI)
	return err == nil && u.User == uri.User && strings.EqualFold(u.Host, uri.Host)
}

// A nonce is base64 of 8 bytes time, 8 random bytes and 16 bytes HMAC-SHA256 over
// both, the realm and the peer's address.
const (
	nonceBody = 16
	nonceLen  = nonceBody + 16
)

func (a *Authenticator) nonce(tx *ServerTx) string {
	b := make([]byte, nonceBody, nonceLen)
	binary.BigEndian.PutUint64(b, uint64(time.Now().Unix())) // after 1970
	_, _ = rand.Read(b[8:])                                  // never fails
	return base64.RawURLEncoding.EncodeToString(a.sign(b, tx))
}

// sign appends the signature to the first bytes of a nonce.
func (a *Authenticator) sign(b []byte, tx *ServerTx) []byte {
	mac := a.macs.Get().(hash.Hash) //nolint:forcetypeassert // New makes nothing else
	defer a.macs.Put(mac)
	mac.Reset()
	mac.Write(b[:nonceBody])
	mac.Write([]byte(a.c.Realm))
	ip := tx.flow.remote.Addr().As16()
	mac.Write(ip[:])
	var sum [sha256.Size]byte
	return append(b[:nonceBody], mac.Sum(sum[:0])[:nonceLen-nonceBody]...)
}

// fresh reports whether we made that nonce for this peer within NonceTTL.
func (a *Authenticator) fresh(nonce string, tx *ServerTx) bool {
	b, err := base64.RawURLEncoding.DecodeString(nonce)
	if err != nil || len(b) != nonceLen {
		return false
	}
	want := a.sign(append(make([]byte, 0, nonceLen), b[:nonceBody]...), tx)
	made := time.Unix(int64(binary.BigEndian.Uint64(b)), 0) // signed, or refused below
	age := time.Since(made)
	return hmac.Equal(b, want) && age >= -time.Minute && age <= a.c.NonceTTL
}

// Challenge answers 401 to REGISTER and 407 to anything else.
func (a *Authenticator) Challenge(tx *ServerTx, stale bool) {
	code, name := 407, "Proxy-Authenticate"
	if tx.req.Method == REGISTER {
		code, name = 401, "WWW-Authenticate"
	}
	algorithms := []string{"MD5"}
	if t := tx.flow.Transport(); a.c.SHA256 && t != WS && t != WSS {
		algorithms = append(algorithms, "SHA-256")
	}
	nonce := a.nonce(tx)
	var headers []Header
	for _, alg := range algorithms {
		v := `Digest realm="` + a.c.Realm + `", nonce="` + nonce + `", algorithm=` + alg + `, qop="auth"`
		if stale {
			v += ", stale=true"
		}
		headers = append(headers, NewHeader(name, v))
	}
	tx.Reply(code, "", headers...)
}
