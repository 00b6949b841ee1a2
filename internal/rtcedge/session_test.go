package rtcedge

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/internal/core"
)

// resume opens a socket that takes the device of h over.
func (r *rig) resume(h message) *client {
	c := r.dial()
	c.send(`{"type":"resume","id":"re","protocol":1,"device":%q,"token":%q}`, h["device"], h["resume"])
	return c
}

func TestLoginFailuresLookTheSame(t *testing.T) {
	const floor = 80 * time.Millisecond
	r := newRig(t, func(c *Config) { c.Limits.FailAfter = floor })
	var first message
	for _, creds := range []string{
		`"user":"sales","password":"wrong"`,
		`"user":"nobody","password":"right"`,
		`"token":"forged"`,
	} {
		c := r.dial()
		start := time.Now()
		c.send(`{"type":"login","id":"1","protocol":1,%s}`, creds)
		m := c.want("error", "id", "1", "kind", "unauthorized", "message", "login failed")
		if took := time.Since(start); took < floor {
			t.Errorf("%s: answered after %v", creds, took)
		}
		if first == nil {
			first = m
		} else if len(m) != len(first) {
			t.Errorf("%s: %v differs from %v", creds, m, first)
		}
	}
	r.post.none(t)
}

func TestLoginRefusals(t *testing.T) {
	for _, tc := range []struct{ name, frame, kind string }{
		{"locked out", `{"type":"login","id":"1","protocol":1,"user":"locked","password":"right"}`, "unavailable"},
		{"other protocol", `{"type":"login","id":"1","protocol":2,"user":"sales","password":"right"}`, "invalid"},
		{"no credentials", `{"type":"login","id":"1","protocol":1}`, "invalid"},
		{"label too long", `{"type":"login","id":"1","protocol":1,"user":"sales","password":"right","label":"` + strings.Repeat("x", 65) + `"}`, "invalid"},
		{"request before login", `{"type":"call","id":"1","to":"12995550100"}`, "unauthorized"},
		{"resume of nothing", `{"type":"resume","id":"1","protocol":1,"device":"","token":""}`, "unauthorized"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t, nil)
			c := r.dial()
			c.send("%s", tc.frame)
			c.want("error", "id", "1", "kind", tc.kind)
			r.post.none(t)
			c.send(`{"type":"login","id":"2","protocol":1,"token":"token:app1/ann"}`)
			h := c.want("hello", "id", "2", "resumed", false)
			if user, _ := h["user"].(map[string]any); user["user"] != "app1/ann" {
				t.Fatalf("hello %v", h)
			}
		})
	}
}

func TestHelloShowsTheUsersProfile(t *testing.T) {
	r := newRig(t, func(c *Config) {
		c.Profile = func(u core.UserID) core.Party { return core.Party{User: u, Number: "12995550111", Name: "Sales desk"} }
	})
	_, h := r.login("sales")
	if user, _ := h["user"].(map[string]any); user["user"] != "sales" || user["name"] != "Sales desk" || user["number"] != "12995550111" {
		t.Fatalf("hello %v", h)
	}
}

// A client is given credentials at each hello, and new ones as long as it stays.
func TestIceServers(t *testing.T) {
	_, h := newRig(t, nil).login("sales")
	if list, ok := h["ice_servers"].([]any); !ok || len(list) != 0 {
		t.Errorf("hello without a relay has ice_servers %v, want []", h["ice_servers"])
	}
	var given atomic.Int32
	r := newRig(t, func(c *Config) {
		c.Limits.ICEEvery = time.Millisecond
		c.ICE = func(u core.UserID) []ICEServer {
			return []ICEServer{{[]string{"turn:x"}, u.String(), fmt.Sprint(given.Add(1))}}
		}
	})
	c, h := r.login("sales")
	first := fmt.Sprint(h["ice_servers"])
	if first != "[map[credential:1 urls:[turn:x] username:sales]]" {
		t.Errorf("hello has ice_servers %s", first)
	}
	for range 2 {
		if next := c.want("ice_servers"); fmt.Sprint(next["ice_servers"]) == first {
			t.Errorf("event %v has the old ones", next)
		}
	}
}

