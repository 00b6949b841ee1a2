package sipedge

import (
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/sip"
)

// Config says how an Edge behaves. Poster, Secrets, Media, Ports and Stack are required.
type Config struct {
	Poster  Poster
	Secrets Secrets
	Media   Media
	Ports   Ports
	// Web makes the paths of browsers; nil refuses them.
	Web WebPaths
	Log *slog.Logger
	// Domain is the host part of our From addresses.
	Domain string
	// Realm of the digest challenges; users' HA1 are made for it.
	Realm string
	// NonceKey signs digest nonces; nil makes a random one.
	NonceKey []byte
	// PublicMedia, if valid, is written into SDP for peers outside Local.
	PublicMedia netip.Addr
	// Local are the networks whose peers get our own address in SDP.
	Local []netip.Prefix
	// KeepAlive is how often phones on UDP are asked by OPTIONS whether they are
	// there; two that are not answered within 4 s end the registration. 0 is never.
	KeepAlive time.Duration
	// MaxContacts bounds the registrations of one user, default 20.
	MaxContacts int
	// SHA256 challenges phones with SHA-256 beside MD5 (RFC 8760). Some phones choke
	// on the second challenge. Clients on WebSockets get MD5 alone: they know no other.
	SHA256 bool
	// Cost prefers the cheapest codec over the best.
	Cost bool
	// MessagesPerSecond is how many messages a source may bring that did not log in,
	// 20 times as many if it did or is a trunk; more are dropped unread. 0 is no limit.
	MessagesPerSecond int
	// SRTP is whether audio is protected, unless a trunk or user says otherwise.
	SRTP route.SRTP
	// User returns a user's settings; it returns at once. Nil knows none.
	User func(core.UserID) route.User
	// Overloaded reports whether new calls should be refused. Nil never does.
	Overloaded func() bool
}

// Edge connects phones and trunks to the exchange. All methods are safe for
// concurrent use.
type Edge struct {
	cfg           Config
	log           *slog.Logger
	stack         *sip.Stack
	secrets       Secrets
	digest        *sip.Authenticator
	bindings      *bindings
	trunks        atomic.Pointer[trunkTable]
	probes        probes
	registrations registrations
	clients       clients
	patience      patience
	gate          *gate

	stop    chan struct{}
	running sync.WaitGroup // the expiry loop
	crew    crew           // runs the strands of legs

	mu      sync.Mutex // guards legs, dialogs, ended, and the dialogs of each leg
	legs    map[core.LegID]*leg
	dialogs map[dialogKey]knownDialog // of those legs
	ended   endedDialogs
}

// New returns an Edge whose stack listens nowhere yet: make it with StackConfig,
// then give it to Start.
func New(cfg Config) *Edge {
	if cfg.MaxContacts == 0 {
		cfg.MaxContacts = maxContacts
	}
	e := &Edge{
		cfg: cfg, log: cfg.Log, secrets: cfg.Secrets, bindings: newBindings(), patience: defaultPatience,
		clients:       clients{byUser: make(map[core.UserID]map[*leg]client)},
		probes:        probes{running: make(map[string]*probe)},
		registrations: registrations{byUser: make(map[string]*registration)},
		stop:          make(chan struct{}), legs: make(map[core.LegID]*leg), dialogs: make(map[dialogKey]knownDialog),
	}
	e.digest = sip.NewAuthenticator(sip.AuthConfig{Realm: cfg.Realm, Lookup: e.lookup, Key: cfg.NonceKey, SHA256: cfg.SHA256})
	e.trunks.Store(&trunkTable{})
	e.gate = newGate(cfg.MessagesPerSecond, cfg.Log, func(a netip.Addr) bool {
		_, known := e.trunks.Load().from(a)
		return known || e.registrations.from(a)
	})
	return e
}

// StackConfig fills in what the Edge needs of its SIP stack.
func (e *Edge) StackConfig(c sip.Config) sip.Config {
	c.Handler = e
	c.Admit = e.gate.admit
	c.FlowClosed = e.flowClosed
	c.RefuseNoHops = true
	c.Extensions = append(c.Extensions, "replaces", "path", "outbound")
	return c
}

