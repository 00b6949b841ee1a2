package main

import (
	"fmt"
	"net/netip"
	"time"
)

const (
	// talk is how long a call of the set-up rows lasts.
	talk = time.Second
	// callPackets is how many messages a call brings to the server: INVITE, ACK of
	// the 407, INVITE, ACK and BYE of the caller, 180, 200 and 200 of the callee.
	callPackets = 8
	// baseRate is the rate of S1 and S3, in calls a second.
	baseRate = 30.0
)

// calls measures S1, S2 and S3: a calls b, b answers at once, a hangs up.
func (b *bench) calls() error {
	site, err := b.openSite(newHouse(20, 20))
	if err != nil {
		return err
	}
	defer site.close()
	ladder := []float64{60, 120, 240}
	if b.quick {
		ladder = ladder[:1]
	}
	// All runs at the base rate come before the ladder: a server still has the
	// transactions of a fast run to forget for half a minute after it.
	costs := make([]float64, b.runs)
	for run := range b.runs {
		base, err := b.callRun(site, fmt.Sprintf("S1 run %d", run+1), baseRate)
		if err != nil {
			return err
		}
		control, err := signallingFloor(baseRate*callPackets, b.window/2)
		if err != nil {
			return err
		}
		costs[run] = base.cost
		b.report.add("S1", base.cost, control.packet*callPackets)
		b.report.add("S3", base.setup.at(0.5), control.there.at(0.5))
		b.report.add("S3 p99", base.setup.at(0.99), control.there.at(0.99))
	}
	for run := range b.runs {
		for _, rate := range ladder {
			point, err := b.callRun(site, fmt.Sprintf("S2 run %d at %.0f/s", run+1, rate), rate)
			if err != nil {
				return err
			}
			costs[run] = min(costs[run], point.cost)
		}
		control, err := signallingFloor(ladder[len(ladder)-1]*callPackets, b.window/2)
		if err != nil {
			return err
		}
		b.report.add("S2", costs[run], control.packet*callPackets)
	}
	return nil
}

// callPoint is one run at one rate.
type callPoint struct {
	cost  float64   // CPU ms a call
	setup durations // from the INVITE with credentials to the 200
}

func (b *bench) callRun(site *site, name string, rate float64) (callPoint, error) {
	before, err := site.holdings()
	if err != nil {
		return callPoint{}, err
	}
	book := newLedger()
	site.callees.onInvite(func(m *message, _ time.Time) dialog {
		c := site.callees.ring(book, m)
		c.answer = describe(discard(site.callees), pcmuType)
		c.pickUp()
		return c
	})
	begin := func(i int) {
		c := site.call(book, i, "")
		c.hold, c.offer = talk, describe(discard(site.callers), pcmuType)
		c.dial()
	}
	openLoop(rate, talk+talk/2, begin) // until as many calls end as begin
	placed := 0
	used, err := during(site.process, func() { openLoop(rate, b.window, func(i int) { placed++; begin(i) }) })
	if err != nil {
		return callPoint{}, err
	}
	site.settle(b, name)
	b.report.fault(name, book.faults(1)...)
	point := callPoint{
		cost: milliseconds(used, placed),
		setup: book.between(func(r *record) time.Time { return r.invited },
			func(r *record) time.Time { return r.answered }),
	}
	whole := book.between(func(r *record) time.Time { return r.dialled }, func(r *record) time.Time { return r.answered })
	b.logf("%s: %.2f ms a call, INVITE to 200 p50 %.2f ms, p99 %.2f ms; with the challenge p50 %.2f ms", name,
		point.cost, point.setup.at(0.5), point.setup.at(0.99), whole.at(0.5))
	return point, site.checkLeaks(b, name, before)
}

// call makes the i-th call of a run, to a callee, or to number if there is one.
// A pair of caller and callee comes again as late as possible.
func (w *site) call(book *ledger, i int, number string) *outgoing {
	caller := w.house.callers[i%len(w.house.callers)]
	callee := w.house.callees[i/len(w.house.callers)%len(w.house.callees)].user
	who := pair{caller.user, callee}
	if number != "" {
		who.callee, callee = "", number
	}
	return &outgoing{
		agent: w.callers, ledger: book, record: book.add(who), account: caller, uri: fmt.Sprintf("sip:%s@%s", callee, w.sip),
	}
}

// discard is where a phone says that it wants its RTP when nobody sends any.
func discard(a *agent) netip.AddrPort { return netip.AddrPortFrom(a.addr.Addr(), 9) }
