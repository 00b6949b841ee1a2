package sip

import (
	"encoding/hex"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// The transaction and addresses are those of RFC 5769 sections 2.2 and 2.3.
func TestStunAnswer(t *testing.T) {
	request := "000100002112a442b7e7a701bc34d686fa87dfae"
	for from, want := range map[string]string{
		"192.0.2.1:32853": "0101000c2112a442b7e7a701bc34d686fa87dfae" + "002000080001a147e112a643",
		"[2001:db8:1234:5678:11:2233:4455:6677]:32853": "010100182112a442b7e7a701bc34d686fa87dfae" +
			"002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9",
	} {
		data, _ := hex.DecodeString(request)
		if got := hex.EncodeToString(stunAnswer(data, netip.MustParseAddrPort(from))); got != want {
			t.Errorf("%s: %s, want %s", from, got, want)
		}
	}
	for name, bad := range map[string]string{
		"short": request[:38], "response": "0101" + request[4:], "no cookie": strings.Replace(request, "2112a442", "00000000", 1),
		"length": "00010004" + request[8:],
	} {
		if data, _ := hex.DecodeString(bad); stunAnswer(data, netip.MustParseAddrPort("192.0.2.1:1")) != nil {
			t.Errorf("%s is answered", name)
		}
	}
}

func TestStunKeepAliveOnTheSIPPort(t *testing.T) {
	n := newNode(t, Config{})
	conn, err := net.Dial("udp", n.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request, _ := hex.DecodeString("000100002112a442b7e7a701bc34d686fa87dfae")
	if _, err := conn.Write(request); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 100)
	if got, err := conn.Read(buf); err != nil || got != 32 || buf[0] != 1 || buf[1] != 1 {
		t.Errorf("answered %x, %v", buf[:got], err)
	}
}
