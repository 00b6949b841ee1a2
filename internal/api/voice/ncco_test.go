package voice

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/route"
)

const testApp = "11111111-2222-3333-4444-555555555555"

func testParser() Parser {
	return Parser{App: testApp, Number: func() string { return "12995558888" }}
}

// TestVerbs: every action with its options, as SDKs of several languages and
// applications in the field write them.
func TestVerbs(t *testing.T) {
	speech := func(text string) core.Sound { return core.Sound{Kind: core.SoundSpeech, Name: text, Loop: 1} }
	stream := core.Sound{Kind: core.SoundFile, Name: "https://x.test/a.mp3", Loop: 1}
	keys := &flow.KeyInput{Timeout: 3 * time.Second, MaxDigits: 4}
	connect := flow.Call{Timeout: time.Minute, Limit: 2 * time.Hour}
	phone := flow.Endpoint{Phone: "12995551111"}
	with := func(change func(*flow.Call)) flow.Verb {
		c := connect
		c.Endpoints = []flow.Endpoint{phone}
		change(&c)
		return c
	}
	to := func(e flow.Endpoint) flow.Verb { return with(func(c *flow.Call) { c.Endpoints = []flow.Endpoint{e} }) }
	converse := flow.Converse{Name: "conf", StartOnEnter: true}

	for _, tt := range []struct {
		name string
		ncco string
		want flow.Verb
	}{
		{"talk", `{"action":"talk","text":"hello"}`, flow.Say{Sound: speech("hello")}},
		{
			"talk with everything", `{"action":"talk","text":"<speak>hi</speak>","language":"de-DE","style":11,"premium":true,"loop":3,"level":0.5,"voiceName":"Kimberly"}`,
			flow.Say{Sound: core.Sound{Kind: core.SoundSpeech, Name: "<speak>hi</speak>", Loop: 3, Level: 5, Language: "de-DE", Style: 11, Voice: "Kimberly"}},
		},
		{"talk in snake case with texts for numbers", `{"action":"talk","text":"hi","loop":"0","level":"-0.6","bargeIn":"false"}`, flow.Say{Sound: core.Sound{Kind: core.SoundSpeech, Name: "hi", Loop: core.LoopForever, Level: -6}}},
		{"talk with a level out of range", `{"action":"talk","text":"hi","level":7}`, flow.Say{Sound: core.Sound{Kind: core.SoundSpeech, Name: "hi", Loop: 1, Level: 10}}},
		{"a number for a text", `{"action":"talk","text":12}`, flow.Say{Sound: speech("12")}},
		{"stream", `{"action":"stream","streamUrl":["https://x.test/a.mp3"]}`, flow.Say{Sound: stream}},
		{"stream with a text for a list", `{"action":"stream","stream_url":"https://x.test/a.mp3"}`, flow.Say{Sound: stream}},
		{"barge-in that no input follows", `{"action":"stream","streamUrl":["https://x.test/a.mp3"],"bargeIn":true}`, flow.Say{Sound: stream}},

		{"input, present form", `{"action":"input","type":["dtmf"],"eventUrl":[]}`, flow.Input{Keys: keys}},
		{"input of one kind as a text", `{"action":"input","type":"dtmf","dtmf":{}}`, flow.Input{Keys: keys}},
		{
			"input with settings", `{"action":"input","type":["dtmf"],"dtmf":{"timeOut":"0","maxDigits":"1","submitOnHash":true},"eventUrl":["http://x.test/dtmf"],"eventMethod":"get"}`,
			flow.Input{Keys: &flow.KeyInput{MaxDigits: 1, SubmitOnHash: true}, Hook: core.Hook{URL: "http://x.test/dtmf", Method: "GET"}},
		},
		{
			"input, old form", `{"action":"input","eventUrl":["http://x.test/nexmo-dtmf"]}`,
			flow.Input{Legacy: true, Keys: keys, Hook: core.Hook{URL: "http://x.test/nexmo-dtmf"}},
		},
		{
			"input, old form with settings", `{"action":"input","timeOut":5,"maxDigits":20,"submitOnHash":true}`,
			flow.Input{Legacy: true, Keys: &flow.KeyInput{Timeout: 5 * time.Second, MaxDigits: 20, SubmitOnHash: true}},
		},
		{
			"input, settings without type, as the SDK for .NET writes it", `{"action":"input","dtmf":{"maxDigits":"4"},"speech":{},"eventUrl":["https://app.test/in"]}`,
			flow.Input{Keys: keys, Hook: core.Hook{URL: "https://app.test/in"}, Speech: &core.Speech{
				StartTimeout: 10 * time.Second, MaxDuration: time.Minute, EndOnSilence: 2 * time.Second, Sensitivity: -1, App: testApp,
			}},
		},
		{
			"connect, onAnswer as the SDK for Go writes it", `{"action":"connect","endpoint":[{"type":"phone","number":"12995551111","onAnswer":"https://app.test/on"}]}`,
			to(flow.Endpoint{Phone: "12995551111", OnAnswer: &core.Hook{URL: "https://app.test/on"}}),
		},
		{
			"notify, nothing by PHP", `{"action":"notify","payload":[],"eventUrl":["https://app.test/n"]}`,
			flow.Notify{Payload: "{}", Hook: core.Hook{URL: "https://app.test/n"}},
		},
		{
			"connect, misspelt by SDKs", `{"action":"connect","eventType":"syncchronous","endpoint":[{"type":"websocket","uri":"wss://x.test/s","content-type":"audio/116;rate=8000"}]}`,
			flow.Call{
				Endpoints: []flow.Endpoint{{Socket: core.Socket{URI: "wss://x.test/s", Rate: 8000, App: testApp}}},
				Timeout:   time.Minute, Limit: 2 * time.Hour, Sync: true,
			},
		},
		{"input, settings that PHP had none for", `{"action":"input","type":["dtmf"],"dtmf":[],"eventUrl":[]}`, flow.Input{Keys: keys}},
		{
			"connect, headers that PHP had none for", `{"action":"connect","endpoint":[{"type":"sip","uri":"sip:bob@pbx.test","headers":[],"standardHeaders":[]},{"type":"websocket","uri":"wss://x.test/s","headers":[]}]}`,
			flow.Call{
				Endpoints: []flow.Endpoint{{URI: "sip:bob@pbx.test"}, {Socket: core.Socket{URI: "wss://x.test/s", Rate: 16000, App: testApp}}},
				Timeout:   time.Minute, Limit: 2 * time.Hour,
			},
		},
		{"input, every key at once", `{"action":"input","type":["dtmf"],"mode":"asynchronous"}`, flow.Input{Keys: keys, Async: true}},
		{
			"input of speech", `{"action":"input","type":["speech"]}`,
			flow.Input{Speech: &core.Speech{StartTimeout: 10 * time.Second, MaxDuration: time.Minute, EndOnSilence: 2 * time.Second, Sensitivity: -1, App: testApp}},
		},
		{
			"input of what another leg says", `{"action":"input","type":["speech"],"speech":{"uuid":["AAAAAAAA-0000-4000-8000-000000000001"]}}`,
			flow.Input{
				Speaker: "aaaaaaaa-0000-4000-8000-000000000001",
				Speech:  &core.Speech{StartTimeout: 10 * time.Second, MaxDuration: time.Minute, EndOnSilence: 2 * time.Second, Sensitivity: -1, App: testApp},
			},
		},
		{
			"input of both", `{"action":"input","type":["dtmf","speech"],"speech":{"language":"en-GB","context":["sales","support"],"endOnSilence":0.4,"startTimeout":1,"maxDuration":30,"saveAudio":true,"sensitivity":"50"}}`,
			flow.Input{Keys: keys, Speech: &core.Speech{
				Language: "en-GB", Hints: []string{"sales", "support"}, StartTimeout: time.Second, MaxDuration: 30 * time.Second,
				EndOnSilence: 400 * time.Millisecond, Sensitivity: 50, Keep: true, App: testApp,
			}},
		},

		{"record beside what follows", `{"action":"record"}`, flow.Record{Channels: 1, Background: true}},
		{
			"record until a key", `{"action":"record","endOnKey":"#","beepStart":true,"eventUrl":["http://x.test/rec"]}`,
			flow.Record{Channels: 1, EndOnKey: '#', Beep: true, Hook: core.Hook{URL: "http://x.test/rec"}},
		},
		{"record until silence", `{"action":"record","endOnSilence":"3","format":"wav"}`, flow.Record{Channels: 1, EndOnSilence: 3 * time.Second, Format: core.RecordWAV}},
		{"record for a time", `{"action":"record","timeOut":10}`, flow.Record{Channels: 1, Timeout: 10 * time.Second}},
		{"record in stereo", `{"action":"record","split":"conversation"}`, flow.Record{Channels: 2, Split: true, Background: true}},
		{"record many", `{"action":"record","split":"conversation","channels":32}`, flow.Record{Channels: 32, Split: true, Background: true, Format: core.RecordWAV}},
		{
			"record and write down", `{"action":"record","transcription":{"language":"de-DE","eventUrl":["http://x.test/t"]}}`,
			flow.Record{Channels: 1, Background: true, Transcribe: &core.Transcription{Language: "de-DE", Hook: core.Hook{URL: "http://x.test/t"}}},
		},
		{"record and write down as usual", `{"action":"record","transcription":{}}`, flow.Record{Channels: 1, Background: true, Transcribe: &core.Transcription{}}},

		{"conversation", `{"action":"conversation","name":"conf"}`, converse},
		{
			"conversation of the coach", `{"action":"conversation","name":"conf","canSpeak":["AAAAAAAA-0000-4000-8000-000000000001"],"startOnEnter":true}`,
			flow.Converse{Name: "conf", StartOnEnter: true, Speaks: &flow.Circle{Legs: []core.LegID{"aaaaaaaa-0000-4000-8000-000000000001"}}},
		},
		{
			"conversation that waits", `{"action":"conversation","name":"conf","startOnEnter":false,"endOnExit":true,"musicOnHoldUrl":["http://x.test/m.mp3"],"canHear":[],"mute":true,"record":true,"eventUrl":["http://x.test/rec"]}`,
			flow.Converse{
				Name: "conf", EndOnExit: true, Mute: true, Hears: &flow.Circle{Legs: []core.LegID{}}, Music: core.Sound{Kind: core.SoundMusic, Name: "http://x.test/m.mp3"},
				Record: &flow.Record{Channels: 1, Background: true, Hook: core.Hook{URL: "http://x.test/rec"}},
			},
		},

		{"connect to a phone", `{"action":"connect","endpoint":[{"type":"phone","number":"+1 299 555 1111"}]}`, to(phone)},
		{"connect to an object", `{"action":"connect","endpoint":{"type":"phone","number":"12995551111"}}`, to(phone)},
		{
			"connect as the applications of the field do", `{"action":"connect","timeout":"45","from":"12995558888","eventUrl":["http://x.test/inappevent"],"endpoint":[{"type":"phone","number":"12995551111"}]}`,
			with(func(c *flow.Call) {
				c.Timeout, c.From, c.Hook = 45*time.Second, "12995558888", core.Hook{URL: "http://x.test/inappevent"}
			}),
		},
		{"connect from any number", `{"action":"connect","randomFromNumber":true,"endpoint":[{"type":"phone","number":"12995551111"}]}`, with(func(c *flow.Call) { c.From = "12995558888" })},
		{"connect from a user", `{"action":"connect","from":"alice","endpoint":[{"type":"phone","number":"12995551111"}]}`, with(func(c *flow.Call) { c.From = "alice" })},
		{
			"connect with everything", `{"action":"connect","eventType":"synchronous","limit":60,"ringbackTone":"http://x.test/r.mp3","eventMethod":"POST","answer":"first","advanced_machine_detection":{"behavior":"hangup","mode":"detect_beep","beep_timeout":"60"},"endpoint":[{"type":"phone","number":"12995551111","dtmfAnswer":"2p02p","onAnswer":{"url":"http://x.test/on","ringback":"http://x.test/w.mp3"}}]}`,
			flow.Call{
				Endpoints: []flow.Endpoint{{
					Phone: "12995551111", Digits: "2p02p", OnAnswer: &core.Hook{URL: "http://x.test/on"},
					Music: core.Sound{Kind: core.SoundMusic, Name: "http://x.test/w.mp3"},
				}},
				Sync: true, Timeout: time.Minute, Limit: time.Minute, Music: core.Sound{Kind: core.SoundMusic, Name: "http://x.test/r.mp3"},
				Hook: core.Hook{Method: "POST"}, AnswerFirst: true, Detect: &flow.Detection{Mode: flow.DetectBeep, Hangup: true, BeepTimeout: time.Minute},
			},
		},
		{"old detection", `{"action":"connect","machineDetection":"hangup","endpoint":[{"type":"phone","number":"12995551111"}]}`, with(func(c *flow.Call) { c.Detect = &flow.Detection{Hangup: true} })},
		{"detection beside", `{"action":"connect","advancedMachineDetection":{"mode":"default"},"endpoint":[{"type":"phone","number":"12995551111"}]}`, with(func(c *flow.Call) { c.Detect = &flow.Detection{} })},
		{"detection first", `{"action":"connect","advancedMachineDetection":{},"endpoint":[{"type":"phone","number":"12995551111"}]}`, with(func(c *flow.Call) { c.Detect = &flow.Detection{Mode: flow.DetectFirst} })},
		{"connect to a user", `{"action":"connect","endpoint":[{"type":"app","user":"sales"}]}`, to(flow.Endpoint{User: "sales"})},
		{
			"connect to SIP", `{"action":"connect","endpoint":[{"type":"sip","uri":"sip:bob@x.test;transport=tls","headers":{"Name":"Bob","X-Tier":"gold","n":1},"standardHeaders":{"User-to-User":"342;encoding=hex"}}]}`,
			to(flow.Endpoint{URI: "sip:bob@x.test;transport=tls", Headers: []core.Header{{Name: "X-Name", Value: "Bob"}, {Name: "X-Tier", Value: "gold"}, {Name: "X-n", Value: "1"}, {Name: "User-to-User", Value: "342;encoding=hex"}}}),
		},
		{"connect to SIP with nothing to add", `{"action":"connect","endpoint":[{"type":"sip","uri":"sip:bob@x.test","standard_headers":{}}]}`, to(flow.Endpoint{URI: "sip:bob@x.test"})},
		{"connect to SIP over a trunk", `{"action":"connect","endpoint":[{"type":"sip","user":"100","domain":"carrier"}]}`, to(flow.Endpoint{Phone: "100", Trunk: "carrier"})},
		{
			"connect to a WebSocket", `{"action":"connect","endpoint":[{"type":"websocket","uri":"wss://x.test/s","content-type":"audio/l16;rate=8000","headers":{"a":"b","n":{"c":1}},"authorization":{"type":"vonage"}}]}`,
			to(flow.Endpoint{
				Socket:  core.Socket{URI: "wss://x.test/s", Rate: 8000, Authorization: core.SocketToken, App: testApp},
				Headers: []core.Header{{Name: "a", Value: `"b"`}, {Name: "n", Value: `{"c":1}`}},
			}),
		},
		{
			"connect to a WebSocket as the SDK writes it", `{"action":"connect","endpoint":[{"type":"websocket","uri":"ws://x.test/s","contentType":"audio/l16;rate=24000","authorization":{"type":"custom","value":"Bearer x"}}]}`,
			to(flow.Endpoint{Socket: core.Socket{URI: "ws://x.test/s", Rate: 24000, Authorization: "Bearer x", App: testApp}}),
		},
		{"connect to an extension", `{"action":"connect","endpoint":[{"type":"vbc","extension":"123"}]}`, to(flow.Endpoint{House: "123"})},
		{
			"connect to several at once", `{"action":"connect","confirm":"1","caller_hears":"us","strategy":"sequential","endpoint":[{"type":"phone","number":"12995551111"},{"type":"app","user":"sales"}]}`,
			with(func(c *flow.Call) {
				c.Endpoints = append(c.Endpoints, flow.Endpoint{User: "sales"})
				c.Ring = flow.Ringing{Strategy: route.Sequential, Confirm: &route.Confirm{Key: "1"}, Hears: "us"}
			}),
		},
		{
			"connect to a group", `{"action":"connect","endpoint":[{"type":"group","name":"front-desk","strategy":"simultaneous","ring_timeout":29,"confirm":{"key":"5","timeout":10},"caller_hears":"music"}]}`,
			flow.Call{
				Group: "front-desk", Timeout: 29 * time.Second, Limit: 2 * time.Hour,
				Ring: flow.Ringing{Strategy: route.Simultaneous, Confirm: &route.Confirm{Key: "5", Timeout: route.Duration(10 * time.Second)}, Hears: "music"},
			},
		},
		{"connect to a group as it is", `{"action":"connect","endpoint":[{"type":"group","name":"front-desk"}]}`, flow.Call{Group: "front-desk", Limit: 2 * time.Hour}},

		{"notify", `{"action":"notify","payload":{"foo": "bar"},"eventUrl":["http://x.test/n"]}`, flow.Notify{Payload: `{"foo":"bar"}`, Hook: core.Hook{URL: "http://x.test/n"}}},
		{"wait", `{"action":"wait"}`, flow.Wait{For: 10 * time.Second}},
		{"wait a little", `{"action":"wait","timeout":"0.5"}`, flow.Wait{For: 500 * time.Millisecond}},
		{"wait for less than there is", `{"action":"wait","timeout":0}`, flow.Wait{For: 100 * time.Millisecond}},
		{"transfer", `{"action":"transfer","conversationId":"CON-aaaaaaaa-0000-4000-8000-000000000001","mute":true}`, flow.MoveAll{To: "aaaaaaaa-0000-4000-8000-000000000001", Mute: true}},
		{"what nobody knows", `{"action":"wait","colour":"red","timeout":null}`, flow.Wait{For: 10 * time.Second}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := testParser().Parse([]byte("[" + tt.ncco + "]"))
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 || !reflect.DeepEqual(got[0], tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// TestSyntaxErrors: what no call is begun with, and what our log says of it.
func TestSyntaxErrors(t *testing.T) {
	for _, tt := range []struct{ ncco, want string }{
		{``, "not a JSON array"},
		{`{"action":"talk"}`, "not a JSON array"},
		{`"x"`, "not a JSON array"},
		{`[`, "unexpected end"},
		{`[1]`, "[0]: must be an object"},
		{`[null]`, "[0]: must be an object"},
		{`[{}]`, "[0].action: is required"},
		{`[{"action":"dance"}]`, `[0].action: "dance" is unknown`},
		{`[{"action":"pay"}]`, `"pay" is unknown`},
		{`[{"action":"queue"}]`, "queue is not available"},
		{`[{"action":"voicemail"}]`, "voicemail is not available"},
		{`[{"action":"wait"},{"action":"talk"}]`, "[1].text: is required"},
		{`[{"action":"talk","text":{}}]`, "[0].text: must be a string"},
		{`[{"action":"talk","text":"x","loop":"often"}]`, "[0].loop: must be a number"},
		{`[{"action":"talk","text":"x","loop":1.5}]`, "[0].loop: must be an integer"},
		{`[{"action":"talk","text":"x","bargeIn":"perhaps"}]`, "[0].bargeIn: must be true or false"},
		{`[{"action":"talk","text":"` + strings.Repeat("x", 1501) + `"}]`, "[0].text: is longer than 1500"},
		{`[{"action":"talk","text":"x","bargeIn":true},{"action":"wait"}]`, "[1].action: must be input after bargeIn"},
		{`[{"action":"stream"}]`, "[0].streamUrl: is required"},
		{`[{"action":"stream","streamUrl":[]}]`, "[0].streamUrl: is required"},
		{`[{"action":"stream","streamUrl":["ftp://x.test/a"]}]`, "must be an http or https URL"},
		{`[{"action":"stream","streamUrl":["http://a.test/","http://b.test/"]}]`, "must have one entry"},
		{`[{"action":"conversation"}]`, "[0].name: is required"},
		{`[{"action":"conversation","name":"x","mute":true,"canSpeak":[]}]`, "does not go with canSpeak"},
		{`[{"action":"input","type":["smell"]}]`, "[0].type"},
		{`[{"action":"input","type":[]}]`, "[0].type"},
		{`[{"action":"input","type":["dtmf"],"mode":"asynchronous","dtmf":{"maxDigits":1}}]`, "[0].mode"},
		{`[{"action":"record","endOnKey":"A"}]`, "[0].endOnKey"},
		{`[{"action":"record","format":"flac"}]`, "[0].format: must be one of mp3, wav, ogg"},
		{`[{"action":"connect"}]`, "[0].endpoint: is required"},
		{`[{"action":"connect","endpoint":[]}]`, "[0].endpoint: is required"},
		{`[{"action":"connect","endpoint":[{"type":"pigeon"}]}]`, "[0].endpoint[0].type"},
		{`[{"action":"connect","endpoint":[{"type":"phone"}]}]`, "[0].endpoint[0].number: is required"},
		{`[{"action":"connect","endpoint":[{"type":"phone","number":"1234567890123456"}]}]`, "can contain up to 15 digits"},
		{`[{"action":"connect","endpoint":[{"type":"app"}]}]`, "user: is required"},
		{`[{"action":"connect","endpoint":[{"type":"sip","uri":"sip:a b"}]}]`, "uri: must be a SIP URI"},
		{`[{"action":"connect","endpoint":[{"type":"sip","uri":"sip:a@b","headers":{"a b":"c"}}]}]`, "no SIP header can have"},
		{`[{"action":"connect","endpoint":[{"type":"sip","uri":"sip:a@b","headers":{"a":"b\r\nVia: x"}}]}]`, "no SIP header can have"},
		{`[{"action":"connect","endpoint":[{"type":"sip","uri":"sip:a@b","standardHeaders":{"From":"c"}}]}]`, "can only contain User-to-User"},
		{`[{"action":"connect","endpoint":[{"type":"websocket","uri":"http://a"}]}]`, "must be a ws or wss URL"},
		{`[{"action":"connect","endpoint":[{"type":"websocket","uri":"ws://a","content-type":"audio/mp3"}]}]`, "content-type"},
		{`[{"action":"connect","endpoint":[{"type":"websocket","uri":"ws://a","headers":{"a":"` + strings.Repeat("x", 512) + `"}}]}]`, "at most 512 bytes"},
		{`[{"action":"connect","endpoint":[{"type":"group","name":"a"},{"type":"app","user":"b"}]}]`, "a group goes with no other endpoint"},
		{`[{"action":"connect","endpoint":[{"type":"queue"}]}]`, "queue is not available"},
		{`[{"action":"notify","eventUrl":["http://x.test/"]}]`, "payload: is required"},
		{`[{"action":"notify","payload":{}}]`, "eventUrl: is required"},
		{`[{"action":"transfer"}]`, "conversationId: is required"},
		{"[" + strings.Repeat(`{"action":"wait"},`, 200) + `{"action":"wait"}]`, "more than 200 actions"},
		{`[{"action":"notify","payload":` + strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40) + `}]`, "nested deeper"},
		{"[" + strings.Repeat(" ", maxNCCO) + "]", "longer than"},
	} {
		_, err := testParser().Parse([]byte(tt.ncco))
		if _, ok := errors.AsType[*SyntaxError](err); !ok || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.80s: %v, want %s", tt.ncco, err, tt.want)
		}
	}
}

// TestReason: what the application hears of it, not our words for people, unless it
// used a word that is reserved.
func TestReason(t *testing.T) {
	for ncco, want := range map[string]string{
		`[{"action":"pay"}]`:       core.ReasonSyntax,
		`{}`:                       core.ReasonSyntax,
		`[{"action":"voicemail"}]`: "Voicemail is not available.",
		`[{"action":"connect","endpoint":[{"type":"queue"}]}]`: "Queue is not available.",
	} {
		_, err := testParser().Parse([]byte(ncco))
		if got := reasonOf(err); got != want {
			t.Errorf("%s: %q, want %q", ncco, got, want)
		}
	}
}

// TestNCCOsOfTheField: what the builders of SDKs and applications write, each a file
// in testdata/ncco.
func TestNCCOsOfTheField(t *testing.T) {
	for name, text := range nccoFiles(t) {
		verbs, err := testParser().Parse(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, v := range verbs {
			checkRanges(t, v)
		}
	}
}

func nccoFiles(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/ncco/*.json")
	if err != nil || len(names) == 0 {
		t.Fatal("no files", err)
	}
	out := make(map[string][]byte)
	for _, name := range names {
		if out[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestNoAction: an empty NCCO is one, and ends the call.
func TestNoAction(t *testing.T) {
	if verbs, err := testParser().Parse([]byte(" [ ] ")); err != nil || verbs == nil || len(verbs) != 0 {
		t.Errorf("%v, %v", verbs, err)
	}
}

// TestBargeIn: it lasts from the sound that has it to the input.
func TestBargeIn(t *testing.T) {
	verbs, err := testParser().Parse([]byte(`[{"action":"talk","text":"a"},{"action":"talk","text":"b","bargeIn":true},
		{"action":"stream","streamUrl":["http://x.test/a"]},{"action":"input","type":["dtmf"]},{"action":"talk","text":"c"}]`))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{false, true, true, false, false} {
		if say, ok := verbs[i].(flow.Say); ok && say.BargeIn != want {
			t.Errorf("action %d may be barged into: %v", i, say.BargeIn)
		}
	}
}

// TestTimedAside: the setting for recordings that only a time ends.
func TestTimedAside(t *testing.T) {
	p := testParser()
	p.TimedAside = true
	for ncco, want := range map[string]bool{`[{"action":"record","timeOut":5}]`: true, `[{"action":"record","timeOut":5,"endOnKey":"1"}]`: false} {
		verbs, err := p.Parse([]byte(ncco))
		if err != nil {
			t.Fatal(err)
		}
		if r, ok := verbs[0].(flow.Record); !ok || r.Background != want {
			t.Errorf("%s: %+v", ncco, verbs)
		}
	}
}

// FuzzNCCO looks for texts that make the parser panic, give half a flow, or a verb
// out of the ranges that package flow promises.
func FuzzNCCO(f *testing.F) {
	for _, text := range nccoFiles(f) {
		f.Add(string(text))
	}
	f.Add(`[{"action":"input","type":["dtmf","speech"],"dtmf":{"maxDigits":1e400},"speech":{"endOnSilence":"NaN"}}]`)
	f.Add(`[{"action":"record","channels":-1,"split":"conversation","timeOut":"-5"},{"action":"wait","timeout":-1e9}]`)
	f.Fuzz(func(t *testing.T, text string) {
		verbs, err := testParser().Parse([]byte(text))
		if _, ok := errors.AsType[*SyntaxError](err); err != nil && (!ok || verbs != nil) {
			t.Fatalf("%v with %v", err, verbs)
		}
		for _, v := range verbs {
			checkRanges(t, v)
		}
	})
}

func checkRanges(t *testing.T, v flow.Verb) {
	t.Helper()
	bad := false
	switch v := v.(type) {
	case nil:
		bad = true
	case flow.Wait:
		bad = v.For < 100*time.Millisecond || v.For > 2*time.Hour
	case flow.Say:
		bad = v.Sound.Name == "" || v.Sound.Level < -10 || v.Sound.Level > 10 || v.Sound.Loop == 0
	case flow.Input:
		bad = v.Keys == nil && v.Speech == nil || v.Keys != nil && (v.Keys.MaxDigits < 1 || v.Keys.MaxDigits > 20 || v.Keys.Timeout < 0 || v.Keys.Timeout > 10*time.Second) ||
			v.Speech != nil && (v.Speech.EndOnSilence < 400*time.Millisecond || v.Speech.MaxDuration > time.Minute)
	case flow.Record:
		bad = v.Channels < 1 || v.Channels > 32 || v.Timeout != 0 && (v.Timeout < 3*time.Second || v.Timeout > 2*time.Hour)
	case flow.Call:
		bad = (len(v.Endpoints) == 0) == (v.Group == "") || v.Group == "" && (v.Timeout < time.Second || v.Timeout > 180*time.Second)
	case flow.Converse:
		bad = v.Name == ""
	}
	if bad {
		t.Errorf("%+v is out of range", v)
	}
}
