package main

import (
	"fmt"
	"strings"
	"time"
)

// incoming is a call that one of our phones gets.
type incoming struct {
	agent  *agent
	ledger *ledger
	record *record // of the caller's call, nil if nobody of ours called
	user   string  // who is called
	invite message
	tag    string
	answer string // SDP
	stage  inStage
	final  resend // the 200 until its ACK, or the 487
	last   []byte // response to repeat when the INVITE is
}

type inStage uint8

const (
	ringing inStage = iota
	picked          // 200 sent
	connected
	stopped // 487 sent
	gone
)

// ring answers a new INVITE with 180 and makes its dialog.
func (a *agent) ring(l *ledger, m *message) *incoming {
	c := &incoming{
		agent: a, ledger: l, invite: *m, tag: a.id(), user: userOf(uriIn(m.to)), final: resend{agent: a},
	}
	c.record = l.find(pair{userOf(uriIn(m.from)), c.user})
	l.note(c.record, func(r *record) { r.rung++ })
	c.provisional("180 Ringing")
	return c
}

func (c *incoming) provisional(status string) {
	c.last = response(&c.invite, status, c.tag, c.contact(), "")
	c.agent.send(c.last)
}

func (c *incoming) contact() string {
	return fmt.Sprintf("Contact: <sip:%s@%s>\r\n", c.user, c.agent.here)
}

// pickUp sends the 200. The agent's lock is held.
func (c *incoming) pickUp() {
	if c.stage != ringing {
		return
	}
	c.stage = picked
	c.last = response(&c.invite, "200 OK", c.tag, c.contact(), c.answer)
	c.ledger.note(c.record, func(r *record) { r.picked = time.Now() })
	c.final.begin(c.last)
}

// pickUpAfter answers after a while.
func (c *incoming) pickUpAfter(d time.Duration) {
	time.AfterFunc(d, func() { c.agent.locked(c.pickUp) })
}

func (c *incoming) receive(m *message, at time.Time) {
	switch m.method {
	case "INVITE":
		if m.cseq == c.invite.cseq {
			c.agent.send(c.last) // repeated
			return
		}
		c.agent.send(response(m, "488 Not Acceptable Here", "", "", ""))
	case "ACK":
		c.acked()
	case "CANCEL":
		c.agent.send(response(m, "200 OK", c.tag, "", ""))
		c.cancelled(m, at)
	case "BYE":
		c.agent.send(response(m, "200 OK", "", "", ""))
		c.end()
	default:
		if m.method != "" {
			c.agent.send(response(m, "501 Not Implemented", "", "", ""))
		}
	}
}

func (c *incoming) acked() {
	switch c.stage {
	case picked:
		c.stage = connected
		c.final.clear()
		c.ledger.note(c.record, func(r *record) { r.accepted++ })
	case stopped:
		c.end()
	default: // repeated
	}
}

// cancelled counts the CANCEL, once, and ends a call that still rings.
func (c *incoming) cancelled(m *message, at time.Time) {
	if c.stage != ringing {
		return // it crossed our 200, or it was repeated
	}
	elsewhere := strings.HasPrefix(m.reason, "SIP") && strings.Contains(m.reason, "cause=200")
	c.ledger.note(c.record, func(r *record) {
		r.cancelled++
		r.lastCancel = at
		if !elsewhere {
			r.wrongReasons++
		}
	})
	c.stage = stopped
	c.last = response(&c.invite, "487 Request Terminated", c.tag, "", "")
	c.final.begin(c.last)
}

func (c *incoming) end() {
	if c.stage == gone {
		return
	}
	c.stage = gone
	c.final.clear()
}

func (c *incoming) tick(now time.Time) { c.final.tick(now) }

func (c *incoming) open() bool { return c.stage != gone }
