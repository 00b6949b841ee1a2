package rtcedge

import (
	"testing"

	"github.com/offhook/offhook/internal/core"
)

func TestIncomingCallIsAnsweredAndHungUp(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.login("sales")
	r.ring(h, "b1")
	m := c.want("incoming")
	call, _ := m["call"].(map[string]any)
	from, _ := call["from"].(map[string]any)
	if call["leg"] != "b1" || call["state"] != "ringing" || call["direction"] != "incoming" || from["name"] != "<b>Mallory</b>" {
		t.Fatalf("incoming %v", call)
	}
	if _, has := call["sdp"]; has {
		t.Fatal("incoming carries SDP")
	}
	r.post.none(t) // it rings only when the client says so
	c.send(`{"type":"ringing","id":"1","leg":"b1"}`)
	c.send(`{"type":"ringing","id":"2","leg":"b1"}`)
	c.want("reply", "id", "1")
	c.want("reply", "id", "2")
	r.post.want(t, core.LegRinging{Leg: "b1"})
	r.post.none(t)

	c.send(`{"type":"accept","id":"3","leg":"b1"}`)
	c.want("reply", "id", "3")
	r.post.want(t, core.LegAccepted{Leg: "b1"})
	c.send(`{"type":"media","id":"4","path":"p","leg":"b1","sdp":"offer"}`)
	c.want("reply", "id", "4", "sdp", "answer 1 to offer")
	r.post.none(t)
	p := r.paths.path(0)
	p.ev.Up()
	c.want("path", "state", "up")
	c.want("up", "leg", "b1")
	r.post.want(t, core.LegUp{Leg: "b1"})
	if r.media.of("b1") != p {
		t.Fatal("path is not attached")
	}
	p.ev.Digit('5')
	r.post.want(t, core.LegDigit{Leg: "b1", Digit: '5'})
	c.send(`{"type":"digit","id":"5","leg":"b1","digit":"#"}`)
	c.want("reply", "id", "5")
	r.post.want(t, core.LegDigit{Leg: "b1", Digit: '#'})
	c.send(`{"type":"mute","id":"6","leg":"b1","muted":true}`)
	c.want("reply", "id", "6")
	r.post.want(t, core.LegMuted{Leg: "b1", Muted: true})

	c.send(`{"type":"hangup","id":"7","leg":"b1"}`)
	c.want("ended", "leg", "b1", "cause", 16, "reason", "none")
	c.want("reply", "id", "7")
	r.post.want(t, core.LegGone{Leg: "b1", Cause: core.CauseNormal})
	if r.media.of("b1") != nil {
		t.Fatal("path is still attached")
	}
	c.send(`{"type":"hangup","id":"8","leg":"b1"}`)
	c.want("error", "id", "8", "kind", "not_found")
	r.post.none(t)
}

func TestAcceptElsewhereSendsHandled(t *testing.T) {
	for _, tc := range []struct {
		name   string
		reason core.Reason
		cause  core.Cause
		want   string
		text   string
	}{
		{"answered elsewhere", core.ReasonElsewhere, core.CauseElsewhere, "handled", "answered_elsewhere"},
		{"caller gave up", core.ReasonCallerGone, core.CauseNormal, "ended", "caller_gone"},
		{"ring time-out", core.ReasonTimeout, core.CauseNoAnswer, "ended", "timeout"},
		{"declined on another device", core.ReasonDeclinedElsewhere, core.CauseRejected, "ended", "declined_elsewhere"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t, nil)
			c, h := r.login("sales")
			r.ring(h, "b1")
			c.want("incoming")
			r.end("b1", tc.cause, tc.reason)
			c.want(tc.want, "leg", "b1", "cause", int(tc.cause), "reason", tc.text)
			r.post.want(t, core.LegGone{Leg: "b1", Cause: tc.cause})
			r.end("b1", core.CauseNormal, core.ReasonNone) // crosses: means nothing
			r.post.none(t)
		})
	}
}

