package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/core"
)

const (
	verifiedFor  = 10 * time.Minute
	verifiedSize = 1024
)

// verifiedCache remembers passwords that were right, so that a page which
// reconnects does not cost a hash each time. It keeps a MAC under a key of this
// process only, never the password; the stored hash is part of it, so that a
// changed password is asked again at once.
type verifiedCache struct {
	key   []byte
	mu    sync.Mutex // guards until
	until *lru[[sha256.Size]byte, time.Time]
}

func newVerifiedCache() *verifiedCache {
	key := make([]byte, keySize)
	rand.Read(key) // never fails
	return &verifiedCache{key: key, until: newLRU[[sha256.Size]byte, time.Time](verifiedSize)}
}

func (c *verifiedCache) tag(user, hash string, password core.Secret) (tag [sha256.Size]byte) {
	mac := hmac.New(sha256.New, c.key)
	fmt.Fprintf(mac, "%q %q %q", user, hash, password.Reveal()) //nolint:errcheck // a hash.Hash never fails
	mac.Sum(tag[:0])
	return tag
}

func (c *verifiedCache) has(tag [sha256.Size]byte, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	until := c.until.get(tag)
	return until != nil && now.Before(*until)
}

func (c *verifiedCache) add(tag [sha256.Size]byte, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until.put(tag, now.Add(verifiedFor))
}
