package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/file"
)

const (
	// transcribeTime bounds how long the text of a recording may take.
	transcribeTime = 30 * time.Minute
	// maxTranscribed is the longest recording whose text is made, in bytes.
	maxTranscribed = 256 << 20
	// maxTexts is how many texts are made at once: a recording is in memory meanwhile,
	// several times.
	maxTexts = 2
)

var errTooBig = errors.New("the recording is too long for its text")

// Sentence is a piece of what is said in a file.
type Sentence struct {
	Text       string
	Begin, End time.Duration
	Words      []Word
}

// Word is a word of a Sentence. Confidence is 0 to 1.
type Word struct {
	Text       string
	Begin, End time.Duration
	Confidence float64
}

// document is the file of a text; times are in ms.
type document struct {
	Version  string            `json:"ver"`
	Request  core.RecordingID  `json:"request_id"`
	Channels []documentChannel `json:"channels"`
}

type documentChannel struct {
	Duration   int64              `json:"duration"`
	Transcript []documentSentence `json:"transcript"`
}

type documentSentence struct {
	Sentence  string         `json:"sentence"`
	Raw       string         `json:"raw_sentence"`
	Duration  int64          `json:"duration"`
	Timestamp int64          `json:"timestamp"`
	Words     []documentWord `json:"words"`
}

type documentWord struct {
	Word       string  `json:"word"`
	Start      int64   `json:"start_time"`
	End        int64   `json:"end_time"`
	Confidence float64 `json:"confidence"`
}

// transcribe makes the text of a recording, if it is wanted and can be made.
func (r *Recorder) transcribe(meta core.Recording) {
	switch {
	case meta.Transcribe == nil:
	case r.cfg.Transcriber == nil:
		r.cfg.Log.Warn("no text of a recording: nothing is configured that makes one", "recording", string(meta.ID))
	default:
		text, err := r.text(meta)
		if err != nil {
			r.cfg.Log.Error("the text of a recording cannot be made", "recording", string(meta.ID), "error", err)
			return
		}
		r.cfg.Listener.Transcribed(text)
	}
}

// text makes and stores the text of a recording, when it is its turn.
func (r *Recorder) text(meta core.Recording) (core.Recording, error) {
	select {
	case r.texts <- struct{}{}:
		defer func() { <-r.texts }()
	case <-r.ctx.Done():
		return core.Recording{}, r.ctx.Err()
	}
	ctx, cancel := context.WithTimeout(r.ctx, transcribeTime)
	defer cancel()
	channels, err := r.channels(meta)
	if err != nil {
		return core.Recording{}, err
	}
	doc := document{Version: "1.0.0", Request: meta.ID}
	for _, pcm := range channels {
		wav, err := wavOf(pcm)
		if err != nil {
			return core.Recording{}, err
		}
		sentences, err := r.cfg.Transcriber.Transcribe(ctx, meta.Transcribe.Language, wav)
		if err != nil {
			return core.Recording{}, err
		}
		doc.Channels = append(doc.Channels, documentOf(pcm.Duration(), sentences))
	}
	content, err := json.Marshal(doc)
	if err != nil {
		return core.Recording{}, fmt.Errorf("record: %w", err)
	}
	now := time.Now()
	text := core.Recording{
		File: uuid.NewString(), Kind: core.RecordedText, ID: meta.ID, App: meta.App, Leg: meta.Leg, Call: meta.Call, Hook: meta.Transcribe.Hook,
		Begun: now, Ended: now, Size: int64(len(content)), ContentType: typeJSON,
	}
	return text, r.put(ctx, text, content)
}

// documentOf is the text of one channel.
func documentOf(length time.Duration, sentences []Sentence) documentChannel {
	channel := documentChannel{Duration: length.Milliseconds(), Transcript: []documentSentence{}}
	for _, s := range sentences {
		sentence := documentSentence{
			Sentence: s.Text, Raw: s.Text, Duration: (s.End - s.Begin).Milliseconds(), Timestamp: s.Begin.Milliseconds(), Words: []documentWord{},
		}
		for _, w := range s.Words {
			sentence.Words = append(sentence.Words, documentWord{w.Text, w.Begin.Milliseconds(), w.End.Milliseconds(), w.Confidence})
		}
		channel.Transcript = append(channel.Transcript, sentence)
	}
	return channel
}

// channels reads a recording back. A WAV file of ours has its samples behind its
// head; of Ogg/Opus all channels become one.
func (r *Recorder) channels(meta core.Recording) ([]file.PCM, error) {
	content, size, err := r.cfg.Blobs.Open(FileName(meta))
	if err != nil {
		return nil, err
	}
	defer func() { _ = content.Close() }()
	if size > maxTranscribed {
		return nil, errTooBig
	}
	if meta.ContentType != typeWAV {
		pcm, err := file.Decode(content)
		return []file.PCM{pcm}, err
	}
	if _, err := content.Seek(file.WAVHeader, io.SeekStart); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	raw, err := io.ReadAll(content)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	channels := make([]file.PCM, meta.Channels)
	for i := range channels {
		channels[i] = file.PCM{Rate: rate, Samples: make([]int16, 0, len(raw)/2/meta.Channels)}
	}
	for at := 0; at+2*meta.Channels <= len(raw); at += 2 * meta.Channels {
		for i := range channels {
			s := int16(uint16(raw[at+2*i]) | uint16(raw[at+2*i+1])<<8)
			channels[i].Samples = append(channels[i].Samples, s)
		}
	}
	return channels, nil
}
