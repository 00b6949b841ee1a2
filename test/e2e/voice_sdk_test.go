//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// sdkNode is what runs each version of the SDK: the newest wants Node 22.
var sdkNode = map[string]string{
	"3.20": "node",
	"3.30": "node_modules/node-linux-" + map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH] + "/bin/node",
}

// TestVoiceSDK drives every call of contract 15.5 with the SDK of an application, at
// the version that applications lock and at the newest, under the names that it knows,
// with phones at the far ends.
func TestVoiceSDK(t *testing.T) {
	for version := range sdkNode {
		for name, show := range map[string]func(*judge){
			"create":      (*judge).showCreate,
			"endpoints":   (*judge).showEndpoints,
			"list":        (*judge).showList,
			"conference":  (*judge).showConference,
			"transfer":    (*judge).showTransfer,
			"play":        (*judge).showPlay,
			"keys":        (*judge).showKeys,
			"recording":   (*judge).showRecording,
			"machines":    (*judge).showMachines,
			"rate limits": (*judge).showLimits,
		} {
			t.Run(version+"/"+name, func(t *testing.T) {
				t.Parallel()
				harness.InPrivate(t, 4*time.Minute, voiceHosts, func(p *harness.Private) {
					w := newVoiceTown(t, p, "https://app.test/answer", "https://app.test/event", "")
					j := &judge{voiceTown: w, app: w.hooks(), version: version}
					j.start()
					show(j)
					w.wantIdle()
					j.checkSignatures()
				})
			})
		}
	}
}

// judge is the SDK in a Node program, and the application that is told.
type judge struct {
	*voiceTown
	app     *hooks
	version string
}

const judgeAddress = "127.0.0.1:8001"

func (j *judge) start() {
	j.t.Helper()
	folder := filepath.Join(voiceData(j.t), "sdk-"+j.version)
	binary := sdkNode[j.version]
	if strings.Contains(binary, "/") {
		binary = filepath.Join(folder, binary)
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules")); err != nil {
		j.t.Fatalf("%v (make judges installs it)", err)
	}
	j.node("judge", binary, "judge.js", "SDK="+folder, "PORT="+judgeAddress[len("127.0.0.1:"):])
	var version []string
	j.call(&version, "version")
	j.t.Logf("shown: SDK %s on Node %s", version[0], version[1])
}

// refused is an answer of the API that the SDK throws.
type refused struct {
	Message string
	Status  int
}

func (r *refused) Error() string { return fmt.Sprintf("%d: %s", r.Status, r.Message) }

// refusal returns the HTTP status of what the SDK threw, 0 if it threw nothing.
func refusal(err error) int {
	if r, ok := errors.AsType[*refused](err); ok {
		return r.Status
	}
	return 0
}

// try calls a method of the SDK.
func (j *judge) try(result any, method string, args ...any) error {
	j.t.Helper()
	body, err := json.Marshal(args)
	if err != nil {
		j.t.Fatal(err)
	}
	if args == nil {
		body = []byte("[]")
	}
	res, err := http.Post("http://"+judgeAddress+"/"+method, "application/json", bytes.NewReader(body))
	if err != nil {
		j.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Result json.RawMessage
		Error  string
		Status int
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		j.t.Fatal(err)
	}
	if answer.Error != "" {
		return &refused{answer.Error, answer.Status}
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer.Result, result)
}

// call calls a method of the SDK, which must succeed.
func (j *judge) call(result any, method string, args ...any) {
	j.t.Helper()
	if err := j.try(result, method, args...); err != nil {
		j.t.Fatalf("%s(%v): %v", method, args, err)
	}
}

// obj and list are what the SDK gets.
type (
	obj  = map[string]any
	list = []any
)

// with returns an object with more fields.
func with(o, more obj) obj {
	all := maps.Clone(o)
	maps.Copy(all, more)
	return all
}

// sdkCall is a call as the SDK returns it.
type sdkCall struct {
	UUID, Status, Direction, ConversationUUID string
	StartTime, EndTime, Duration, Rate, Price string
	To, From                                  obj
}