func TestAcceptAMomentTooLateIsHandledToo(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.login("sales")
	r.ring(h, "b1")
	c.want("incoming")
	c.send(`{"type":"accept","id":"1","leg":"b1"}`)
	c.want("reply")
	r.post.want(t, core.LegAccepted{Leg: "b1"})
	r.end("b1", core.CauseElsewhere, core.ReasonElsewhere)
	c.want("handled", "leg", "b1")
	r.post.want(t, core.LegGone{Leg: "b1", Cause: core.CauseElsewhere})
}

func TestDeclineAndWrongStates(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.login("sales")
	r.ring(h, "b1")
	c.want("incoming")
	c.send(`{"type":"hangup","id":"1","leg":"b1"}`)
	c.want("error", "kind", "conflict")
	c.send(`{"type":"decline","id":"2","leg":"b1"}`)
	c.want("ended", "cause", 21)
	c.want("reply", "id", "2")
	r.post.want(t, core.LegGone{Leg: "b1", Cause: core.CauseRejected})

	p := r.answered(c, h, "b2")
	for _, typ := range []string{"accept", "decline", "ringing"} {
		c.send(`{"type":%q,"id":"3","leg":"b2"}`, typ)
		c.want("error", "kind", "conflict")
	}
	r.post.none(t)
	if r.media.of("b2") != p {
		t.Fatal("a refused request changed the leg")
	}
}

func TestOutgoingCallHearsRingbackOnItsPath(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.login("sales")
	c.send(`{"type":"media","id":"1","path":"p","sdp":"offer"}`)
	c.want("reply", "id", "1")
	p := r.paths.path(0)
	p.ev.Up()
	c.want("path", "state", "up")
	c.send(`{"type":"call","id":"k1","to":"12995551111","path":"p"}`)
	m := c.want("reply", "id", "k1")
	id, _ := m["leg"].(string)
	leg := core.LegID(id)
	device, _ := h["device"].(string)
	r.post.want(t, core.Offered{
		Leg: leg, Edge: core.EdgeBrowser, From: core.Party{User: core.UserID{Name: "sales"}},
		Contact: core.ContactID(device), To: "12995551111",
	})
	if r.media.of(leg) != p {
		t.Fatal("ringback would not be heard: path not attached before the answer")
	}
	r.post.none(t) // up only after the answer

	c.send(`{"type":"call","id":"k1","to":"12995551111"}`)
	c.want("reply", "id", "k1", "leg", id)
	r.post.none(t) // asked again: the same call

	ref := core.LegRef{Leg: leg, Edge: core.EdgeBrowser}
	r.edge.Do(core.Progress{LegRef: ref})
	r.edge.Do(core.Progress{LegRef: ref})
	r.edge.Do(core.Progress{LegRef: ref, Early: true})
	c.want("ringing", "leg", id, "early", false)
	c.want("ringing", "leg", id, "early", true)
	r.edge.Do(core.Answer{LegRef: ref})
	r.edge.Do(core.Answer{LegRef: ref})
	c.want("answered", "leg", id)
	c.want("up", "leg", id)
	r.post.want(t, core.LegUp{Leg: leg})
	r.end(leg, core.CauseBusy, core.ReasonNone)
	c.want("ended", "leg", id, "request", "k1", "cause", 17)
	r.post.want(t, core.LegGone{Leg: leg, Cause: core.CauseBusy})
}

func TestKeptPathServesTheNextLeg(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.login("sales")
	p := r.answered(c, h, "b1")
	r.ring(h, "b2")
	c.want("incoming")
	c.send(`{"type":"accept","id":"1","leg":"b2","path":"p1"}`)
	c.want("error", "kind", "conflict") // it serves b1
	r.end("b1", core.CauseNormal, core.ReasonNone)
	c.want("ended", "leg", "b1")
	r.post.want(t, core.LegGone{Leg: "b1", Cause: core.CauseNormal})
	c.send(`{"type":"accept","id":"2","leg":"b2","path":"p1"}`)
	c.want("up", "leg", "b2") // no offer, no ICE
	c.want("reply", "id", "2")
	r.post.want(t, core.LegAccepted{Leg: "b2"})
	r.post.want(t, core.LegUp{Leg: "b2"})
	if r.media.of("b2") != p || r.media.of("b1") != nil {
		t.Fatal("path serves the wrong leg")
	}
}

