//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/sip"
	"github.com/offhook/offhook/internal/testkit"
)

// carrier is the far end of a trunk that does as the test says and keeps when
// each INVITE came.
type carrier struct {
	at   netip.AddrPort
	mute atomic.Bool // takes everything and answers nothing

	mu      sync.Mutex // guards invites and options
	invites []*received
	options []time.Time
}

// received is an INVITE that a carrier got.
type received struct {
	*sip.Incoming
	at       time.Time
	to, from string        // user parts of the Request-URI and From
	over     chan struct{} // closed when the caller cancelled or hung up
	ended    time.Time     // when, valid then
	reasons  []sip.Reason  // why, likewise
}

// newCarrier starts a carrier that treats each INVITE with do; nil lets it ring.
func newCarrier(t *testing.T, do func(*received)) *carrier {
	t.Helper()
	const ip = "127.0.0.4" // nobody calls from there
	c := &carrier{at: netip.AddrPortFrom(netip.MustParseAddr(ip), testkit.FreePort(t, ip))}
	if do == nil {
		do = func(r *received) { r.Ring(180, nil) }
	}
	var stack *sip.Stack
	stack = sip.NewStack(sip.Config{
		Admit: func(string, netip.AddrPort) bool { return !c.mute.Load() },
		Handler: sip.HandlerFunc(func(tx *sip.ServerTx, req *sip.Request) {
			switch req.Method {
			case sip.OPTIONS:
				c.mu.Lock()
				c.options = append(c.options, time.Now())
				c.mu.Unlock()
				tx.Reply(200, "")
			case sip.INVITE:
				do(c.receive(stack, tx, req))
			default:
				tx.NotAllowed()
			}
		}),
	})
	if _, err := stack.ListenUDP(t.Context(), sip.Listen{Addr: c.at.String()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stack.Close)
	return c
}

func (c *carrier) receive(stack *sip.Stack, tx *sip.ServerTx, req *sip.Request) *received {
	r := &received{at: time.Now(), to: req.Recipient.User, from: req.From().Address.User, over: make(chan struct{})}
	var once sync.Once
	end := func(reasons []sip.Reason) {
		once.Do(func() { r.ended, r.reasons = time.Now(), reasons; close(r.over) })
	}
	r.Incoming = stack.Incoming(tx, sip.IncomingEvents{
		Cancelled: end,
		Dialog: sip.DialogEvents{
			Bye:  func(_ *sip.Dialog, reasons []sip.Reason) { end(reasons) },
			Lost: func(*sip.Dialog, error) { end(nil) },
		},
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.invites = append(c.invites, r)
	return r
}

// answer takes a call with G.711 that is never heard nor spoken.
func (r *received) answer() {
	r.Answer(fmt.Appendf(nil, "v=0\r\no=- 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n", "127.0.0.4"))
}

// answers takes every call.
func answers(r *received) { r.answer() }

// got returns the INVITEs to a number so far, "" for all.
func (c *carrier) got(to string) []*received {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.invites), func(r *received) bool { return to != "" && r.to != to })
}

// await waits for the n-th INVITE to a number, from 1, and returns it.
func (c *carrier) await(t *testing.T, to string, n int, within time.Duration) *received {
	t.Helper()
	testkit.Eventually(t, within, fmt.Sprintf("INVITE %d to %q comes", n, to), func() bool { return len(c.got(to)) >= n })
	return c.got(to)[n-1]
}

// wantOnly fails the test unless exactly n INVITEs to a number came.
func (c *carrier) wantOnly(t *testing.T, who, to string, n int) {
	t.Helper()
	if got := len(c.got(to)); got != n {
		t.Errorf("%s got %d INVITEs to %s, want %d", who, got, to, n)
	}
}

// awaitOver waits until the caller has ended the call.
func (r *received) awaitOver(t *testing.T, within time.Duration) {
	t.Helper()
	testkit.Eventually(t, within, "the call to "+r.to+" ends", func() bool {
		select {
		case <-r.over:
			return true
		default:
			return false
		}
	})
}
