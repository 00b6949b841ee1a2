//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/sip"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestVoiceApps runs Node programs that behave on the wire as the applications of
// contract 13 do, with phones around them, and checks what contract 15.2 wants.
func TestVoiceApps(t *testing.T) {
	for name, c := range map[string]struct {
		kind string
		show func(*groupApp)
	}{
		"early media, the browser answers": {"early-media", (*groupApp).showBrowserAnswers},
		"early media, a phone answers":     {"early-media", (*groupApp).showPhoneAnswers},
		"early media, nobody answers":      {"early-media", (*groupApp).showNobody},
		"early media, caller gives up":     {"early-media", (*groupApp).showGivesUp},
		"ivr":                              {"ivr", (*groupApp).showIVR},
		"coach":                            {"coach", (*groupApp).showCoach},
		"coach in a browser":               {"coach", (*groupApp).showCoachInBrowser},
		"page":                             {"early-media", (*groupApp).showPage},
		"users":                            {"early-media", (*groupApp).showUsers},
		"too fast":                         {"early-media", (*groupApp).showTooFast},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			harness.InPrivate(t, 4*time.Minute, voiceHosts, func(p *harness.Private) {
				w := newVoiceTown(t, p, "http://app.test:8000/answer", "http://app.test:8000/event", "")
				a := &groupApp{voiceTown: w}
				// A short ring is too short for a busy machine, a long one for this test.
				env := []string{"KIND=" + c.kind, "MAX_RING_DURATION=12", "GROUP=phone:" + oneNumber + ",phone:" + twoNumber + ",app:sales"}
				if name == "too fast" {
					group := strings.Repeat("phone:"+oneNumber+",phone:"+twoNumber+",", tooMany/2)
					env = append(env, "CPS=1000", "ADDED_DELAY=0", "MAX_RING_DURATION=60", "GROUP="+strings.TrimSuffix(group, ","))
				}
				a.Process = w.program("apps/group.js", env...)
				c.show(a)
				w.wantIdle()
				if a.Ended() {
					t.Error("the application is dead")
				}
			})
		})
	}
}

// groupApp is an application that rings a group.
type groupApp struct {
	*voiceTown
	*harness.Process
}

// ringing waits until both phones ring, a while after the caller was offered music.
func (a *groupApp) ringing(caller *placed) (one, two *phone.Call) {
	a.t.Helper()
	caller.Await(phone.Early, soon)
	one, two = a.rings(a.one), a.rings(a.two)
	a.hears("the caller", caller.call, musicHz)
	a.WaitFor(soon, "POST /event_multi", "in_app=true", `"status":"started"`) // what answers before confuses it
	return one, two
}

// unanswered checks that the caller got early media and no 200 OK so far.
func (a *groupApp) unanswered(caller *placed) {
	a.t.Helper()
	wire := caller.Wire()
	if len(wire.Find("< SIP/2.0 183 ", "\r\nm=audio ")) == 0 {
		a.t.Error("the caller got no 183 with SDP")
	}
	if oks := wire.Find("< SIP/2.0 200 ", " INVITE\r\n"); len(oks) > 0 {
		a.t.Errorf("the caller is answered too early:\n%s", oks[0])
	}
}

// joined waits until the caller is answered and talks with the agent.
func (a *groupApp) joined(caller *placed, agent *phone.Call, agentHz float64) {
	a.t.Helper()
	caller.Await(phone.Answered, soon)
	a.hears("the caller", caller.call, agentHz)
	a.hears("the agent", agent, callerHz)
}

// ends hangs the caller up, and waits until everybody else is gone and the application
// was told, once.
func (a *groupApp) ends(caller *placed, who *harness.Phone) {
	a.t.Helper()
	caller.call.HangUp()
	who.Await(phone.Ended, soon)
	a.completedOnce()
}

// completedOnce checks that the caller's leg ends once for the application.
func (a *groupApp) completedOnce() {
	a.t.Helper()
	a.WaitFor(soon, "POST /event ", `"status":"completed"`)
	if n := len(a.Log().Lines("POST /event ", `"status":"completed"`)); n != 1 {
		a.t.Errorf("completed was told %d times", n)
	}
}

