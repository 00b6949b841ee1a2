package udp

import (
	"net/netip"
	"testing"
)

func TestTowards(t *testing.T) {
	for remote, want := range map[string]string{
		"127.0.0.1":        "127.0.0.1",
		"127.0.3.1":        "127.0.0.1",
		"::ffff:127.0.0.1": "127.0.0.1",
		"0.0.0.0":          "127.0.0.1", // as the kernel has it
	} {
		local, err := Towards(netip.MustParseAddr(remote))
		if err != nil || local.String() != want {
			t.Errorf("%s: %v, %v", remote, local, err)
		}
	}
}

// Both ways of asking give the same answer, also where there is no way.
func TestTowardsAsPackageNetHasIt(t *testing.T) {
	for _, remote := range []string{"127.0.0.1", "::1", "192.0.2.1", "2001:db8::1", "fe80::1%lo", "255.255.255.255"} {
		quick, ok := quickTowards(netip.MustParseAddr(remote))
		local, err := dialTowards(netip.MustParseAddr(remote))
		t.Logf("%s: quick %v %v, %v %v", remote, quick, ok, local, err)
		if ok && (err != nil || quick != local) {
			t.Errorf("%s: %v, %v, and quickly %v", remote, local, err, quick)
		}
	}
}

func BenchmarkTowards(b *testing.B) {
	remote := netip.MustParseAddr("127.0.3.1")
	for name, ask := range map[string]func(netip.Addr) (netip.Addr, error){"quick": Towards, "net": dialTowards} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := ask(remote); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