// Start takes the stack made from StackConfig and begins to expire registrations, to
// ask trunks and to register at them. It must be called before the stack listens.
func (e *Edge) Start(stack *sip.Stack) {
	e.stack = stack
	e.running.Go(func() { e.expire(e.stop) })
	e.running.Go(func() { e.keepAlive(keepAlive{every: e.cfg.KeepAlive, answer: probeAnswer}, e.stop) })
	e.probe(e.trunks.Load().byName)
	e.registerAt(e.trunks.Load().byName)
}

// Close frees what is left and waits for all goroutines of the Edge. Call it
// after the exchange has ended its legs, before closing the stack.
func (e *Edge) Close() {
	close(e.stop)
	e.probe(nil)
	e.registerAt(nil)
	e.mu.Lock()
	left := make([]*leg, 0, len(e.legs))
	for _, l := range e.legs {
		left = append(left, l)
	}
	e.mu.Unlock()
	for _, l := range left {
		l.strand.post(func() { l.end(core.End{Cause: core.CauseTempFailure, Reason: core.ReasonShutdown}) })
	}
	e.running.Wait()
	e.crew.close()
}

// SetTrunks replaces the trunks. A trunk with a malformed URI is left out and logged.
// It must not be called after Close.
func (e *Edge) SetTrunks(trunks []Trunk) {
	table := &trunkTable{byName: make(map[string]Trunk, len(trunks))}
	for _, t := range trunks {
		if err := t.compile(); err != nil {
			e.log.Error("trunk left out", "trunk", t.Name, "error", err)
			continue
		}
		table.byName[t.Name] = t
		table.list = append(table.list, t)
	}
	e.trunks.Store(table)
	if e.stack != nil {
		e.probe(table.byName)
		e.registerAt(table.byName)
	}
}

// Contacts returns how many registrations live.
func (e *Edge) Contacts() int { return e.bindings.count() }

// Dropped returns how many messages were dropped unread because their source
// brought too many.
func (e *Edge) Dropped() uint64 { return e.gate.refused.Load() }

// Legs returns how many legs live.
func (e *Edge) Legs() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.legs)
}

// ServeSIP implements sip.Handler: requests outside dialogs.
func (e *Edge) ServeSIP(tx *sip.ServerTx, req *sip.Request) {
	switch req.Method {
	case sip.INVITE:
		e.invite(tx, req)
	case sip.REGISTER:
		e.register(tx, req)
	case sip.OPTIONS:
		tx.Capable()
	case sip.SUBSCRIBE, sip.PUBLISH:
		tx.Reply(489, "", sip.NewHeader("Allow-Events", "refer")) // RFC 6665 section 8.3.2
	case sip.REFER, sip.MESSAGE:
		// Nothing a stranger may ask for, and nothing for users yet: a REFER outside a
		// dialog would place a call.
		if _, ok := e.authenticate(tx); ok {
			tx.Reply(603, "")
		}
	case sip.BYE, sip.INFO, sip.NOTIFY, sip.PRACK, sip.UPDATE:
		tx.Reply(481, "") // of a call, and none is named
	default:
		tx.NotAllowed()
	}
}

// post hands an event to the exchange.
func (e *Edge) post(ev core.Event) { e.taken(e.cfg.Poster.Post(ev)) }

// postHere lets the exchange use this goroutine, which holds no lock.
func (e *Edge) postHere(ev core.Event) bool { return e.taken(e.cfg.Poster.PostHere(ev)) }

func (e *Edge) taken(err error) bool {
	if err != nil {
		e.log.Debug("event not taken", "error", err)
	}
	return err == nil
}

// Turned begins what the exchange ordered by Do. here allows to use this goroutine,
// which holds nothing, for what is quickly done.
func (e *Edge) Turned(here bool) { e.crew.begin(here) }

func (e *Edge) add(l *leg) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.legs[l.id] = l
}

func (e *Edge) remove(l *leg) {
	e.clients.remove(l)
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.legs, l.id)
	e.unknownLocked(l)
}

func (e *Edge) leg(id core.LegID) *leg {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.legs[id]
}

// codecs is every codec that SIP legs can use, best first.
func codecs() []media.Codec { return []media.Codec{media.Opus, media.G722, media.PCMU, media.PCMA} }
