//go:build e2e

package e2e

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

// TestWireCallToTheRegisteredContact: a carrier calls the contact that we registered
// there, with the number in To or in P-Called-Party-ID.
func TestWireCallToTheRegisteredContact(t *testing.T) {
	t.Parallel()
	const number = "<sip:+" + wiredNumber + "@[remote_ip]>"
	for _, c := range []struct{ name, to string }{
		{"number in To", number},
		{"number in P-Called-Party-ID", "<sip:account@[remote_ip]>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWired(t, "username: account, password: secret-of-trunk, register: true")
			contact := w.registered(t)
			here := func(message string) string {
				message = strings.Replace(message, "INVITE sip:+"+wiredNumber+"@[remote_ip]:[remote_port] ", "INVITE "+contact+" ", 1)
				return strings.Replace(message, "To: "+number, "To: "+c.to, 1)
			}
			var s script
			s.send(here(first(talking(), "P-Called-Party-ID: "+number)))
			s.trying()
			s.want(`response="183" optional="true"`)
			s.want(`response="200" rrs="true"`, "body: m=audio [1-9]")
			s.send(here(then("ACK", 1, "")))
			s.pause(200)
			s.send(here(then("BYE", 2, "")))
			s.want(`response="200"`)
			desk := wantCall(t, w, &s)
			if n := len(messages(desk, "< INVITE ")); n != 1 {
				t.Errorf("the desk was rung %d times", n)
			}
		})
	}
}

// registered takes the registration of the exchange at its trunk, and returns the
// contact's URI.
func (w *wired) registered(t *testing.T) (contact string) {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(w.trunk))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	link := &udpLink{conn, netip.MustParseAddrPort(w.SIP)}
	for contact == "" {
		text, err := link.next(soon)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(text, "REGISTER ") {
			continue
		}
		request := answer{text: text}
		contact = strings.Trim(strings.Split(request.header("Contact"), ">")[0], "<")
		ok := "SIP/2.0 200 OK\r\n"
		for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
			ok += name + ": " + request.header(name) + "\r\n"
		}
		if err := link.send([]byte(ok + "Contact: <" + contact + ">;expires=3600\r\nContent-Length: 0\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	return contact
}
