package speech

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/media/meter"
)

// party is a media server with one party, whom a test speaks for.
type party struct {
	mu   sync.Mutex
	path media.Path
	row  core.Hear
	at   int
}

func (p *party) Attach(_ core.LegID, path media.Path) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.path = path
}

func (p *party) Detach(core.LegID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.path = nil
}

func (p *party) Do(row core.Hear) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.row = row
}

// listenedTo reports whether somebody listens.
func (p *party) listenedTo() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.path != nil
}

// say lets the party speak, or be silent, for so long.
func (p *party) say(level float64, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.path == nil {
		return
	}
	k := media.Packet{Buf: make([]byte, media.HeaderRoom+640+media.TailRoom), Len: 640}
	for range d / (20 * time.Millisecond) {
		for i := range hearFrame {
			v := int16(level * math.Sin(2*math.Pi*300*float64(p.at+i)/HearRate))
			k.Payload()[2*i], k.Payload()[2*i+1] = byte(v), byte(uint16(v)>>8)
		}
		k.Timestamp = uint32(p.at)
		p.path.Send(&k)
		p.at += hearFrame
	}
}

const (
	loud  = 6000
	quiet = 0
)

// shelf keeps files in memory.
type shelf struct{ kept chan file.PCM }

func (s shelf) Keep(_ context.Context, app string, leg core.LegID, pcm file.PCM) (string, error) {
	if app != "app" || leg != "public" {
		return "", errors.New("kept for whom?")
	}
	s.kept <- pcm
	return "file-1", nil
}

type heardEvents chan core.Event

func (h heardEvents) Post(ev core.Event) error { h <- ev; return nil }

func (h heardEvents) next(t *testing.T) core.Event {
	t.Helper()
	select {
	case ev := <-h:
		return ev
	case <-time.After(patience):
		t.Fatal("no event")
	}
	return nil
}

// listenTo begins to listen to a party with a recogniser.
func listenTo(t *testing.T, r Recogniser, change func(*core.Listen, *ListenerConfig)) (*Listener, *party, heardEvents, core.Listen) {
	t.Helper()
	p, events := new(party), make(heardEvents, 16)
	cmd := core.Listen{Turn: core.Turn{Leg: "public", No: 3}, Leg: "a", Speech: core.Speech{
		Language: "de-DE", Hints: []string{"Sales", "Support"}, StartTimeout: 5 * time.Second, MaxDuration: 6 * time.Second,
		EndOnSilence: time.Second, Sensitivity: -1, App: "app",
	}}
	cfg := ListenerConfig{Media: p, Post: events, Recogniser: r}
	if change != nil {
		change(&cmd, &cfg)
	}
	l := NewListener(cfg)
	t.Cleanup(l.Close)
	l.Do(cmd)
	return l, p, events, cmd
}

// openAIServer answers as a server of that kind, after it checked what it got.
func openAIServer(t *testing.T, reply string) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sound, _, err := r.FormFile("file")
		if err != nil {
			t.Error(err)
			return
		}
		pcm, err := file.Decode(sound)
		if err != nil || pcm.Rate != HearRate || meter.Purity(pcm.Samples[4*hearFrame:len(pcm.Samples)/2], HearRate, 300) < 0.5 {
			t.Errorf("%d Hz, %v, %v", pcm.Rate, pcm.Duration(), err)
		}
		if r.Header.Get("Authorization") != "Bearer k" || r.FormValue("language") != "de" || r.FormValue("prompt") != "Sales, Support" || r.FormValue("model") != "whisper-1" {
			t.Errorf("%v %v", r.Header, r.MultipartForm.Value)
		}
		_, _ = io.WriteString(w, reply)
	}))
	t.Cleanup(srv.Close)
	return srv
}

