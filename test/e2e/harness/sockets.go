//go:build e2e

package harness

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// UDPSockets returns how many UDP sockets the program has open: its listeners
// and two for each live RTP path.
func (o *Offhook) UDPSockets() (n int) {
	o.t.Helper()
	udp := map[string]bool{}
	for _, table := range []string{"udp", "udp6"} {
		text, err := os.ReadFile(filepath.Join("/proc/net", table))
		if err != nil {
			continue // no IPv6 here
		}
		for line := range strings.Lines(string(text)) {
			if fields := strings.Fields(line); len(fields) > 9 {
				udp["socket:["+fields[9]+"]"] = true
			}
		}
	}
	folder := fmt.Sprintf("/proc/%d/fd", o.cmd.Process.Pid)
	entries, err := os.ReadDir(folder)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(folder, e.Name())); err == nil && udp[to] {
			n++
		}
	}
	return n
}

// bound reports whether somebody has an IPv4 port, of UDP or TCP. It does not try to
// take it, which could keep a program from it that is about to.
func bound(t testing.TB, ip string, port int) bool {
	t.Helper()
	addr := netip.MustParseAddr(ip).As4() // the tables have it as a number of this machine
	at := fmt.Sprintf(": %08X:%04X ", binary.NativeEndian.Uint32(addr[:]), port)
	for _, table := range []string{"/proc/net/udp", "/proc/net/tcp"} {
		text, err := os.ReadFile(table)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), at) {
			return true
		}
	}
	return false
}

// Held is what a program holds while nobody calls.
type Held struct {
	UDPSockets, Goroutines, Contacts int
}

// Holds returns what the program holds now.
func (o *Offhook) Holds() Held {
	o.t.Helper()
	return Held{
		UDPSockets: o.UDPSockets(), Goroutines: int(o.Metric("go_goroutines")), Contacts: int(o.Metric("offhook_contacts")),
	}
}

// AwaitIdle waits until no leg, call, SIP dialog or transaction lives and the
// program holds no more than before.
func (o *Offhook) AwaitIdle(before Held, within time.Duration) {
	o.t.Helper()
	deadline := time.Now().Add(within)
	for {
		now := o.Holds()
		var busy strings.Builder
		for _, gauge := range []string{"offhook_legs", "offhook_calls", "offhook_sip_sessions", "offhook_sip_transactions"} {
			if n := o.Metric(gauge); n != 0 {
				fmt.Fprintf(&busy, " %s is %v", gauge, n)
			}
		}
		if busy.Len() == 0 && now.UDPSockets <= before.UDPSockets && now.Goroutines <= before.Goroutines && now.Contacts == before.Contacts {
			return
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("not idle after %v:%s, holds %+v, held %+v before", within, busy.String(), now, before)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