func TestResumedCallTellsItsAge(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.login("sales")
	r.answered(c, h, "b1")
	d := r.edge.owner("b1")
	d.mu.Lock()
	d.legs["b1"].upAt = time.Now().Add(-90 * time.Second)
	d.mu.Unlock()
	again := r.resume(h).want("hello")
	calls, _ := again["calls"].([]any)
	if call, _ := calls[0].(map[string]any); call["active_seconds"] != 90.0 {
		t.Fatalf("call %v", call)
	}
}

func TestThirdFailedLoginClosesTheSocket(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial()
	for range 3 {
		c.send(`{"type":"login","id":"1","protocol":1,"token":"forged"}`)
		c.want("error")
	}
	if code := c.closed(); code != closeRefused {
		t.Fatalf("closed with %v", code)
	}
}

func TestNoLoginInTimeClosesTheSocket(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.LoginWithin = 30 * time.Millisecond })
	if code := r.dial().closed(); code != closeLoginTime {
		t.Fatalf("closed with %v", code)
	}
}

func TestTooManyDevicesOfAUser(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.Devices = 1 })
	c, _ := r.login("sales")
	other := r.dial()
	other.send(`{"type":"login","id":"1","protocol":1,"user":"sales","password":"right"}`)
	other.want("error", "kind", "unavailable")
	c.send(`{"type":"logout","id":"2"}`)
	c.want("reply", "id", "2")
	if code := c.closed(); code != websocket.StatusNormalClosure {
		t.Fatalf("closed with %v", code)
	}
	other.send(`{"type":"login","id":"2","protocol":1,"user":"sales","password":"right"}`)
	other.want("hello")
}

func TestForeignOriginIsRefused(t *testing.T) {
	r := newRig(t, func(c *Config) {
		c.Origin = func(req *http.Request) bool { return req.Header.Get("Origin") == "https://good.example" }
	})
	for origin, want := range map[string]int{"https://evil.example": http.StatusForbidden, "https://good.example": http.StatusSwitchingProtocols} {
		conn, resp, err := websocket.Dial(t.Context(), r.url, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
		if err == nil {
			_ = conn.CloseNow()
		}
		if resp == nil || resp.StatusCode != want {
			t.Errorf("%s: %v, %v", origin, resp, err)
		}
		if resp != nil && resp.Body != nil {
			_ = resp.Body.Close()
		}
	}
}

func TestLostSocketKeepsCallAndResumes(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.login("sales")
	p := r.answered(c, h, "b1")
	device, _ := h["device"].(string)
	c.lose()
	r.post.want(t, core.ContactGone{ID: core.ContactID(device)})
	if r.media.of("b1") != p {
		t.Fatal("audio stopped with the socket")
	}
	r.post.none(t)

	c = r.resume(h)
	again := c.want("hello", "resumed", true, "device", device)
	calls, _ := again["calls"].([]any)
	if len(calls) != 1 {
		t.Fatalf("hello %v", again)
	}
	call, _ := calls[0].(map[string]any)
	if call["leg"] != "b1" || call["state"] != "active" || call["path"] != "p1" {
		t.Fatalf("call %v", call)
	}
	if again["resume"] == h["resume"] {
		t.Fatal("the resume token was not replaced")
	}
	if got := r.post.contact(t).ID; string(got) != device {
		t.Fatalf("contact %v", got)
	}
	// Audio is repaired by a new offer on the same path.
	p.ev.Down()
	c.want("path", "state", "down")
	c.send(`{"type":"media","id":"9","path":"p1","sdp":"restart"}`)
	c.want("reply", "id", "9", "sdp", "answer 2 to restart")
	p.ev.Up()
	c.want("path", "state", "up")
	r.post.none(t) // the leg was up all the time
	c.send(`{"type":"hangup","id":"10","leg":"b1"}`)
	c.want("ended")
	r.post.want(t, core.LegGone{Leg: "b1", Cause: core.CauseNormal})
}

func TestEndWhileLostIsToldOnResume(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.login("sales")
	r.answered(c, h, "b1")
	c.lose()
	r.post.next(t) // ContactGone
	r.end("b1", core.CauseNormal, core.ReasonNone)
	r.post.want(t, core.LegGone{Leg: "b1", Cause: core.CauseNormal})
	again := r.resume(h).want("hello")
	ended, _ := again["ended"].([]any)
	if len(ended) != 1 {
		t.Fatalf("hello %v", again)
	}
	if ev, _ := ended[0].(map[string]any); ev["type"] != "ended" || ev["leg"] != "b1" {
		t.Fatalf("ended %v", ev)
	}
}

func TestLostSocketEndsItsLegsInTheEnd(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.ResumeFor = 40 * time.Millisecond })
	c, h := r.login("sales")
	p := r.answered(c, h, "b1")
	c.lose()
	r.post.next(t) // ContactGone
	r.post.want(t, core.LegGone{Leg: "b1", Cause: core.CauseRecoveryOnTimer})
	select {
	case <-p.closed:
	case <-time.After(patience):
		t.Fatal("path was not closed")
	}
	r.resume(h).want("error", "kind", "unauthorized")
}

