package sip

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// prackOf writes the peer's PRACK to a reliable provisional response of ours.
func (s *scripted) prackOf(res string, seq int, body string) string {
	extra := "RAck: " + field(res, "RSeq") + " 1 INVITE\r\n"
	return withBody(s.peer.request("PRACK", fmt.Sprint("p", seq), tagOf(field(res, "To")), seq, extra), body)
}

// withBody gives a message of the scripted peer a session description.
func withBody(msg, body string) string {
	if body == "" {
		return msg
	}
	return strings.Replace(msg, "Content-Length: 0\r\n\r\n",
		"Content-Type: application/sdp\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+body, 1)
}

// offeredWith brings an INVITE with these header lines to the stack.
func (s *scripted) offeredWith(extra, body string) *Incoming {
	s.t.Helper()
	s.peer.send(withBody(s.peer.request("INVITE", "i1", "", 1, extra), body))
	s.peer.expect("SIP/2.0 100")
	return wait(s.t, s.in, "INVITE")
}

const supports100rel, requires100rel = "Supported: 100rel\r\n", "Require: 100rel\r\n"

func TestReliable183IsRepeatedUntilPrackAnd200Waits(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		in := s.offeredWith(supports100rel, "v=0\r\n")
		start := time.Now()
		in.Ring(180, nil) // without SDP: nothing is lost with it
		if res := s.peer.expect("SIP/2.0 180"); field(res, "RSeq") != "" {
			t.Errorf("180 asks for a PRACK: %q", res)
		}
		in.Ring(183, []byte("v=0\r\n"))
		in.Answer([]byte("v=0\r\n"))
		res := s.peer.expect("SIP/2.0 183")
		if field(res, "Require") != "100rel" || field(res, "RSeq") == "" {
			t.Fatalf("183 is not reliable: %q", res)
		}
		for _, at := range []float64{0.5, 1.5, 3.5, 7.5} { // T1 doubling without end
			if s.peer.expect("SIP/2.0 183") != res {
				t.Error("a repeat differs")
			}
			if d := time.Since(start).Seconds(); d != at {
				t.Errorf("repeated after %v s, want %v", d, at)
			}
		}
		wrong := strings.Replace(s.prackOf(res, 2, ""), "RAck: ", "RAck: 9", 1)
		s.peer.send(wrong)
		s.peer.expect("SIP/2.0 481")
		s.peer.send(s.prackOf(res, 3, ""))
		if ok := s.peer.expect("SIP/2.0 200"); field(ok, "CSeq") != "3 PRACK" {
			t.Errorf("answer to PRACK %q", ok)
		}
		if ok := s.peer.expect("SIP/2.0 200"); field(ok, "CSeq") != "1 INVITE" {
			t.Errorf("answer to INVITE %q", ok)
		}
		s.peer.send(s.prackOf(res, 4, "")) // another branch and CSeq, the same response
		for field(s.peer.expect("SIP/2.0 200"), "CSeq") != "4 PRACK" {
		}
	})
}

func TestRequired100relMakesEveryProvisionalReliableInOrder(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		in := s.offeredWith(requires100rel, "v=0\r\n")
		in.Ring(180, nil)
		in.Ring(183, []byte("v=0\r\n"))
		ringing := s.peer.expect("SIP/2.0 180")
		s.peer.silent(t1 - time.Millisecond) // the second waits for the first one's PRACK
		s.peer.send(s.prackOf(ringing, 2, ""))
		s.peer.expect("SIP/2.0 200")
		progress := s.peer.expect("SIP/2.0 183")
		first, _ := strconv.Atoi(field(ringing, "RSeq"))
		if second, _ := strconv.Atoi(field(progress, "RSeq")); second != first+1 {
			t.Errorf("RSeq %d after %d", second, first)
		}
	})
}

func TestNoPrackRefusesTheInvite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := make(chan error, 1)
		n := newFakeNet()
		stack := NewStack(Config{Handler: HandlerFunc(func(tx *ServerTx, _ *Request) {
			tx.stack.Incoming(tx, IncomingEvents{Dialog: DialogEvents{
				Lost: func(_ *Dialog, err error) { lost <- err },
			}}).Ring(183, []byte("v=0\r\n"))
		})})
		defer stack.Close()
		if _, err := stack.servePackets(n.listen(stackAddr), ""); err != nil {
			t.Fatal(err)
		}
		s := &scripted{t: t, Stack: stack, net: n, peer: n.wire(t, peerAddr, stackAddr)}
		s.peer.send(withBody(s.peer.request("INVITE", "i1", "", 1, supports100rel), "v=0\r\n"))
		start := time.Now()
		if err := <-lost; !errors.Is(err, ErrNoPRACK) || time.Since(start) != giveUp {
			t.Errorf("lost by %v after %v", err, time.Since(start))
		}
		for {
			msg := s.peer.next(patience)
			if strings.HasPrefix(msg, "SIP/2.0 504") {
				return
			}
			if !strings.HasPrefix(msg, "SIP/2.0 1") {
				t.Fatalf("want 504, got %q", msg)
			}
		}
	})
}

