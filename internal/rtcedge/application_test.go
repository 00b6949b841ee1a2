package rtcedge

import (
	"strings"
	"testing"

	"github.com/offhook/offhook/internal/core"
)

// loginAsApp logs in as alice of the application app.
func (r *rig) loginAsApp() (*client, message) {
	r.t.Helper()
	c := r.dial()
	c.send(`{"type":"login","id":"1","protocol":1,"token":"token:app/alice"}`)
	return c, c.want("hello", "id", "1")
}

func TestUserOfAnApplicationLogsIn(t *testing.T) {
	r := newRig(t, nil)
	_, h := r.loginAsApp()
	if user, _ := h["user"].(map[string]any); user["user"] != "app/alice" {
		t.Errorf("hello %v", h)
	}
	if got := r.post.contact(t); got.User != (core.UserID{App: "app", Name: "alice"}) {
		t.Errorf("contact %+v", got)
	}
}

func TestCustomDataGoesToTheApplication(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.loginAsApp()
	r.post.contact(t)
	device, _ := h["device"].(string)
	for i, tt := range []struct{ fields, to, custom string }{
		{`"to":"12995551111","custom":{"to": "12995551111", "n": [1]}`, "12995551111", `{"to":"12995551111","n":[1]}`},
		{`"custom":{"room":"a"}`, "", `{"room":"a"}`},
		{`"custom":null`, "", ""},
		{``, "", ""},
	} {
		if tt.fields != "" {
			tt.fields = "," + tt.fields
		}
		c.send(`{"type":"call","id":"k%d"%s}`, i, tt.fields)
		leg, _ := c.want("reply")["leg"].(string)
		r.post.want(t, core.Offered{
			Leg: core.LegID(leg), Edge: core.EdgeBrowser, From: core.Party{User: core.UserID{App: "app", Name: "alice"}},
			Contact: core.ContactID(device), To: tt.to, Custom: tt.custom,
		})
	}
	for _, bad := range []string{`[1]`, `"text"`, `7`, `{"x":"` + strings.Repeat("y", maxCustom) + `"}`} {
		c.send(`{"type":"call","id":"bad","to":"1","custom":%s}`, bad)
		c.want("error", "kind", "invalid")
	}
}

func TestHouseUserMustDialSomebody(t *testing.T) {
	r := newRig(t, nil)
	c, _ := r.login("sales")
	c.send(`{"type":"call","id":"2","custom":{"a":1}}`)
	c.want("error", "kind", "invalid")
}

func TestApplicationEndsASession(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.loginAsApp()
	r.post.contact(t)
	_, other := r.login("sales")
	alice := core.UserID{App: "app", Name: "alice"}
	got := r.edge.Sessions(alice)
	if len(got) != 1 || string(got[0].Device) != h["device"] || got[0].Since.IsZero() {
		t.Fatalf("sessions %+v", got)
	}
	if got := r.edge.Sessions(core.UserID{Name: "alice"}); got != nil {
		t.Errorf("sessions of a user of the house with that name: %+v", got)
	}
	device, _ := other["device"].(string)
	r.edge.EndSession("app", core.ContactID(device)) // not the application's
	r.edge.EndSession("other", got[0].Device)
	r.edge.EndSession("app", "none")
	if len(r.edge.Sessions(alice)) != 1 || len(r.edge.Sessions(core.UserID{Name: "sales"})) != 1 {
		t.Error("a session of somebody else was ended")
	}
	r.edge.EndSession("app", got[0].Device)
	if code := c.closed(); code != closeEnded {
		t.Errorf("closed with %d", code)
	}
	if got := r.edge.Sessions(alice); got != nil {
		t.Errorf("sessions %+v", got)
	}
	r.resume(h).want("error", "kind", "unauthorized")
}

// Several browsers of a user ring for one leg of the application.
func TestApplicationsNameOfALeg(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.loginAsApp()
	contact := r.post.contact(t)
	r.edge.Do(core.Ring{
		LegRef: core.LegRef{Leg: "l1", Edge: core.EdgeBrowser}, As: "public", Call: "c1",
		Target: core.Target{Contact: contact.ID, User: contact.User}, From: core.Party{Number: "4930"},
	})
	call, _ := c.want("incoming")["call"].(map[string]any)
	if call["leg"] != "l1" || call["as"] != "public" {
		t.Errorf("incoming %v at %v", call, h["device"])
	}
}

func TestSilencedLegIsTold(t *testing.T) {
	r := newRig(t, nil)
	c, _ := r.loginAsApp()
	contact := r.post.contact(t)
	ref := core.LegRef{Leg: "l1", Edge: core.EdgeBrowser}
	r.edge.Do(core.Ring{LegRef: ref, Call: "c1", Target: core.Target{Contact: contact.ID, User: contact.User}, From: core.Party{Number: "4930"}})
	c.want("incoming")
	r.edge.Do(core.Silenced{LegRef: ref, On: true})
	r.edge.Do(core.Silenced{LegRef: ref, Deaf: true})
	for _, want := range []struct{ deaf, on bool }{{false, true}, {true, false}} {
		if got := c.want("silenced", "leg", "l1"); got["deaf"] != want.deaf || got["on"] != want.on {
			t.Errorf("%v, want %+v", got, want)
		}
	}
}

func TestMovedLegIsToldOnce(t *testing.T) {
	r := newRig(t, nil)
	c, h := r.loginAsApp()
	contact := r.post.contact(t)
	ring := func(leg core.LegID) {
		r.edge.Do(core.Ring{
			LegRef: core.LegRef{Leg: leg, Edge: core.EdgeBrowser}, As: "public", Call: "c1",
			Target: core.Target{Contact: contact.ID, User: contact.User}, From: core.Party{Number: "4930"},
		})
	}
	ring("l1")
	c.want("incoming")
	r.edge.Moved("public", "c2") // it only rings: nobody is there who could be told
	c.send(`{"type":"media","id":"2","path":"p","sdp":"offer"}`)
	c.want("reply")
	c.send(`{"type":"accept","id":"3","leg":"l1","path":"p"}`)
	c.want("reply")
	r.paths.path(0).ev.Up()
	c.want("path")
	c.want("up")
	r.edge.Moved("public", "c2")
	r.edge.Moved("public", "c2")
	r.edge.Moved("l1", "c3")
	r.edge.Moved("unknown", "c4")
	c.want("moved", "leg", "l1", "call", "c2")
	c.want("moved", "leg", "l1", "call", "c3")
	r.edge.Do(core.End{LegRef: core.LegRef{Leg: "l1", Edge: core.EdgeBrowser}, Cause: core.CauseNormal})
	c.want("ended")
	if leg := r.edge.named("public"); leg != "public" {
		t.Errorf("%s is still known as that at %v", leg, h["device"])
	}
}