func TestResumeWithForeignTokenRefused(t *testing.T) {
	r := newRig(t, nil)
	a, ha := r.login("sales")
	_, hb := r.login("support")
	r.answered(a, ha, "a1")
	for name, h := range map[string]message{
		"token of another device": {"device": ha["device"], "resume": hb["resume"]},
		"no token":                {"device": ha["device"], "resume": ""},
		"unknown device":          {"device": "x", "resume": ha["resume"]},
	} {
		r.resume(h).want("error", "kind", "unauthorized", "message", "resume failed")
		r.post.none(t)
		a.send(`{"type":"ping","id":"1"}`)
		if m := a.read(); m["type"] != "reply" {
			t.Fatalf("%s: the device lost its socket: %v", name, m)
		}
	}
}

func TestResumeTakesOverALivingSocketOnce(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.login("sales")
	r.answered(c, h, "b1")
	second := r.resume(h)
	second.want("hello", "resumed", true)
	if code := c.closed(); code != closeTakenOver {
		t.Fatalf("closed with %v", code)
	}
	r.post.contact(t)
	r.resume(h).want("error", "kind", "unauthorized") // the token was used
	r.post.none(t)                                    // no ContactGone, no LegGone
	second.send(`{"type":"mute","id":"1","leg":"b1","muted":true}`)
	second.want("reply")
}

func TestCleanCloseEndsTheDevice(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.login("sales")
	r.answered(c, h, "b1")
	_ = c.conn.Close(websocket.StatusNormalClosure, "")
	r.post.want(t, core.LegGone{Leg: "b1", Cause: core.CauseNormal})
	device, _ := h["device"].(string)
	r.post.want(t, core.ContactGone{ID: core.ContactID(device)})
}

func TestPathThatStaysDownEndsItsLeg(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.PathDown = 2 * time.Second })
	c, h := r.login("sales")
	p := r.answered(c, h, "b1")
	p.ev.Down()
	c.want("path", "state", "down")
	c.want("ended", "leg", "b1", "cause", 102, "reason", "no_media")
	c.want("path", "state", "closed")
	r.post.want(t, core.LegGone{Leg: "b1", Cause: core.CauseRecoveryOnTimer})
	<-p.closed
	c.send(`{"type":"release","id":"1","path":"p1"}`)
	c.want("error", "kind", "not_found")
}

func TestClosedTabEndsItsLegSoon(t *testing.T) {
	for name, gone := range map[string]func(*client, *fakePath, func()){
		"path first":   func(c *client, p *fakePath, lost func()) { p.ev.Down(); c.lose(); lost() },
		"socket first": func(c *client, p *fakePath, lost func()) { c.lose(); lost(); p.ev.Down() },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(c *Config) { c.Limits.Abandoned = 30 * time.Millisecond })
			c, h := r.login("sales")
			p := r.answered(c, h, "b1")
			device, _ := h["device"].(string)
			gone(c, p, func() { r.post.want(t, core.ContactGone{ID: core.ContactID(device)}) })
			r.post.want(t, core.LegGone{Leg: "b1", Cause: core.CauseRecoveryOnTimer})
			<-p.closed
		})
	}
}