var toOne, toTwo, fromUs = obj{"type": "phone", "number": oneNumber}, obj{"type": "phone", "number": twoNumber}, obj{"type": "phone", "number": voiceNumber}

// create begins a call and returns its leg.
func (j *judge) create(more obj) sdkCall {
	j.t.Helper()
	var made sdkCall
	j.call(&made, "createOutboundCall", with(obj{"to": list{toOne}, "from": fromUs}, more))
	if made.UUID == "" || made.Status != "started" || made.Direction != "outbound" || !strings.HasPrefix(made.ConversationUUID, "CON-") {
		j.t.Fatalf("created %+v", made)
	}
	return made
}

// inConference begins a call that goes into a conference, and returns its leg and the
// far end's call once that is answered.
func (j *judge) inConference(p *harness.Phone, to obj) (string, *phone.Call) {
	j.t.Helper()
	leg := j.create(obj{"to": list{to}, "ncco": list{obj{"action": "conversation", "name": "room"}}}).UUID
	call := j.rings(p)
	call.Answer()
	j.app.await("that "+leg+" is in the room", func(k hook) bool { return k.text("type") == "transfer" && k.text("uuid") == leg })
	return leg, call
}

// checkSignatures has the SDK's helper check every webhook that came.
func (j *judge) checkSignatures() {
	j.t.Helper()
	all := j.app.got(func(hook) bool { return true })
	if len(all) == 0 {
		j.t.Error("no webhook came")
	}
	for _, k := range all {
		var good, forged bool
		j.call(&good, "verify", k.Token, voiceSignature)
		j.call(&forged, "verify", k.Token, voiceSignature+"x")
		if err := k.checkHash(); !good || forged || err != nil {
			j.t.Errorf("%s %s: verifySignature says %v, with a wrong secret %v; %v", k.Method, k.Path, good, forged, err)
		}
	}
	j.t.Logf("shown: %d webhooks, each with a signature that verifySignature accepts", len(all))
}

// showCreate: with answer_url, and with an NCCO of the SDK's own classes.
func (j *judge) showCreate() {
	var ncco list
	j.call(&ncco, "build", list{list{"Talk", "Good morning"}, list{"Stream", "http://media.test/music.wav", 0, false, 0}})
	text, _ := json.Marshal(ncco)
	j.app.answers("/answer-out", string(text))

	made := j.create(obj{"answerUrl": list{"https://app.test/answer-out?mine=1"}, "answerMethod": "GET", "eventUrl": list{"https://app.test/event-out"}})
	var now sdkCall
	j.call(&now, "getCall", made.UUID) // at once, as applications do
	if now.UUID != made.UUID || now.Status != "started" && now.Status != "ringing" {
		j.t.Errorf("getCall at once gives %+v", now)
	}
	ringing := j.rings(j.one)
	j.app.status(made.UUID, "ringing")
	ringing.Answer()
	answer := j.app.await("the answer webhook", func(k hook) bool { return k.Path == "/answer-out" })
	if answer.Method != "GET" || answer.text("mine") != "1" || answer.text("uuid") != made.UUID || answer.text("from") != voiceNumber ||
		answer.text("to") != oneNumber || answer.text("endpoint_type") != "phone" || answer.text("conversation_uuid") != made.ConversationUUID ||
		answer.text("region_url") != "https://api-us-4.vonage.com" || !strings.HasPrefix(answer.RawQuery, "mine=1&to=") {
		j.t.Errorf("asked with %s", answer.RawQuery)
	}
	j.hears("the phone", ringing, talkHz)
	j.hears("the phone", ringing, musicHz)
	now = sdkCall{}
	j.call(&now, "getCall", made.UUID)
	if now.UUID != made.UUID || now.Status != "answered" || now.To["number"] != oneNumber || now.From["number"] != voiceNumber || now.Direction != "outbound" {
		j.t.Errorf("getCall gives %+v", now)
	}
	ringing.HangUp()
	done := j.app.status(made.UUID, "completed")
	if done.Path != "/event-out" || done.text("disconnected_by") != "user" || done.text("duration") == "" || done.text("rate") == "" {
		j.t.Errorf("completed: %s", done.Body)
	}
	if got := j.app.statuses(made.UUID); !slices.Equal(got, []string{"started", "ringing", "answered", "completed"}) {
		j.t.Errorf("told of the leg: %v", got)
	}
	testkit.Eventually(j.t, soon, "the call object is completed", func() bool {
		j.call(&now, "getCall", made.UUID)
		return now.Status == "completed" && now.Duration != "" && now.StartTime != "" && now.EndTime != ""
	})

	made = j.create(obj{"ncco": ncco})
	ringing = j.rings(j.one)
	ringing.Answer()
	j.hears("the phone", ringing, musicHz)
	j.call(nil, "hangupCall", made.UUID)
	if done := j.app.status(made.UUID, "completed"); done.text("disconnected_by") != "platform" {
		j.t.Errorf("completed: %s", done.Body)
	}
	j.one.Await(phone.Ended, soon)
}

