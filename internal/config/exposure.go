package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// minPassword is the shortest password, in bytes, that may be tried from other
// machines.
const minPassword = 10

// CheckExposure refuses passwords that others know or can guess while a
// listener can be reached from other machines. All such users are named.
func (c Config) CheckExposure() error {
	open := c.exposed()
	if open == "" {
		return nil
	}
	samples := samplePasswords()
	var errs []error
	for i, u := range c.Resources.Users {
		var why string
		switch {
		case u.Password == "":
			continue // logs in by token only
		case slices.Contains(samples, u.Password):
			why = "is a sample that everybody knows"
		case len(u.Password) < minPassword:
			why = fmt.Sprintf("is shorter than %d characters", minPassword)
		case strings.EqualFold(u.Password.Reveal(), u.Name):
			why = "is the user's name"
		default:
			continue
		}
		errs = append(errs, fmt.Errorf("resources.users[%d].password: the password of %q %s, and %s can be reached from other machines", i, u.Name, why, open))
	}
	return errors.Join(errs...)
}

// exposed returns the path and value of the first listener that other machines
// can reach, "" if there is none.
func (c Config) exposed() string {
	for _, l := range []struct{ path, listen string }{
		{"http.listen", c.HTTP.Listen},
		{"sip.udp", c.SIP.UDP},
		{"sip.tcp", c.SIP.TCP},
		{"sip.tls", c.SIP.TLS},
	} {
		if l.listen != "" && !isLoopback(l.listen) {
			return l.path + " " + l.listen
		}
	}
	return ""
}

// isLoopback reports whether an address to listen at is this machine's own.
func isLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
