package sip

import (
	"context"
	"strings"
	"testing"
)

func TestSipsWithoutTLSIsRefused(t *testing.T) {
	n := newNode(t, Config{Handler: okHandler})
	w := newWire(t, n.addr)
	w.send(strings.Replace(strings.Replace(options(1), "OPTIONS sip:", "OPTIONS sips:", 1), "\r\nFrom", ";rport\r\nFrom", 1))
	w.expect("SIP/2.0 416 ")
	inStream(t, Config{Handler: okHandler}, func(peer streamPeer) {
		peer.send(strings.Replace(options(2), "OPTIONS sip:", "OPTIONS sips:", 1))
		buf := make([]byte, 12)
		if _, err := peer.Read(buf); err != nil || string(buf) != "SIP/2.0 416 " {
			peer.t.Errorf("over TCP: %q, %v", buf, err)
		}
	})
}

// TestSipsOverTLS calls a sips URI: both Contacts are sips, so that what follows in the
// dialog is as well.
func TestSipsOverTLS(t *testing.T) {
	server, client := certificate(t)
	c := newCall()
	bob := newNode(t, Config{Handler: c.handler(), TLSClient: client})
	addr, err := bob.ListenTLS(context.Background(), Listen{Addr: "127.0.0.1:0", TLS: server})
	if err != nil {
		t.Fatal(err)
	}
	alice := newNode(t, Config{TLSClient: client})
	out := invite(t, addr.String())
	out.RequestURI = mustURI(t, "sips:bob@"+addr.String())
	alice.Invite(out, c.events())
	in := wait(t, c.in, "INVITE")
	if got := in.Request().Contact().Address; !in.Flow().Secure() || got.Scheme != "sips" || strings.Contains(got.String(), "transport") {
		t.Errorf("came by %s with Contact %s", in.Flow(), got.String())
	}
	in.Answer([]byte("v=0\r\n"))
	d := wait(t, c.answered, "200")
	if d.target.Scheme != "sips" || strings.Contains(d.target.String(), "transport") {
		t.Errorf("Contact of the 200 is %s", d.target.String())
	}
	wait(t, c.acked, "ACK")
	d.Bye()
	wait(t, c.byes, "BYE")
}
