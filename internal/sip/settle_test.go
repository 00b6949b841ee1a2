package sip

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// The BYE of a node that goes down was lost when its stack was closed at once.
func TestSettleWaitsForByeAnswered(t *testing.T) {
	inBubble(t, func(s *scripted) {
		in, _ := s.up(s.t)
		in.Dialog().Bye()
		s.peer.expect("BYE ") // as if lost
		settled := make(chan struct{})
		go func() { s.Settle(context.Background()); close(settled) }()
		bye := s.peer.expect("BYE ") // again
		select {
		case <-settled:
			s.t.Error("settled before the BYE was answered")
		default:
		}
		s.peer.send(reply(bye, "200 OK", "", ""))
		time.Sleep(10 * settlePoll) // virtual
		synctest.Wait()
		select {
		case <-settled:
		default:
			s.t.Error("not settled after the answer")
		}
	})
}

func TestSettleEndsWithItsContext(t *testing.T) {
	inBubble(t, func(s *scripted) {
		in, _ := s.up(s.t)
		in.Dialog().Bye()
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		start := time.Now()
		s.Settle(ctx)
		if d := time.Since(start); d < 2*time.Second || d > 3*time.Second {
			s.t.Errorf("waited %v for a peer that is gone, want 2 s", d)
		}
	})
}
