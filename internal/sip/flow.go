package sip

import (
	"crypto/tls"
	"errors"
	"net/netip"
	"strings"
)

// The transports, as spelled in Via headers.
const (
	UDP = "UDP"
	TCP = "TCP"
	TLS = "TLS"
	WS  = "WS"
	WSS = "WSS"
)

// ErrFlowClosed is reported for a request whose connection is gone.
var ErrFlowClosed = errors.New("sip: flow closed")

// Flow names the way a message came and on which its sender can be reached again:
// a connection, or a UDP socket of ours and the peer's address (RFC 5626). Flows
// are comparable and may be map keys. The zero Flow is none.
type Flow struct {
	link   link
	remote netip.AddrPort
}

// link is a connection or a UDP socket.
type link interface {
	transport() string
	local() netip.AddrPort
	// send queues data for the peer and does not wait for it. to matters for UDP.
	send(data []byte, to netip.AddrPort) error
	alive() bool
	// sentBy is what Via and Contact say of us towards the peer.
	sentBy(to netip.AddrPort) hostPort
	// fail closes the connection: its peer broke the rules or left.
	fail(why error)
}

// hostPort is what a Via or Contact names; port 0 is left out.
type hostPort struct {
	host string
	port int
}

// IsZero reports whether f is no flow.
func (f Flow) IsZero() bool { return f.link == nil }

// Transport returns UDP, TCP, TLS, WS or WSS, "" for the zero Flow.
func (f Flow) Transport() string {
	if f.link == nil {
		return ""
	}
	return f.link.transport()
}

// Remote returns the peer's address.
func (f Flow) Remote() netip.AddrPort { return f.remote }

// Local returns our address, the zero AddrPort for a WebSocket.
func (f Flow) Local() netip.AddrPort {
	if f.link == nil {
		return netip.AddrPort{}
	}
	return f.link.local()
}

// Alive reports whether a message can still be sent. UDP flows live as long as
// their socket.
func (f Flow) Alive() bool { return f.link != nil && f.link.alive() }

// Reliable reports whether the transport delivers or fails: all but UDP.
func (f Flow) Reliable() bool { return f.link != nil && f.link.transport() != UDP }

// Secure reports whether the transport is encrypted: TLS and WSS.
func (f Flow) Secure() bool {
	t := f.Transport()
	return t == TLS || t == WSS
}

// Close ends the connection. It does nothing to UDP.
func (f Flow) Close() {
	if f.Reliable() {
		f.link.fail(ErrFlowClosed)
	}
}

// String returns "udp 127.0.0.1:5060 - 192.0.2.1:4444" for logs.
func (f Flow) String() string {
	if f.link == nil {
		return "none"
	}
	name := strings.ToLower(f.Transport())
	if local := f.Local(); local.IsValid() { // a WebSocket's is the HTTP server's
		name += " " + local.String()
	}
	return name + " - " + f.remote.String()
}

// Contact returns the URI at which the peer of f reaches user of ours.
func (f Flow) Contact(user string) Uri {
	u := Uri{Scheme: "sip", User: user}
	if f.link == nil {
		return u
	}
	at := f.link.sentBy(f.remote)
	u.Host, u.Port = at.host, at.port
	switch t := f.Transport(); t {
	case UDP:
	case WSS:
		u.UriParams.Add("transport", "ws") // RFC 7118 section 5.2.2 knows ws only
	default:
		u.UriParams.Add("transport", strings.ToLower(t))
	}
	return u
}

// Target says where a request goes if no Flow is given.
type Target struct {
	Transport string // UDP, TCP or TLS; "" takes the transport of the URI, else UDP
	Addr      string // "host", "host:port", "[v6]:port"; "" takes Route or Request-URI
	// TLS, if not nil, replaces Config.TLSClient. The certificate is checked against
	// the host of Addr or the URI, also if SRV records lead elsewhere (RFC 5922).
	TLS *tls.Config
}
