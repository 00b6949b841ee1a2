package sip

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSessionIntervalTooSmallIs422(t *testing.T) {
	inBubble(t, func(s *scripted) {
		s.peer.send(s.peer.request("INVITE", "i1", "", 1, "Supported: timer\r\nSession-Expires: 89\r\n"))
		if res := s.peer.expect("SIP/2.0 422"); field(res, "Min-SE") != "90" {
			s.t.Errorf("refused by %q", res)
		}
	})
}

func TestWhatWeGrantOfASessionTimer(t *testing.T) {
	for _, c := range []struct{ name, asked, want, require string }{
		{"nothing is asked of a peer without timers", "", "", ""},
		{"peer with timers refreshes ours", "Supported: timer\r\n", "1800;refresher=uac", "timer"},
		{"asked of us", "Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n", "600;refresher=uas", ""},
		{"asked for itself", "k: timer\r\nx: 600 ; refresher=UAC\r\n", "600;refresher=uac", "timer"},
		{"browser client, no preference", "Supported: timer,ice\r\nSession-Expires: 90\r\n", "90;refresher=uac", "timer"},
		{"longer than ours", "Supported: timer\r\nSession-Expires: 7200\r\n", "1800;refresher=uac", "timer"},
		{"its least is above ours", "Supported: timer\r\nSession-Expires: 7200\r\nMin-SE: 3600\r\n", "3600;refresher=uac", "timer"},
		{"put in by a proxy: we refresh", "Session-Expires: 600\r\n", "600;refresher=uas", ""},
		{"malformed", "Supported: timer\r\nSession-Expires: soon\r\n", "1800;refresher=uac", "timer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(s *scripted) {
				in := s.offeredWith(c.asked, "v=0\r\n")
				in.Answer([]byte("v=0\r\n"))
				ok := s.peer.expect("SIP/2.0 200")
				if field(ok, "Session-Expires") != c.want || field(ok, "Require") != c.require {
					s.t.Errorf("granted %q, Require %q", field(ok, "Session-Expires"), field(ok, "Require"))
				}
			})
		})
	}
}

// timed is an INVITE of the peer with these lines, answered, whose loss comes in lost.
func (s *scripted) timed(lines string) (lost chan error, tag string) {
	s.t.Helper()
	lost = make(chan error, 1)
	s.cfg.Handler = HandlerFunc(func(tx *ServerTx, _ *Request) {
		s.in <- tx.stack.Incoming(tx, IncomingEvents{Dialog: DialogEvents{
			Lost: func(_ *Dialog, err error) { lost <- err }, Reinvite: takeOffers,
		}})
	})
	in := s.offeredWith(lines, "v=0\r\n")
	in.Answer([]byte("v=0\r\n"))
	ok := s.peer.expect("SIP/2.0 200")
	s.peer.send(ackOf(s.peer.request("INVITE", "i1", "", 1, ""), ok))
	return lost, tagOf(field(ok, "To"))
}

func TestPeerThatDoesNotRefreshIsHungUp(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		lost, tag := s.timed("Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n")
		for i, method := range []string{"UPDATE", "INVITE"} { // both refresh
			time.Sleep(50 * time.Second)
			msg := s.peer.request(method, "r"+method, tag, 2+i, "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n")
			s.peer.send(msg)
			ok := s.peer.expect("SIP/2.0 200")
			if field(ok, "Session-Expires") != "90;refresher=uac" {
				t.Errorf("%s answered %q", method, ok)
			}
			if method == "INVITE" {
				s.peer.send(ackOf(msg, ok))
			}
		}
		start := time.Now()
		s.peer.silent(59 * time.Second)
		bye := s.peer.next(2 * time.Second)
		if !strings.HasPrefix(bye, "BYE ") || field(bye, "Reason") != `SIP;cause=408;text="Session timer expired"` {
			t.Errorf("want BYE, got %q", bye)
		}
		if err := <-lost; !errors.Is(err, ErrExpired) || time.Since(start).Round(time.Second) != time.Minute {
			t.Errorf("lost by %v after %v", err, time.Since(start))
		}
	})
}

