package main

import (
	"fmt"
	"sync"
	"time"
)

// standing is calls that are up, with the sockets of both sides: the streams of
// one call stand side by side, the caller's first.
type standing struct {
	book    *ledger
	calls   []*outgoing
	streams []*stream
}

// stand sets up calls whose callers send offer. Callees answer with answer, or
// with offer's coding if it is nil.
func (b *bench) stand(site *site, calls int, offer coding, answer *coding) (*standing, error) {
	if pairs := len(site.house.callers) * len(site.house.callees); calls > pairs {
		return nil, fmt.Errorf("%d calls cannot be told apart by %d pairs of who calls whom", calls, pairs)
	}
	st := &standing{book: newLedger(), streams: make([]*stream, 2*calls)}
	w := new(window)
	failed := make(chan error, 2*calls)
	var up sync.WaitGroup
	up.Add(2 * calls)

	numbers := make(map[*record]int) // of the call
	for i := range calls {
		own, err := newStream(site.callers.addr.Addr(), w, offer, offer.payloadType)
		if err != nil {
			return nil, err
		}
		st.streams[2*i] = own
		c := site.call(st.book, i, "")
		numbers[c.record] = i
		c.hold, c.offer = -1, describe(own.addr, offer.payloadType)
		c.answered = func(description string) {
			defer up.Done()
			to, err := mediaAddr(description)
			if err != nil {
				failed <- err
				return
			}
			own.sendTo(to)
		}
		st.calls = append(st.calls, c)
	}
	site.callees.onInvite(func(m *message, _ time.Time) dialog {
		defer up.Done()
		c := site.callees.ring(st.book, m)
		if c.record == nil {
			return c
		}
		end, err := answerStream(site, m, w, offer, answer)
		if err != nil {
			failed <- err
			return c
		}
		st.streams[2*numbers[c.record]+1] = end
		c.answer = describe(end.addr, end.wanted)
		c.pickUp()
		return c
	})
	openLoop(dialRate, time.Duration(float64(calls)/dialRate*float64(time.Second)), func(i int) { st.calls[i].dial() })

	done := make(chan struct{})
	go func() { up.Wait(); close(done) }()
	select {
	case <-done:
		return st, nil
	case err := <-failed:
		return nil, err
	case <-time.After(setupLimit):
		return nil, fmt.Errorf("not all of %d calls came up: %v; %w", calls, st.book.faults(1), site.tail())
	}
}

// answerStream makes the callee's socket for an offer.
func answerStream(site *site, m *message, w *window, offer coding, answer *coding) (*stream, error) {
	out := offer
	if answer != nil {
		payloadType, found := offeredType(m.body, "opus")
		if !found {
			return nil, fmt.Errorf("callee was not offered Opus: %q", m.body)
		}
		out = *answer
		out.payloadType = payloadType
	}
	to, err := mediaAddr(m.body)
	if err != nil {
		return nil, err
	}
	end, err := newStream(site.callees.addr.Addr(), w, out, out.payloadType)
	if err != nil {
		return nil, err
	}
	end.sendTo(to)
	return end, nil
}

// hangUp ends every call, at the caller's side.
func (st *standing) hangUp() {
	for _, c := range st.calls {
		c.hangUp()
		time.Sleep(time.Millisecond) // not all in the same instant
	}
}
