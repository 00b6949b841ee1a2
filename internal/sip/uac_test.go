package sip

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// contact is a Contact line of the scripted peer.
const contact = "Contact: <sip:bob@" + peerAddr + ">\r\n"

// none fails if c has something.
func none[T any](t testing.TB, c <-chan T, what string) {
	t.Helper()
	synctest.Wait()
	select {
	case v := <-c:
		t.Fatalf("unexpected %s: %v", what, v)
	default:
	}
}

// ring starts a call of ours to the scripted peer, which rings.
func (s *scripted) ring(t testing.TB) (o *Outgoing, inv string) {
	t.Helper()
	o = s.Invite(invite(t, peerAddr), s.events())
	inv = s.peer.expect("INVITE ")
	s.peer.send(reply(inv, "180 Ringing", "b1", contact))
	wait(t, s.rang, "180")
	return o, inv
}

func TestUnansweredInviteRepeatsAndTimesOut(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		start := time.Now()
		s.Invite(invite(t, peerAddr), s.events())
		code := <-s.failed
		if code != 408 || time.Since(start) != giveUp {
			t.Errorf("failed %d after %v", code, time.Since(start))
		}
		sent := 0
		for s.peer.next(time.Second) != "" {
			sent++
		}
		if sent != 7 { // at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s
			t.Errorf("INVITE was sent %d times, want 7", sent)
		}
	})
}

func TestCancelWaitsForProvisional(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		o := s.Invite(invite(t, peerAddr), s.events())
		inv := s.peer.expect("INVITE ")
		o.Cancel(Reason{"SIP", 200, "Call completed elsewhere"}.Header())
		s.peer.silent(400 * time.Millisecond)
		s.peer.send(reply(inv, "180 Ringing", "b1", contact))
		cancel := s.peer.expect("CANCEL ")
		if field(cancel, "Via") != field(inv, "Via") || field(cancel, "CSeq") != "1 CANCEL" ||
			field(cancel, "Reason") != `SIP;cause=200;text="Call completed elsewhere"` {
			t.Errorf("CANCEL %q", cancel)
		}
		s.peer.send(reply(cancel, "200 OK", "b1", ""))
		none(t, s.failed, "end before the 487")
		s.peer.send(reply(inv, "487 Request Terminated", "b1", ""))
		if ack := s.peer.expect("ACK "); field(ack, "Via") != field(inv, "Via") {
			t.Errorf("ACK of a refusal has a branch of its own: %q", ack)
		}
		if code := <-s.failed; code != 487 {
			t.Errorf("failed %d", code)
		}
	})
}

func TestCancelCrossesOK(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		o, inv := s.ring(t)
		o.Cancel(Reason{"SIP", 487, ""}.Header())
		cancel := s.peer.expect("CANCEL ")
		s.peer.send(reply(inv, "200 OK", "b1", contact)) // sent before the CANCEL came
		s.peer.send(reply(cancel, "200 OK", "b1", ""))
		s.peer.expect("ACK ")
		bye := s.peer.expect("BYE ")
		if field(bye, "Reason") != "SIP;cause=487" || tagOf(field(bye, "To")) != "b1" {
			t.Errorf("BYE %q", bye)
		}
		s.peer.send(reply(bye, "200 OK", "", ""))
		if code := <-s.failed; code != 487 {
			t.Errorf("failed %d", code)
		}
		none(t, s.answered, "answer")
		none(t, s.failed, "second end")
	})
}

func TestCancelledInviteAlwaysEnds(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		o, _ := s.ring(t)
		o.Cancel()
		start := time.Now()
		if code := <-s.failed; code != 487 || time.Since(start) > giveUp {
			t.Errorf("failed %d after %v", code, time.Since(start))
		}
	})
}

func TestAnswerAfterCancelGuardIsAckedAndByed(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		o, inv := s.ring(t)
		o.Cancel()
		<-s.failed
		time.Sleep(time.Second)
		for s.peer.next(time.Millisecond) != "" {
		}
		s.peer.send(reply(inv, "200 OK", "b1", contact))
		s.peer.expect("ACK ")
		s.peer.expect("BYE ")
	})
}

func TestOKRepeatedIsAckedAgain(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		_, inv := s.ring(t)
		ok := reply(inv, "200 OK", "b1", contact)
		s.peer.send(ok)
		first := s.peer.expect("ACK ")
		for _, later := range []time.Duration{time.Second, giveUp + time.Second} { // the second when the transaction is over
			time.Sleep(later)
			s.peer.send(ok)
			if again := s.peer.expect("ACK "); again != first {
				t.Errorf("second ACK %q differs from %q", again, first)
			}
		}
		wait(t, s.answered, "answer")
		none(t, s.answered, "second answer")
	})
}

func TestSecond2xxIsAckedAndByed(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		_, inv := s.ring(t)
		s.peer.send(reply(inv, "180 Ringing", "b2", contact))
		s.peer.send(reply(inv, "200 OK", "b1", contact))
		s.peer.send(reply(inv, "200 OK", "b2", contact))
		acks := []string{s.peer.expect("ACK "), s.peer.expect("ACK ")}
		if tagOf(field(acks[0], "To")) != "b1" || tagOf(field(acks[1], "To")) != "b2" {
			t.Errorf("ACKs %q", acks)
		}
		bye := s.peer.expect("BYE ")
		if tagOf(field(bye, "To")) != "b2" || !strings.HasPrefix(field(bye, "Reason"), "SIP;cause=200") {
			t.Errorf("BYE %q", bye)
		}
		if d := <-s.answered; d.RemoteTag() != "b1" {
			t.Errorf("answered by %q", d.RemoteTag())
		}
		none(t, s.answered, "second answer")
	})
}

