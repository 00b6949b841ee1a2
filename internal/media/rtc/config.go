package rtc

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/udp"
)

// Config says how a Server listens.
type Config struct {
	// Listen is the UDP address of all browser media; port 0 takes a free one.
	// An unspecified address listens on every address of the machine.
	Listen netip.AddrPort
	// ListenTCP is where browsers connect whose network lets no UDP through
	// (RFC 6544); the zero value is nowhere.
	ListenTCP netip.AddrPort
	// Public are addresses under which both are reached from outside, behind
	// one-to-one NAT with the same ports. They are offered first.
	Public []netip.Addr
	// Loopback also offers 127.0.0.1 and ::1 when Listen is unspecified, for
	// browsers on the same machine.
	Loopback bool
	// Near serves browsers on this machine only, although Listen is unspecified:
	// what comes from elsewhere is dropped. Loopback addresses are offered first, but
	// not alone: Firefox has no loopback address for audio, and reaches none.
	Near bool
	// Loop reads the UDP port, beside other sockets; nil is one of its own.
	Loop *udp.Loop
	Log  *slog.Logger

	// MaxUnproved is how many TCP connections may have no authenticated ICE check
	// yet; one more ends the oldest. 0 is 256.
	MaxUnproved      int
	MaxHandshakes    int           // DTLS handshakes at a time; 0 is 256
	HandshakeTimeout time.Duration // from the first ClientHello; 0 is 10 s
	// ConsentTimeout is how long a path without an authenticated ICE check counts
	// as up; 0 is 30 s (RFC 7675 section 5.1).
	ConsentTimeout time.Duration
}

func (c Config) withDefaults() Config {
	if c.MaxHandshakes == 0 {
		c.MaxHandshakes = 256
	}
	if c.MaxUnproved == 0 {
		c.MaxUnproved = 256
	}
	if c.HandshakeTimeout == 0 {
		c.HandshakeTimeout = 10 * time.Second
	}
	if c.ConsentTimeout == 0 {
		c.ConsentTimeout = 30 * time.Second
	}
	if c.Loop == nil {
		c.Loop = new(udp.Loop)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// PathConfig says what a path reports and accepts. Callbacks may be nil, run on
// goroutines of the package and must neither block nor call Close.
type PathConfig struct {
	// Codecs are the codecs that Answer accepts, best first. Nil is Opus, PCMU,
	// PCMA.
	Codecs []media.Codec
	// OnUp reports that audio can flow: ICE and DTLS are done. It is called again
	// when an ICE restart has found its way, or when checks are heard again after
	// OnDown.
	OnUp func()
	// OnDown reports why audio can no longer flow: ErrConsent, ErrClosed, or why
	// the DTLS handshake failed. The path stays usable for another Answer
	// or Offer.
	OnDown func(error)
	// OnDigit reports one key of RFC 4733 once per press: 0-9 * # A-D.
	OnDigit func(digit byte)
}

func (c PathConfig) withDefaults() PathConfig {
	if c.Codecs == nil {
		c.Codecs = []media.Codec{media.Opus, media.PCMU, media.PCMA}
	}
	if c.OnUp == nil {
		c.OnUp = func() {}
	}
	if c.OnDown == nil {
		c.OnDown = func(error) {}
	}
	if c.OnDigit == nil {
		c.OnDigit = func(byte) {}
	}
	return c
}
