//go:build e2e

package e2e

import (
	"encoding/json"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestPhoneAndBrowserAnswerAtOnce lets a SIP phone and a browser's socket take a
// call at once: exactly one of them gets it, and the other is told that it was
// answered elsewhere, a phone by CANCEL or BYE, a browser by "handled".
func TestPhoneAndBrowserAnswerAtOnce(t *testing.T) {
	const rounds = 100
	h := newHouse(t, "", usualTrunk, []string{"ann", "web"}, `endpoints: [{user: ann}, {user: web}]`)
	ann := h.user(t, "ann", phone.Config{})
	web := connect(t, h.Offhook)
	if hello := web.logIn(map[string]any{"user": "web", "password": password("web")}); hello["type"] != "hello" {
		t.Fatalf("not logged in: %v", hello)
	}
	caller := harness.NewCarrier(t, h.Offhook, netip.MustParseAddrPort("127.0.0.32:0"), phone.Config{})
	pace := time.NewTicker(60 * time.Millisecond) // a browser may send 20 requests a second
	defer pace.Stop()
	won := map[string]int{}
	for range rounds {
		<-pace.C
		won[mixedRound(t, caller, ann, web)]++
	}
	t.Logf("won: %v", won)
	for _, d := range dialogs(ann.Wire().Messages()) {
		if d.elsewhere && !d.answered.IsZero() && (!d.acked || !d.byed) {
			t.Errorf("the phone's late 200 was ACKed %v and BYEd with the reason %v", d.acked, d.byed)
		}
	}
	h.AwaitMetric("offhook_legs", 0, 10*time.Second)
	for _, l := range h.AwaitLegs(t, 10*time.Second) {
		if l.Reason == "answered_elsewhere" && l.Count("answered") > 0 {
			t.Errorf("leg %s %v was answered and lost", l.ID, l.Events)
		}
	}
}

// mixedRound makes one call and says who got it, "phone" or "browser".
func mixedRound(t *testing.T, caller, ann *harness.Phone, web *device) string {
	t.Helper()
	call := dial(t, caller, number(0), phone.DialOptions{From: phone.Party{Number: "+12025550199"}})
	ringing := ring(ann)
	leg := web.awaitLeg("incoming")
	start := make(chan struct{})
	var answering sync.WaitGroup
	answering.Go(func() { <-start; ringing.Answer() })
	answering.Go(func() { <-start; web.send(map[string]any{"type": "accept", "id": "accept", "leg": leg}) })
	close(start)
	answering.Wait()

	// The loser hears of it first, while the winner's call goes on.
	winner := ""
	testkit.Eventually(t, 10*time.Second, "somebody hears that another got the call", func() bool {
		if ann.Call(ringing.ID()) == nil {
			winner = "browser"
		}
		if web.said("handled", leg) {
			winner = "phone"
		}
		return winner != ""
	})
	call.call.HangUp()
	caller.Await(phone.Ended, 10*time.Second)
	if elsewhere := ann.Await(phone.Ended, 10*time.Second).Reason == "answered elsewhere"; elsewhere != (winner == "browser") {
		t.Fatalf("the %s won, and the phone was told that it was answered elsewhere: %v", winner, elsewhere)
	}
	if winner == "browser" {
		if end := web.awaitLeg("ended", "handled"); end != leg {
			t.Fatalf("the browser's leg %v ended, want %v", end, leg)
		}
	}
	return winner
}

// send sends a message and waits for nothing.
func (d *device) send(message map[string]any) {
	data, err := json.Marshal(message)
	if err == nil {
		err = d.conn.Write(d.t.Context(), websocket.MessageText, data)
	}
	if err != nil {
		d.t.Error(err)
	}
}

// awaitLeg waits for an event of one of kinds and returns its leg.
func (d *device) awaitLeg(kinds ...string) any {
	d.t.Helper()
	for {
		ev := testkit.Receive(d.t, d.events, 10*time.Second, "event of the browser")
		for _, kind := range kinds {
			if ev["type"] != kind {
				continue
			}
			if call, ok := ev["call"].(map[string]any); ok {
				return call["leg"]
			}
			return ev["leg"]
		}
	}
}

// said reports whether an event about leg is among those that came; they are dropped.
func (d *device) said(kind string, leg any) bool {
	d.t.Helper()
	for {
		select {
		case ev, open := <-d.events:
			if !open {
				d.t.Fatal("the browser's socket was closed")
			}
			if ev["type"] == kind && ev["leg"] == leg {
				return true
			}
		default:
			return false
		}
	}
}