// Criterion 1: a user of the application answers on the application's own page.
func (a *groupApp) showBrowserAnswers() {
	sales := a.logIn(harness.NewBrowser(a.t), "sales", salesHz)
	caller := a.dial()
	a.ringing(caller)
	a.unanswered(caller)
	sales.WaitText("invited by "+voiceNumber+" of type phone", soon)
	sales.Click("#answer")
	caller.Await(phone.Answered, soon)
	a.hears("the caller", caller.call, salesHz)
	sales.WantTone(callerHz)
	a.one.Await(phone.Ended, soon)
	a.two.Await(phone.Ended, soon)
	caller.call.HangUp()
	sales.WaitText("over: REMOTE_HANGUP", soon)
	a.completedOnce()
}

// showPage: contract 15.4, what people do on the page.
func (a *groupApp) showPage() {
	browser := harness.NewBrowser(a.t)
	sales, support := a.logIn(browser, "sales", salesHz), a.logIn(browser, "support", supportHz)

	// The group is rung, and somebody else answers.
	caller := a.dial()
	one, _ := a.ringing(caller)
	sales.WaitText("invited by "+voiceNumber, soon)
	one.Answer()
	sales.WaitText("invite over: RemoteCancel, undefined", soon)
	a.joined(caller, one, deskHz)
	caller.call.HangUp()
	a.one.Await(phone.Ended, soon)

	// A number is called.
	sales.Type("#to", oneNumber)
	sales.Click("#call")
	call := a.rings(a.one)
	call.Answer()
	a.hears("the phone", call, salesHz)
	sales.WantTone(deskHz)
	sales.Click("#hangup")
	a.one.Await(phone.Ended, soon)
	sales.WaitText("over: LOCAL_HANGUP", soon)
	a.WaitFor(soon, "GET /answer?to="+oneNumber+"&from_user=sales&", "endpoint_type=app", "custom_data=")

	// Another user is called, declines, is called again and talks.
	support.Type("#to", "sales")
	for _, answer := range []bool{false, true} {
		support.Click("#call")
		sales.WaitText("invited by", soon)
		if !answer {
			sales.Click("#reject")
			support.WaitText("over:", soon)
			continue
		}
		sales.Click("#answer")
		sales.WantTone(supportHz)
		support.WantTone(salesHz)
		sales.Click("#hangup")
		support.WaitText("over:", soon)
	}

	sales.Click("#logout")
	sales.WaitText("logged out", soon)
	a.AwaitMetric("offhook_contacts", 1, soon)
}

// showCoachInBrowser: criterion 6 with the coach on the page.
func (a *groupApp) showCoachInBrowser() {
	support := a.logIn(harness.NewBrowser(a.t), "support", supportHz)
	caller := a.dial()
	one, _ := a.ringing(caller)
	one.Answer()
	a.joined(caller, one, deskHz)
	time.Sleep(coachDelay)
	a.request("GET", "/coachapp?"+url.Values{"user": {"support"}, "uuid": {a.legOf(oneNumber)}}.Encode(), "", http.StatusOK)
	support.WaitText("invited by", soon)
	support.Click("#answer")
	a.hears("the agent", one, callerHz, supportHz)
	a.hears("the customer", caller.call, deskHz)
	testkit.Eventually(a.t, soon, "the coach hears both", func() bool {
		return harness.HasTones(support.Hear(2*time.Second), harness.HearRate, time.Second, callerHz, deskHz)
	})
	support.Click("#hangup")
	a.hears("the agent", one, callerHz)
	a.ends(caller, a.one)
}

// logIn opens the application's page and logs a user in.
func (a *groupApp) logIn(browser *harness.Browser, user string, hz float64) *harness.Page {
	a.t.Helper()
	page := browser.Open(user, "https://app.test/client.html", hz)
	page.Type("#user", user)
	page.Click("#login")
	page.WaitText("logged in, SES-", soon)
	return page
}

// Criterion 2: a phone answers.
func (a *groupApp) showPhoneAnswers() {
	caller := a.dial()
	one, _ := a.ringing(caller)
	a.unanswered(caller)
	one.Answer()
	a.hears("the agent, before the caller is there,", one, talkHz)
	a.joined(caller, one, deskHz)
	a.two.Await(phone.Ended, soon)
	if n := len(a.two.Wire().Find("< CANCEL ")); n == 0 {
		a.t.Error("the other phone got no CANCEL")
	}
	a.WaitFor(soon, "POST /event_multi", "in_app=true", `"status":"cancelled"`)
	a.ends(caller, a.one)
}