// showEndpoints: what can be called.
func (j *judge) showEndpoints() {
	music := list{obj{"action": "stream", "streamUrl": list{"http://media.test/music.wav"}, "loop": 0}}

	// A SIP address, with headers.
	sip := j.create(obj{"ncco": music, "to": list{obj{
		"type": "sip", "uri": "sip:desk@127.0.0.13:5060", "headers": obj{"location": "New York"}, "standardHeaders": obj{"userToUser": "342342ef34;encoding=hex"},
	}}})
	call := j.rings(j.coach)
	call.Answer()
	j.hears("the SIP phone", call, musicHz)
	invite := j.coach.Wire().Find("< INVITE sip:desk@127.0.0.13")
	if len(invite) == 0 || !strings.Contains(invite[0], "\r\nX-location: New York\r\n") || !strings.Contains(invite[0], "\r\nUser-to-User: 342342ef34;encoding=hex\r\n") {
		j.t.Errorf("the INVITE lacks headers: %v", invite)
	}
	j.call(nil, "hangupCall", sip.UUID)
	j.app.status(sip.UUID, "completed")

	// A WebSocket, which hears the phone that is in its conference.
	heard := make(chan []byte, 10_000)
	j.Serve(j.t, "127.0.0.1:8002", false, socketServer(j.t, heard))
	j.inConference(j.one, toOne)
	socket := j.create(obj{
		"to":   list{obj{"type": "websocket", "uri": "ws://localhost:8002/socket", "contentType": "audio/l16;rate=16000", "headers": obj{"who": "bot"}}},
		"ncco": list{obj{"action": "conversation", "name": "room", "endOnExit": true}},
	})
	j.app.status(socket.UUID, "answered")
	var hello obj
	if err := json.Unmarshal(testkit.Receive(j.t, heard, soon, "the first message"), &hello); err != nil || hello["event"] != "websocket:connected" ||
		hello["content-type"] != "audio/l16;rate=16000" || hello["who"] != "bot" {
		j.t.Errorf("the first message is %v, %v", hello, err)
	}
	var pcm []int16
	testkit.Eventually(j.t, soon, "the socket hears the phone", func() bool {
		frame := testkit.Receive(j.t, heard, soon, "audio")
		if len(frame) != 640 {
			j.t.Fatalf("a message of %d bytes", len(frame))
		}
		for i := 0; i < len(frame); i += 2 {
			pcm = append(pcm, int16(uint16(frame[i])|uint16(frame[i+1])<<8)) //nolint:gosec // two bytes are a sample
		}
		return harness.HasTone(pcm[max(0, len(pcm)-20000):], 16000, deskHz, time.Second)
	})
	j.call(nil, "hangupCall", socket.UUID)
	j.app.status(socket.UUID, "completed")
	j.one.Await(phone.Ended, soon)

	// A user who is nowhere, and an extension that is nobody's.
	nobody := j.create(obj{"to": list{obj{"type": "app", "user": "nobody"}}, "ringingTimer": 1, "ncco": music})
	if end := j.app.await("that nobody answers", func(k hook) bool { return k.text("uuid") == nobody.UUID && k.text("status") == "unanswered" }); end.text("detail") != "unavailable" {
		j.t.Errorf("unanswered: %s", end.Body)
	}
	extension := j.create(obj{"to": list{obj{"type": "vbc", "extension": "4711"}}, "ncco": music})
	if end := j.app.status(extension.UUID, "failed"); end.text("detail") != "cannot_route" {
		j.t.Errorf("failed: %s", end.Body)
	}
}