func TestPathChangesUnderALegWithoutDetach(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.login("sales")
	first := r.answered(c, h, "b1")
	c.send(`{"type":"media","id":"1","path":"p2","leg":"b1","sdp":"offer"}`)
	c.want("reply")
	second := r.paths.path(1)
	if r.media.of("b1") != first {
		t.Fatal("audio was cut before the new path was up")
	}
	c.send(`{"type":"call","id":"2","to":"5","path":"p1"}`)
	c.want("error", "kind", "conflict") // it still carries b1
	second.ev.Up()
	c.want("path", "path", "p2", "state", "up")
	if r.media.of("b1") != second {
		t.Fatal("the new path is not attached")
	}
	c.send(`{"type":"release","id":"3","path":"p2"}`)
	c.want("reply")
	<-second.closed
	if n := r.media.detached(); n != 0 {
		t.Fatalf("detached %d times: the leg's media server row is lost", n)
	}
	r.post.none(t)
	r.end("b1", core.CauseNormal, core.ReasonNone)
	c.want("ended")
	if n := r.media.detached(); n != 1 {
		t.Fatalf("detached %d times after the end", n)
	}
}

func TestMicrophoneOfARingingLegIsNotJoined(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.login("sales")
	r.ring(h, "b1")
	c.want("incoming")
	c.send(`{"type":"media","id":"1","path":"p","leg":"b1","sdp":"offer"}`)
	c.want("reply")
	p := r.paths.path(0)
	p.ev.Up()
	c.want("path", "state", "up")
	p.ev.Digit('1')
	r.post.none(t)
	if r.media.of("b1") != nil {
		t.Fatal("path of a ringing leg is attached")
	}
	c.send(`{"type":"accept","id":"2","leg":"b1"}`)
	c.want("up")
	c.want("reply")
	if r.media.of("b1") != p {
		t.Fatal("path is not attached after accept")
	}
}

func TestRingWithoutADeviceIsUnreachableAtOnce(t *testing.T) {
	r := newRig(t, nil)
	r.ring(message{"device": "nobody"}, "b1")
	r.post.want(t, core.LegGone{Leg: "b1", Cause: core.CauseUnreachable})

	c, h := r.login("sales")
	c.lose()
	device, _ := h["device"].(string)
	r.post.want(t, core.ContactGone{ID: core.ContactID(device)})
	r.ring(h, "b2")
	r.post.want(t, core.LegGone{Leg: "b2", Cause: core.CauseUnreachable})
}

func TestTooManyLegsAreBusy(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.Legs = 1 })
	c, h := r.login("sales")
	r.ring(h, "b1")
	c.want("incoming")
	r.ring(h, "b2")
	r.post.want(t, core.LegGone{Leg: "b2", Cause: core.CauseBusy})
	c.send(`{"type":"call","id":"1","to":"5"}`)
	c.want("error", "kind", "unavailable")
}

func TestCallWhileDrainingLeavesNothing(t *testing.T) {
	r := newRig(t, nil)
	c, _ := r.login("sales")
	r.post.mu.Lock()
	r.post.refuse = &core.Error{Op: "engine.Post", Kind: core.Unavailable}
	r.post.mu.Unlock()
	c.send(`{"type":"call","id":"1","to":"5"}`)
	c.want("error", "kind", "unavailable")
	r.edge.mu.Lock()
	defer r.edge.mu.Unlock()
	if len(r.edge.legs) != 0 {
		t.Fatalf("legs left: %v", r.edge.legs)
	}
}

func TestForeignLegIsNotFound(t *testing.T) {
	r := newRig(t, nil)
	a, ha := r.login("sales")
	b, _ := r.login("sales")
	r.ring(ha, "a1")
	a.want("incoming")
	for _, typ := range []string{"ringing", "accept", "decline", "hangup", "mute", "digit"} {
		b.send(`{"type":%q,"id":"1","leg":"a1","muted":true,"digit":"1"}`, typ)
		b.want("error", "kind", "not_found")
	}
	r.post.none(t)
}
