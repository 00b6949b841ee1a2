package rtc

import (
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/pion/dtls/v3"

	"github.com/offhook/offhook/internal/media/sdp"
)

func TestUsable(t *testing.T) {
	var all []net.Addr
	for _, p := range []string{"::1/128", "127.0.0.1/8", "fe80::1/64", "169.254.7.7/16", "2001:db8::7/64", "10.0.0.7/24"} {
		ip, prefix, err := net.ParseCIDR(p)
		must(t, err)
		all = append(all, &net.IPNet{IP: ip, Mask: prefix.Mask})
	}
	for _, c := range []struct {
		name   string
		config Config
		all    []net.Addr
		only4  bool
		want   []string
	}{
		{"a machine on a network", Config{}, all, false, []string{"10.0.0.7", "2001:db8::7"}},
		{"with its own browsers", Config{Loopback: true}, all, false, []string{"10.0.0.7", "2001:db8::7", "127.0.0.1", "::1"}},
		{"its own browsers only", Config{Near: true}, all, false, []string{"127.0.0.1", "::1", "10.0.0.7", "2001:db8::7"}},
		{"IPv4 socket", Config{Loopback: true}, all, true, []string{"10.0.0.7", "127.0.0.1"}},
		{"no network", Config{}, all[:4], false, []string{"127.0.0.1", "::1"}},
	} {
		var got []string
		for _, a := range c.config.usable(c.all, c.only4) {
			got = append(got, a.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestPublicAddressComesFirstAndOnce(t *testing.T) {
	local := netip.MustParseAddrPort("10.0.0.7:8189")
	public := []netip.Addr{netip.MustParseAddr("203.0.113.5"), netip.MustParseAddr("10.0.0.7")}
	got, err := Config{}.hostCandidates(local, public)
	must(t, err)
	want := []sdp.Candidate{{Addr: netip.MustParseAddrPort("203.0.113.5:8189")}, {Addr: local}}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestListenAddresses connects over IPv4 and IPv6 to each kind of socket.
func TestListenAddresses(t *testing.T) {
	for _, c := range []struct{ listen, to string }{
		{"127.0.0.1:0", "127.0.0.1"},
		{"[::1]:0", "::1"},
		{"0.0.0.0:0", "127.0.0.1"},
		{"[::]:0", "127.0.0.1"},
		{"[::]:0", "::1"},
	} {
		t.Run(c.listen+" from "+c.to, func(t *testing.T) {
			s := newServer(t, Config{Listen: netip.MustParseAddrPort(c.listen), Loopback: true})
			to := netip.AddrPortFrom(netip.MustParseAddr(c.to), s.Addr().Port())
			if !slices.Contains(s.candidates, sdp.Candidate{Addr: to}) {
				t.Errorf("%s is not offered: %v", to, s.candidates)
			}
			e := newPath(t, s)
			l := newLight(t, s)
			l.to = net.UDPAddrFromAddrPort(to)
			l.move()
			l.connect(e.path, dtls.SRTP_AEAD_AES_128_GCM)
			next(t, "up", e.up)
			l.send(l.seal(1, 7, []byte("hello")))
			next(t, "packet", e.packets)
		})
	}
}
