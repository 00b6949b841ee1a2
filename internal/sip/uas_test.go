package sip

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// offered brings an INVITE of the scripted peer to the stack.
func (s *scripted) offered(t testing.TB) (in *Incoming, inv string) {
	t.Helper()
	inv = s.peer.request("INVITE", "i1", "", 1, "")
	s.peer.send(inv)
	s.peer.expect("SIP/2.0 100")
	return wait(t, s.in, "INVITE"), inv
}

func TestRetransmittedInviteAnsweredOnce(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		in, inv := s.offered(t)
		s.peer.send(inv)
		s.peer.expect("SIP/2.0 100")
		in.Ring(180, nil)
		ringing := s.peer.expect("SIP/2.0 180")
		s.peer.send(inv)
		if again := s.peer.expect("SIP/2.0 180"); again != ringing {
			t.Errorf("repeat %q differs from %q", again, ringing)
		}
		in.Answer([]byte("v=0\r\n"))
		s.peer.expect("SIP/2.0 200")
		s.peer.send(inv)
		s.peer.silent(400 * time.Millisecond) // the 2xx has a clock of its own
		none(t, s.in, "second call")
	})
}

// The refusal comes from another goroutine in the very moment that 100 leaves.
func TestRefusalDoesNotOvertakeTrying(t *testing.T) {
	asked, leaving := make(chan *ServerTx, 1), make(chan bool)
	n := newNode(t, Config{
		Handler: HandlerFunc(func(tx *ServerTx, _ *Request) { asked <- tx }),
		Tracer: func(m Trace) {
			if m.Out && strings.HasPrefix(string(m.Data), "SIP/2.0 100") {
				leaving <- true
				time.Sleep(50 * time.Millisecond) // time to overtake
			}
		},
	})
	peer := newWire(t, n.addr)
	peer.send(request("INVITE", "sip:b@"+n.addr, peer.addr(), "b1", "a", "", 1, ""))
	tx := wait(t, asked, "INVITE")
	wait(t, leaving, "100")
	tx.Reply(491, "")
	for _, want := range []string{"SIP/2.0 100", "SIP/2.0 491"} {
		if got := peer.next(patience); !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %s", got, want)
		}
	}
}

func TestOneToTagPerDialog(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		in, _ := s.offered(t)
		in.Ring(180, nil)
		in.Ring(183, []byte("v=0\r\n"))
		in.Answer([]byte("v=0\r\n"))
		want := in.Dialog().LocalTag()
		for _, status := range []string{"180", "183", "200"} {
			if tag := tagOf(field(s.peer.expect("SIP/2.0 "+status), "To")); tag != want {
				t.Errorf("%s has tag %q, want %q", status, tag, want)
			}
		}
	})
}

func TestAckLostRetransmits200(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		in, inv := s.offered(t)
		start := time.Now()
		in.Answer([]byte("v=0\r\n"))
		ok := s.peer.expect("SIP/2.0 200")
		for _, at := range []float64{0.5, 1.5, 3.5, 7.5, 11.5} { // T1 doubling to T2
			if s.peer.expect("SIP/2.0 200") != ok {
				t.Error("a repeat differs")
			}
			if d := time.Since(start).Seconds(); d != at {
				t.Errorf("repeated after %v s, want %v", d, at)
			}
		}
		s.peer.send(ackOf(inv, ok))
		wait(t, s.acked, "ACK")
		s.peer.send(ackOf(inv, ok)) // a repeat
		s.peer.silent(giveUp)
		none(t, s.acked, "second ACK")
	})
}

// ackOf writes the peer's ACK to our 2xx.
func ackOf(inv, ok string) string {
	ack := strings.ReplaceAll(strings.ReplaceAll(inv, "INVITE", "ACK"), "z9hG4bKi", "z9hG4bKack")
	return strings.Replace(ack, "To: "+field(inv, "To"), "To: "+field(ok, "To"), 1)
}

