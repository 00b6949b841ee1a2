package source

import (
	"net/netip"
	"testing"
)

func TestSources(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.7:5060":          "192.0.2.7",
		"[::ffff:192.0.2.7]:5060": "192.0.2.7",
		"[2001:db8:1:2::3]:5060":  "2001:db8:1:2::",
		"[fe80::1%eth0]:5060":     "fe80::",
		"127.0.0.1:5060":          "127.0.0.1",
		"[::1]:5060":              "::1",
		"@":                       netip.Addr{}.String(), // a Unix socket
	} {
		if got := OfRemote(remote).String(); got != want {
			t.Errorf("%s: %s, want %s", remote, got, want)
		}
	}
}
