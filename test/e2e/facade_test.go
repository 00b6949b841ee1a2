//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/auth"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestFacadePage opens a page that was written for the browser SDK of a hosted platform,
// under its names, and lets people use it: they are called, call a number and
// each other, and hear each other.
func TestFacadePage(t *testing.T) {
	harness.InPrivate(t, 4*time.Minute, voiceHosts, func(p *harness.Private) {
		w := &facadeTown{voiceTown: newVoiceTown(t, p, "https://app.test/answer", "https://app.test/event", "")}
		w.serve()
		b := harness.NewBrowser(t)
		sales, again, support := w.login(b, "sales", salesHz), w.login(b, "sales", supportHz), w.login(b, "support", supportHz)

		w.called(sales, again)
		w.callsNumber(sales)
		w.callsUser(sales, support)
		w.callsRoom(sales, support)

		// The application ends a session as its /logout does.
		w.endSession(again)
		w.logs(again, "sessionError TRANSPORT_CLOSED")
		sales.Click("#logout")
		sales.WaitText("logged out", soon)
		if got := w.got(func(k hook) bool { return k.Path == "/answer" && k.text("from_user") == "sales" }); len(got) == 0 ||
			!strings.Contains(got[0].text("custom_data"), `"note":"from the page"`) {
			t.Errorf("the application was asked %+v", got)
		}
	})
}

// facadeTown is a town with the page and its application.
type facadeTown struct {
	*voiceTown
	*hooks
	pages map[*harness.Page]string // sessions
}

