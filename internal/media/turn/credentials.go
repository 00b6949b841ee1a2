package turn

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what clients and RFC 8489 section 9.2.2 do with it needs no more
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	pion "github.com/pion/turn/v5"
)

// Credentials are what a client logs in with, in the form that others use too
// (draft-uberti-behave-turn-rest): the name has the time at which they end.
type Credentials struct{ Name, Password string }

// Credentials returns some for user that are good until then, also for what was
// begun before: a client that refreshes its relay after that loses it.
func (s *Server) Credentials(user string, until time.Time) Credentials {
	name := strconv.FormatInt(until.Unix(), 10) + ":" + user
	return Credentials{name, s.password(name)}
}

func (s *Server) password(name string) string {
	mac := hmac.New(sha1.New, s.cfg.Secret)
	mac.Write([]byte(name))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// authenticate returns the user of a name and the key that its requests are signed
// with. A name that is too old has none.
func (s *Server) authenticate(r *pion.RequestAttributes) (user string, key []byte, ok bool) {
	until, user, ok := strings.Cut(r.Username, ":")
	end, err := strconv.ParseInt(until, 10, 64)
	if !ok || err != nil || time.Now().Unix() > end {
		return "", nil, false
	}
	return user, pion.GenerateAuthKey(r.Username, s.cfg.Realm, s.password(r.Username)), true
}