// Criterion 3: nobody answers.
func (a *groupApp) showNobody() {
	caller := a.dial()
	a.ringing(caller)
	testkit.Eventually(a.t, 3*soon, "both phones are told to have timed out", func() bool {
		return len(a.Log().Lines("POST /event_multi", `"status":"timeout"`)) == 2
	})
	a.one.Await(phone.Ended, soon)
	a.two.Await(phone.Ended, soon)
	a.hears("the caller, at last,", caller.call, talkHz)
	a.unanswered(caller)
	if ended := caller.Await(phone.Ended, soon); ended.Code != 480 {
		a.t.Errorf("the caller got %d %s", ended.Code, ended.Reason)
	}
	a.completedOnce()
}

// Criterion 4: the caller cancels at once.
func (a *groupApp) showGivesUp() {
	for range 3 {
		caller := a.dial()
		caller.Await(phone.Early, soon)
		caller.call.HangUp()
		caller.Await(phone.Ended, soon)
	}
	testkit.Eventually(a.t, soon, "completed is told three times", func() bool {
		return len(a.Log().Lines("POST /event ", `"status":"completed"`)) == 3
	})
	a.AwaitMetric("offhook_legs", 0, 2*soon) // those that rang on time out, or were hung up
}

// Criterion 5: answered at once, spoken to, then music until an agent is there.
func (a *groupApp) showIVR() {
	caller := a.dial()
	caller.Await(phone.Answered, soon)
	a.hears("the caller", caller.call, talkHz)
	one, _ := a.rings(a.one), a.rings(a.two)
	a.hears("the caller", caller.call, musicHz)
	a.WaitFor(soon, "POST /event_multi", "in_app=true", `"status":"started"`)
	one.Answer()
	a.hears("the caller", caller.call, deskHz)
	a.hears("the agent", one, callerHz)
	a.two.Await(phone.Ended, soon)
	if n := len(a.Log().Lines("POST /event ", `"type":"transfer"`)); n != 1 {
		a.t.Errorf("%d transfer events for the caller, want one: each rings the group", n)
	}
	if n := len(a.one.Wire().Find("< INVITE ")); n != 1 {
		a.t.Errorf("the phone was rung %d times", n)
	}
	a.ends(caller, a.one)
}

// coachDelay is how long a group application wants no new leg: until its timer has run
// out (contract 13.5).
const coachDelay = 16 * time.Second

// Criterion 6: a coach whom only the agent hears.
func (a *groupApp) showCoach() {
	caller := a.dial()
	one, _ := a.ringing(caller)
	one.Answer()
	a.joined(caller, one, deskHz)
	agent := a.legOf(oneNumber)
	time.Sleep(coachDelay)
	a.request("GET", "/coachpstn?"+url.Values{"number": {coachNumber}, "uuid": {agent}}.Encode(), "", http.StatusOK)
	coach := a.rings(a.coach)
	coach.Answer()
	a.hears("the coach", coach, callerHz, deskHz)
	a.hears("the agent", one, callerHz, coachHz)
	a.hears("the customer", caller.call, deskHz)
	a.t.Logf("shown: the coach hears %v and %v Hz, the agent %v and %v, the customer %v alone", callerHz, deskHz, callerHz, coachHz, deskHz)
	coach.HangUp()
	a.hears("the agent", one, callerHz)
	a.hears("the customer", caller.call, deskHz)
	a.request("GET", "/coachpstn?"+url.Values{"number": {coachNumber}, "uuid": {agent}}.Encode(), "", http.StatusOK)
	a.rings(a.coach).Answer()
	a.coach.Await(phone.Answered, soon)
	caller.call.HangUp()
	a.one.Await(phone.Ended, soon)
	a.coach.Await(phone.Ended, soon)
}

