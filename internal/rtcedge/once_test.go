package rtcedge

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/internal/core"
)

// TestEveryLegEndsExactlyOnce lets commands, requests, paths and lost sockets
// fight for the same legs, and then looks at what the exchange was told.
func TestEveryLegEndsExactlyOnce(t *testing.T) {
	const devices, rounds = 6, 60
	r := newRig(t, func(c *Config) {
		c.Limits.PerSecond, c.Limits.Burst = 1e6, 1e6
		c.Limits.ResumeFor = 5 * time.Millisecond
		c.Limits.PathDown = 5 * time.Millisecond
		c.Limits.Devices = 1000
	})
	var wg sync.WaitGroup
	for i := range devices {
		wg.Go(func() { r.fight(i, rounds) })
	}
	wg.Wait()
	r.edge.Close()

	ended := map[core.LegID]bool{}
	legs := 0
	for _, ev := range r.post.events {
		leg, ok := ev.(core.LegEvent)
		if !ok {
			continue
		}
		if ended[leg.LegID()] {
			t.Errorf("%#v after the end of the leg", ev)
		}
		if _, gone := ev.(core.LegGone); gone {
			ended[leg.LegID()] = true
			legs++
		}
	}
	if want := devices * rounds; legs != want {
		t.Errorf("%d legs ended, want %d", legs, want)
	}
	if len(r.edge.legs) != 0 || len(r.edge.devices) != 0 || len(r.edge.users) != 0 || r.edge.strangers != 0 || len(r.edge.sources) != 0 {
		t.Errorf("left: %d legs, %d devices, %d users, %d strangers", len(r.edge.legs), len(r.edge.devices), len(r.edge.users), r.edge.strangers)
	}
	if len(r.media.joined) != 0 {
		t.Errorf("left: %d legs with a path", len(r.media.joined))
	}
	for i, p := range r.paths.made {
		select {
		case <-p.closed:
		default:
			t.Errorf("path %d is open", i)
		}
	}
}

// fight rings one device after the other, rounds times, and does everything to
// the leg at the same time.
func (r *rig) fight(seed, rounds int) {
	random := rand.New(rand.NewPCG(uint64(seed), 1))
	var c *client
	var h message
	for n := range rounds {
		if c == nil {
			c = r.dial()
			c.send(`{"type":"login","id":"in","protocol":1,"user":"u%d","password":"right"}`, seed)
			h = c.want("hello")
		}
		leg := core.LegID(fmt.Sprintf("leg-%d-%d", seed, n))
		r.ring(h, leg)
		var at sync.WaitGroup
		at.Go(func() { r.end(leg, core.CauseElsewhere, core.ReasonElsewhere) })
		at.Go(func() { r.shakePaths() })
		for _, frame := range []string{
			`{"type":"ringing","id":"1","leg":%q}`, `{"type":"accept","id":"2","leg":%q}`,
			`{"type":"media","id":"3","path":"p","sdp":"o","leg":%q}`, `{"type":"decline","id":"4","leg":%q}`, `{"type":"hangup","id":"5","leg":%q}`,
		} {
			if random.IntN(4) > 0 {
				_ = c.conn.Write(r.t.Context(), websocket.MessageText, fmt.Appendf(nil, frame, leg))
			}
		}
		switch random.IntN(6) {
		case 0:
			c.lose()
			c = nil
		case 1:
			c.lose()
			at.Wait()
			c = r.resume(h)
			if h = c.read(); h["type"] != "hello" { // too late
				c.lose()
				c = nil
			}
		}
		at.Wait()
		r.end(leg, core.CauseNormal, core.ReasonNone)
	}
	if c != nil {
		c.lose() // it does not read, and would keep Close waiting for its close frame
	}
}

// shakePaths lets some path come up and go down.
func (r *rig) shakePaths() {
	r.paths.mu.Lock()
	defer r.paths.mu.Unlock()
	if n := len(r.paths.made); n > 0 {
		p := r.paths.made[n-1]
		go p.ev.Up()
		go p.ev.Down()
	}
}
