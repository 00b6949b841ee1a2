package sdp

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// Suite is an SRTP crypto suite (RFC 4568 section 6.2, RFC 7714 section 14.2).
type Suite uint8

// The suites, the one we like best first.
const (
	NoSuite Suite = iota
	AESGCM128
	AESCM80
	AESCM32
)

// suite is the name of a Suite, and how many bytes its master key and salt have.
type suite struct {
	name      string
	key, salt int
}

var suites = [...]suite{
	AESGCM128: {"AEAD_AES_128_GCM", 16, 12},
	AESCM80:   {"AES_CM_128_HMAC_SHA1_80", 16, 14},
	AESCM32:   {"AES_CM_128_HMAC_SHA1_32", 16, 14},
}

// String returns the suite's name in SDP.
func (s Suite) String() string { return suites[s].name }

// KeySize returns how many bytes the master key has.
func (s Suite) KeySize() int { return suites[s].key }

// Crypto is what two sides agreed on to protect their audio with.
type Crypto struct {
	Suite Suite
	// Local is our master key and salt, for what we send; Remote is the far end's.
	Local, Remote []byte
}

// Secrets are our master keys and salts, one for each suite, for all descriptions
// of one dialog.
type Secrets [len(suites)][]byte

// NewSecrets makes new ones.
func NewSecrets() *Secrets {
	var s Secrets
	for i, suite := range suites {
		s[i] = make([]byte, suite.key+suite.salt)
		_, _ = rand.Read(s[i]) // never fails
	}
	return &s
}

// Protection says what becomes of SRTP (SDES, RFC 4568) in an offer or answer.
type Protection uint8

// The kinds of protection.
const (
	// ProtectAnswers takes SRTP from who offers it, and offers none.
	ProtectAnswers Protection = iota
	// ProtectOptional also offers it, to who need not take it: as RTP/AVP with keys.
	ProtectOptional
	// ProtectRequired offers and takes nothing else.
	ProtectRequired
	// ProtectNever neither offers nor takes it.
	ProtectNever
)

// isSDES reports whether proto is SRTP with keys in the description.
func isSDES(proto string) bool {
	return strings.EqualFold(proto, "RTP/SAVP") || strings.EqualFold(proto, "RTP/SAVPF")
}

// cryptoLine is one a=crypto line that we can use.
type cryptoLine struct {
	tag   string
	suite Suite
	key   []byte
}

// crypto returns the crypto lines of s that we can use, in the author's order.
func (s *Section) crypto() []cryptoLine {
	var list []cryptoLine
	for _, a := range s.Attrs {
		if a.Key != "crypto" {
			continue
		}
		if c, ok := parseCrypto(a.Value); ok {
			list = append(list, c)
		}
	}
	return list
}

// parseCrypto reads "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^20|1:4 PARAMS". Session
// parameters change what is sent, and a key identifier is sent along: we have
// neither, so a line with them is of no use (RFC 4568 section 6.3.7).
func parseCrypto(value string) (c cryptoLine, ok bool) {
	f := strings.Fields(value)
	if len(f) < 3 || len(f[0]) > 9 {
		return c, false
	}
	at := slices.IndexFunc(suites[1:], func(s suite) bool { return strings.EqualFold(s.name, f[1]) })
	method, rest, _ := strings.Cut(f[2], ":")
	if at < 0 || !strings.EqualFold(method, "inline") || strings.Contains(rest, ";") || slices.ContainsFunc(f[3:], mandatory) {
		return c, false
	}
	c.tag, c.suite = f[0], Suite(at+1)
	parts := strings.Split(rest, "|")
	for _, p := range parts[1:] {
		if strings.Contains(p, ":") {
			return c, false // MKI
		}
	}
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(parts[0], "="))
	c.key = key
	return c, err == nil && len(key) == suites[c.suite].key+suites[c.suite].salt
}

// mandatory reports whether a session parameter must be understood: all but a hint
// of the window, and those that say so by a dash.
func mandatory(param string) bool {
	return !strings.HasPrefix(strings.ToUpper(param), "WSH=") && !strings.HasPrefix(param, "-")
}

// line writes the crypto line with our key.
func (s *Secrets) line(tag string, suite Suite) Attr {
	return Attr{"crypto", tag + " " + suite.String() + " inline:" + base64.StdEncoding.EncodeToString(s[suite])}
}

// offerCrypto adds our crypto lines to an offer. The short tag of AESCM32 is not
// offered: nobody has that alone.
func (s *Section) offerCrypto(keys *Secrets) {
	for i, suite := range []Suite{AESGCM128, AESCM80} {
		s.Attrs = append(s.Attrs, keys.line(strconv.Itoa(i+1), suite))
	}
}

// accept chooses among the far end's crypto lines and adds the answer to mine.
// It returns nil if s is not protected.
func (l Local) accept(mine, s *Section) *Crypto {
	lines := s.crypto()
	if len(lines) == 0 || l.Secrets == nil || l.Protection == ProtectNever {
		return nil
	}
	c := lines[0]
	mine.Attrs = append(mine.Attrs, l.Secrets.line(c.tag, c.suite))
	return &Crypto{Suite: c.suite, Local: l.Secrets[c.suite], Remote: c.key}
}

// agreed returns what an answer made of the crypto lines of our offer, nil for
// nothing. ok is false if it is not one of them.
func agreed(mine, s *Section) (c *Crypto, ok bool) {
	lines := s.crypto()
	if len(lines) == 0 {
		return nil, !isSDES(s.Proto)
	}
	for _, ours := range mine.crypto() {
		if ours.tag == lines[0].tag && ours.suite == lines[0].suite {
			return &Crypto{Suite: ours.suite, Local: ours.key, Remote: lines[0].key}, true
		}
	}
	return nil, false
}

// usable reports whether audio in s can be protected, or not, as p wants it.
func (p Protection) usable(s *Section) bool {
	if !s.live() {
		return true // refused: there is nothing to protect
	}
	protected := len(s.crypto()) > 0
	switch {
	case isSDES(s.Proto):
		return protected && p != ProtectNever
	case p == ProtectRequired:
		return protected
	}
	return true
}
