package sip

import (
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// answeredBy is a call of ours that the scripted peer answered, and the INVITE.
func (s *scripted) answeredBy(ev OutgoingEvents) (d *Dialog, inv string) {
	s.t.Helper()
	s.Invite(invite(s.t, peerAddr), ev)
	inv = s.peer.expect("INVITE ")
	s.peer.send(reply(inv, "200 OK", "b1", contact+"Allow: INVITE, ACK, BYE, UPDATE\r\n"))
	s.peer.expect("ACK ")
	return wait(s.t, s.answered, "answer"), inv
}

// takeOffers answers every offer of the peer.
func takeOffers(_ *Dialog, o *Offer) { o.Accept([]byte("v=0\r\no=answer\r\n"), nil) }

func TestUpdateCarriesAnOfferBothWays(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		ev := s.events()
		ev.Dialog.Reinvite = takeOffers
		d, inv := s.answeredBy(ev)
		done := make(chan *Response, 1)
		d.Renegotiate([]byte("v=0\r\no=update\r\n"), func(res *Response) { done <- res })
		update := s.peer.expect("UPDATE sip:bob@" + peerAddr)
		if !strings.HasSuffix(update, "o=update\r\n") || field(update, "Contact") == "" {
			t.Errorf("UPDATE %q", update)
		}
		s.peer.send(withBody(inDialogRequest("UPDATE", inv, "b1", 1), "v=0\r\n")) // crosses ours
		s.peer.expect("SIP/2.0 491")
		s.peer.send(withBody(reply(update, "200 OK", "", "Contact: <sip:moved@"+peerAddr+">\r\n"), "v=0\r\n"))
		if res := <-done; res == nil || res.StatusCode != 200 {
			t.Fatalf("UPDATE ended with %v", res)
		}
		d.Request(INFO, "", nil, nil)
		info := s.peer.expect("INFO sip:moved@") // UPDATE refreshed the target
		s.peer.send(reply(info, "200 OK", "", ""))
		s.peer.send(withBody(inDialogRequest("UPDATE", inv, "b1", 2), "v=0\r\n"))
		if ok := s.peer.expect("SIP/2.0 200"); !strings.HasSuffix(ok, "o=answer\r\n") {
			t.Errorf("answer %q", ok)
		}
		d.Bye()
		s.peer.expect("BYE sip:alice@") // as its UPDATE said
	})
}

func TestUpdateTriesAgainAfterGlare(t *testing.T) {
	for refusal, retried := range map[string]bool{
		"491 Request Pending": true, "500 Busy\r\nRetry-After: 3": true, "500 Broken": false, "488 No": false,
	} {
		t.Run(strings.ReplaceAll(refusal, "\r\n", ", "), func(t *testing.T) {
			inBubble(t, func(s *scripted) {
				d, _ := s.answeredBy(s.events())
				done := make(chan *Response, 1)
				d.Renegotiate([]byte("v=0\r\n"), func(res *Response) { done <- res })
				update := s.peer.expect("UPDATE ")
				start := time.Now()
				s.peer.send(reply(update, refusal, "", ""))
				if !retried {
					if res := <-done; res == nil || res.StatusCode < 300 {
						s.t.Errorf("ended with %v", res)
					}
					return
				}
				s.peer.expect("UPDATE ")
				if waited := time.Since(start); waited < 2100*time.Millisecond || waited > 4*time.Second {
					s.t.Errorf("tried again after %v", waited)
				}
			})
		})
	}
}

// Both ends make an offer at once: both refuse the other's with 491, and the random
// times of RFC 3261 section 14.1 keep them from meeting again.
func TestReinvitesFromBothSidesAtOnceBothSucceed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		c := newCall()
		stacks := map[string]*Stack{stackAddr: NewStack(Config{}), peerAddr: NewStack(Config{Handler: HandlerFunc(func(tx *ServerTx, _ *Request) {
			c.in <- tx.stack.Incoming(tx, IncomingEvents{Dialog: DialogEvents{Reinvite: takeOffers}})
		})})}
		for at, s := range stacks {
			defer s.Close()
			if _, err := s.servePackets(n.listen(at), ""); err != nil {
				t.Fatal(err)
			}
		}
		ev := c.events()
		ev.Dialog.Reinvite = takeOffers
		stacks[stackAddr].Invite(invite(t, peerAddr), ev)
		in := <-c.in
		in.Answer([]byte("v=0\r\n"))
		ours, theirs := <-c.answered, in.Dialog()
		synctest.Wait()
		done := make(chan *Response, 2)
		var glares atomic.Int32
		var met atomic.Bool
		n.drop = func(_, _ netip.AddrPort, msg string) bool {
			switch {
			case strings.HasPrefix(msg, "INVITE "): // while ours is on the wire
				if met.CompareAndSwap(false, true) {
					theirs.Reinvite([]byte("v=0\r\n"), func(res *Response) { done <- res })
				}
			case strings.HasPrefix(msg, "SIP/2.0 491"):
				glares.Add(1)
			}
			return false
		}
		ours.Reinvite([]byte("v=0\r\n"), func(res *Response) { done <- res })
		for range 2 {
			if res := <-done; res == nil || res.StatusCode != 200 {
				t.Errorf("re-INVITE ended with %v", res)
			}
		}
		if glares.Load() == 0 {
			t.Error("no 491: the offers did not meet")
		}
	})
}

// Before the answer UPDATE may change what reliable responses settled, and nothing
// before that (RFC 3311 section 5).
func TestEarlyUpdate(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		s.cfg.Handler = HandlerFunc(func(tx *ServerTx, _ *Request) {
			s.in <- tx.stack.Incoming(tx, IncomingEvents{Dialog: DialogEvents{Reinvite: takeOffers}})
		})
		in := s.offeredWith(supports100rel+"Allow: INVITE, PRACK, UPDATE\r\n", "v=0\r\n")
		in.Ring(183, []byte("v=0\r\n"))
		res := s.peer.expect("SIP/2.0 183")
		tag := tagOf(field(res, "To"))
		s.peer.send(withBody(s.peer.request("UPDATE", "u1", tag, 2, ""), "v=0\r\n"))
		if refused := s.peer.expect("SIP/2.0 500"); field(refused, "Retry-After") == "" {
			t.Errorf("no Retry-After: %q", refused)
		}
		d := in.Dialog()
		early := make(chan *Response, 1)
		d.Renegotiate([]byte("v=0\r\n"), func(res *Response) { early <- res })
		if res := <-early; res != nil {
			t.Errorf("our UPDATE before the PRACK was sent: %v", res)
		}
		s.peer.send(s.prackOf(res, 3, ""))
		s.peer.expect("SIP/2.0 200")
		s.peer.send(withBody(s.peer.request("UPDATE", "u2", tag, 4, ""), "v=0\r\n"))
		s.peer.expect("SIP/2.0 200")
		d.Renegotiate([]byte("v=0\r\n"), func(res *Response) { early <- res })
		update := s.peer.expect("UPDATE ")
		s.peer.send(withBody(reply(update, "200 OK", "", contact), "v=0\r\n"))
		if res := <-early; res == nil || res.StatusCode != 200 {
			t.Errorf("early UPDATE ended with %v", res)
		}
		in.Answer([]byte("v=0\r\n"))
		s.peer.expect("SIP/2.0 200")
	})
}
