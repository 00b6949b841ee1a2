package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

func TestCheckExposure(t *testing.T) {
	const long = "a long and secret one"
	for _, tc := range []struct {
		name     string
		listen   func(*Config)
		password core.Secret
		want     string // "" for allowed
	}{
		{"loopback, sample", func(*Config) {}, "correct horse", ""},
		{"loopback by name and IPv6, short", func(c *Config) { c.HTTP.Listen, c.SIP.TCP = "localhost:80", "[::1]:5060" }, "x", ""},
		{"every address, sample", func(c *Config) { c.HTTP.Listen = ":8080" }, "correct horse", "sample that everybody knows, and http.listen :8080"},
		{"IPv6 any, sample of the demo", func(c *Config) { c.SIP.UDP = "[::]:5060" }, "copper kettle", "sip.udp"},
		{"one address, short", func(c *Config) { c.SIP.TLS = "192.0.2.1:5061" }, "ninebytes", "shorter than 10"},
		{"every address, the name", func(c *Config) { c.HTTP.Listen = "0.0.0.0:80" }, "Extension-Ten", "is the user's name"},
		{"every address, long", func(c *Config) { c.HTTP.Listen = ":8080" }, long, ""},
		{"every address, no password", func(c *Config) { c.HTTP.Listen = ":8080" }, "", ""},
		{"off is not open", func(c *Config) { c.SIP.UDP = "" }, "x", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := Default()
			tc.listen(&c)
			c.Resources.Users = []User{{route.User{Name: "extension-ten"}, tc.password}, {route.User{Name: "other"}, long}}
			err := c.CheckExposure()
			if tc.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), `resources.users[0].password: the password of "extension-ten"`) {
				t.Fatalf("error = %v, want %q", err, tc.want)
			}
			if strings.Contains(err.Error(), `"`+tc.password.Reveal()+`"`) || strings.Contains(err.Error(), "other\"") {
				t.Errorf("error %v tells too much", err)
			}
		})
	}
}

func TestDefaultIsValid(t *testing.T) {
	c := Default()
	if err := errors.Join(c.Validate(), c.CheckExposure()); err != nil {
		t.Error(err)
	}
}

func TestTLSListensBesideTheOthers(t *testing.T) {
	for name, tc := range map[string]struct{ udp, tcp, tls, want string }{
		"everywhere":     {":5060", ":5060", Auto, ":5061"},
		"loopback":       {"127.0.0.1:7000", "", Auto, "127.0.0.1:5061"},
		"tcp only":       {"", "[::1]:5060", Auto, "[::1]:5061"},
		"said otherwise": {"127.0.0.1:7000", "", ":7001", ":7001"},
		"off":            {":5060", "", "", ""},
	} {
		c := defaults()
		c.SIP.UDP, c.SIP.TCP, c.SIP.TLS = tc.udp, tc.tcp, tc.tls
		if c.complete(); c.SIP.TLS != tc.want {
			t.Errorf("%s: %q, want %q", name, c.SIP.TLS, tc.want)
		}
	}
}
