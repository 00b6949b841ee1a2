package sip

import "time"

// unacked is a 2xx of ours that is repeated until its ACK comes, T1 doubling to
// T2, on every transport, because a proxy on the way may use UDP (RFC 3261
// section 13.3.1.4). After 64*T1 in all the dialog is given up.
type unacked struct {
	d        *Dialog
	seq      uint32
	former   uint32 // seq of the INVITE before, 0 if none
	send     func()
	offer    bool           // it carries our offer: the answer is in the ACK
	acked    func(*Request) // may be nil
	interval time.Duration
	repeat   *time.Timer
	limit    *time.Timer
}

// accept sends a 2xx to an INVITE and repeats it until the ACK.
func (d *Dialog) accept(tx *ServerTx, res *Response, acked func(*Request)) {
	data, err := marshal(res)
	if err != nil {
		d.ses.log.Error("sip: 2xx not sent", "dialog", d.ID(), "err", err)
		tx.Reply(500, "")
		d.lost(err)
		return
	}
	if !tx.record(res.StatusCode, data) {
		return
	}
	if d.unacked != nil {
		d.unacked.stop() // of an INVITE before, whose ACK was overtaken (RFC 5407 section 3.1.4)
	}
	u := &unacked{d: d, seq: tx.req.CSeq().SeqNo, acked: acked, interval: t1, send: func() { tx.send(data) }}
	u.offer = len(res.Body()) > 0 && len(tx.req.Body()) == 0
	d.unacked = u
	u.former, d.lastInvite = d.lastInvite, u.seq
	u.repeat = d.ses.after(u.interval, u.again)
	u.limit = d.ses.after(giveUp, u.expired)
	u.send()
}

func (u *unacked) again() {
	if u.d.unacked != u {
		return
	}
	u.send()
	u.interval = min(2*u.interval, t2)
	u.repeat.Reset(u.interval)
}

func (u *unacked) expired() {
	if u.d.unacked == u {
		u.stop()
		u.d.unacked = nil
		u.d.lost(ErrNoACK)
	}
}

func (u *unacked) stop() {
	u.repeat.Stop()
	u.limit.Stop()
}

// acked takes an ACK from the peer. One that nothing waits for, or of the INVITE
// before, is a repeat. Any other is for the 2xx that waits: JsSIP 3.10 acknowledges a
// re-INVITE with a CSeq of chance, and its calls ended 64*T1 after a hold.
func (d *Dialog) acked(req *Request) {
	u := d.unacked
	if u == nil || u.former != 0 && u.former == req.CSeq().SeqNo {
		return
	}
	u.stop()
	d.unacked = nil
	if d.byeWaits {
		d.sendBye(d.farewell)
		return
	}
	if u.acked != nil {
		u.acked(req)
	}
	d.nextReinvite()
}

// Ack sends the ACK that Answered left to the caller, with the SDP answer.
func (d *Dialog) Ack(body []byte) {
	d.ses.do(func() {
		if d.owesAck != 0 && d.state == dialogConfirmed {
			d.sdp = body
			d.sendAck(d.owesAck, body)
		}
	})
}

// sendAck acknowledges the 2xx to our INVITE of that CSeq: a request of its own,
// with a new branch and the INVITE's credentials (RFC 3261 sections 13.2.2.4, 22.1).
func (d *Dialog) sendAck(seq uint32, body []byte) {
	d.owesAck = 0
	d.ack = sentAck{seq: seq}
	d.reach(func(f Flow, err error) {
		d.ses.do(func() {
			if err != nil {
				d.ses.log.Debug("sip: ACK not sent", "dialog", d.ID(), "err", err)
				return
			}
			r := d.newRequest(ACK, seq, f)
			if d.auth != nil {
				d.auth.apply(r)
			}
			setBody(r, SDP, body)
			r.PrependHeader(newVia(f, newBranch()))
			data, err := marshal(r)
			if err != nil {
				d.ses.log.Error("sip: ACK not sent", "dialog", d.ID(), "err", err)
				return
			}
			d.ack.flow, d.ack.data = f, data
			d.ses.stack.write(f, f.remote, data)
		})
	})
}

// ackAgain answers a repeated 2xx.
func (d *Dialog) ackAgain(seq uint32) {
	if d.ack.seq == seq && d.ack.data != nil {
		d.ses.stack.write(d.ack.flow, d.ack.flow.remote, d.ack.data)
	}
}