func TestSpeechIsRecognisedAndKept(t *testing.T) {
	srv := openAIServer(t, `{"text":" sales ","segments":[{"text":"sales","start":0,"end":1,"avg_logprob":-0.1}]}`)
	keeper := shelf{make(chan file.PCM, 1)}
	_, p, events, cmd := listenTo(t, NewWebHearing(HearConfig{OpenAI: true, URL: srv.URL, Key: "k"}), func(cmd *core.Listen, cfg *ListenerConfig) {
		cmd.Keep, cfg.Keeper = true, keeper
	})
	p.say(quiet, 1700*time.Millisecond)
	p.say(loud, 1500*time.Millisecond)
	p.say(quiet, 2*time.Second)
	if ev := events.next(t); ev != (core.SpeechBegan{Leg: "a", Turn: cmd.Turn}) {
		t.Fatalf("%#v", ev)
	}
	got, ok := events.next(t).(core.SpeechHeard)
	if !ok || got.Leg != "a" || got.Turn != cmd.Turn || got.Result.Reason != core.SpeechSilence || got.Result.Error != "" || got.Result.Recording != "file-1" ||
		len(got.Result.Results) != 1 || got.Result.Results[0] != (core.SpeechText{Text: "sales", Confidence: 0.905}) {
		t.Errorf("%+v", got)
	}
	if kept := <-keeper.kept; kept.Duration() < 2800*time.Millisecond || kept.Duration() > 3000*time.Millisecond {
		t.Errorf("%v is kept", kept.Duration())
	}
	if p.row.From[0] != "a" || p.listenedTo() {
		t.Errorf("%+v, still heard: %v", p.row, p.listenedTo())
	}
}

