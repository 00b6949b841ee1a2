package sipedge

import (
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/rtp"
	"github.com/offhook/offhook/internal/sip"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const realm = "offhook.test"

// bench is an Edge on loopback, and what it reported.
type bench struct {
	overloaded atomic.Bool

	t    *testing.T
	edge *Edge
	at   netip.AddrPort

	mu      sync.Mutex
	events  []core.Event
	media   map[core.LegID]media.Path
	pressed string // keys that came by INFO
}

// Post implements Poster.
func (b *bench) Post(ev core.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, ev)
	return nil
}

// PostHere implements Poster.
func (b *bench) PostHere(ev core.Event) error { return b.Post(ev) }

// do gives the edge a command, as a turn of the exchange does.
func (b *bench) do(cmd core.LegCommand) {
	b.edge.Do(cmd)
	b.edge.Turned(false)
}

// Attach implements Media.
func (b *bench) Attach(leg core.LegID, p media.Path) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.media[leg] = p
}

// Detach implements Media.
func (b *bench) Detach(leg core.LegID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.media, leg)
}

// Press implements Media.
func (b *bench) Press(_ core.LegID, key byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pressed += string(key)
}

// path returns what the leg has at the media server.
func (b *bench) path(leg core.LegID) (media.Path, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.media[leg]
	return p, ok
}

// secrets knows one user, alice, with the password secret, and the account abcd1234
// with the same.
type secrets struct{ blocked bool }

func (secrets) Digest(user core.UserID, realm string) (md5Hex, sha256Hex string, known bool) {
	password := "secret"
	known = user == core.UserID{Name: "alice"} || user == core.UserID{App: core.AccountApp, Name: "abcd1234"}
	if !known {
		password = "nobody's"
	}
	ha1 := sip.HashHA1(user.Name, realm, password)
	return ha1.MD5, ha1.SHA256, known
}

func (s secrets) Blocked(netip.Addr, string) bool { return s.blocked }
func (secrets) Failed(netip.Addr, string)         {}
func (secrets) Succeeded(netip.Addr, string)      {}

// testPorts makes real RTP paths.
type testPorts struct{ *rtp.Allocator }

func (p testPorts) New(local, peer netip.Addr, digit func(byte)) (Path, error) {
	return p.Allocator.New(rtp.Config{LocalIP: local, Peer: peer, OnDigit: digit})
}

