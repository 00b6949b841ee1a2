//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

const websipResources = `resources:
  users:
    - {name: agent1, password: "agent-secret-1"}
    - {name: agent2, password: "agent-secret-2"}
    - {name: desk, password: "purple-monkey"}
`

const (
	jssipHz = 730
	sipjsHz = 880
)

// extension is a user's SIP phone.
type extension struct {
	*harness.Phone
	hz   float64
	call *phone.Call
}

func newExtension(t *testing.T, o *harness.Offhook, user, password string, hz float64) *extension {
	t.Helper()
	return &extension{Phone: harness.NewUser(t, o, user, password, phone.Config{Say: says(hz)}), hz: hz}
}

func (e *extension) Tone() float64         { return e.hz }
func (e *extension) Answer()               { e.call.Answer() }
func (e *extension) HangUp()               { e.call.HangUp() }
func (e *extension) AwaitEnd(t *testing.T) { t.Helper(); e.Await(phone.Ended, soon) }
func (e *extension) AwaitTone(t *testing.T, hz float64) {
	t.Helper()
	awaitTone(t, "phone", e.call, hz)
}

func (e *extension) dial(t *testing.T, to string) {
	t.Helper()
	var err error
	if e.call, err = e.Dial(to, phone.DialOptions{}); err != nil {
		t.Fatal(err)
	}
}

func (e *extension) AwaitRing(t *testing.T, from string) {
	t.Helper()
	ev := e.Await(phone.Incoming, soon)
	if ev.Peer.Number != from {
		t.Errorf("the phone shows caller %q, want %q", ev.Peer.Number, from)
	}
	if e.call = e.Call(ev.Call); e.call == nil {
		t.Fatal("the phone stopped ringing at once")
	}
}

// AwaitSilence waits until the phone hears nothing at hz.
func (e *extension) AwaitSilence(t *testing.T, hz float64) {
	t.Helper()
	testkit.Eventually(t, soon, fmt.Sprintf("the phone hears no %.0f Hz", hz), func() bool {
		return meter.Purity((&caller{call: e.call}).listen(listenTime), phone.Rate, hz) <= harness.Absent
	})
}

// awaitMusic waits until the phone hears what a party on hold hears.
func (e *extension) awaitMusic(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, soon, "the phone hears music", func() bool {
		return meter.Level((&caller{call: e.call}).listen(listenTime)) > -50
	})
}

// TestWebSIPClients uses the two common SIP clients for browsers, as they come
// from the registry, like any phone of a user: over WebSocket on the HTTP port.
func TestWebSIPClients(t *testing.T) {
	o := harness.NewOffhook(t, websipResources)
	browser := harness.NewBrowser(t)
	desk := newExtension(t, o, "desk", "purple-monkey", deskHz)
	jssip := openWebClient(t, browser, o, "jssip", "agent1", "agent-secret-1", "/ws", jssipHz)
	sipjs := openWebClient(t, browser, o, "sipjs", "agent2", "agent-secret-2", "/sip", sipjsHz)
	o.AwaitMetric("offhook_contacts", 3, soon)

	for _, c := range []struct {
		client         *webClient
		user, password string
	}{{jssip, "agent1", "agent-secret-1"}, {sipjs, "agent2", "agent-secret-2"}} {
		w := &websip{Offhook: o, client: c.client, user: c.user, password: c.password, desk: desk}
		t.Run(c.client.library, func(t *testing.T) {
			t.Run("is called", w.isCalled)
			t.Run("calls", w.calls)
			t.Run("caller gives up", w.callerGivesUp)
			t.Run("answered on another phone", w.answeredElsewhere)
			t.Run("answers before another phone", w.answersFirst)
		})
	}
	t.Run("early media", func(t *testing.T) { // SIP.js plays it only to pages that ask for it
		jssip.Dial("desk")
		desk.AwaitRing(t, "agent1")
		jssip.awaitRingback(t)
		jssip.HangUp()
		jssip.AwaitEnd(t)
		desk.AwaitEnd(t)
	})
	t.Run("WebSocket cut in a call", func(t *testing.T) {
		jssip.Dial("desk")
		desk.AwaitRing(t, "agent1")
		desk.Answer()
		talk(t, jssip, desk)
		harness.Eval[bool](jssip.Page, "sockets.at(-1).close(), true")
		o.AwaitMetric("offhook_contacts", 2, soon)
		o.AwaitMetric("offhook_contacts", 3, soon) // the library has come back by itself
		talk(t, jssip, desk)
		desk.HangUp()
		jssip.AwaitEnd(t)
		desk.AwaitEnd(t)
	})
	t.Run("one browser calls another", func(t *testing.T) {
		sipjs.next()
		jssip.Dial("agent2")
		sipjs.AwaitRing(t, "agent1")
		sipjs.Answer()
		talk(t, jssip, sipjs)
		jssip.HangUp()
		sipjs.AwaitEnd(t)
		jssip.AwaitEnd(t)
	})
	t.Run("take their registration back", func(t *testing.T) {
		jssip.await("stop()")
		o.AwaitMetric("offhook_contacts", 2, soon)
		sipjs.await("stop()")
		o.AwaitMetric("offhook_contacts", 1, soon)
	})
	t.Run("tab closed in a call", func(t *testing.T) {
		jssip.Dial("desk") // also without registration
		desk.AwaitRing(t, "agent1")
		desk.Answer()
		talk(t, jssip, desk)
		harness.Eval[bool](jssip.Page, "setTimeout(() => { location = 'about:blank'; }), true")
		desk.AwaitEnd(t)
	})
	o.AwaitMetric("offhook_legs", 0, soon)
}

