//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// soundApp is an application with a WebSocket that says back what it hears, and a
// server that recognises speech. NCCO is its answer to every call.
type soundApp struct {
	at   string
	ncco string // with %s where its address belongs

	mu     sync.Mutex
	events []map[string]any
	texts  []map[string]any // that came by WebSocket
	bye    chan struct{}    // closed: the WebSocket closes
}

func newSoundApp(t *testing.T, ncco string) *soundApp {
	t.Helper()
	a := &soundApp{at: fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t, "127.0.0.1")), bye: make(chan struct{})}
	a.ncco = strings.ReplaceAll(ncco, "%s", a.at)
	listening, err := net.Listen("tcp", a.at)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/answer", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(rw, a.ncco)
	})
	mux.HandleFunc("/event", a.event)
	mux.HandleFunc("/echo", a.echo)
	mux.HandleFunc("/recognise", a.recognise)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	t.Cleanup(func() { _ = srv.Close() })
	go func() { _ = srv.Serve(listening) }()
	return a
}

// house starts an exchange with the application.
func (a *soundApp) house(t *testing.T) *house {
	t.Helper()
	return &house{Offhook: harness.NewOffhook(t, fmt.Sprintf(`speech: {engine: none}
recognition: {engine: http, url: "http://%[1]s/recognise?l={language}"}
resources:
%[2]s  applications:
    - {id: %[3]s, answer_url: "http://%[1]s/answer", event_url: "http://%[1]s/event"}
  numbers:
    - {number: %[4]q, application: %[3]s}
`, a.at, usualTrunk, voiceApp, voiceNumber))}
}

func (a *soundApp) event(_ http.ResponseWriter, r *http.Request) {
	var event map[string]any
	if json.NewDecoder(r.Body).Decode(&event) != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events = append(a.events, event)
}

// recognise hears "sales" in everything that is loud enough.
func (a *soundApp) recognise(rw http.ResponseWriter, r *http.Request) {
	pcm, err := file.Decode(r.Body)
	text := ""
	if err == nil && meter.Level(pcm.Samples) > -40 {
		text = "sales"
	}
	_ = json.NewEncoder(rw).Encode(map[string]any{"results": []any{map[string]any{"text": text, "confidence": 0.94}}})
}

