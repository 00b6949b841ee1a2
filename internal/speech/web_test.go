package speech

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/offhook/offhook/internal/media/file"
)

// wavOf is a WAV file of a second.
func wavOf(t *testing.T, rate int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := file.EncodeWAV(&b, rate, 1, make([]int16, rate)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestOpenAIStyleServer(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var got map[string]any
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		if r.Method != http.MethodPost || r.URL.Path != "/v1/audio/speech" || r.Header.Get("Authorization") != "Bearer sk-1" {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		if got["model"] != "tts-1" || got["voice"] != "anna" || got["input"] != `say "this"` || got["response_format"] != "wav" || got["speed"] != 1.0 {
			t.Errorf("%v", got)
		}
		_, _ = w.Write(wavOf(t, 24000))
	}))
	defer srv.Close()
	e := NewWeb(WebConfig{OpenAI: true, URL: srv.URL + "/v1/audio/speech", Key: "sk-1", Voices: Voices{"de": "anna"}})
	pcm, err := e.Speak(t.Context(), Utterance{Text: `say "this"`, Voice: e.Voice(Voice{Language: "de-DE"}), Rate: 1, Pitch: 1})
	if err != nil || pcm.Rate != 16000 || len(pcm.Samples) != 16000 {
		t.Errorf("%d Hz, %d samples, %v", pcm.Rate, len(pcm.Samples), err)
	}
}

func TestAnyOtherServer(t *testing.T) {
	const text = `5 < 6 & "7"`
	for _, c := range []struct {
		name      string
		cfg       WebConfig
		wantQuery string
		wantBody  string
	}{
		{"JSON", WebConfig{Body: `{"t":"{text}","v":"{voice}"}`, Headers: map[string]string{"X-Key": "{key}"}, Key: "k"}, "", `{"t":"5 \u003c 6 \u0026 \"7\"","v":"v1"}`},
		{"XML", WebConfig{Body: `<speak xml:lang="{language}">{text}</speak>`, Headers: map[string]string{"X-Key": "{key}"}, Key: "k"}, "", `<speak xml:lang="en-GB">5 &lt; 6 &amp; &#34;7&#34;</speak>`},
		{"query", WebConfig{URL: "/?text={text}", Headers: map[string]string{"X-Key": "{key}"}, Key: "k"}, "text=5+%3C+6+%26+%227%22", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil || string(body) != c.wantBody || r.URL.RawQuery != c.wantQuery || r.Header.Get("X-Key") != "k" {
					t.Errorf("%s %s, %s %v, %v", r.Method, r.URL, body, r.Header, err)
				}
				_, _ = w.Write(make([]byte, 48000)) // a second of samples
			}))
			defer srv.Close()
			c.cfg.URL, c.cfg.PCMRate = srv.URL+c.cfg.URL, 24000
			pcm, err := NewWeb(c.cfg).Speak(t.Context(), Utterance{Text: text, Voice: "v1", Language: "en-GB", Rate: 1, Pitch: 1})
			if err != nil || pcm.Rate != 16000 || len(pcm.Samples) != 16000 {
				t.Errorf("%d Hz, %d samples, %v", pcm.Rate, len(pcm.Samples), err)
			}
		})
	}
}

func TestServersOfSpeechInTrouble(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"refuses":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"leads away":    func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"sends no WAV":  func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"sends nothing": func(http.ResponseWriter, *http.Request) {},
	} {
		srv := httptest.NewServer(handler)
		_, err := NewWeb(WebConfig{OpenAI: true, URL: srv.URL}).Speak(t.Context(), Utterance{Text: "a", Rate: 1, Pitch: 1})
		if err == nil {
			t.Errorf("a server that %s is believed", name)
		}
		if name == "leads away" && !errors.Is(err, errRefused) {
			t.Errorf("redirected: %v", err)
		}
		srv.Close()
	}
}