func TestNoAckAtAllEndsDialogWithBye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := make(chan error, 1)
		n := newFakeNet()
		stack := NewStack(Config{Handler: HandlerFunc(func(tx *ServerTx, _ *Request) {
			tx.stack.Incoming(tx, IncomingEvents{Dialog: DialogEvents{
				Lost: func(_ *Dialog, err error) { lost <- err },
			}}).Answer([]byte("v=0\r\n"))
		})})
		defer stack.Close()
		if _, err := stack.servePackets(n.listen(stackAddr), ""); err != nil {
			t.Fatal(err)
		}
		peer := n.wire(t, peerAddr, stackAddr)
		start := time.Now()
		peer.send(peer.request("INVITE", "i1", "", 1, ""))
		for {
			if msg := peer.next(giveUp); strings.HasPrefix(msg, "BYE ") {
				break
			} else if msg == "" {
				t.Fatal("no BYE")
			}
		}
		if err := <-lost; !errors.Is(err, ErrNoACK) || time.Since(start) != giveUp {
			t.Errorf("lost by %v after %v", err, time.Since(start))
		}
	})
}

func TestByeWaitsForAck(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		in, inv := s.offered(t)
		in.Answer([]byte("v=0\r\n"))
		ok := s.peer.expect("SIP/2.0 200")
		in.Dialog().Bye()
		s.peer.silent(400 * time.Millisecond)
		s.peer.send(ackOf(inv, ok))
		s.peer.expect("BYE ")
		none(t, s.acked, "event after Bye")
	})
}

func TestCallerCancels(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		in, inv := s.offered(t)
		in.Ring(180, nil)
		tag := tagOf(field(s.peer.expect("SIP/2.0 180"), "To"))
		cancel := s.peer.request("CANCEL", "i1", "", 1, "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n")
		s.peer.send(cancel)
		if ok := s.peer.expect("SIP/2.0 200"); field(ok, "CSeq") != "1 CANCEL" || tagOf(field(ok, "To")) != tag {
			t.Errorf("answer to CANCEL %q", ok)
		}
		refused := s.peer.expect("SIP/2.0 487")
		if r := <-s.cancels; len(r) != 1 || r[0] != (Reason{"SIP", 200, "Call completed elsewhere"}) {
			t.Errorf("reasons %v", r)
		}
		s.peer.send(cancel)
		s.peer.expect("SIP/2.0 200")
		if s.peer.expect("SIP/2.0 487") != refused { // timer G
			t.Error("the repeat differs")
		}
		s.peer.send(strings.ReplaceAll(inv, "INVITE", "ACK"))
		s.peer.silent(giveUp)
		in.Answer(nil) // too late
		s.peer.silent(time.Second)
	})
}

func TestCancelAfterAnswerIs200AndNothingElse(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		in, inv := s.offered(t)
		in.Answer([]byte("v=0\r\n"))
		ok := s.peer.expect("SIP/2.0 200")
		s.peer.send(s.peer.request("CANCEL", "i1", "", 1, ""))
		if res := s.peer.expect("SIP/2.0 200"); field(res, "CSeq") != "1 CANCEL" {
			t.Errorf("answer %q", res)
		}
		s.peer.send(ackOf(inv, ok))
		wait(t, s.acked, "ACK")
		none(t, s.cancels, "cancel event")
	})
}

func TestUnmatchedRequests(t *testing.T) {
	inBubble(t, func(s *scripted) {
		for i, method := range []string{"BYE", "INFO", "INVITE", "UPDATE", "NOTIFY", "OPTIONS"} {
			s.peer.send(s.peer.request(method, fmt.Sprint("u", i), "nobody", 5, ""))
			s.peer.expect("SIP/2.0 481")
		}
		s.peer.send(s.peer.request("CANCEL", "never", "", 1, ""))
		s.peer.expect("SIP/2.0 481")
		s.peer.send(s.peer.request("ACK", "never", "nobody", 1, ""))
		s.peer.send(reply(s.peer.request("INVITE", "x", "", 1, ""), "200 OK", "b", contact))
		s.peer.silent(time.Second)
	})
}

func TestMergedInviteIs482(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		s.offered(t)
		s.peer.send(s.peer.request("INVITE", "otherpath", "", 1, ""))
		s.peer.expect("SIP/2.0 482")
		none(t, s.in, "second call")
	})
}

