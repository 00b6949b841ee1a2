package sip

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// Handler serves requests outside dialogs: REGISTER, OPTIONS, a first INVITE and
// so on. The stack matches CANCEL, ACK and everything inside a dialog by itself.
type Handler interface {
	// ServeSIP is called on the read loop of the connection, in the order of the
	// wire; it must not block. req has passed the checks of the stack. A request
	// that is neither answered in ServeSIP nor later is dropped after 32 s. An
	// INVITE that is not refused at once gets 100 Trying when ServeSIP returns.
	ServeSIP(tx *ServerTx, req *Request)
}

// HandlerFunc makes a Handler of a function.
type HandlerFunc func(tx *ServerTx, req *Request)

// ServeSIP implements Handler.
func (f HandlerFunc) ServeSIP(tx *ServerTx, req *Request) { f(tx, req) }

// Trace is one message sent or received, for ladders and tests.
type Trace struct {
	Out  bool // sent by us
	Flow Flow
	Data []byte // the message as on the wire; valid until the call returns
}

// Config says how a Stack behaves. The zero value works: it refuses every
// request outside dialogs with 405.
type Config struct {
	// Handler serves requests outside dialogs.
	Handler Handler
	// Log gets one line per oddity, never per message. Nil discards.
	Log *slog.Logger
	// Agent is written as Server and User-Agent, unless empty.
	Agent string
	// Admit is asked before a message is parsed, a stream accepted or a WebSocket
	// served; false drops it without an answer. Nil admits all. It is called on
	// read loops, must not block and must bound its own memory: UDP sources are
	// easily forged.
	Admit func(transport string, remote netip.AddrPort) bool
	// FlowClosed reports that a connection ended, after its last message was
	// delivered. UDP flows never end.
	FlowClosed func(Flow)
	// Tracer sees every message. It is called on read loops and senders' goroutines.
	Tracer func(Trace)
	// Extensions are the option tags that the Handler implements, beside those of the
	// stack: accepted in Require (RFC 3261 section 8.2.2.3) and named in Supported.
	Extensions []string
	// SessionExpires is the session interval that we ask for and grant (RFC 4028),
	// 90 s to some hours, default 30 min. Negative asks for none, and refreshes what
	// the peer wants only.
	SessionExpires time.Duration
	// RefuseNoHops answers 483 to a request with Max-Forwards 0, except OPTIONS. A
	// server that passes calls on wants it; a phone does not.
	RefuseNoHops bool
	// Resolver looks up host names. Nil is net.DefaultResolver.
	Resolver Resolver
	// TLSClient is the base of the configuration for outgoing TLS connections.
	TLSClient *tls.Config
	// WebSocketHost is written into Via and Contact on WebSockets, "host:port" or
	// "host". Empty is a random name below .invalid: such peers are reached over
	// their own connection only (RFC 7118).
	WebSocketHost string
	// MaxConns bounds the connections in all, default 20000, and
	// MaxConnsPerSource those from one IPv4 address or IPv6 /64, default 1000. A source
	// on this machine, a proxy perhaps, is bounded by MaxConns only.
	MaxConns, MaxConnsPerSource int
	// IdleTimeout closes a TCP or TLS connection that was silent that long,
	// default 1 h. A connection must bring its first message within 30 s.
	IdleTimeout time.Duration
	// PingInterval is how often a WebSocket is pinged, default 25 s; one that
	// misses two pongs is closed.
	PingInterval time.Duration
	// AnswerBytes bounds the memory for answers kept for retransmissions over
	// UDP, default 16 MiB. The oldest go first.
	AnswerBytes int
}

func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
	}
	if c.TLSClient == nil {
		c.TLSClient = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	setDefault(&c.SessionExpires, 30*time.Minute)
	setDefault(&c.MaxConns, 20000)
	setDefault(&c.MaxConnsPerSource, 1000)
	setDefault(&c.IdleTimeout, time.Hour)
	setDefault(&c.PingInterval, 25*time.Second)
	setDefault(&c.AnswerBytes, 16<<20)
	return c
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}
