package phone

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/rtp"
	"github.com/offhook/offhook/internal/sip"
)

// Config says who a Phone is and how it behaves.
type Config struct {
	// User is the user part of our address; for a carrier anything.
	User     string
	Name     string // display name, "" if none
	Password string // for digest, "" if none
	// Domain is the host part of our address; "" is that of Server.
	Domain string
	// Server is where requests go: "host:port", or "host" for the usual port.
	Server string
	// Transport is "udp" (default), "tcp" or "tls".
	Transport string
	// TLS is the base of the client configuration for "tls".
	TLS *tls.Config
	// Register keeps the phone registered at Server.
	Register bool
	// Expires is asked for in REGISTER, default 300 s.
	Expires time.Duration

	// Listen is our UDP address for SIP; RTP uses the same IP address. The zero
	// value takes a free port of the address from which Server is reached. Streams are
	// opened, not listened for.
	Listen netip.AddrPort
	// Ports gives the RTP ports; nil takes 40000 to 59999. Phones of one process
	// share one.
	Ports *rtp.Allocator
	// Codecs are offered and taken in this order; default Opus, PCMU, PCMA.
	Codecs []media.Codec
	// MaxCalls bounds the calls at a time, default 100; beyond it the phone is busy.
	MaxCalls int

	// AutoAnswer answers each call AnswerAfter its INVITE.
	AutoAnswer  bool
	AnswerAfter time.Duration
	// ManualRing leaves it to the program to send 180, by Call.Ring, or to refuse.
	ManualRing bool
	// Say, if not nil, gives each call what it says, and Hear who gets what it hears.
	Say  func() Source
	Hear func() Sink
	// Tone in Hz is looked for in what each call hears; see Heard. 0 is none.
	Tone float64

	// Noise is the level of the comfort noise (RFC 3389) that takes the place of digital
	// silence where the far end takes it, in -dBov, 1 to 127. 0 sends silence.
	Noise uint8
	// Events gets every Event; see the package comment. Nil drops them.
	Events func(Event)
	// Tracer sees every SIP message; see sip.Config.
	Tracer func(sip.Trace)
	Log    *slog.Logger // nil discards
}