// serve is the application at https://app.test.
func (w *facadeTown) serve() {
	w.voiceTown.t.Helper()
	t := w.voiceTown.t
	w.hooks, w.pages = &hooks{t: t, answer: make(map[string]string)}, make(map[*harness.Page]string)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /client.html", func(rw http.ResponseWriter, r *http.Request) {
		http.ServeFile(rw, r, filepath.Join(voiceData(t), "client.html"))
	})
	mux.HandleFunc("POST /login", func(rw http.ResponseWriter, r *http.Request) {
		if err := json.NewEncoder(rw).Encode(map[string]string{"token": w.token(r.FormValue("user"))}); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("GET /answer", func(rw http.ResponseWriter, r *http.Request) {
		w.answers("/answer", ncco(r.FormValue("from_user"), r.FormValue("to")))
		w.ServeHTTP(rw, r)
	})
	mux.Handle("/", w.hooks)
	w.Serve(t, appFace+":443", true, mux)
}

// token is one for a user, or, for "", of the application itself.
func (w *facadeTown) token(user string) string {
	t := w.voiceTown.t
	key, err := os.ReadFile(w.keyFile())
	if err != nil {
		t.Error(err)
	}
	token, err := auth.MintAppToken(key, voiceApp, user, time.Now(), time.Hour)
	if err != nil {
		t.Error(err)
	}
	return token.Reveal()
}

// ncco lets outside callers reach sales, and users numbers and each other.
func ncco(user, to string) string {
	const connect = `[{"action":"connect","endpoint":[{"type":%q,%q:%q}]%s}]`
	switch {
	case user == "":
		return fmt.Sprintf(connect, "app", "user", "sales", "")
	case to == "room":
		return `[{"action":"conversation","name":"room"}]`
	case regexp.MustCompile(`^\d+$`).MatchString(to):
		return fmt.Sprintf(connect, "phone", "number", to, `,"from":"`+voiceNumber+`"`)
	}
	return fmt.Sprintf(connect, "app", "user", to, "")
}

// login opens the page and logs a user in.
func (w *facadeTown) login(b *harness.Browser, user string, hz float64) *harness.Page {
	t := w.voiceTown.t
	t.Helper()
	page := b.Open(user, "https://app.test/client.html", hz)
	page.Type("#user", user)
	page.Click("#login button")
	page.WaitText(user+" SES-", soon)
	w.pages[page] = strings.TrimPrefix(harness.Eval[string](page, `document.getElementById("session").textContent`), user+" ")
	return page
}

// logs waits until a page was told of an event since it was asked last.
func (w *facadeTown) logs(page *harness.Page, event string) {
	t := w.voiceTown.t
	t.Helper()
	var lines string
	testkit.Eventually(t, soon, "the page is told "+event, func() bool {
		lines = harness.Eval[string](page, `[...document.querySelectorAll("#log li")].map((li) => li.textContent).join("\n")`)
		return strings.Contains(lines, event)
	})
	harness.Eval[bool](page, `document.getElementById("log").replaceChildren(), true`)
}

// called lets an outside caller reach one of two pages of a user.
func (w *facadeTown) called(sales, again *harness.Page) {
	t := w.voiceTown.t
	t.Helper()
	outside := w.dial()
	again.WaitVisible("#answer")
	sales.Click("#answer")
	outside.Await(phone.Answered, soon)
	w.logs(again, "callInviteCancel AnsweredElsewhere undefined")
	w.logs(sales, "legStatusUpdate ANSWERED")
	w.hears("the caller", outside.call, salesHz)
	sales.WantTone(callerHz)

	sales.Click("#mute")
	w.logs(sales, "mute true")
	ear := &caller{call: outside.call} // what comes in from now on
	testkit.Eventually(t, soon, "the caller hears nothing of a muted page", func() bool { return quiet(ear.listen(listenTime)) })
	sales.Click("#unmute")
	testkit.Eventually(t, soon, "the caller hears the page again", func() bool {
		return harness.HasTone(ear.listen(1250*time.Millisecond), phone.Rate, salesHz, time.Second)
	})
	sales.Click("#earmuff")
	w.logs(sales, "earmuff true")
	testkit.Eventually(t, soon, "the page hears nothing", func() bool { return quiet(sales.Hear(time.Second)) })
	sales.Click("#unearmuff")
	sales.WantTone(callerHz)
	sales.Click("#key")
	if key := outside.Await(phone.Digit, soon); key.Digit != "5" {
		t.Errorf("the caller got the key %q", key.Digit)
	}
	outside.call.HangUp()
	w.logs(sales, "callHangup REMOTE_HANGUP number")
	w.wantIdle()
}

// callsNumber lets a page call a phone.
func (w *facadeTown) callsNumber(sales *harness.Page) {
	w.voiceTown.t.Helper()
	sales.Type("#to", oneNumber)
	sales.Click("#dial button")
	one := w.rings(w.one)
	w.logs(sales, "legStatusUpdate RINGING")
	one.Answer()
	w.logs(sales, "legStatusUpdate ANSWERED")
	w.hears("the phone", one, salesHz)
	sales.WantTone(deskHz)
	sales.Click("#hangup")
	w.one.Await(phone.Ended, soon)
	w.logs(sales, "callHangup LOCAL_HANGUP number")
	w.wantIdle()
}

// callsUser lets a page call another user, who rejects and then answers.
func (w *facadeTown) callsUser(sales, support *harness.Page) {
	w.voiceTown.t.Helper()
	sales.Type("#to", "support")
	sales.Click("#dial button")
	support.WaitText("sales (app)", soon)
	support.Click("#reject")
	w.logs(sales, "callHangup ")
	w.wantIdle()

	sales.Click("#dial button")
	support.Click("#answer")
	w.logs(sales, "legStatusUpdate ANSWERED")
	sales.WantTone(supportHz)
	support.WantTone(salesHz)
	support.Click("#hangup")
	w.logs(sales, "callHangup REMOTE_HANGUP number")
	w.wantIdle()
}

// callsRoom lets two pages meet in a conversation that the application takes them to.
func (w *facadeTown) callsRoom(pages ...*harness.Page) {
	w.voiceTown.t.Helper()
	for _, page := range pages {
		page.Type("#to", "room")
		page.Click("#dial button")
		w.logs(page, "callTransfer CON-")
	}
	pages[0].WantTone(supportHz)
	pages[1].WantTone(salesHz)
	for _, page := range pages {
		page.Click("#hangup")
		w.logs(page, "callHangup LOCAL_HANGUP")
	}
	w.wantIdle()
}

// endSession ends a page's session by REST, twice: the second is no error either.
func (w *facadeTown) endSession(page *harness.Page) {
	t := w.voiceTown.t
	t.Helper()
	for range 2 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, w.URL("/v0.3/sessions/"+w.pages[page]), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+w.token(""))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNoContent {
			t.Errorf("DELETE of a session: %s", resp.Status)
		}
	}
}