// socketServer takes WebSockets and passes on what they are sent.
func socketServer(t *testing.T, heard chan<- []byte) http.Handler {
	t.Helper()
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		socket, err := websocket.Accept(rw, r, nil)
		if err != nil {
			return
		}
		defer socket.CloseNow()
		for {
			_, message, err := socket.Read(r.Context())
			if err != nil {
				return
			}
			select {
			case heard <- message:
			default: // nobody listens any more
			}
		}
	})
}

// showList: paging over next, and filters.
func (j *judge) showList() {
	var legs []string
	for range 5 {
		made := j.create(obj{"ncco": list{}, "ringingTimer": 60})
		legs = append(legs, made.UUID)
		call := j.rings(j.one)
		call.Decline(486)
		j.app.status(made.UUID, "busy")
		time.Sleep(350 * time.Millisecond) // no more than 3 a second
	}
	var all []sdkCall
	testkit.Eventually(j.t, soon, "all five are listed", func() bool {
		all = nil
		j.call(&all, "all", obj{"pageSize": 2, "status": "busy"})
		return len(all) == 5
	})
	for i, one := range all {
		if one.UUID != legs[i] || one.Status != "busy" || one.To["number"] != oneNumber {
			j.t.Errorf("number %d is %+v, want %s", i, one, legs[i])
		}
	}
	var page struct {
		Count, PageSize int
		Embedded        struct{ Calls list } `json:"_embedded"`
	}
	j.call(&page, "search", obj{"order": "desc", "pageSize": 1, "recordIndex": 1})
	if page.Count != 5 || len(page.Embedded.Calls) != 1 || page.Embedded.Calls[0].(obj)["uuid"] != legs[3] {
		j.t.Errorf("the second from the end: %+v", page)
	}
	j.call(&all, "all", obj{"status": "completed"})
	if len(all) != 0 {
		j.t.Errorf("%d completed calls", len(all))
	}
	if status := refusal(j.try(nil, "getCall", "00000000-0000-4000-8000-000000000000")); status != http.StatusNotFound {
		j.t.Errorf("an unknown call: %d", status)
	}
}

// showConference: mute, earmuff and back, as three parties hear it.
func (j *judge) showConference() {
	one, a := j.inConference(j.one, toOne)
	_, b := j.inConference(j.two, toTwo)
	j.hears("one", a, mobileHz)
	j.hears("two", b, deskHz)
	third := j.dial()
	j.app.answers("/answer", `[{"action":"conversation","name":"room"}]`)
	third.Await(phone.Answered, 2*soon)
	j.hears("the third", third.call, deskHz, mobileHz)
	j.hears("one", a, mobileHz, callerHz)

	j.call(nil, "muteCall", one)
	j.hears("two, when one is mute,", b, callerHz)
	j.hears("one, who is mute,", a, mobileHz, callerHz)
	j.call(nil, "unmuteCall", one)
	j.hears("two", b, deskHz, callerHz)
	j.call(nil, "earmuffCall", one)
	listener := &caller{call: a}
	testkit.Eventually(j.t, soon, "one hears nothing", func() bool { return quiet(listener.listen(listenTime)) })
	j.hears("two", b, deskHz, callerHz)
	j.call(nil, "unearmuffCall", one)
	j.hears("one", a, mobileHz, callerHz)

	j.call(nil, "hangupCall", one)
	j.one.Await(phone.Ended, soon)
	b.HangUp()
	third.call.HangUp()
}

