package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// members is how many phones a group call rings.
	members = 10
	// ringTime is how long they ring before one answers.
	ringTime = 150 * time.Millisecond
	// groupRate is in calls a second.
	groupRate = 10.0
	// groupPackets is how many messages a group call brings to the server: 5 of
	// the caller, as in callPackets; 180, 200 and 200 to BYE of the winner; 180,
	// 200 to CANCEL and 487 of each loser.
	groupPackets = 5 + 3*members
)

// groups measures G1, G2 and G3.
func (b *bench) groups() error {
	h := newHouse(40, members)
	h.group = true
	site, err := b.openSite(h)
	if err != nil {
		return err
	}
	defer site.close()
	for run := range b.runs {
		name := fmt.Sprintf("G run %d", run+1)
		before, err := site.holdings()
		if err != nil {
			return err
		}
		cost, book, err := b.groupRun(site, name)
		if err != nil {
			return err
		}
		control, err := signallingFloor(groupRate*groupPackets, b.window/2)
		if err != nil {
			return err
		}
		picked := func(r *record) time.Time { return r.picked }
		winner := book.between(picked, func(r *record) time.Time { return r.answered })
		cancel := book.between(picked, func(r *record) time.Time { return r.lastCancel })
		b.report.add("G1", winner.at(0.5), control.oneWay.at(0.5))
		b.report.add("G1 p99", winner.at(0.99), control.oneWay.at(0.99))
		b.report.add("G2", cancel.at(0.5), control.oneWay.at(0.5))
		b.report.add("G2 p99", cancel.at(0.99), control.oneWay.at(0.99))
		b.report.add("G3", cost, control.packet*groupPackets)
		b.logf("%s: %.2f ms a call; winner's 200 to caller's p50 %.2f p99 %.2f ms, to last CANCEL p50 %.2f p99 %.2f ms", name,
			cost, winner.at(0.5), winner.at(0.99), cancel.at(0.5), cancel.at(0.99))
		if err := site.checkLeaks(b, name, before); err != nil {
			return err
		}
	}
	return nil
}

// groupRun places calls to the group and returns their cost in CPU ms each.
func (b *bench) groupRun(site *site, name string) (float64, *ledger, error) {
	book := newLedger()
	site.callees.onInvite(func(m *message, _ time.Time) dialog {
		c := site.callees.ring(book, m)
		c.answer = describe(discard(site.callees), pcmuType)
		if c.record != nil && c.record.winner == c.user {
			c.pickUpAfter(ringTime)
		}
		return c
	})
	begin := func(i int) {
		c := site.call(book, i, groupNumber)
		c.record.winner = site.house.callees[rand.IntN(members)].user
		c.hold, c.offer = talk, describe(discard(site.callers), pcmuType)
		c.dial()
	}
	openLoop(groupRate, talk+2*ringTime, begin)
	placed := 0
	used, err := during(site.process, func() { openLoop(groupRate, b.window, func(i int) { placed++; begin(i) }) })
	if err != nil {
		return 0, nil, err
	}
	site.settle(b, name)
	b.report.fault(name, book.faults(members)...)
	return milliseconds(used, placed), book, nil
}