func TestCancelAndByeWhileTheAnswerWaitsForPrack(t *testing.T) {
	for name, end := range map[string]func(s *scripted, in *Incoming){
		"487": func(s *scripted, _ *Incoming) { s.peer.send(s.peer.request("CANCEL", "i1", "", 1, "")) },
		"480": func(_ *scripted, in *Incoming) { in.Dialog().Bye() },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(s *scripted) {
				in := s.offeredWith(supports100rel, "v=0\r\n")
				in.Ring(183, []byte("v=0\r\n"))
				in.Answer([]byte("v=0\r\n"))
				s.peer.expect("SIP/2.0 183")
				end(s, in)
				if name == "487" {
					s.peer.expect("SIP/2.0 200") // to the CANCEL
				}
				refused := s.peer.expect("SIP/2.0 " + name)
				ack := s.peer.request("ACK", "i1", tagOf(field(refused, "To")), 1, "")
				s.peer.send(ack)
				s.peer.silent(2 * t1)
				if in.d.state != dialogEnded {
					s.t.Error("the dialog lives")
				}
			})
		})
	}
}

// An INVITE without offer gets ours in a reliable 183; the answer is in the PRACK
// (RFC 3262 section 5), and the 200 has no body.
func TestOfferIn183AnswerInPrack(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		pracked := make(chan *Offer, 2)
		s.cfg.Handler = HandlerFunc(func(tx *ServerTx, _ *Request) {
			s.in <- tx.stack.Incoming(tx, IncomingEvents{Pracked: func(o *Offer) { pracked <- o }})
		})
		in := s.offeredWith(supports100rel, "")
		if !in.Reliable() {
			t.Fatal("100rel is not seen")
		}
		in.Ring(183, []byte("v=0\r\no=ours\r\n"))
		res := s.peer.expect("SIP/2.0 183")
		s.peer.send(s.prackOf(res, 2, "v=0\r\no=theirs\r\n"))
		o := wait(t, pracked, "PRACK with SDP")
		if string(o.Request().Body()) != "v=0\r\no=theirs\r\n" {
			t.Errorf("body %q", o.Request().Body())
		}
		in.Answer(nil)
		s.peer.silent(time.Second) // the PRACK first
		o.Accept(nil, nil)
		if ok := s.peer.expect("SIP/2.0 200"); field(ok, "CSeq") != "2 PRACK" || field(ok, "Content-Type") != "" {
			t.Errorf("answer to PRACK %q", ok)
		}
		if ok := s.peer.expect("SIP/2.0 200"); field(ok, "CSeq") != "1 INVITE" || field(ok, "Content-Length") != "0" {
			t.Errorf("answer to INVITE %q", ok)
		}
	})
}

func TestCallerPracksReliableProvisionalsOnceAndInOrder(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		s.Invite(invite(t, peerAddr), s.events())
		inv := s.peer.expect("INVITE ")
		if !strings.Contains(field(inv, "Supported"), "100rel") {
			t.Errorf("Supported %q", field(inv, "Supported"))
		}
		provisional := func(status, tag string, rseq int) {
			s.peer.send(reply(inv, status, tag, fmt.Sprintf("%sRequire: 100rel\r\nRSeq: %d\r\n", contact, rseq)))
		}
		provisional("180 Ringing", "b1", 7)
		prack := s.peer.expect("PRACK sip:bob@" + peerAddr)
		if field(prack, "RAck") != "7 1 INVITE" || field(prack, "CSeq") != "2 PRACK" || tagOf(field(prack, "To")) != "b1" {
			t.Errorf("PRACK %q", prack)
		}
		s.peer.send(reply(prack, "200 OK", "", ""))
		wait(t, s.rang, "180")
		provisional("180 Ringing", "b1", 7) // a repeat
		provisional("183 Later", "b1", 9)   // overtook 8
		s.peer.silent(time.Second)
		none(t, s.rang, "repeat or overtaker")
		provisional("183 Progress", "b1", 8)
		if prack = s.peer.expect("PRACK "); field(prack, "RAck") != "8 1 INVITE" {
			t.Errorf("RAck %q", field(prack, "RAck"))
		}
		s.peer.send(reply(prack, "200 OK", "", ""))
		wait(t, s.rang, "183")
		provisional("180 Ringing", "b2", 100) // a fork has numbers of its own
		if prack = s.peer.expect("PRACK "); field(prack, "RAck") != "100 1 INVITE" || tagOf(field(prack, "To")) != "b2" {
			t.Errorf("PRACK %q", prack)
		}
	})
}

func TestOfferlessInviteAnsweredInPrackNeedsNoAnswerInAck(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		r := invite(t, peerAddr)
		r.Body = nil
		ev := s.events()
		ev.Provisional = func(d *Dialog, res *Response) {
			if string(res.Body()) == "v=0\r\n" {
				d.Prack([]byte("v=0\r\no=answer\r\n"))
			}
		}
		s.Invite(r, ev)
		inv := s.peer.expect("INVITE ")
		s.peer.send(withBody(reply(inv, "183 Progress", "b1", contact+"Require: 100rel\r\nRSeq: 1\r\n"), "v=0\r\n"))
		prack := s.peer.expect("PRACK ")
		if !strings.HasSuffix(prack, "\r\n\r\nv=0\r\no=answer\r\n") {
			t.Errorf("PRACK %q", prack)
		}
		s.peer.send(reply(prack, "200 OK", "", ""))
		s.peer.send(reply(inv, "200 OK", "b1", contact))
		s.peer.expect("ACK ")
	})
}