func TestByeBeforeAnswerEndsTheInvite(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		in, _ := s.offered(t)
		in.Ring(180, nil)
		tag := tagOf(field(s.peer.expect("SIP/2.0 180"), "To"))
		s.peer.send(s.peer.request("BYE", "b", tag, 2, ""))
		s.peer.expect("SIP/2.0 200")
		s.peer.expect("SIP/2.0 487")
		wait(t, s.cancels, "end")
	})
}

// up is an answered call of the scripted peer.
func (s *scripted) up(t testing.TB) (in *Incoming, tag string) {
	t.Helper()
	in, inv := s.offered(t)
	in.Answer([]byte("v=0\r\n"))
	ok := s.peer.expect("SIP/2.0 200")
	s.peer.send(ackOf(inv, ok))
	wait(t, s.acked, "ACK")
	return in, tagOf(field(ok, "To"))
}

func TestInDialogDefaults(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		_, tag := s.up(t)
		seq := 1
		for method, want := range map[string]string{
			"INFO": "200", "REFER": "405", "NOTIFY": "489", "OPTIONS": "200", "PRACK": "481",
			"MESSAGE": "405", "INVITE": "488", "UPDATE": "200",
		} {
			seq++
			s.peer.send(s.peer.request(method, "m"+method, tag, seq, ""))
			s.peer.expect("SIP/2.0 " + want)
		}
		s.peer.send(s.peer.request("INFO", "old", tag, 2, ""))
		s.peer.expect("SIP/2.0 500") // CSeq goes down
	})
}

func TestPeerReinvitesAndTimerRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		offers := make(chan *Offer, 5)
		acked := make(chan *Request, 5)
		n := newFakeNet()
		stack := NewStack(Config{Handler: HandlerFunc(func(tx *ServerTx, _ *Request) {
			tx.stack.Incoming(tx, IncomingEvents{Dialog: DialogEvents{
				Reinvite: func(_ *Dialog, o *Offer) { offers <- o },
			}}).Answer([]byte("v=0\r\n"))
		})})
		defer stack.Close()
		if _, err := stack.servePackets(n.listen(stackAddr), ""); err != nil {
			t.Fatal(err)
		}
		peer := n.wire(t, peerAddr, stackAddr)
		inv := peer.request("INVITE", "i1", "", 1, "")
		peer.send(inv)
		ok := peer.expect("SIP/2.0 200")
		peer.send(ackOf(inv, ok))
		tag := tagOf(field(ok, "To"))

		re := peer.request("INVITE", "i2", tag, 2, "Supported: timer\r\nSession-Expires: 90\r\n")
		peer.send(re)
		o := <-offers
		peer.send(peer.request("INVITE", "i3", tag, 3, "")) // before the answer to the second
		peer.expect("SIP/2.0 500")
		o.Accept([]byte("v=1\r\n"), func(ack *Request) { acked <- ack })
		ok = peer.expect("SIP/2.0 200")
		if field(ok, "Session-Expires") != "90;refresher=uac" || !strings.HasSuffix(ok, "v=1\r\n") {
			t.Errorf("answer %q", ok)
		}
		peer.send(ackOf(inv, ok)) // late, of the first
		peer.expect("SIP/2.0 200")
		peer.send(strings.Replace(ackOf(re, ok), "CSeq: 2 ", "CSeq: 4711 ", 1)) // as JsSIP 3.10 does
		<-acked
		peer.silent(giveUp)
	})
}

func TestRefusalIsCheapAndRepeatedFromCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		served := 0
		n := newFakeNet()
		stack := NewStack(Config{Handler: HandlerFunc(func(tx *ServerTx, _ *Request) {
			served++
			tx.Reply(404, "")
		})})
		defer stack.Close()
		if _, err := stack.servePackets(n.listen(stackAddr), ""); err != nil {
			t.Fatal(err)
		}
		peer := n.wire(t, peerAddr, stackAddr)
		inv := peer.request("INVITE", "i1", "", 1, "")
		peer.send(inv)
		first := peer.expect("SIP/2.0 404")
		peer.silent(5 * time.Second) // nothing is repeated unasked
		peer.send(inv)
		if again := peer.expect("SIP/2.0 404"); again != first || served != 1 {
			t.Errorf("served %d times, answers %q and %q", served, first, again)
		}
		peer.send(peer.request("CANCEL", "i1", "", 1, ""))
		peer.expect("SIP/2.0 200")
		peer.send(strings.ReplaceAll(inv, "INVITE", "ACK"))
		peer.silent(giveUp + 2*time.Second)
		stack.answers.mu.Lock()
		defer stack.answers.mu.Unlock()
		if n := len(stack.answers.byKey); n != 0 {
			t.Errorf("%d answers kept after %v", n, giveUp)
		}
		if n := len(stack.servers.byKey); n != 0 {
			t.Errorf("%d transactions left", n)
		}
	})
}