func TestWeRefreshByUpdateElseByReinvite(t *testing.T) {
	for _, c := range []struct{ allow, first, then string }{
		{"Allow: INVITE, ACK, BYE, UPDATE\r\n", "UPDATE ", ""},
		{"Allow: INVITE, ACK, BYE\r\n", "INVITE ", ""},
		{"", "INVITE ", ""}, // RFC 3311 section 5.1: nothing was said
		{"Allow: UPDATE\r\n", "UPDATE ", "405 Method Not Allowed"},
	} {
		t.Run(c.first+c.then, func(t *testing.T) {
			inBubble(t, func(s *scripted) {
				t := s.t
				s.timed("Session-Expires: 100;refresher=uas\r\n" + c.allow)
				s.peer.silent(49 * time.Second)
				refresh := s.peer.expect(c.first)
				if c.then != "" {
					s.peer.send(reply(refresh, c.then, "", ""))
					refresh = s.peer.expect("INVITE ")
				}
				if field(refresh, "Session-Expires") != "100;refresher=uac" {
					t.Errorf("Session-Expires %q", field(refresh, "Session-Expires"))
				}
				if strings.HasPrefix(refresh, "INVITE") && !strings.HasSuffix(refresh, "\r\n\r\nv=0\r\n") {
					t.Errorf("the session is not the same: %q", refresh)
				}
				s.peer.send(reply(refresh, "200 OK", "", contact+"Session-Expires: 100;refresher=uac\r\n"))
				if strings.HasPrefix(refresh, "INVITE") {
					s.peer.expect("ACK ")
				}
				s.peer.silent(49 * time.Second)
				s.peer.expect(refresh[:7]) // the next round
			})
		})
	}
}

func TestRefreshOfADeadPeerEndsTheDialog(t *testing.T) {
	inBubble(t, func(s *scripted) {
		lost, _ := s.timed("Session-Expires: 100;refresher=uas\r\nAllow: UPDATE\r\n")
		s.peer.silent(49 * time.Second)
		s.peer.send(reply(s.peer.expect("UPDATE "), "481 Gone", "", ""))
		s.peer.expect("BYE ")
		_ = wait(s.t, lost, "end")
	})
}

func TestCalleeWithLongerLeastIntervalIsAskedAgain(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		s.Invite(invite(t, peerAddr), s.events())
		inv := s.peer.expect("INVITE ")
		if field(inv, "Session-Expires") != "1800" || field(inv, "Min-SE") != "" {
			t.Errorf("INVITE %q", inv)
		}
		s.peer.send(reply(inv, "422 Too Small", "b1", "Min-SE: 3600\r\n"))
		s.peer.expect("ACK ")
		again := s.peer.expect("INVITE ")
		if field(again, "Session-Expires") != "3600" || field(again, "Min-SE") != "3600" || field(again, "CSeq") != "2 INVITE" ||
			field(again, "Call-ID") != field(inv, "Call-ID") {
			t.Errorf("INVITE %q", again)
		}
		s.peer.send(reply(again, "422 Too Small", "b1", "Min-SE: 3600\r\n")) // makes no sense
		if code := <-s.failed; code != 422 {
			t.Errorf("failed %d", code)
		}
	})
}

// A callee that wants ever longer intervals is not asked for ever.
func TestCalleeThatAlwaysWantsMoreIsAskedAFewTimes(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		s.Invite(invite(t, peerAddr), s.events())
		for n := range maxRaises + 1 {
			s.peer.send(reply(s.peer.expect("INVITE "), "422 Too Small", "b1", fmt.Sprintf("Min-SE: %d\r\n", 3600+n)))
			s.peer.expect("ACK ")
		}
		if code := wait(t, s.failed, "end"); code != 422 {
			t.Errorf("failed %d", code)
		}
		s.peer.silent(time.Minute)
	})
}

func TestWeRefreshWhomWeCalledUnlessItDoes(t *testing.T) {
	for refresher, first := range map[string]string{"uac": "UPDATE ", "uas": "BYE "} {
		t.Run(refresher, func(t *testing.T) {
			inBubble(t, func(s *scripted) {
				s.Invite(invite(s.t, peerAddr), s.events())
				inv := s.peer.expect("INVITE ")
				s.peer.send(reply(inv, "200 OK", "b1", contact+"Allow: UPDATE\r\nSession-Expires: 120;refresher="+refresher+"\r\n"))
				s.peer.expect("ACK ")
				s.peer.silent(59 * time.Second)
				if refresher == "uas" {
					s.peer.silent(28 * time.Second)
				}
				s.peer.expect(first)
			})
		})
	}
}

func TestNoTimerRunsAfterTheEnd(t *testing.T) {
	inBubble(t, func(s *scripted) {
		in := s.offeredWith("Session-Expires: 100;refresher=uas\r\n", "v=0\r\n")
		in.Answer([]byte("v=0\r\n"))
		ok := s.peer.expect("SIP/2.0 200")
		s.peer.send(ackOf(s.peer.request("INVITE", "i1", "", 1, ""), ok))
		s.peer.send(s.peer.request("BYE", "b", tagOf(field(ok, "To")), 2, ""))
		s.peer.expect("SIP/2.0 200")
		synctest.Wait()
		s.peer.silent(5 * time.Minute)
	})
}