func TestReloadedTabHasTimeForItsPath(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.login("sales")
	p := r.answered(c, h, "b1")
	p.ev.Down()
	c.lose()
	r.post.next(t) // ContactGone
	d := r.edge.owner("b1")
	d.mu.Lock()
	p1 := d.paths["p1"]
	watch := p1.watches
	d.mu.Unlock()
	c = r.resume(h)
	c.want("hello")
	r.post.contact(t)
	d.tooLong(p1, watch) // fires late: with a socket there is more time
	r.post.none(t)
	c.send(`{"type":"hangup","id":"1","leg":"b1"}`)
	c.want("ended")
}

func TestIdlePathIsClosed(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.PathIdle = 30 * time.Millisecond })
	c, h := r.login("sales")
	p := r.answered(c, h, "b1")
	r.end("b1", core.CauseNormal, core.ReasonNone)
	c.want("ended")
	c.want("path", "state", "closed")
	<-p.closed
}

func TestMediaRefusals(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.Paths = 1 })
	c, _ := r.login("sales")
	for _, tc := range []struct{ name, fields, kind string }{
		{"no path", `"sdp":"offer"`, "invalid"},
		{"unknown path without offer", `"path":"p"`, "not_found"},
		{"unknown leg", `"path":"p","sdp":"offer","leg":"x"`, "not_found"},
		{"bad offer", `"path":"p","sdp":"bad"`, "invalid"},
	} {
		c.send(`{"type":"media","id":"1",%s}`, tc.fields)
		if m := c.read(); m["kind"] != tc.kind {
			t.Errorf("%s: %v", tc.name, m)
		}
	}
	<-r.paths.path(0).closed // of the bad offer: nothing is left of it
	c.send(`{"type":"media","id":"2","path":"p","sdp":"offer"}`)
	c.want("reply")
	c.send(`{"type":"media","id":"3","path":"p","sdp":"bad"}`)
	c.want("error", "kind", "invalid", "message", "no audio in the offer")
	c.send(`{"type":"media","id":"4","path":"q","sdp":"offer"}`)
	c.want("error", "kind", "unavailable")
	c.send(`{"type":"media","id":"5","path":"p","sdp":"again"}`)
	c.want("reply", "sdp", "answer 2 to again") // a bad offer left it as it was
}

func TestCloseOfTheNodeEndsEverything(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.login("sales")
	r.answered(c, h, "b1")
	var closing sync.WaitGroup
	closing.Go(r.edge.Close)
	c.want("ended", "cause", 41, "reason", "shutdown")
	if code := c.closed(); code != websocket.StatusGoingAway {
		t.Fatalf("closed with %v", code)
	}
	r.post.want(t, core.LegGone{Leg: "b1", Cause: core.CauseTempFailure})
	closing.Wait()
	_, resp, err := websocket.Dial(t.Context(), r.url, nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("a closed edge takes sockets: %v", err)
	}
}

func TestLateTimersMeanNothing(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.login("sales")
	r.answered(c, h, "b1")
	device, _ := h["device"].(string)
	d := r.edge.device(core.ContactID(device))
	numbers := func() (p *path, watch, loss int) {
		d.mu.Lock()
		defer d.mu.Unlock()
		p = d.paths["p1"]
		return p, p.watches, d.losses
	}
	p, watch, loss := numbers()
	d.tooLong(p, watch) // it came up meanwhile
	c.lose()
	r.post.want(t, core.ContactGone{ID: core.ContactID(device)})
	d.expire(loss) // of an earlier loss
	c = r.resume(h)
	c.want("hello", "resumed", true)
	r.post.contact(t)
	_, _, loss = numbers()
	d.expire(loss) // resumed meanwhile
	r.post.none(t)
	c.send(`{"type":"mute","id":"1","leg":"b1","muted":true}`)
	c.want("reply")
}
