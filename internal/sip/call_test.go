package sip

import (
	"testing"
)

// call is one call between two stacks, as both ends saw it.
type call struct {
	in       chan *Incoming
	rang     chan *Response
	answered chan *Dialog
	failed   chan int
	acked    chan *Request
	cancels  chan []Reason
	byes     chan []Reason // at either end
}

func newCall() *call {
	return &call{
		in: make(chan *Incoming, 200), rang: make(chan *Response, 200), answered: make(chan *Dialog, 200),
		failed: make(chan int, 200), acked: make(chan *Request, 200), cancels: make(chan []Reason, 200),
		byes: make(chan []Reason, 200),
	}
}

func (c *call) dialogEvents() DialogEvents {
	return DialogEvents{Bye: func(_ *Dialog, r []Reason) { c.byes <- r }}
}

// handler takes calls in.
func (c *call) handler() Handler {
	return HandlerFunc(func(tx *ServerTx, req *Request) {
		if req.Method != INVITE {
			tx.Reply(200, "")
			return
		}
		c.in <- tx.stack.Incoming(tx, IncomingEvents{
			Cancelled: func(r []Reason) { c.cancels <- r },
			Acked:     func(ack *Request) { c.acked <- ack },
			Dialog:    c.dialogEvents(),
		})
	})
}

func (c *call) events() OutgoingEvents {
	return OutgoingEvents{
		Provisional: func(_ *Dialog, res *Response) { c.rang <- res },
		Answered:    func(d *Dialog, _ *Response) { c.answered <- d },
		Failed:      func(code int, _ *Response) { c.failed <- code },
		Dialog:      c.dialogEvents(),
	}
}

func invite(t testing.TB, to string) InviteRequest {
	t.Helper()
	return InviteRequest{
		RequestURI: mustURI(t, "sip:bob@"+to), From: Address{Name: "Alice", URI: mustURI(t, "sip:alice@example.com")},
		To: Address{URI: mustURI(t, "sip:bob@example.com")}, ContactUser: "leg", Body: []byte("v=0\r\n"),
	}
}

func TestCallAnsweredAndHungUp(t *testing.T) {
	for _, transport := range []string{"", ";transport=tcp"} {
		t.Run(transport, func(t *testing.T) {
			c := newCall()
			bob := newNode(t, Config{Handler: c.handler()})
			alice := newNode(t, Config{})
			alice.Invite(invite(t, bob.addr+transport), c.events())
			in := wait(t, c.in, "INVITE")
			in.Ring(180, nil)
			if res := wait(t, c.rang, "180"); res.StatusCode != 180 {
				t.Fatalf("got %d", res.StatusCode)
			}
			in.Answer([]byte("v=0\r\n"))
			d := wait(t, c.answered, "200")
			wait(t, c.acked, "ACK")
			d.Bye(Reason{Protocol: "Q.850", Cause: 16}.Header())
			if r := wait(t, c.byes, "BYE"); len(r) != 1 || r[0].Cause != 16 {
				t.Fatalf("reasons %v", r)
			}
		})
	}
}
