package speech

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/media/resample"
)

// maxAnswer bounds what a server of speech may answer, in bytes.
const maxAnswer = 32 << 20

var (
	errAnswer  = fmt.Errorf("answers more than %d MB", maxAnswer>>20)
	errRefused = errors.New("the server of speech refuses it")
)

// WebConfig says how a server is asked for speech.
type WebConfig struct {
	// OpenAI sends the JSON of POST /v1/audio/speech; else Body is sent.
	OpenAI bool
	URL    string
	// Method is that of a request without OpenAI; "" is POST, GET without Body.
	Method  string
	Headers map[string]string
	// Body, like URL and Headers, may have {text}, {voice}, {language}, {rate}, {key}
	// and {model} in it. They are escaped for JSON, XML or a form, whatever it is.
	Body  string
	Key   core.Secret // with OpenAI: sent as a bearer token
	Model string
	// PCMRate is the rate of answers that are 16-bit samples without a header; 0 is
	// WAV, MP3 or Ogg/Opus.
	PCMRate int
	Voices  Voices
}

// Web speaks with a server on the network.
type Web struct {
	cfg    WebConfig
	client *http.Client
}

// NewWeb returns an engine that asks a server.
func NewWeb(cfg WebConfig) *Web {
	return &Web{cfg: cfg, client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the key goes nowhere else
	}}
}

// Name implements Engine.
func (w *Web) Name() string {
	return "web " + w.cfg.URL + " " + w.cfg.Model
}

// Voice implements Engine. A voice that is not listed has no name of its own.
func (w *Web) Voice(wanted Voice) string {
	if voice, ok := w.cfg.Voices.find(wanted); ok {
		return voice
	}
	if w.cfg.OpenAI {
		voices := [...]string{"alloy", "nova", "onyx", "shimmer", "echo", "fable"}
		return voices[max(0, wanted.Style)%len(voices)]
	}
	return ""
}

// Speak implements Engine.
func (w *Web) Speak(ctx context.Context, u Utterance) (file.PCM, error) {
	req, err := w.request(ctx, u)
	if err != nil {
		return file.PCM{}, fmt.Errorf("speech: %w", err)
	}
	answer, err := ask(w.client, req)
	if err != nil {
		return file.PCM{}, fmt.Errorf("speech: %w", err)
	}
	if w.cfg.PCMRate == 0 {
		return file.Decode(bytes.NewReader(answer))
	}
	samples := make([]int16, len(answer)/2)
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(answer[2*i:]))
	}
	r := resample.New(w.cfg.PCMRate, joinedRate)
	return file.PCM{Rate: joinedRate, Samples: r.Flush(r.Append(nil, samples))}, nil
}

// ask sends a request and returns the body of a good answer.
func ask(client *http.Client, req *http.Request) ([]byte, error) {
	res, err := client.Do(req)
	if err != nil {
		if fault, ok := errors.AsType[*url.Error](err); ok {
			err = fault.Err // the URL may have a key in it
		}
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > maxAnswer:
		return nil, errAnswer
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: %s", errRefused, res.Status)
	}
	return body, nil
}

// request makes the request of an utterance.
func (w *Web) request(ctx context.Context, u Utterance) (*http.Request, error) {
	if w.cfg.OpenAI {
		return w.openAI(ctx, u)
	}
	values := map[string]string{
		"{text}": u.Text, "{voice}": u.Voice, "{language}": u.Language, "{rate}": strconv.FormatFloat(u.Rate, 'f', 2, 64),
		"{key}": w.cfg.Key.Reveal(), "{model}": w.cfg.Model,
	}
	body := fill(w.cfg.Body, values, escapeFor(w.cfg.Body, w.cfg.Headers))
	method := w.cfg.Method
	if method == "" && body == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, cmp.Or(method, http.MethodPost), fill(w.cfg.URL, values, url.QueryEscape), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, value := range w.cfg.Headers {
		req.Header.Set(name, fill(value, values, printable))
	}
	return req, nil
}

func (w *Web) openAI(ctx context.Context, u Utterance) (*http.Request, error) {
	format := "wav"
	if w.cfg.PCMRate != 0 {
		format = "pcm"
	}
	body, err := json.Marshal(struct {
		Model  string  `json:"model"`
		Voice  string  `json:"voice"`
		Input  string  `json:"input"`
		Format string  `json:"response_format"`
		Speed  float64 `json:"speed,omitempty"`
	}{cmp.Or(w.cfg.Model, "tts-1"), u.Voice, u.Text, format, u.Rate})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if w.cfg.Key != "" {
		req.Header.Set("Authorization", "Bearer "+w.cfg.Key.Reveal())
	}
	for name, value := range w.cfg.Headers {
		req.Header.Set(name, value)
	}
	return req, nil
}

// fill puts values, escaped, into the places that are named for them.
func fill(template string, values map[string]string, escape func(string) string) string {
	pairs := make([]string, 0, 2*len(values))
	for name, value := range values {
		pairs = append(pairs, name, escape(value))
	}
	return strings.NewReplacer(pairs...).Replace(template)
}

// escapeFor returns how a value is written into a body: as text within JSON or XML,
// or in a form.
func escapeFor(body string, headers map[string]string) func(string) string {
	kind := ""
	for name, value := range headers {
		if strings.EqualFold(name, "Content-Type") {
			kind = strings.ToLower(value)
		}
	}
	body = strings.TrimSpace(body)
	switch {
	case strings.Contains(kind, "json"), kind == "" && strings.HasPrefix(body, "{"):
		return func(s string) string {
			text, err := json.Marshal(s)
			if err != nil {
				return ""
			}
			return string(text[1 : len(text)-1])
		}
	case strings.Contains(kind, "xml"), kind == "" && strings.HasPrefix(body, "<"):
		return func(s string) string {
			var b bytes.Buffer
			_ = xml.EscapeText(&b, []byte(s)) // a Buffer takes everything
			return b.String()
		}
	case strings.Contains(kind, "form"):
		return url.QueryEscape
	}
	return func(s string) string { return s }
}