func TestAnswerCacheIsBounded(t *testing.T) {
	c := newAnswerCache(10_000)
	defer c.close()
	for i := range 10_000 {
		c.put(fmt.Sprint(i), make([]byte, 400))
	}
	if c.bytes > 10_000 || len(c.byKey) > 25 || len(c.order) > 4096 {
		t.Errorf("%d bytes in %d entries, order of %d", c.bytes, len(c.byKey), len(c.order))
	}
	if _, ok := c.get("9999"); !ok {
		t.Error("the newest is gone")
	}
}

func TestForgottenInviteLeavesTheTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNet()
		stack := NewStack(Config{Handler: HandlerFunc(func(*ServerTx, *Request) {})})
		defer stack.Close()
		if _, err := stack.servePackets(n.listen(stackAddr), ""); err != nil {
			t.Fatal(err)
		}
		peer := n.wire(t, peerAddr, stackAddr)
		peer.send(peer.request("INVITE", "i1", "", 1, ""))
		peer.expect("SIP/2.0 100")
		peer.send(peer.request("REGISTER", "r1", "", 1, ""))
		peer.silent(giveUp + time.Second)
		if n := len(stack.servers.all()); n != 0 || len(stack.servers.merges) != 0 {
			t.Errorf("%d transactions left", n)
		}
	})
}

func TestTakenInviteMayRingForLong(t *testing.T) {
	inBubble(t, func(s *scripted) {
		in, _ := s.offered(s.t)
		time.Sleep(3 * giveUp)
		in.Answer([]byte("v=0\r\n"))
		s.peer.expect("SIP/2.0 200")
	})
}

// Once the ACK came the INVITE's transaction is still there (RFC 6026 section 7.1).
func TestSameInviteAfterTheAckIsNoNewCall(t *testing.T) {
	for _, later := range []time.Duration{0, 300 * time.Millisecond, giveUp - time.Second} {
		inBubble(t, func(s *scripted) {
			t := s.t
			in, inv := s.offered(t)
			in.Answer([]byte("v=0\r\n"))
			ok := s.peer.expect("SIP/2.0 200")
			s.peer.send(ackOf(inv, ok))
			wait(t, s.acked, "ACK")
			time.Sleep(later)
			s.peer.send(inv)
			s.peer.silent(time.Second)
			none(t, s.in, "second call")
		})
	}
}

// A proxy sends our INVITE back: its Via below the top tells.
func TestInviteThatCameBackIsCounted(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		back := func(sent, branch string) string {
			r := s.peer.request("INVITE", branch, "", 1, "Via: "+field(sent, "Via")+"\r\n")
			return strings.Replace(r, "Call-ID: call1", "Call-ID: "+branch, 1)
		}
		s.Invite(invite(t, peerAddr), s.events())
		s.peer.send(back(s.peer.expect("INVITE "), "b1"))
		s.peer.expect("SIP/2.0 100")
		in := wait(t, s.in, "INVITE")
		if n := in.tx.Loops(); n != 1 {
			t.Fatalf("came back %d times, want 1", n)
		}
		r := invite(t, peerAddr)
		r.Loops = in.tx.Loops()
		s.Invite(r, s.events())
		s.peer.send(back(s.peer.expect("INVITE "), "b2"))
		s.peer.expect("SIP/2.0 100")
		if n := wait(t, s.in, "INVITE").tx.Loops(); n != 2 {
			t.Errorf("came back %d times, want 2", n)
		}
		s.peer.send(back("Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKother\r\n", "b3"))
		if n := wait(t, s.in, "INVITE").tx.Loops(); n != 0 {
			t.Errorf("a stranger's INVITE came back %d times", n)
		}
	})
}