// quiet reports whether nothing is heard.
func quiet(pcm []int16) bool {
	for _, s := range pcm {
		if s > 200 || s < -200 {
			return false
		}
	}
	return true
}

// showTransfer: to an NCCO and to a URL.
func (j *judge) showTransfer() {
	leg, call := j.inConference(j.one, toOne)
	j.call(nil, "transferCallWithNCCO", leg, list{obj{"action": "stream", "streamUrl": list{"http://media.test/music.wav"}, "loop": 0}})
	j.hears("the phone", call, musicHz)
	j.app.answers("/moved", `[{"action":"talk","text":"Good morning","loop":0}]`)
	j.call(nil, "transferCallWithURL", leg, "https://app.test/moved?x=1")
	j.hears("the phone", call, talkHz)
	asked := j.app.await("the URL that it was transferred to", func(k hook) bool { return k.Path == "/moved" })
	if asked.Method != "GET" || asked.text("uuid") != leg || asked.text("x") != "1" {
		j.t.Errorf("asked with %s %s", asked.Method, asked.RawQuery)
	}
	j.call(nil, "hangupCall", leg)
	j.app.status(leg, "completed")
	if status := refusal(j.try(nil, "transferCallWithURL", leg, "https://app.test/moved")); status != http.StatusNotFound {
		j.t.Errorf("a finished leg is transferred: %d", status)
	}
}

// showPlay: stream and talk, begun and stopped, over a conversation.
func (j *judge) showPlay() {
	leg, a := j.inConference(j.one, toOne)
	_, b := j.inConference(j.two, toTwo)
	j.hears("one", a, mobileHz)
	var said obj
	j.call(&said, "streamAudio", leg, "http://media.test/music.wav", 0, "0")
	if said["message"] != "Stream started" || said["uuid"] != leg {
		j.t.Errorf("streamAudio gives %v", said)
	}
	j.hears("one", a, mobileHz, musicHz)
	j.hears("two", b, deskHz)
	j.call(&said, "stopStreamAudio", leg)
	if said["message"] != "Stream stopped" {
		j.t.Errorf("stopStreamAudio gives %v", said)
	}
	j.hears("one", a, mobileHz)
	j.call(&said, "playTTS", leg, obj{"text": "Good morning", "loop": 0, "language": "en-US", "style": 2})
	if said["message"] != "Talk started" {
		j.t.Errorf("playTTS gives %v", said)
	}
	j.hears("one", a, mobileHz, talkHz)
	j.call(&said, "stopTTS", leg)
	j.hears("one", a, mobileHz)
	j.call(nil, "stopTTS", leg) // nothing plays: no error
	j.call(nil, "stopStreamAudio", leg)
	a.HangUp()
	j.app.status(leg, "completed")
	j.call(nil, "stopStreamAudio", leg) // nor when it is over
	b.HangUp()
}

// showKeys: sent, and told one by one.
func (j *judge) showKeys() {
	leg, call := j.inConference(j.one, toOne)
	var said obj
	j.call(&said, "playDTMF", leg, "12p#")
	if said["message"] != "DTMF sent" {
		j.t.Errorf("playDTMF gives %v", said)
	}
	for _, want := range []string{"1", "2", "#"} {
		if ev := j.one.Await(phone.Digit, soon); ev.Digit != want {
			j.t.Errorf("the phone got %s, want %s", ev.Digit, want)
		}
	}
	j.call(nil, "subscribeDTMF", leg, "https://app.test/keys")
	call.Digits("47")
	digit := func(d string) func(hook) bool {
		return func(k hook) bool {
			pressed, _ := k.Fields["dtmf"].(obj)
			return k.Path == "/keys" && k.text("uuid") == leg && pressed["digits"] == d
		}
	}
	j.app.await("key 4", digit("4"))
	j.app.await("key 7", digit("7"))
	j.call(nil, "unsubscribeDTMF", leg)
	call.Digits("8")
	j.call(nil, "subscribeDTMF", leg, "https://app.test/keys")
	testkit.Eventually(j.t, soon, "key 9 is told", func() bool {
		if len(j.app.got(digit("9"))) == 0 {
			call.Digits("9")
			time.Sleep(time.Second)
		}
		return len(j.app.got(digit("9"))) > 0
	})
	call.HangUp()
}

