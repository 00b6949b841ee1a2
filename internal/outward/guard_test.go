package outward

import (
	"errors"
	"net/netip"
	"testing"
)

func TestPublicAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"1.1.1.1": true, "93.184.215.14": true, "172.15.255.255": true, "172.32.0.0": true, "100.63.255.255": true, "223.255.255.255": true,
		"2606:4700::1111": true, "2a00:1450:4001::200e": true,
		"0.0.0.0": false, "10.1.2.3": false, "100.64.0.1": false, "100.100.100.200": false, "127.0.0.1": false, "169.254.169.254": false,
		"172.16.0.1": false, "172.31.255.255": false, "192.0.0.192": false, "192.168.1.1": false, "198.18.0.1": false, "224.0.0.1": false,
		"240.0.0.1": false, "255.255.255.255": false, "168.63.129.16": false,
		"::": false, "::1": false, "::ffff:10.0.0.1": false, "::ffff:1.1.1.1": true, "fe80::1%eth0": false, "fc00::1": false,
		"fd00:ec2::254": false, "ff02::1": false, "64:ff9b::a00:1": false, "64:ff9b::7f00:1": false, "2001::1": false, "2002:a00:1::": false,
		"2001:db8::1": false, "::10.0.0.1": false,
	} {
		err := Guard{}.check(netip.AddrPortFrom(netip.MustParseAddr(text), 80).String())
		if (err == nil) != want || err != nil && !errors.Is(err, ErrPrivate) {
			t.Errorf("%s: %v, want public to be %v", text, err, want)
		}
	}
}

func TestListedAddresses(t *testing.T) {
	g, err := NewGuard("media.sound_hosts", []string{"10.1.0.0/16", "127.0.0.1", "fd00::/8", "Music.internal"})
	if err != nil || !g.names["music.internal"] {
		t.Fatal(g, err)
	}
	for address, want := range map[string]bool{
		"10.1.255.1:80": true, "10.2.0.1:80": false, "127.0.0.1:8080": true, "127.0.0.2:8080": false, "[fd00::1]:80": true,
		"[::ffff:127.0.0.1]:80": true, "nonsense": false,
	} {
		if err := g.check(address); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, bad := range []string{"", "http://x", "10.0.0.0/99", "host:80"} {
		if _, err := NewGuard("media.sound_hosts", []string{bad}); err == nil {
			t.Errorf("%q is taken for a host", bad)
		}
	}
}