func TestHowListeningEnds(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"results":[{"text":"one","confidence":0.9},{"text":"won","confidence":0.4},{"text":" "}]}`)
	}))
	defer srv.Close()
	for name, c := range map[string]struct {
		says   func(*party)
		reason core.SpeechEnd
		texts  int
	}{
		"nobody speaks":    {func(p *party) { p.say(quiet, 6*time.Second) }, core.SpeechNone, 0},
		"speaks and stops": {func(p *party) { p.say(quiet, time.Second); p.say(loud, time.Second); p.say(quiet, 2*time.Second) }, core.SpeechSilence, 2},
		"speaks on and on": {func(p *party) { p.say(quiet, time.Second); speakOn(p, 8*time.Second) }, core.SpeechTooLong, 2},
		"begins at the last": {func(p *party) {
			p.say(quiet, 4900*time.Millisecond)
			p.say(loud, time.Second)
			p.say(quiet, 2*time.Second)
		}, core.SpeechSilence, 2},
		"a pause in the middle": {func(p *party) {
			p.say(quiet, time.Second)
			p.say(loud, time.Second)
			p.say(quiet, 600*time.Millisecond)
			p.say(loud, time.Second)
			p.say(quiet, 2*time.Second)
		}, core.SpeechSilence, 2},
	} {
		t.Run(name, func(t *testing.T) {
			_, p, events, _ := listenTo(t, NewWebHearing(HearConfig{URL: srv.URL}), nil)
			c.says(p)
			ev := events.next(t)
			if _, began := ev.(core.SpeechBegan); began {
				ev = events.next(t)
			}
			got, ok := ev.(core.SpeechHeard)
			if !ok || got.Result.Reason != c.reason || len(got.Result.Results) != c.texts || got.Result.Error != "" {
				t.Errorf("%+v", ev)
			}
		})
	}
}

// speakOn speaks with the short gaps that speech has.
func speakOn(p *party, d time.Duration) {
	for ; d > 0; d -= 500 * time.Millisecond {
		p.say(loud, 400*time.Millisecond)
		p.say(quiet, 100*time.Millisecond)
	}
}

func TestNobodyRecognises(t *testing.T) {
	_, p, events, cmd := listenTo(t, nil, nil)
	if got, ok := events.next(t).(core.SpeechHeard); !ok || got.Turn != cmd.Turn || got.Result.Error != NoRecogniser {
		t.Errorf("%+v", got)
	}
	if p.listenedTo() {
		t.Error("it is listened to all the same")
	}
}

func TestRecognisersInTrouble(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"refuses":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"sends no JSON": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") },
		"sends no text": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") },
		"does not answer": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // else the end of the request is not noticed
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(handler)
			defer srv.Close()
			_, p, events, _ := listenTo(t, NewWebHearing(HearConfig{URL: srv.URL}), func(_ *core.Listen, cfg *ListenerConfig) { cfg.Timeout = 300 * time.Millisecond })
			p.say(quiet, time.Second)
			p.say(loud, time.Second)
			p.say(quiet, 2*time.Second)
			events.next(t)
			if got, ok := events.next(t).(core.SpeechHeard); !ok || got.Result.Error == "" || got.Result.Reason != core.SpeechSilence || len(got.Result.Results) != 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestStopListenHasNoResult(t *testing.T) {
	l, p, events, cmd := listenTo(t, NewWebHearing(HearConfig{URL: "http://127.0.0.1:1/"}), nil)
	p.say(quiet, time.Second)
	l.Do(core.StopListen{Turn: cmd.Turn})
	l.Do(core.StopListen{Turn: cmd.Turn})
	l.Close()
	if len(events) > 0 || p.listenedTo() {
		t.Errorf("%d events, still heard: %v", len(events), p.listenedTo())
	}
}

// socketServer hears by WebSocket and says what it got.
func socketServer(t *testing.T, serve func(t *testing.T, conn *websocket.Conn)) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer k" || r.URL.Query().Get("l") != "de-DE" {
			t.Errorf("%s %v", r.URL, r.Header)
		}
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.CloseNow()
		serve(t, conn)
	}))
	t.Cleanup(srv.Close)
	return "ws" + strings.TrimPrefix(srv.URL, "http") + "/?l={language}"
}

func TestSpeechIsStreamedByWebSocket(t *testing.T) {
	uri := socketServer(t, func(t *testing.T, conn *websocket.Conn) {
		t.Helper()
		say := func(text string) { _ = conn.Write(context.Background(), websocket.MessageText, []byte(text)) }
		audio, texts := 0, []string{}
		for {
			kind, data, err := conn.Read(context.Background())
			if err != nil {
				t.Error(err)
				return
			}
			if kind == websocket.MessageBinary {
				if audio += len(data); audio == len(data) {
					say(`{"text":"I","final":false}`)
					say(`{"text":"I want","confidence":0.8,"final":true}`)
				}
				continue
			}
			if texts = append(texts, string(data)); string(data) == `{"event":"end"}` {
				break
			}
		}
		var start map[string]any
		if err := json.Unmarshal([]byte(texts[0]), &start); err != nil || start["content-type"] != "audio/l16;rate=16000" || start["language"] != "de-DE" || len(texts) != 2 {
			t.Errorf("texts %v", texts)
		}
		if seconds := float64(audio) / 2 / HearRate; seconds < 2 || seconds > 3 {
			t.Errorf("%.1f s of audio", seconds)
		}
		say(`{"text":"sales","confidence":0.95,"final":true,"last":true}`)
		_, _, _ = conn.Read(context.Background()) // until the other end closes
	})
	_, p, events, _ := listenTo(t, NewSocketHearing(HearConfig{URL: uri, Key: "k"}), nil)
	p.say(quiet, time.Second)
	p.say(loud, time.Second)
	p.say(quiet, 2*time.Second)
	events.next(t)
	if got, ok := events.next(t).(core.SpeechHeard); !ok || len(got.Result.Results) != 1 || got.Result.Results[0] != (core.SpeechText{Text: "I want sales", Confidence: 0.8}) {
		t.Errorf("%+v", got)
	}
}

func TestAWebSocketThatBreaks(t *testing.T) {
	for name, serve := range map[string]func(*testing.T, *websocket.Conn){
		"at once":       func(_ *testing.T, conn *websocket.Conn) { conn.CloseNow() },
		"at the end":    func(_ *testing.T, conn *websocket.Conn) { readToEnd(conn); conn.CloseNow() },
		"never answers": func(_ *testing.T, conn *websocket.Conn) { readToEnd(conn); _, _, _ = conn.Read(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			_, p, events, _ := listenTo(t, NewSocketHearing(HearConfig{URL: socketServer(t, serve), Key: "k"}), func(_ *core.Listen, cfg *ListenerConfig) { cfg.Timeout = 300 * time.Millisecond })
			p.say(quiet, time.Second)
			p.say(loud, time.Second)
			p.say(quiet, 2*time.Second)
			events.next(t)
			if got, ok := events.next(t).(core.SpeechHeard); !ok || got.Result.Error == "" {
				t.Errorf("%+v", got)
			}
		})
	}
}

func readToEnd(conn *websocket.Conn) {
	for {
		kind, data, err := conn.Read(context.Background())
		if err != nil || kind == websocket.MessageText && bytes.Contains(data, []byte(`"end"`)) {
			return
		}
	}
}

func TestTranscribeGivesSentencesAndWords(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"text":"Hello. Bye.","segments":[{"text":" Hello.","start":0,"end":1},{"text":" Bye.","start":1,"end":2}],
			"words":[{"word":"Hello","start":0.1,"end":0.5,"probability":0.7},{"word":"Bye","start":1.1,"end":1.5}]}`)
	}))
	defer srv.Close()
	got, err := NewWebHearing(HearConfig{OpenAI: true, URL: srv.URL}).Transcribe(t.Context(), "", []byte("WAV"))
	if err != nil || len(got) != 2 || got[0].Text != "Hello." || got[1].Begin != 1 || len(got[1].Words) != 1 || got[0].Words[0] != (SpokenWord{"Hello", 0.1, 0.5, 0.7}) {
		t.Errorf("%+v, %v", got, err)
	}
}