// newBench starts an Edge with a trunk "carrier" that calls from 127.0.0.3 and
// is called at trunkAt. Each of change may change its configuration.
func newBench(t *testing.T, trunkAt netip.AddrPort, change ...func(*Config)) *bench {
	t.Helper()
	b := &bench{t: t, media: make(map[core.LegID]media.Path)}
	cfg := Config{
		Poster: b, Secrets: secrets{}, Media: b, Ports: testPorts{rtp.NewAllocator(20000, 20999)},
		Log: slog.New(slog.DiscardHandler), Domain: realm, Realm: realm, Overloaded: b.overloaded.Load,
	}
	for _, f := range change {
		f(&cfg)
	}
	b.edge = New(cfg)
	b.edge.SetTrunks([]Trunk{{Trunk: route.Trunk{
		Name: "carrier", URI: "sip:" + trunkAt.String(), AcceptFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.3/32")},
	}}})
	stack := sip.NewStack(b.edge.StackConfig(sip.Config{}))
	b.edge.Start(stack)
	at, err := stack.ListenUDP(t.Context(), sip.Listen{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	b.at = at
	t.Cleanup(func() { b.edge.Close(); stack.Close() })
	return b
}

// wait returns the first event that want is true for.
func wait[T core.Event](b *bench, want func(T) bool) T {
	b.t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for time.Now().Before(deadline) {
		b.mu.Lock()
		for _, ev := range b.events {
			if e, ok := ev.(T); ok && want(e) {
				b.mu.Unlock()
				return e
			}
		}
		b.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
	var zero T
	b.t.Fatalf("no %T came; there were %v", zero, b.all())
	return zero
}

func anyOf[T core.Event](T) bool { return true }

func (b *bench) all() []core.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.events)
}

// count returns how many events of type T came.
func count[T core.Event](b *bench) int {
	n := 0
	for _, ev := range b.all() {
		if _, ok := ev.(T); ok {
			n++
		}
	}
	return n
}

// peer is a SIP endpoint of the test.
type peer struct {
	t     *testing.T
	stack *sip.Stack
	at    netip.AddrPort
	calls chan *call
	byes  chan struct{} // BYEs that came, of whatever call
}

// call is an INVITE that a peer received.
type call struct {
	in        *sip.Incoming
	acked     chan *sip.Request
	pracked   chan *sip.Request // with a description
	cancelled chan []sip.Reason
	bye       chan []sip.Reason
}

// newPeer listens at ip; serve, if not nil, sees each INVITE on its stack's loop.
func newPeer(t *testing.T, ip string, serve func(*call)) *peer {
	t.Helper()
	p := &peer{t: t, calls: make(chan *call, 16), byes: make(chan struct{}, 64)}
	p.stack = sip.NewStack(sip.Config{
		Handler: sip.HandlerFunc(func(tx *sip.ServerTx, req *sip.Request) {
			if req.Method != sip.INVITE {
				tx.NotAllowed()
				return
			}
			p.serve(tx, serve)
		}),
		Tracer: func(seen sip.Trace) {
			if !seen.Out && strings.HasPrefix(string(seen.Data), "BYE ") {
				select {
				case p.byes <- struct{}{}:
				default:
				}
			}
		},
	})
	at, err := p.stack.ListenUDP(t.Context(), sip.Listen{Addr: ip + ":0"})
	if err != nil {
		t.Fatal(err)
	}
	p.at = at
	t.Cleanup(p.stack.Close)
	return p
}

// serve takes an INVITE.
func (p *peer) serve(tx *sip.ServerTx, serve func(*call)) {
	c := &call{
		cancelled: make(chan []sip.Reason, 1), bye: make(chan []sip.Reason, 1),
		acked: make(chan *sip.Request, 4), pracked: make(chan *sip.Request, 4),
	}
	c.in = p.stack.Incoming(tx, sip.IncomingEvents{
		Cancelled: func(r []sip.Reason) { c.cancelled <- r },
		Acked:     func(ack *sip.Request) { c.acked <- ack },
		Pracked:   func(o *sip.Offer) { c.pracked <- o.Request(); o.Accept(nil, nil) },
		Dialog:    sip.DialogEvents{Bye: func(_ *sip.Dialog, r []sip.Reason) { c.bye <- r }},
	})
	if serve != nil {
		serve(c)
	}
	p.calls <- c
}

// send sends a request and returns the final status.
func (p *peer) send(out sip.Outbound) *sip.Response {
	p.t.Helper()
	done := make(chan *sip.Response, 1)
	p.stack.Send(out, func(res *sip.Response, err error) {
		if err != nil {
			p.t.Errorf("%s: %v", out.Request.Method, err)
		}
		done <- res
	})
	select {
	case res := <-done:
		if res == nil {
			p.t.FailNow()
		}
		return res
	case <-time.After(5 * time.Second):
		p.t.Fatal("no answer to ", out.Request.Method)
		return nil
	}
}

// register sends REGISTER for user with the Contact's expires.
func (p *peer) register(b *bench, user, password, expires string) *sip.Response {
	p.t.Helper()
	req := sip.NewRequest(sip.REGISTER, sip.Uri{Scheme: "sip", Host: b.at.Addr().String(), Port: int(b.at.Port())})
	addresses(req, user)
	out := sip.Outbound{Request: req, ContactUser: user, Target: sip.Target{Addr: b.at.String()}}
	out.ContactParams.Add("expires", expires)
	if password != "" {
		out.Credentials = &sip.Credentials{Username: user, Password: password}
	}
	return p.send(out)
}

// addresses adds From and To of a REGISTER for user.
func addresses(req *sip.Request, user string) {
	aor := sip.Uri{Scheme: "sip", User: user, Host: realm}
	req.AppendHeader(&sip.FromHeader{Address: aor, Params: sip.Params{}})
	req.AppendHeader(&sip.ToHeader{Address: aor, Params: sip.Params{}})
}

func uri(user string, at netip.AddrPort) sip.Uri {
	return sip.Uri{Scheme: "sip", User: user, Host: at.Addr().String(), Port: int(at.Port())}
}

const offerSDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0 8 101\r\n" +
	"a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"

// invite sends an INVITE to number and returns its final status and responses.
func (p *peer) invite(b *bench, number string, credentials *sip.Credentials, ev sip.OutgoingEvents, headers ...sip.Header) *sip.Outgoing {
	return p.stack.Invite(sip.InviteRequest{
		RequestURI: uri(number, b.at), From: sip.Address{URI: uri("+12995550100", p.at)}, To: sip.Address{URI: uri(number, b.at)},
		ContactUser: "caller", Target: sip.Target{Addr: b.at.String()}, Body: []byte(offerSDP), Credentials: credentials, Headers: headers,
	}, ev)
}
