package sip

import "time"

// HA1 is a stored secret: hex of hash(username:realm:password), lower case. An
// empty field means that algorithm cannot be used for this user.
type HA1 struct{ MD5, SHA256 string }

// AuthConfig says how an Authenticator challenges.
type AuthConfig struct {
	// Realm is the realm of the challenges.
	Realm string
	// Lookup returns the secret of a user. It must take the same time for known
	// and unknown ones, and must not block.
	Lookup func(username string) (HA1, bool)
	// SHA256 offers SHA-256 after MD5. Browser clients read the first challenge only.
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
	// AuthStale is right or wrong credentials for an old nonce: challenge with stale=true.
	AuthStale
	// AuthFailed is an unknown user or a wrong password, which look the same.
	AuthFailed
)

// Authenticator challenges requests and checks the answers. It keeps no state
// per client: nonces are signed, bound to the peer's IP address, and good for
// NonceTTL and any nonce-count, because browser clients repeat theirs.
type Authenticator struct{}

// NewAuthenticator returns an Authenticator.
func NewAuthenticator(c AuthConfig) *Authenticator { return nil }

// Check proves who sent the request of tx. The user name is returned also with
// AuthFailed, for lock-out, but never to be trusted then.
func (a *Authenticator) Check(tx *ServerTx) (username string, result AuthResult) {
	return "", AuthMissing
}

// Challenge answers 401 to REGISTER and 407 to anything else.
func (a *Authenticator) Challenge(tx *ServerTx, stale bool) {}

// HashHA1 makes the stored secret of a password.
func HashHA1(username, realm, password string) HA1 { return HA1{} }
