//go:build e2e

package harness

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The addresses of a Network, of the range for such tests (RFC 2544).
const (
	ClientIP = "198.18.1.2"
	RouterIP = "198.18.2.1" // as the server sees it
	ServerIP = "198.18.2.2"
)

// Network is three network namespaces: clients, a router with NAT, the server. The
// test itself, its phones and its browsers are among the clients.
type Network struct {
	t              testing.TB
	client, server string
	router         string
}

// networkEnv tells the test that it runs among the clients of the Network with that
// name.
const networkEnv = "OFFHOOK_NETWORK"

// InNetwork runs show, the body of the test t, among the clients of a new network: in
// a process of its own, which is this program with this test alone.
func InNetwork(t *testing.T, show func(n *Network)) {
	t.Helper()
	if name := os.Getenv(networkEnv); name != "" {
		show(newNetwork(t, name))
		return
	}
	n := newNetwork(t, fmt.Sprintf("oh%d", os.Getpid()))
	n.create()
	var only []string
	for part := range strings.SplitSeq(t.Name(), "/") {
		only = append(only, "^"+regexp.QuoteMeta(part)+"$")
	}
	cmd := exec.CommandContext(t.Context(), "ip", "netns", "exec", n.client, //nolint:gosec // ourselves
		os.Args[0], "-test.run", strings.Join(only, "/"), "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), networkEnv+"="+n.name())
	p := Start(t, "inside", cmd)
	select {
	case <-p.done:
	case <-time.After(3 * time.Minute):
		t.Error("not over after three minutes")
	}
	if p.Ended() && p.err == nil && len(p.log.Lines("--- PASS: "+t.Name()+" ")) == 1 {
		for _, line := range p.log.Lines("shown:") {
			t.Log(line)
		}
		return
	}
	t.Errorf("inside the network: %v", p.err)
}

func newNetwork(t testing.TB, name string) *Network {
	t.Helper()
	return &Network{t: t, client: name + "c", router: name + "r", server: name + "s"}
}

func (n *Network) name() string { return strings.TrimSuffix(n.client, "c") }

// create makes the namespaces and the ways between them; the test's cleanup takes
// them away.
func (n *Network) create() {
	n.t.Helper()
	if out, err := exec.CommandContext(n.t.Context(), "ip", "netns", "add", n.client).CombinedOutput(); err != nil {
		if strings.Contains(string(out), "not permitted") || strings.Contains(string(out), "denied") {
			n.t.Skipf("nobody may make network namespaces here: %s", out)
		}
		n.t.Fatalf("ip netns: %v: %s (make setup installs it)", err, out)
	}
	n.t.Cleanup(func() { n.delete() })
	n.script(`
netns add ROUTER
netns add SERVER
-n CLIENT link set lo up
-n SERVER link set lo up
link add v0 netns CLIENT type veth peer name v1 netns ROUTER
link add v2 netns ROUTER type veth peer name v3 netns SERVER
-n CLIENT addr add 198.18.1.2/24 dev v0
-n ROUTER addr add 198.18.1.1/24 dev v1
-n ROUTER addr add 198.18.2.1/24 dev v2
-n SERVER addr add 198.18.2.2/24 dev v3
-n CLIENT link set v0 up
-n ROUTER link set v1 up
-n ROUTER link set v2 up
-n SERVER link set v3 up
-n CLIENT route add default via 198.18.1.1
netns exec ROUTER sysctl -qw net.ipv4.ip_forward=1
`)
}

func (n *Network) delete() {
	for _, name := range []string{n.client, n.router, n.server} {
		_ = exec.CommandContext(background(), "ip", "netns", "del", name).Run() //nolint:gosec // it may not be there
	}
}

// script runs lines of the ip program.
func (n *Network) script(lines string) {
	n.t.Helper()
	names := strings.NewReplacer("CLIENT", n.client, "ROUTER", n.router, "SERVER", n.server)
	for line := range strings.Lines(names.Replace(lines)) {
		if fields := strings.Fields(line); len(fields) > 0 {
			n.run("ip", fields...)
		}
	}
}

func (n *Network) run(program string, args ...string) {
	n.t.Helper()
	if out, err := exec.CommandContext(background(), program, args...).CombinedOutput(); err != nil {
		n.t.Fatalf("%s %s: %v: %s", program, strings.Join(args, " "), err, out)
	}
}

// NAT makes the router hide the clients behind its own address and ports that it
// chooses at random, so that no port is what its client thinks.
func (n *Network) NAT() {
	n.t.Helper()
	n.rules(`table ip hide {
	chain post {
		type nat hook postrouting priority 100;
		oifname "v2" masquerade random,fully-random;
	}
}`)
}

// BlockUDP makes the router drop all UDP.
func (n *Network) BlockUDP() {
	n.t.Helper()
	n.rules(`table ip block {
	chain forward {
		type filter hook forward priority 0;
		ip protocol udp counter drop;
	}
}`)
}

func (n *Network) rules(text string) {
	n.t.Helper()
	cmd := exec.CommandContext(background(), "ip", "netns", "exec", n.router, "nft", "-f", "-") //nolint:gosec // our own words
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		n.t.Fatalf("nft: %v: %s", err, out)
	}
}

// ALG makes the router rewrite SIP on port 5060 as many home routers do. It is false
// if this kernel cannot.
func (n *Network) ALG() bool {
	n.t.Helper()
	out, err := exec.CommandContext(background(), "ip", "netns", "exec", n.router, //nolint:gosec // our own words
		"iptables", "-t", "raw", "-A", "PREROUTING", "-p", "udp", "--dport", "5060", "-j", "CT", "--helper", "sip").CombinedOutput()
	if err != nil {
		n.t.Logf("iptables: %v: %s", err, out)
	}
	return err == nil
}

// Rebind makes the router forget all its bindings, as if it were restarted: what goes
// on through it comes from other ports from now on.
func (n *Network) Rebind() {
	n.t.Helper()
	n.script(`
-n ROUTER link set v2 down
-n ROUTER link set v2 up
`)
}
