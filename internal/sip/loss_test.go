package sip

import (
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestLossyNetworkLeavesNothing makes calls over a network that loses a quarter of
// the packets. Every call must end exactly once at the caller, both ends must
// agree in the end, and two minutes later nothing of it is left anywhere.
func TestLossyNetworkLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls, seed = 300, 7
		random := rand.New(rand.NewPCG(seed, seed)) // a repeatable test
		loss := make([]bool, 1<<16)
		for i := range loss {
			loss[i] = random.IntN(4) == 0
		}
		var packet atomic.Uint32
		n := newFakeNet()
		n.drop = func(netip.AddrPort, netip.AddrPort, string) bool { return loss[packet.Add(1)%uint32(len(loss))] }

		var answered, failed, byes, lost atomic.Int32
		bye := DialogEvents{
			Bye:  func(*Dialog, []Reason) { byes.Add(1) },
			Lost: func(*Dialog, error) { lost.Add(1) },
		}
		bob := NewStack(Config{Handler: HandlerFunc(func(tx *ServerTx, req *Request) {
			in := tx.stack.Incoming(tx, IncomingEvents{Dialog: bye})
			switch req.Recipient.User {
			case "busy":
				in.Reject(486, "")
			case "rings":
				in.Ring(180, nil)
				// If every provisional response is lost there will be no CANCEL (RFC 3261
				// section 9.1): the application has to bound the ringing.
				time.AfterFunc(time.Minute, func() { in.Reject(480, "") })
			default:
				in.Ring(180, nil)
				time.AfterFunc(time.Second, func() { in.Answer([]byte("v=0\r\n")) })
			}
		})})
		defer bob.Close()
		alice := NewStack(Config{})
		defer alice.Close()
		for s, addr := range map[*Stack]string{alice: stackAddr, bob: peerAddr} {
			if _, err := s.servePackets(n.listen(addr), ""); err != nil {
				t.Fatal(err)
			}
		}
		for i := range calls {
			r := invite(t, peerAddr)
			r.RequestURI.User = []string{"busy", "rings", "answers"}[i%3]
			o := alice.Invite(r, OutgoingEvents{
				Answered: func(d *Dialog, _ *Response) {
					answered.Add(1)
					time.AfterFunc(5*time.Second, func() { d.Bye() })
				},
				Failed: func(int, *Response) { failed.Add(1) },
				Dialog: bye,
			})
			time.AfterFunc(time.Duration(i)*20*time.Millisecond, func() { o.Cancel() })
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(4 * giveUp)
		synctest.Wait()
		if got := answered.Load() + failed.Load(); got != calls || answered.Load() == 0 {
			t.Errorf("%d answered, %d failed of %d", answered.Load(), failed.Load(), calls)
		}
		t.Logf("%d answered, %d failed, %d BYEs heard, %d lost, %d packets", answered.Load(), failed.Load(), byes.Load(), lost.Load(), packet.Load())
		for name, s := range map[string]*Stack{"alice": alice, "bob": bob} {
			if got := s.Stats(); got != (Stats{}) {
				t.Errorf("%s still holds %+v", name, got)
			}
		}
	})
}