// legOf returns the leg to a number that the application was asked about.
func (a *groupApp) legOf(number string) string {
	a.t.Helper()
	line := a.WaitFor(soon, "GET /answer_multi?", "to="+number)
	query, _, _ := strings.Cut(line[strings.Index(line, "?")+1:], " ")
	values, err := url.ParseQuery(query)
	if err != nil {
		a.t.Fatal(err)
	}
	return values.Get("uuid")
}

// Criterion 7: users are made once, tokens say where to log in, and logging out works
// for a session that is gone.
func (a *groupApp) showUsers() {
	var user string
	for i := range 2 {
		got := a.request("POST", "/login", `{"user":"sales"}`, http.StatusOK)
		if id, _ := got["user"].(string); !strings.HasPrefix(id, "USR-") || got["made"] != (i == 0) || got["dc"] != "us-4" || user != "" && id != user {
			a.t.Errorf("login %d: %v", i, got)
		} else {
			user = id
		}
	}
	a.request("POST", "/logout", `{"user":"sales","session":"SES-00000000-0000-4000-8000-000000000000"}`, http.StatusOK)
}

// tooMany legs at once are more than the limit allows, however slow the program is.
const tooMany = 12

// Criterion 8: more legs at once than the limit of three a second allows all ring in
// the end.
func (a *groupApp) showTooFast() {
	caller := a.dial()
	caller.Await(phone.Early, soon)
	testkit.Eventually(a.t, soon, "all legs ring", func() bool {
		return len(slices.Compact(a.Log().Lines("POST /event_multi", `"status":"ringing"`))) == tooMany
	})
	if n := len(a.Log().Lines("create: ", "429")); n == 0 {
		a.t.Error("no request was refused")
	}
	caller.call.HangUp()
}

// request sends a request to the application's public face.
func (a *groupApp) request(method, path, body string, want int) map[string]any {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, "https://app.test"+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != want {
		a.t.Fatalf("%s %s: %d %s, %v", method, path, res.StatusCode, text, err)
	}
	var got map[string]any
	if text = bytes.TrimSpace(text); len(text) > 0 {
		if err := json.Unmarshal(text, &got); err != nil {
			a.t.Fatal(err)
		}
	}
	return got
}

// TestVoiceDialIn: callers key a PIN, others come by SIP with a header, and meet.
func TestVoiceDialIn(t *testing.T) {
	t.Parallel()
	harness.InPrivate(t, 4*time.Minute, voiceHosts, func(p *harness.Private) {
		w := newVoiceTown(t, p, "http://app.test:3000/nexmo-answer", "GET http://app.test:3000/nexmo-events", "")
		app := w.node("app", "node", "apps/dialin.js")
		somebody := w.dial()
		somebody.Await(phone.Answered, soon)
		w.hears("the caller", somebody.call, talkHz)
		listener := &caller{call: somebody.call}
		testkit.Eventually(t, soon, "the prompt is over", func() bool { return quiet(listener.listen(listenTime)) })
		somebody.call.Digits("1234")
		app.WaitFor(soon, "POST /nexmo-dtmf", `"dtmf":"1234"`)
		app.WaitFor(soon, "GET /nexmo-events?", "type=transfer")

		// A call from the video side logs in with key and secret of the account.
		video := harness.NewPhone(t, "video", phone.Config{
			User: voiceKey, Password: voiceSecret, Server: w.SIP, Domain: "sip.nexmo.com", Say: says(salesHz),
		})
		leg := dial(t, video, voiceNumber, phone.DialOptions{Headers: []sip.Header{sip.NewHeader("X-OpenTok-SessionId", "session-one")}})
		leg.Await(phone.Answered, soon)
		app.WaitFor(soon, "GET /nexmo-answer?", "SipHeader_X-OpenTok-SessionId=session-one", "endpoint_type=sip")
		w.hears("the caller", somebody.call, salesHz)
		w.hears("the other", leg.call, callerHz)
		leg.call.HangUp()
		somebody.call.HangUp()

		// A wrong PIN has no session, which is an NCCO without a name.
		wrong := w.dial()
		wrong.Await(phone.Answered, soon)
		wrong.call.Digits("9999")
		wrong.Await(phone.Ended, 2*soon)
		app.WaitFor(soon, "GET /nexmo-events?", url.QueryEscape("Syntax error in NCCO"))
		w.wantIdle()
		if app.Ended() {
			t.Error("the application is dead")
		}
	})
}
