package speech

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/file"
)

// HearConfig says how a server of recognition is asked.
type HearConfig struct {
	// OpenAI sends a form as POST /v1/audio/transcriptions takes it; else the WAV file is
	// the body.
	OpenAI bool
	// URL may have {language} in it.
	URL   string
	Key   core.Secret // bearer token, "" for none
	Model string
}

// WebHearing recognises by a server that takes whole files.
type WebHearing struct {
	cfg    HearConfig
	client *http.Client
}

// NewWebHearing returns a Recogniser that asks a server.
func NewWebHearing(cfg HearConfig) *WebHearing {
	return &WebHearing{cfg: cfg, client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the key goes nowhere else
	}}
}

// Open implements Recogniser.
func (w *WebHearing) Open(ctx context.Context, h Hints) (Hearing, error) {
	return &collected{w: w, ctx: ctx, hints: h}, nil
}

// collected is a Hearing that asks when all is there.
type collected struct {
	w     *WebHearing
	ctx   context.Context //nolint:containedctx // of Open: ends the question
	hints Hints
	pcm   []int16
}

// Write implements Hearing.
func (c *collected) Write(pcm []int16) error {
	c.pcm = append(c.pcm, pcm...)
	return nil
}

// Finish implements Hearing.
func (c *collected) Finish() ([]core.SpeechText, error) {
	var wav bytes.Buffer
	if err := file.EncodeWAV(&wav, HearRate, 1, c.pcm); err != nil {
		return nil, err
	}
	a, err := c.w.ask(c.ctx, c.hints, wav.Bytes())
	if err != nil {
		return nil, err
	}
	return a.texts(), nil
}

// Close implements Hearing.
func (c *collected) Close() {}

// Transcribe writes down a WAV file.
func (w *WebHearing) Transcribe(ctx context.Context, language string, wav []byte) ([]Sentence, error) {
	a, err := w.ask(ctx, Hints{Language: cmp.Or(language, defaultLanguage)}, wav)
	if err != nil {
		return nil, err
	}
	return a.sentences(), nil
}

// ask sends a WAV file.
func (w *WebHearing) ask(ctx context.Context, h Hints, wav []byte) (answer, error) {
	body, kind, err := w.body(h, wav)
	if err != nil {
		return answer{}, fmt.Errorf("speech: %w", err)
	}
	address := strings.ReplaceAll(w.cfg.URL, "{language}", url.QueryEscape(h.Language))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("speech: %w", err)
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Accept", "application/json")
	if w.cfg.Key != "" {
		req.Header.Set("Authorization", "Bearer "+w.cfg.Key.Reveal())
	}
	text, err := ask(w.client, req)
	if err != nil {
		return answer{}, fmt.Errorf("speech: %w", err)
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil || a.Text == nil && a.Results == nil {
		return answer{}, fmt.Errorf("speech: %w", errNoText)
	}
	return a, nil
}

// body returns what is sent.
func (w *WebHearing) body(h Hints, wav []byte) (body []byte, kind string, err error) {
	if !w.cfg.OpenAI {
		return wav, "audio/wav", nil
	}
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("file", "speech.wav")
	if err == nil {
		_, err = part.Write(wav)
	}
	language, _, _ := strings.Cut(h.Language, "-") // ISO 639-1
	for _, field := range [][2]string{
		{"model", cmp.Or(w.cfg.Model, "whisper-1")},
		{"language", language},
		{"prompt", strings.Join(h.Words, ", ")},
		{"response_format", "verbose_json"},
		{"timestamp_granularities[]", "segment"},
		{"timestamp_granularities[]", "word"},
	} {
		if err == nil && field[1] != "" {
			err = form.WriteField(field[0], field[1])
		}
	}
	if err == nil {
		err = form.Close()
	}
	return b.Bytes(), form.FormDataContentType(), err
}

// answer is what a server says: a text, or several readings of it, and where its
// pieces and words are if it knows.
type answer struct {
	Text       *string  `json:"text"`
	Confidence *float64 `json:"confidence"`
	Results    []struct {
		Text       string   `json:"text"`
		Confidence *float64 `json:"confidence"`
	} `json:"results"`
	Segments []struct {
		Text       string   `json:"text"`
		Start      float64  `json:"start"`
		End        float64  `json:"end"`
		LogProb    *float64 `json:"avg_logprob"`
		Confidence *float64 `json:"confidence"`
	} `json:"segments"`
	Words []struct {
		Word        string   `json:"word"`
		Start       float64  `json:"start"`
		End         float64  `json:"end"`
		Probability *float64 `json:"probability"`
	} `json:"words"`
}

// texts returns the readings.
func (a answer) texts() (list []core.SpeechText) {
	for _, r := range a.Results {
		list = appendText(list, r.Text, confidence(r.Confidence))
	}
	if len(list) > 0 || a.Text == nil {
		return list
	}
	sure := confidence(a.Confidence)
	if a.Confidence == nil && len(a.Segments) > 0 {
		sum := 0.0
		for _, s := range a.Segments {
			sum += segmentConfidence(s.LogProb, s.Confidence)
		}
		sure = sum / float64(len(a.Segments))
	}
	return appendText(nil, *a.Text, sure)
}

func appendText(list []core.SpeechText, text string, sure float64) []core.SpeechText {
	if text = strings.TrimSpace(text); text == "" {
		return list
	}
	return append(list, core.SpeechText{Text: text, Confidence: sure})
}

// confidence is 1 where a server says nothing.
func confidence(c *float64) float64 {
	if c == nil || math.IsNaN(*c) {
		return 1
	}
	return math.Round(limit(*c, 0, 1)*1000) / 1000
}

// segmentConfidence takes the mean logarithm of the probability of a piece's tokens
// for how sure the server is.
func segmentConfidence(logProb, given *float64) float64 {
	if given == nil && logProb != nil {
		p := math.Exp(*logProb)
		given = &p
	}
	return confidence(given)
}

// sentences returns the pieces with their words.
func (a answer) sentences() (list []Sentence) {
	for _, s := range a.Segments {
		sentence := Sentence{Text: strings.TrimSpace(s.Text), Begin: s.Start, End: s.End}
		for _, w := range a.Words {
			if middle := (w.Start + w.End) / 2; middle >= s.Start && middle < s.End {
				sentence.Words = append(sentence.Words, SpokenWord{strings.TrimSpace(w.Word), w.Start, w.End, confidence(w.Probability)})
			}
		}
		list = append(list, sentence)
	}
	if len(list) == 0 {
		for _, t := range a.texts()[:min(1, len(a.texts()))] {
			list = append(list, Sentence{Text: t.Text})
		}
	}
	return list
}
