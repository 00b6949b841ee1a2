package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/google/uuid"
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
	claims = append(claims, `,"jti":"`+uuid.NewString()+`","iss":"Vonage"`...)
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
