package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// keySize is the length of a node key in bytes.
const keySize = 32

// Key is the secret of a node: it seals what the store must be able to read
// back, and other secrets are derived from it. It lives in a file of its own, so
// that a stolen copy of the database alone gives no password away.
type Key struct {
	secret []byte
	aead   cipher.AEAD // seals; made once, because every user has two sealed columns
}

func newKey(secret []byte) Key {
	k := Key{secret: secret}
	block, err := aes.NewCipher(k.Derive("seal"))
	if err != nil {
		panic(err) // only for other key lengths
	}
	if k.aead, err = cipher.NewGCM(block); err != nil {
		panic(err) // only for other block sizes
	}
	return k
}

// NewKey returns a random key that is kept nowhere.
func NewKey() Key {
	secret := make([]byte, keySize)
	rand.Read(secret) // never fails
	return newKey(secret)
}

// LoadKey reads the key file at path and makes one, readable by its owner only,
// if there is none. It refuses a file that others can read.
func LoadKey(path string) (Key, error) {
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = NewKey()
	if err := writeKey(path, key); err != nil && !errors.Is(err, fs.ErrExist) {
		return Key{}, fmt.Errorf("store.LoadKey: %w", err)
	}
	return readKey(path) // another process may have been quicker
}

func readKey(path string) (Key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Key{}, fmt.Errorf("store.LoadKey: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return Key{}, fmt.Errorf("store.LoadKey: %s can be read by others (mode %o): chmod 600 it", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path) //nolint:gosec // the operator's own path
	if err != nil {
		return Key{}, fmt.Errorf("store.LoadKey: %w", err)
	}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(secret) != keySize {
		return Key{}, fmt.Errorf("store.LoadKey: %s is not a node key", path)
	}
	return newKey(secret), nil
}

// writeKey makes the file in one step: a reader sees all of it or none.
func writeKey(path string, key Key) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".node-key-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key.secret) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path) // fails, instead of replacing, if path exists
	}
	return errors.Join(err, os.Remove(f.Name()))
}

// Derive returns 32 bytes for one purpose, such as "tokens". Whoever knows them
// learns nothing about the key or about other purposes.
func (k Key) Derive(purpose string) []byte {
	out, err := hkdf.Expand(sha256.New, k.secret, "offhook "+purpose, keySize)
	if err != nil {
		panic(err) // only for lengths above 8160 bytes
	}
	return out
}

// seal encrypts text for the row and column named by where; it opens nowhere
// else, so a sealed value cannot be moved to another user.
func (k Key) seal(where, text string) string {
	if text == "" {
		return ""
	}
	nonce := make([]byte, k.aead.NonceSize(), k.aead.NonceSize()+len(text)+k.aead.Overhead())
	rand.Read(nonce) // never fails
	return base64.StdEncoding.EncodeToString(k.aead.Seal(nonce, nonce, []byte(text), []byte(where)))
}

// open is the inverse of seal.
func (k Key) open(where, sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	raw, err := base64.StdEncoding.DecodeString(sealed)
	size := k.aead.NonceSize()
	if err != nil || len(raw) < size {
		return "", fmt.Errorf("store: %s is not a sealed value", where)
	}
	text, err := k.aead.Open(nil, raw[:size], raw[size:], []byte(where))
	if err != nil {
		return "", fmt.Errorf("store: %s does not open with this node key", where)
	}
	return string(text), nil
}
