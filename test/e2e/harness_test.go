//go:build e2e

// Package e2e shows the main job on real phones and a real browser.
package e2e

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestHarnessBaresip shows that the harness itself can be trusted: two phones
// call each other directly and hear each other's tone.
func TestHarnessBaresip(t *testing.T) {
	for _, codec := range []string{"PCMU", "opus"} {
		t.Run(codec, func(t *testing.T) {
			bob := harness.NewBaresip(t, harness.BaresipConfig{User: "bob", Codec: codec, Tone: 600})
			alice := harness.NewBaresip(t, harness.BaresipConfig{User: "alice", Codec: codec, Tone: 1000})
			alice.Dial("sip:bob@" + bob.Addr())
			bob.Await("CALL_INCOMING", 5*time.Second)
			bob.Accept()
			alice.Await("CALL_ESTABLISHED", 5*time.Second)
			time.Sleep(3 * time.Second) // the length of the call
			alice.HangUp()
			bob.Await("CALL_CLOSED", 5*time.Second)
			rate, pcm := bob.Heard()
			harness.WantTone(t, "bob", pcm, rate, 1000)
			rate, pcm = alice.Heard()
			harness.WantTone(t, "alice", pcm, rate, 600)
			if harness.HasTone(pcm, rate, 1000, 250*time.Millisecond) {
				t.Error("alice hears herself: the test cannot tell directions apart")
			}
		})
	}
}

// loopPage is a browser that calls itself.
const loopPage = `<!doctype html><title>loop</title><body>idle<audio id="a" autoplay></audio><script>
async function call() {
	const here = new RTCPeerConnection(), there = new RTCPeerConnection();
	here.onicecandidate = (e) => there.addIceCandidate(e.candidate);
	there.onicecandidate = (e) => here.addIceCandidate(e.candidate);
	there.ontrack = (e) => { document.getElementById("a").srcObject = e.streams[0]; };
	const mic = await navigator.mediaDevices.getUserMedia({audio: true});
	here.addTrack(mic.getAudioTracks()[0], mic);
	await here.setLocalDescription();
	await there.setRemoteDescription(here.localDescription);
	await there.setLocalDescription();
	await here.setRemoteDescription(there.localDescription);
	await new Promise((done) => { here.onconnectionstatechange = () => here.connectionState === "connected" && done(); });
	document.body.append("connected");
	return true;
}
</script></body>`

// TestHarnessBrowser shows that a page sends its tone and that Hear hears it.
func TestHarnessBrowser(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", "script-src 'unsafe-inline'")
		_, _ = w.Write([]byte(loopPage))
	}))
	t.Cleanup(server.Close)
	page := harness.NewBrowser(t).Open("loop", server.URL, 700)
	page.WaitText("IDLE", 5*time.Second)
	if pcm := page.Hear(500 * time.Millisecond); harness.HasTone(pcm, harness.HearRate, 700, 250*time.Millisecond) {
		t.Error("the tone is there before the call")
	}
	harness.Eval[bool](page, "call()")
	page.WaitText("connected", 5*time.Second)
	page.WantTone(700)
}

// TestHarnessSipp shows that scripted parties work: a phone of the test calls a
// sipp that answers, and a sipp calls the phone.
func TestHarnessSipp(t *testing.T) {
	bob := harness.NewPhone(t, "bob", phone.Config{User: "bob", AutoAnswer: true})
	port := int(testkit.FreePort(t, "127.0.0.1"))
	callee := harness.NewSipp(t, "callee", harness.Scenario(
		`<recv request="INVITE"/>`, harness.CalleeReply(180, "Ringing"), harness.CalleeReply(200, "OK"),
		`<recv request="ACK"/>`, `<recv request="BYE"/>`, harness.CalleeReply(200, "OK"),
	), "127.0.0.1", port, "-m", "1")
	testkit.Eventually(t, 5*time.Second, "sipp listens", func() bool {
		_, err := bob.Dial("sip:sipp@127.0.0.1:"+strconv.Itoa(port), phone.DialOptions{})
		return err == nil
	})
	bob.Await(phone.Answered, 10*time.Second)
	bob.Calls()[0].HangUp()
	harness.WantSuccess(t, callee, 30*time.Second)

	caller := harness.NewSipp(t, "caller", harness.Scenario(
		harness.CallerInvite("12995550100", "12995558888"),
		`<recv response="100" optional="true"/>`, `<recv response="180" optional="true"/>`, `<recv response="200" rrs="true"/>`,
		harness.CallerAck(), `<pause milliseconds="200"/>`, harness.CallerBye(), `<recv response="200"/>`,
	), "127.0.0.2", 0, "-m", "1", bob.Addr().String())
	if ev := bob.Await(phone.Incoming, 5*time.Second); ev.Peer.Number != "+12995550100" || ev.To != "+12995558888" {
		t.Errorf("bob is called by %+v for %s", ev.Peer, ev.To)
	}
	harness.WantSuccess(t, caller, 30*time.Second)
}