// showRecording: the whole call, downloaded to a file by the SDK.
func (j *judge) showRecording() {
	leg := j.create(obj{"ncco": list{
		obj{"action": "record", "format": "wav", "eventUrl": list{"https://app.test/recorded"}},
		obj{"action": "stream", "streamUrl": list{"http://media.test/music.wav"}, "loop": 0},
	}}).UUID
	call := j.rings(j.one)
	call.Answer()
	j.hears("the phone", call, musicHz)
	time.Sleep(2 * time.Second) // of both to record
	call.HangUp()
	done := j.app.await("the recording", func(k hook) bool { return k.Path == "/recorded" })
	at := done.text("recording_url")
	if !strings.HasPrefix(at, "https://api.nexmo.com/v1/files/") || done.text("recording_uuid") == "" || strings.HasSuffix(at, done.text("recording_uuid")) {
		j.t.Errorf("recorded: %s", done.Body)
	}
	j.app.status(leg, "completed")
	for _, what := range []string{at, at[strings.LastIndex(at, "/")+1:]} { // by URL, and by its identifier
		path := filepath.Join(j.folder, "recording.wav")
		j.call(nil, "downloadRecording", what, path)
		f, err := os.Open(path)
		if err != nil {
			j.t.Fatal(err)
		}
		rate, pcm, err := file.DecodeWAV(f)
		f.Close()
		if err != nil || !harness.HasTones(pcm, rate, time.Second, deskHz, musicHz) {
			j.t.Errorf("%s: %v; %d samples at %d Hz have not both sides", what, err, len(pcm), rate)
		}
	}
}

// showMachines: the fields of answering machine detection.
func (j *judge) showMachines() {
	for _, amd := range []obj{
		{"machineDetection": "continue"},
		{"advancedMachineDetection": obj{"behavior": "continue", "mode": "detect", "beepTimeout": 45}},
	} {
		made := j.create(with(obj{"ncco": list{obj{"action": "stream", "streamUrl": list{"http://media.test/music.wav"}, "loop": 0}}}, amd))
		call := j.rings(j.one)
		call.Say(nil)
		call.Answer()
		j.app.await("who answered", func(k hook) bool {
			return k.text("uuid") == made.UUID && k.text("call_uuid") == made.UUID && (k.text("status") == "human" || k.text("status") == "machine")
		})
		j.hears("the phone", call, musicHz)
		j.call(nil, "hangupCall", made.UUID)
		j.app.status(made.UUID, "completed")
	}
}

// showLimits: the fourth call of a second is refused before it exists.
func (j *judge) showLimits() {
	var refusals int
	for range 6 {
		err := j.try(nil, "createOutboundCall", obj{"to": list{toOne}, "from": fromUs, "ncco": list{}, "ringingTimer": 2})
		if err == nil {
			continue
		}
		if refusal(err) != http.StatusTooManyRequests {
			j.t.Fatal(err)
		}
		refusals++
	}
	if refusals == 0 {
		j.t.Error("six calls at once were all taken")
	}
	testkit.Eventually(j.t, soon, "the others ring out", func() bool {
		return len(j.app.got(func(k hook) bool { return k.text("status") == "timeout" })) == 6-refusals
	})
	if begun := j.app.got(func(k hook) bool { return k.text("status") == "started" }); len(begun) != 6-refusals {
		j.t.Errorf("%d legs began, %d requests were refused", len(begun), refusals)
	}
}
