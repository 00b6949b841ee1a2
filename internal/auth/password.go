package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/offhook/offhook/internal/core"
)

// The cost of a new hash: the second choice of the OWASP password storage cheat
// sheet, about 40 ms of one processor. Stored hashes name their own cost.
const (
	argonMemory  = 19 * 1024 // KiB
	argonPasses  = 2
	argonThreads = 1
	saltSize     = 16
	hashSize     = 32
)

// The most that a stored hash may ask for, so that a bad row cannot take all
// memory.
const (
	maxArgonMemory = 256 * 1024 // KiB
	maxArgonPasses = 16
)

// HashPassword returns the argon2id hash of password with a fresh salt, in PHC
// form: "$argon2id$v=19$m=19456,t=2,p=1$salt$hash".
func HashPassword(password core.Secret) (string, error) {
	salt := make([]byte, saltSize)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("auth.HashPassword: %w", err)
	}
	return formatHash(salt, argon2.IDKey([]byte(password.Reveal()), salt, argonPasses, argonMemory, argonThreads, hashSize)), nil
}

// nobodysHash returns what costs as much to verify as any hash, and what no
// password has: it is not worth 40 ms and 19 MB at every start.
func nobodysHash() string {
	random := make([]byte, saltSize+hashSize)
	_, _ = rand.Read(random) // never fails
	return formatHash(random[:saltSize], random[saltSize:])
}

func formatHash(salt, hash []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonPasses, argonThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(hash))
}

// verifyPassword reports whether hash was made of password.
func verifyPassword(hash string, password core.Secret) (bool, error) {
	p, err := parseHash(hash)
	if err != nil {
		return false, err
	}
	got := argon2.IDKey([]byte(password.Reveal()), p.salt, p.passes, p.memory, p.threads, uint32(len(p.hash))) //nolint:gosec // parseHash bounds it
	return subtle.ConstantTimeCompare(got, p.hash) == 1, nil
}

// phc is a parsed hash.
type phc struct {
	memory, passes uint32
	threads        uint8
	salt, hash     []byte
}

func parseHash(text string) (phc, error) {
	bad := func(what string) (phc, error) {
		return phc{}, fmt.Errorf("auth: stored password hash has a bad %s", what)
	}
	fields := strings.Split(text, "$")
	if len(fields) != 6 || fields[0] != "" || fields[1] != "argon2id" {
		return bad("form")
	}
	var version int
	if _, err := fmt.Sscanf(fields[2], "v=%d", &version); err != nil || version != argon2.Version {
		return bad("version")
	}
	var p phc
	if _, err := fmt.Sscanf(fields[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.threads); err != nil ||
		p.memory > maxArgonMemory || p.passes < 1 || p.passes > maxArgonPasses || p.threads < 1 {
		return bad("cost")
	}
	var err error
	if p.salt, err = base64.RawStdEncoding.DecodeString(fields[4]); err != nil {
		return bad("salt")
	}
	if p.hash, err = base64.RawStdEncoding.DecodeString(fields[5]); err != nil || len(p.hash) < hashSize || len(p.hash) > 2*hashSize {
		return bad("length")
	}
	return p, nil
}