// echo says back what it hears.
func (a *soundApp) echo(rw http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(rw, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	go func() {
		<-a.bye
		_ = conn.Close(websocket.StatusNormalClosure, "")
	}()
	for {
		kind, data, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		if kind == websocket.MessageBinary {
			_ = conn.Write(r.Context(), kind, data)
			continue
		}
		var text map[string]any
		if json.Unmarshal(data, &text) == nil {
			a.mu.Lock()
			a.texts = append(a.texts, text)
			a.mu.Unlock()
		}
	}
}

// find returns the first of a list with these fields.
func (a *soundApp) find(list *[]map[string]any, fields map[string]any) map[string]any {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, one := range *list {
		all := true
		for name, want := range fields {
			all = all && one[name] == want
		}
		if all {
			return one
		}
	}
	return nil
}

// await waits for one with these fields.
func (a *soundApp) await(t *testing.T, list *[]map[string]any, fields map[string]any) (found map[string]any) {
	t.Helper()
	testkit.Eventually(t, soon, fmt.Sprint("told ", fields), func() bool { found = a.find(list, fields); return found != nil })
	return found
}

// caller is an outsider who says something.
func (h *house) caller(t *testing.T, say func() phone.Source) *harness.Phone {
	t.Helper()
	return harness.NewCarrier(t, h.Offhook, netip.MustParseAddrPort("127.0.0.34:0"), phone.Config{Say: say, Codecs: []media.Codec{media.PCMU}})
}

// TestVoiceWebSocketHearsAndSpeaks joins a caller with a WebSocket that echoes: its
// tone comes back, its keys are told, and when the server closes the application is
// told and the flow goes on.
func TestVoiceWebSocketHearsAndSpeaks(t *testing.T) {
	t.Parallel()
	app := newSoundApp(t, `[{"action":"connect","eventUrl":["http://%s/event"],"endpoint":[{"type":"websocket","uri":"ws://%s/echo","content-type":"audio/l16;rate=16000","headers":{"caller":"ann","n":7}}]},
		{"action":"conversation","name":"after"}]`)
	h := app.house(t)
	call := dial(t, h.caller(t, says(callerHz)), voiceNumber, phone.DialOptions{From: phone.Party{Number: outNumber}})
	call.Await(phone.Answered, soon)
	first := app.await(t, &app.texts, map[string]any{"event": "websocket:connected"})
	if first["content-type"] != "audio/l16;rate=16000" || first["caller"] != "ann" || first["n"] != 7.0 {
		t.Errorf("first message %v", first)
	}
	testkit.Eventually(t, soon, "the caller hears the echo", func() bool {
		return harness.HasTone(call.call.Heard(1250*time.Millisecond), phone.Rate, callerHz, time.Second)
	})
	call.call.Digits("5#")
	for _, digit := range []string{"5", "#"} {
		if key := app.await(t, &app.texts, map[string]any{"event": "websocket:dtmf", "digit": digit}); key["duration"].(float64) < 40 {
			t.Errorf("key %v", key)
		}
	}
	close(app.bye)
	if closed := app.await(t, &app.events, map[string]any{"status": "disconnected"}); closed["headers"].(map[string]any)["caller"] != "ann" {
		t.Errorf("disconnected %v", closed)
	}
	app.await(t, &app.events, map[string]any{"type": "transfer"}) // into "after": the flow went on
	call.call.HangUp()
}

// TestVoiceInputRecognisesSpeech lets a caller say something to an input action.
func TestVoiceInputRecognisesSpeech(t *testing.T) {
	t.Parallel()
	app := newSoundApp(t, `[{"action":"input","type":["speech"],"eventUrl":["http://%s/event"],"speech":{"endOnSilence":1,"language":"de-DE","saveAudio":true}},
		{"action":"conversation","name":"after"}]`)
	h := app.house(t)
	said := append(make([]int16, phone.Rate), announcements(t, "busy")...)
	call := dial(t, h.caller(t, func() phone.Source { return phone.Recording(said, false) }), voiceNumber, phone.DialOptions{From: phone.Party{Number: outNumber}})
	call.Await(phone.Answered, soon)
	var speech map[string]any
	testkit.Eventually(t, soon, "what was said is told", func() bool {
		app.mu.Lock()
		defer app.mu.Unlock()
		for _, event := range app.events {
			if s, ok := event["speech"].(map[string]any); ok {
				speech = s
				return true
			}
		}
		return false
	})
	if text := fmt.Sprint(speech["results"]); text != "[map[confidence:0.94 text:sales]]" || speech["timeout_reason"] != "end_on_silence_timeout" {
		t.Errorf("speech %v", speech)
	}
	if url, _ := speech["recording_url"].(string); !strings.Contains(url, "/v1/files/") {
		t.Errorf("speech %v", speech)
	}
	app.await(t, &app.events, map[string]any{"type": "transfer"})
	call.call.HangUp()
}

// TestVoiceRecordingSurvivesAKill kills the exchange while it records: after the next
// start the application is told of the file, which has both sides.
func TestVoiceRecordingSurvivesAKill(t *testing.T) {
	t.Parallel()
	app := newSoundApp(t, `[{"action":"record","format":"wav","split":"conversation","channels":2,"eventUrl":["http://%s/event"]},
		{"action":"connect","eventUrl":["http://%s/event"],"endpoint":[{"type":"websocket","uri":"ws://%s/echo","content-type":"audio/l16;rate=8000"}]}]`)
	h := app.house(t)
	call := dial(t, h.caller(t, says(callerHz)), voiceNumber, phone.DialOptions{From: phone.Party{Number: outNumber}})
	call.Await(phone.Answered, soon)
	testkit.Eventually(t, soon, "the caller hears the echo", func() bool {
		return harness.HasTone(call.call.Heard(1250*time.Millisecond), phone.Rate, callerHz, time.Second)
	})
	size := func() (n int64) {
		list, _ := filepath.Glob(filepath.Join(h.Folder, "recordings", "*.wav"))
		for _, name := range list {
			if info, err := os.Stat(name); err == nil {
				n += info.Size()
			}
		}
		return n
	}
	before := size()
	testkit.Eventually(t, soon, "three more seconds are on the disk", func() bool { return size() > before+3*64000 })
	h.Kill()
	h.Start()
	var done map[string]any
	testkit.Eventually(t, soon, "the recording is told", func() bool {
		app.mu.Lock()
		defer app.mu.Unlock()
		for _, event := range app.events {
			if event["recording_url"] != nil {
				done = event
			}
		}
		return done != nil
	})
	id := filepath.Base(fmt.Sprint(done["recording_url"]))
	data, err := os.ReadFile(filepath.Join(h.Folder, "recordings", id+".wav"))
	if err != nil {
		t.Fatal(err)
	}
	if done["size"] != float64(len(data)) || len(data) < 3*64000 {
		t.Errorf("told %v, and has %d bytes", done, len(data))
	}
	var sides [2][]int16
	for at := 44; at+4 <= len(data); at += 4 {
		for i := range sides {
			sides[i] = append(sides[i], int16(uint16(data[at+2*i])|uint16(data[at+2*i+1])<<8))
		}
	}
	for i, side := range sides {
		last := side[max(0, len(side)-16000):]
		if !harness.HasTone(last, 16000, callerHz, time.Second) {
			t.Errorf("side %d is at %.0f dBFS, %.2f of it the caller's tone", i, meter.Level(last), meter.Purity(last, 16000, callerHz))
		}
	}
}

// TestVoiceTalkWithoutAnEngine speaks digits and announcements, tells the application
// what cannot be spoken, and goes on.
func TestVoiceTalkWithoutAnEngine(t *testing.T) {
	t.Parallel()
	app := newSoundApp(t, `[{"action":"talk","text":"Nothing can say this."},
		{"action":"talk","text":"<speak><break time=\"1s\"/>The number you have dialed is not in service.</speak>"},
		{"action":"talk","text":"<speak><say-as interpret-as=\"digits\">407</say-as><break time=\"2s\"/></speak>"},
		{"action":"conversation","name":"after"}]`)
	h := app.house(t)
	call := dial(t, h.caller(t, says(callerHz)), voiceNumber, phone.DialOptions{From: phone.Party{Number: outNumber}})
	call.Await(phone.Answered, soon)
	app.await(t, &app.events, map[string]any{"reason": "text to speech is not installed"})
	app.await(t, &app.events, map[string]any{"type": "transfer"})
	heard := call.call.Heard(10 * time.Second)
	if !harness.HearsPrompt(t, heard, "unknown-number") {
		t.Error("the announcement was not heard")
	}
	call.call.HangUp()
}