func (c Config) withDefaults(ctx context.Context) Config {
	if !c.Listen.IsValid() {
		c.Listen = netip.AddrPortFrom(addressTowards(ctx, c.Server), 0)
	}
	if len(c.Codecs) == 0 {
		c.Codecs = []media.Codec{media.Opus, media.PCMU, media.PCMA}
	}
	if c.Ports == nil {
		c.Ports = rtp.NewAllocator(40000, 59999)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Say == nil {
		c.Say = func() Source { return nil }
	}
	if c.Hear == nil {
		c.Hear = func() Sink { return nil }
	}
	if c.Events == nil {
		c.Events = func(Event) {}
	}
	if c.Domain == "" {
		host, _, _ := strings.Cut(c.Server, ":")
		c.Domain = cmp.Or(host, c.Listen.Addr().String())
	}
	c.Transport = strings.ToUpper(cmp.Or(c.Transport, "udp"))
	c.Expires = cmp.Or(c.Expires, defaultExpires)
	c.MaxCalls = cmp.Or(c.MaxCalls, 100)
	return c
}

// addressTowards returns our address on the way to a server, 127.0.0.1 if there is no
// way, or no server. Nothing is sent.
func addressTowards(ctx context.Context, server string) netip.Addr {
	host, _, err := net.SplitHostPort(server)
	if err != nil {
		host = strings.Trim(server, "[]")
	}
	if host != "" {
		var d net.Dialer
		if conn, err := d.DialContext(ctx, "udp", net.JoinHostPort(host, "5060")); err == nil {
			at, err := netip.ParseAddrPort(conn.LocalAddr().String())
			if err = errors.Join(err, conn.Close()); err == nil {
				return at.Addr().Unmap()
			}
		}
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// Phone is a running SIP phone. Close it when done.
type Phone struct {
	config Config
	stack  *sip.Stack
	addr   netip.AddrPort // where we take SIP over UDP
	events outlet
	stop   context.CancelFunc
	wg     sync.WaitGroup // audio of calls

	// The registration's own; see register.go.
	registering chan struct{} // closed when it ended
	callID      string
	cseq        uint32
	flowLost    chan struct{}

	mu           sync.Mutex // guards the fields below
	calls        map[string]*Call
	closing      bool
	isRegistered bool
	lastRefusal  string
}

// errClosed is returned by Dial after Close.
var errClosed = errors.New("phone: closed")

// New starts a phone. The phone lives until Close; ctx bounds only the start.
func New(ctx context.Context, c Config) (*Phone, error) {
	c = c.withDefaults(ctx)
	p := &Phone{
		config: c, events: outlet{to: c.Events}, callID: newID(),
		registering: make(chan struct{}), flowLost: make(chan struct{}, 1), calls: map[string]*Call{},
	}
	p.stack = sip.NewStack(sip.Config{
		Handler: sip.HandlerFunc(p.serve), Log: c.Log, Agent: "offhook-phone", Tracer: c.Tracer,
		TLSClient: c.TLS, FlowClosed: func(sip.Flow) { p.onFlowLost() },
	})
	addr, err := p.stack.ListenUDP(ctx, sip.Listen{Addr: c.Listen.String()})
	if err != nil {
		p.stack.Close()
		return nil, fmt.Errorf("phone: %w", err)
	}
	p.addr = addr
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	p.stop = stop
	go func() {
		defer close(p.registering)
		if c.Register {
			p.register(run)
		}
	}()
	return p, nil
}

// onFlowLost tells the registration that its connection ended.
func (p *Phone) onFlowLost() {
	select {
	case p.flowLost <- struct{}{}:
	default:
	}
}

// Addr returns our UDP address for SIP.
func (p *Phone) Addr() netip.AddrPort { return p.addr }

// Registered reports whether the registrar has our contact.
func (p *Phone) Registered() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.isRegistered
}

// Call returns the call with that id, nil if it ended.
func (p *Phone) Call(id string) *Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[id]
}

// Calls returns the calls that have not ended.
func (p *Phone) Calls() []*Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]*Call, 0, len(p.calls))
	for _, c := range p.calls {
		list = append(list, c)
	}
	return list
}

// farewellTime bounds the wait for the answers to our last requests.
const farewellTime = time.Second

// Close hangs up, takes the registration back and frees everything. It takes up
// to about a second, and must not be called from Config.Events.
func (p *Phone) Close() {
	p.mu.Lock()
	p.closing = true
	p.mu.Unlock()
	for _, c := range p.Calls() {
		c.HangUp()
	}
	p.stop()
	last, cancel := context.WithTimeout(context.Background(), farewellTime)
	defer cancel()
	p.stack.Settle(last) // BYE and CANCEL want their answers
	for _, c := range p.Calls() {
		c.ended(0, "phone closed")
	}
	<-p.registering
	p.stack.Close() // no callback starts audio from here on
	p.wg.Wait()
}

// add takes a call in, unless the phone is full or closing.
func (p *Phone) add(c *Call) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return errClosed
	}
	if len(p.calls) >= p.config.MaxCalls {
		return fmt.Errorf("phone: %d calls at a time is the limit", p.config.MaxCalls)
	}
	p.calls[c.id] = c
	return nil
}

func (p *Phone) remove(c *Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.calls, c.id)
}

// address is our address of record.
func (p *Phone) address() sip.Address {
	return sip.Address{Name: p.config.Name, URI: sip.Uri{Scheme: "sip", User: p.config.User, Host: p.config.Domain}}
}

func (p *Phone) target() sip.Target {
	return sip.Target{Transport: p.config.Transport, Addr: p.config.Server}
}

func (p *Phone) credentials() *sip.Credentials {
	if p.config.Password == "" {
		return nil
	}
	return &sip.Credentials{Username: p.config.User, Password: p.config.Password}
}

func (p *Phone) emit(ev Event) {
	ev.At = time.Now()
	p.events.add(ev)
	p.events.deliver()
}
