package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// Signer signs the webhooks of one application.
type Signer struct {
	Key    []byte // signature secret of the account
	APIKey string // of the account
	App    string
}

// Token returns a JSON Web Token (RFC 7519) by HS256 about a payload, with an
// identifier of its own. A nil payload leaves payload_hash out, as a WebSocket does.
func (s Signer) Token(payload []byte, now time.Time) string {
	claims := make([]byte, 0, 320)
	claims = append(claims, `{"iat":`...)
	claims = strconv.AppendInt(claims, now.Unix(), 10)
	claims = append(claims, `,"jti":"`+newUUID()+`","iss":"Vonage"`...)
	if payload != nil {
		hash := sha256.Sum256(payload)
		claims = append(claims, `,"payload_hash":"`+hex.EncodeToString(hash[:])+`"`...)
	}
	claims = appendString(append(claims, `,"api_key":`...), s.APIKey)
	claims = appendString(append(claims, `,"application_id":`...), s.App)
	claims = append(claims, '}')

	b64 := base64.RawURLEncoding
	signed := b64.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + b64.EncodeToString(claims)
	mac := hmac.New(sha256.New, s.Key)
	mac.Write([]byte(signed))
	return signed + "." + b64.EncodeToString(mac.Sum(nil))
}

// newUUID returns a random UUID, version 4 (RFC 9562 section 5.4).
func newUUID() string {
	var u [16]byte
	_, _ = rand.Read(u[:]) // never fails: crypto/rand
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
