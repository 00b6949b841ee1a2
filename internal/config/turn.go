package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// TURN is a relay for browsers whose network lets nothing else through. It leads to
// our own WebRTC port only.
type TURN struct {
	// Listen is host:port for UDP and TCP, such as :3478, or port 443 where nothing else
	// uses it. Default "", no relay.
	Listen string `yaml:"listen"`
	// Realm is what browsers are told to log in to. Default: sip.realm.
	Realm string `yaml:"realm"`
	// Relay is the address of this machine, one of those that media.webrtc_udp listens
	// at, that relays send from and lead to, or "auto" (default).
	Relay string `yaml:"relay"`
}

// Validate checks the section.
func (c TURN) Validate() error {
	var errs []error
	if !isRealm(c.Realm) {
		errs = append(errs, fmt.Errorf("turn.realm: %q %s", c.Realm, notRealm))
	}
	if _, err := netip.ParseAddr(c.Relay); err != nil && c.Relay != Auto {
		errs = append(errs, fmt.Errorf("turn.relay: %q is neither auto nor an address", c.Relay))
	}
	return errors.Join(append(errs, checkListen("turn.listen", c.Listen, optional))...)
}

// isRealm reports whether s can stand in a challenge of any kind; notRealm says what
// it is not.
func isRealm(s string) bool {
	return s != "" && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r > '~' })
}

const notRealm = `is not 1 to 128 printable ASCII characters without " and \`
