package sip

import (
	"encoding/binary"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// naptr adds a record to a name.
func (s *nameServer) naptr(name string, order, preference uint16, flags, service, replacement string) {
	data := binary.BigEndian.AppendUint16(nil, order)
	data = binary.BigEndian.AppendUint16(data, preference)
	text := func(t string) { data = append(append(data, byte(len(t))), t...) }
	text(flags)
	text(service)
	text("")
	for label := range strings.SplitSeq(replacement, ".") {
		text(label)
	}
	s.add(name, byte(typeNAPTR), append(data, 0))
}

// TestNAPTRChoosesTheTransport lets a name say that it wants TLS before TCP before UDP;
// records of other services mean nothing (RFC 3263 section 4.1).
func TestNAPTRChoosesTheTransport(t *testing.T) {
	names, _ := newNameServer(t)
	dns := NewDNS(names.conn.LocalAddr().(interface{ AddrPort() netip.AddrPort }).AddrPort())
	names.naptr("carrier.test", 50, 50, "s", "SIP+D2U", "_sip._udp.carrier.test")
	names.naptr("carrier.test", 20, 50, "s", "SIP+D2T", "_sip._tcp.elsewhere.test")
	names.naptr("carrier.test", 20, 10, "s", "SIPS+D2T", "_sips._tcp.carrier.test") // has no server
	names.naptr("carrier.test", 10, 10, "s", "SIP+D2S", "_sip._sctp.carrier.test")
	names.naptr("carrier.test", 10, 10, "u", "E2U+sip", "carrier.test")
	names.srv("_sip._udp.carrier.test", "a.carrier.test", 5060, 1, 1)
	names.srv("_sip._tcp.elsewhere.test", "b.carrier.test", 5066, 1, 1)
	names.srv("_sip._udp.plain.test", "a.carrier.test", 5070, 1, 1)
	names.a("a.carrier.test", "127.0.0.1")
	names.a("b.carrier.test", "127.0.0.2")
	go names.serve()
	s := NewStack(Config{Resolver: dns})
	defer s.Close()
	for _, c := range []struct{ uri, want string }{
		{"sip:carrier.test", "TCP 127.0.0.2:5066"},
		{"sip:carrier.test;transport=udp", "UDP 127.0.0.1:5060"}, // its word counts
		{"sip:a.carrier.test:5080", "UDP 127.0.0.1:5080"},
		{"sip:plain.test", "UDP 127.0.0.1:5070"}, // has none
	} {
		uri, err := ParseURI(c.uri)
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan string, 1)
		s.locate(Target{}, uri, func(list []server, err error) {
			if err != nil || len(list) == 0 {
				got <- "nothing"
				return
			}
			got <- list[0].proto + " " + list[0].addr.String()
		})
		if where := <-got; where != c.want {
			t.Errorf("%s leads to %s, want %s", c.uri, where, c.want)
		}
	}
}

func TestMalformedNAPTR(t *testing.T) {
	good := "\x00\x01\x00\x02\x01s\x07SIP+D2U\x00\x01a\x00"
	if r, ok := parseNAPTR([]byte(good)); !ok || r.replacement != "a" || r.service != "SIP+D2U" || r.order != 1 || r.preference != 2 {
		t.Errorf("%+v, %v", r, ok)
	}
	for n := range good {
		if _, ok := parseNAPTR([]byte(good[:n])); ok {
			t.Errorf("%q is taken", good[:n])
		}
	}
	if _, ok := parseNAPTR([]byte("\x00\x01\x00\x02\x01s\x07SIP+D2U\x00\xc0\x0c")); ok {
		t.Error("a compressed name is taken")
	}
}

func TestSystemServer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(file, []byte("# none\nsearch x\nnameserver 192.0.2.1\nnameserver 192.0.2.2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := systemServer(file); got != "192.0.2.1:53" {
		t.Errorf("%q", got)
	}
	if got := systemServer(file + "x"); got != "" {
		t.Errorf("%q without a file", got)
	}
}

func FuzzReadNAPTR(f *testing.F) {
	f.Add([]byte("\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x01a\x00\x00\x23\x00\x01\xc0\x0c\x00\x23\x00\x01\x00\x00\x00\x3c\x00\x11\x00\x01\x00\x02\x01s\x07SIP+D2U\x00\x01a\x00"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		list, err := readNAPTR(answer)
		if err != nil {
			return
		}
		for i := range list[min(1, len(list)):] {
			if a, b := list[i], list[i+1]; a.order > b.order || a.order == b.order && a.preference > b.preference {
				t.Errorf("%+v before %+v", a, b)
			}
		}
	})
}