func TestDialogFollowsRouteSetAndTarget(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		_, inv := s.ring(t)
		const routes = "Record-Route: <sip:p2.example.com;lr>\r\nRecord-Route: <sip:192.0.2.2;lr>\r\n"
		s.peer.send(reply(inv, "200 OK", "b1", routes+"Contact: <sip:bob@198.51.100.7:5070>\r\n"))
		ack := s.peer.expect("ACK sip:bob@198.51.100.7:5070 ")
		if want := "Route: <sip:192.0.2.2;lr>\r\nRoute: <sip:p2.example.com;lr>\r\n"; !strings.Contains(ack, want) {
			t.Errorf("ACK %q", ack)
		}
	})
}

func TestDeadPeerEndsDialogAfterReinvite(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		lost := make(chan error, 1)
		ev := s.events()
		ev.Dialog.Lost = func(_ *Dialog, err error) { lost <- err }
		s.Invite(invite(t, peerAddr), ev)
		inv := s.peer.expect("INVITE ")
		s.peer.send(reply(inv, "200 OK", "b1", contact))
		s.peer.expect("ACK ")
		d := <-s.answered
		done := make(chan *Response, 1)
		d.Reinvite([]byte("v=0\r\n"), func(res *Response) { done <- res })
		re := s.peer.expect("INVITE ")
		s.peer.send(reply(re, "481 Gone", "", ""))
		s.peer.expect("ACK ")
		if res := <-done; res == nil || res.StatusCode != 481 {
			t.Errorf("re-INVITE ended with %v", res)
		}
		_ = wait(t, lost, "end")
		s.peer.expect("BYE ")
	})
}

func TestReinviteTriesAgainAfter491(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		_, inv := s.ring(t)
		s.peer.send(reply(inv, "200 OK", "b1", contact))
		s.peer.expect("ACK ")
		d := <-s.answered
		done := make(chan *Response, 2)
		d.Reinvite([]byte("v=0\r\n"), func(res *Response) { done <- res })
		re := s.peer.expect("INVITE ")
		s.peer.send(reply(re, "491 Request Pending", "", ""))
		s.peer.expect("ACK ")
		start := time.Now()
		again := s.peer.expect("INVITE ")
		if waited := time.Since(start); waited < 2100*time.Millisecond || waited > 4*time.Second {
			t.Errorf("tried again after %v", waited)
		}
		if field(again, "CSeq") != "3 INVITE" {
			t.Errorf("CSeq %q", field(again, "CSeq"))
		}
		s.peer.send(reply(again, "200 OK", "", contact))
		s.peer.expect("ACK ")
		if res := <-done; res == nil || res.StatusCode != 200 {
			t.Errorf("re-INVITE ended with %v", res)
		}
	})
}

func TestReinviteOfThePeerWhileOursIsPendingIs491(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		_, inv := s.ring(t)
		s.peer.send(reply(inv, "200 OK", "b1", contact))
		s.peer.expect("ACK ")
		d := <-s.answered
		d.Reinvite([]byte("v=0\r\n"), nil)
		re := s.peer.expect("INVITE ")
		s.peer.send(inDialogRequest("INVITE", re, "b1", 1))
		s.peer.expect("SIP/2.0 491")
	})
}

// inDialogRequest writes a request of the peer in the dialog of ours.
func inDialogRequest(method, ours, tag string, seq int) string {
	r := request(method, "sip:leg@"+stackAddr, peerAddr, "in"+tag+method+strconv.Itoa(seq), "x", "", seq, "")
	r = strings.Replace(r, "From: <sip:alice@example.com>;tag=x", "From: <sip:bob@example.com>;tag="+tag, 1)
	r = strings.Replace(r, "To: <sip:bob@example.com>", "To: <sip:alice@example.com>;tag="+tagOf(field(ours, "From")), 1)
	return strings.Replace(r, "Call-ID: call1", "Call-ID: "+field(ours, "Call-ID"), 1)
}

func TestLateByeGets200(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		_, inv := s.ring(t)
		s.peer.send(reply(inv, "200 OK", "b1", contact))
		s.peer.expect("ACK ")
		d := <-s.answered
		d.Bye()
		bye := s.peer.expect("BYE ")
		s.peer.send(inDialogRequest("BYE", inv, "b1", 1)) // crosses ours
		s.peer.expect("SIP/2.0 200")
		s.peer.send(reply(bye, "200 OK", "", ""))
		time.Sleep(20 * time.Second)
		s.peer.send(inDialogRequest("INFO", inv, "b1", 2))
		s.peer.expect("SIP/2.0 481")
		time.Sleep(20 * time.Second) // now the dialog is forgotten
		s.peer.send(inDialogRequest("BYE", inv, "b1", 3))
		s.peer.expect("SIP/2.0 481")
		none(t, s.byes, "BYE event")
		if n := s.sessions.len(); n != 0 {
			t.Errorf("%d sessions left", n)
		}
	})
}

func TestManyForksAreBounded(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		o, inv := s.ring(t)
		for i := range 3 * maxForks {
			s.peer.send(reply(inv, "180 Ringing", "f"+string(rune('A'+i)), contact))
		}
		synctest.Wait()
		if n := len(o.ses.dialogs); n > maxForks {
			t.Errorf("%d dialogs", n)
		}
	})
}