// websip is a client under test, a phone of another user, and what they do.
type websip struct {
	*harness.Offhook
	client         *webClient
	user, password string
	desk           *extension
}

// ring calls the client from the desk.
func (w *websip) ring(t *testing.T) {
	t.Helper()
	w.client.next()
	w.desk.dial(t, w.user)
	w.client.AwaitRing(t, "desk")
}

func (w *websip) isCalled(t *testing.T) {
	w.ring(t)
	w.client.Answer()
	talk(t, w.desk, w.client)

	w.client.await("hold()")
	w.desk.AwaitSilence(t, w.client.hz)
	w.client.AwaitSilence(t, deskHz)
	if len(w.client.find("< SIP/2.0 200 ", "\r\na=recvonly\r\n")) != 1 {
		t.Errorf("hold was not answered by recvonly:\n%s", strings.Join(w.client.wire(), "\n"))
	}
	w.desk.awaitMusic(t)
	w.client.await("resume()")
	talk(t, w.desk, w.client)

	w.client.await(`press("5"), true`)
	if ev := w.desk.Await(phone.Digit, soon); ev.Digit != "5" {
		t.Errorf("the phone got key %q", ev.Digit)
	}
	w.client.HangUp()
	w.desk.AwaitEnd(t)
	w.client.AwaitEnd(t)
}

func (w *websip) calls(t *testing.T) {
	w.client.Dial("desk")
	w.desk.AwaitRing(t, w.user)
	w.desk.Answer()
	talk(t, w.client, w.desk)
	w.desk.HangUp()
	w.client.AwaitEnd(t)
	w.desk.AwaitEnd(t)

	w.client.Dial("desk")
	w.desk.AwaitRing(t, w.user)
	w.desk.Answer()
	w.client.until(t, "up")
	w.client.HangUp()
	w.desk.AwaitEnd(t)
	w.client.AwaitEnd(t)
}

func (w *websip) callerGivesUp(t *testing.T) {
	w.ring(t)
	w.desk.HangUp()
	w.client.AwaitEnd(t)
	w.client.wantCancels(t, 1, "Reason: SIP;cause=487;text=\"Caller gave up\"\r\n")
	w.desk.AwaitEnd(t)
}

// answeredElsewhere rings the client and a desk phone of the same user.
func (w *websip) answeredElsewhere(t *testing.T) {
	other := newExtension(t, w.Offhook, w.user, w.password, desk2Hz)
	w.ring(t)
	other.AwaitRing(t, "desk")
	other.Answer()
	w.client.AwaitElsewhere(t, "desk")
	talk(t, w.desk, other)
	w.desk.HangUp()
	other.AwaitEnd(t)
	w.desk.AwaitEnd(t)
}

func (w *websip) answersFirst(t *testing.T) {
	other := newExtension(t, w.Offhook, w.user, w.password, desk2Hz)
	w.ring(t)
	other.AwaitRing(t, "desk")
	w.client.Answer()
	talk(t, w.desk, w.client)
	other.AwaitEnd(t)
	wantElsewhere(t, "the other phone", other.Wire().Find("< CANCEL ", "desk"))
	w.client.WantNoCancel(t, "desk")
	w.desk.HangUp() // the caller, while the client has the call
	w.client.AwaitEnd(t)
	w.desk.AwaitEnd(t)
}
