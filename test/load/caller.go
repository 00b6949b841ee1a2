package main

import (
	"fmt"
	"time"
)

// setupLimit is when a call that is neither answered nor refused has failed.
const setupLimit = 8 * time.Second

// timedOut stands for a status that never came.
const timedOut = 408

// outgoing is a call that one of our phones makes.
type outgoing struct {
	agent   *agent
	ledger  *ledger
	record  *record
	account account
	uri     string        // who is called
	hold    time.Duration // from the 200 to our BYE; negative: until hangUp
	offer   string
	// answered gets the SDP of the 200; nil if nobody listens.
	answered func(answer string)

	callID, from, to string
	cseq             int
	branch           string // of the INVITE
	ack              []byte // of the 200, for its retransmissions
	tags             map[string]bool
	target           string // the far end's Contact
	begun            time.Time
	request          resend
	invite           request
	stage            outStage
}

type outStage uint8

const (
	dialling outStage = iota
	talking
	hangingUp
	over
)

// dial begins the call.
func (c *outgoing) dial() {
	a := c.agent
	a.mu.Lock()
	defer a.mu.Unlock()
	c.request.agent = a
	c.tags = make(map[string]bool)
	c.callID = "call-" + a.id()
	c.from = fmt.Sprintf("<sip:%s@%s>;tag=%s", c.account.user, domain, a.id())
	c.to = "<" + c.uri + ">"
	a.dialogs[c.callID] = c
	c.begun = time.Now()
	c.ledger.note(c.record, func(r *record) { r.dialled = c.begun })
	c.sendInvite("")
}

func (c *outgoing) sendInvite(authorization string) {
	c.cseq++
	c.branch = c.agent.branch()
	c.invite = request{
		method: "INVITE", uri: c.uri, via: c.agent.via, branch: c.branch, from: c.from, to: c.to, callID: c.callID, cseq: c.cseq,
		headers: fmt.Sprintf("Contact: <sip:%s@%s>\r\nUser-Agent: load\r\n%s", c.account.user, c.agent.here, authorization), body: c.offer,
	}
	c.request.begin(c.invite.bytes())
}

func (c *outgoing) receive(m *message, at time.Time) {
	switch {
	case m.method == "BYE":
		c.agent.send(response(m, "200 OK", "", "", ""))
		c.end(0)
	case m.method != "" && m.method != "ACK":
		c.agent.send(response(m, "501 Not Implemented", "", "", ""))
	case m.cseqMethod == "INVITE":
		c.inviteAnswered(m, at)
	case m.cseqMethod == "BYE" && m.status >= 200 && c.stage == hangingUp:
		c.end(0)
	}
}

func (c *outgoing) inviteAnswered(m *message, at time.Time) {
	switch {
	case m.status < 200:
		if m.cseq == c.cseq {
			c.request.clear()
		}
	case m.status < 300:
		c.accepted(m, at)
	case m.cseq != c.cseq || c.stage != dialling:
		c.refusalAck(m) // repeated
	case m.status == 407 && c.cseq == 1:
		c.refusalAck(m)
		c.ledger.note(c.record, func(r *record) { r.invited = time.Now() })
		c.sendInvite(c.account.authorize(m, "INVITE", c.uri))
	default:
		c.refusalAck(m)
		c.end(m.status)
	}
}

// refusalAck acknowledges a refusal, within the INVITE's transaction.
func (c *outgoing) refusalAck(m *message) {
	c.agent.send(request{
		method: "ACK", uri: c.uri, via: c.agent.via, branch: m.branch(), from: c.from, to: m.to, callID: c.callID, cseq: m.cseq,
	}.bytes())
}

// accepted handles a 200 to the INVITE. Each new To-tag is another answer; a
// second one is a fault, and is ended as RFC 3261 section 13.2.2.4 asks.
func (c *outgoing) accepted(m *message, at time.Time) {
	if c.tags[m.toTag()] {
		c.agent.resent++
		c.agent.send(c.ack)
		return
	}
	c.tags[m.toTag()] = true
	first := len(c.tags) == 1
	c.ledger.note(c.record, func(r *record) {
		r.answers++
		if first {
			r.answered = at
		}
	})
	ack := c.inDialog("ACK", m.contact, m.to, m.cseq)
	c.agent.send(ack)
	if !first || c.stage != dialling {
		c.agent.send(c.inDialog("BYE", m.contact, m.to, m.cseq+1))
		return
	}
	c.request.clear()
	c.stage, c.ack, c.to, c.target = talking, ack, m.to, m.contact
	if c.answered != nil {
		c.answered(m.body)
	}
	if c.hold >= 0 {
		time.AfterFunc(c.hold, c.hangUp)
	}
}

func (c *outgoing) inDialog(method, target, to string, cseq int) []byte {
	return request{
		method: method, uri: target, via: c.agent.via, branch: c.agent.branch(), from: c.from, to: to, callID: c.callID, cseq: cseq,
	}.bytes()
}

// hangUp sends BYE if the call is up.
func (c *outgoing) hangUp() {
	c.agent.mu.Lock()
	defer c.agent.mu.Unlock()
	if c.stage != talking {
		return
	}
	c.stage = hangingUp
	c.cseq++
	c.request.begin(c.inDialog("BYE", c.target, c.to, c.cseq))
}

// end closes the record; status is 0 for a call that was answered.
func (c *outgoing) end(status int) {
	if c.stage == over {
		return
	}
	c.stage = over
	c.request.clear()
	c.ledger.note(c.record, func(r *record) { r.ended, r.final = true, status })
}

func (c *outgoing) tick(now time.Time) {
	c.request.tick(now)
	if c.stage == dialling && now.Sub(c.begun) > setupLimit {
		c.end(timedOut)
	}
}

func (c *outgoing) open() bool { return c.stage != over }
