package sip

import (
	"context"
	"testing"
	"time"
)

// TestSettleWaitsForTheAnswerToBye loses the first BYE: a stack that is closed
// too early would leave the peer in its call.
func TestSettleWaitsForTheAnswerToBye(t *testing.T) {
	inBubble(t, func(s *scripted) {
		t := s.t
		_, inv := s.ring(t)
		s.peer.send(reply(inv, "200 OK", "b1", contact))
		s.peer.expect("ACK ")
		d := <-s.answered
		d.Bye()
		s.peer.expect("BYE ") // and lose it
		settled := make(chan time.Time, 1)
		go func() {
			s.Settle(t.Context())
			settled <- time.Now()
		}()
		bye := s.peer.expect("BYE ")
		none(t, settled, "end of Settle before the answer")
		answered := time.Now()
		s.peer.send(reply(bye, "200 OK", "b1", ""))
		if late := (<-settled).Sub(answered); late > 2*settlePoll {
			t.Errorf("settled %v after the answer", late)
		}
	})
}

func TestSettleGivesUpWithItsContext(t *testing.T) {
	inBubble(t, func(s *scripted) {
		s.ring(s.t) // nobody answers
		ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Second)
		defer cancel()
		begun := time.Now()
		s.Settle(ctx)
		if took := time.Since(begun); took != 2*time.Second {
			s.t.Errorf("took %v, want the 2 s it was given", took)
		}
	})
}
