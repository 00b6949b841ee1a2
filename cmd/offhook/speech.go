package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/record"
	"github.com/offhook/offhook/internal/speech"
)

// newSpeaker makes what speaks texts, with the engine of the configuration.
func newSpeaker(ctx context.Context, cfg config.Config, log *slog.Logger) (*speech.Speaker, error) {
	engine, err := speechEngine(ctx, cfg.Speech)
	if err != nil {
		return nil, fmt.Errorf("speech.engine: %w", err)
	}
	name := "none: only digits and announcements"
	if engine != nil {
		name = engine.Name()
	}
	log.Info("text to speech", "engine", name)
	return speech.NewSpeaker(speech.SpeakerConfig{
		Engine: engine, Folder: filepath.Join(cfg.Store.Folder, "speech"), DiskBytes: int64(cfg.Speech.CacheMB) << 20,
		Parallel: cfg.Speech.Parallel, Timeout: cfg.Speech.Timeout, Log: log,
	}), nil
}

// speechEngine makes the engine of the configuration, nil for none. A program that
// is named must be there; auto takes what is installed.
func speechEngine(ctx context.Context, c config.Speech) (speech.Engine, error) {
	voices := speech.Voices(c.Voices)
	switch c.Engine {
	case config.EngineEspeak:
		return orNone(speech.NewEspeak(ctx, voices))
	case config.EngineFlite:
		return orNone(speech.NewFlite(ctx, voices))
	case config.EngineOpenAI, config.EngineHTTP:
		return speech.NewWeb(speech.WebConfig{
			OpenAI: c.Engine == config.EngineOpenAI, URL: c.URL, Method: c.Method, Headers: c.Headers, Body: c.Body,
			Key: c.Key, Model: c.Model, PCMRate: c.PCMRate, Voices: voices,
		}), nil
	case config.Auto:
		if e, err := speech.NewEspeak(ctx, voices); err == nil {
			return e, nil
		}
		if f, err := speech.NewFlite(ctx, voices); err == nil {
			return f, nil
		}
	}
	return nil, nil
}

// orNone makes an engine that could not be made no engine at all.
func orNone[E speech.Engine](e E, err error) (speech.Engine, error) {
	if err != nil {
		return nil, err // not a typed nil
	}
	return e, nil
}

// speech lets the engine of the configuration say a word. A program must; a server
// may come later.
func (r *report) speech(ctx context.Context, cfg config.Config) {
	engine, err := speechEngine(ctx, cfg.Speech)
	switch {
	case err != nil:
		r.result("speech", err, "")
	case engine == nil:
		r.line("warn", "speech", "only digits and announcements can be spoken: neither espeak-ng nor flite is installed, or speech.engine is none")
	default:
		limit, cancel := context.WithTimeout(ctx, cfg.Speech.Timeout)
		defer cancel()
		pcm, err := engine.Speak(limit, speech.Utterance{Text: "one", Voice: engine.Voice(speech.Voice{}), Language: "en-US", Rate: 1, Pitch: 1})
		if _, server := engine.(*speech.Web); server && err != nil {
			r.line("warn", "speech", err.Error())
			return
		}
		r.result("speech", err, fmt.Sprintf("%s said a word of %v", engine.Name(), pcm.Duration().Round(10*time.Millisecond)))
	}
}

// newListener makes what recognises speech, with the server of the configuration.
func (n *node) newListener() *speech.Listener {
	var recogniser speech.Recogniser // an interface of nothing where none is configured
	c := n.cfg.Recognition
	to := speech.HearConfig{OpenAI: c.Engine == config.EngineOpenAI, URL: c.URL, Key: c.Key, Model: c.Model}
	switch c.Engine {
	case config.EngineOpenAI, config.EngineHTTP:
		recogniser = speech.NewWebHearing(to)
	case config.EngineWebSocket:
		recogniser = speech.NewSocketHearing(to)
	}
	return speech.NewListener(speech.ListenerConfig{
		Media: n.media, Post: poster(n.post), Recogniser: recogniser, Keeper: n.recorder, Timeout: c.Timeout, Log: n.log,
	})
}

// newTranscriber makes what writes recordings down, nil if nothing does: a server
// that hears by WebSocket does not.
func newTranscriber(c config.Recognition) record.Transcriber {
	if c.Engine != config.EngineOpenAI && c.Engine != config.EngineHTTP {
		return nil
	}
	return transcriber{speech.NewWebHearing(speech.HearConfig{OpenAI: c.Engine == config.EngineOpenAI, URL: c.URL, Key: c.Key, Model: c.Model})}
}

// transcriber lets a server of recognition write recordings down.
type transcriber struct{ server *speech.WebHearing }

// Transcribe implements record.Transcriber.
func (t transcriber) Transcribe(ctx context.Context, language string, wav []byte) ([]record.Sentence, error) {
	heard, err := t.server.Transcribe(ctx, language, wav)
	if err != nil {
		return nil, err
	}
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	list := make([]record.Sentence, 0, len(heard))
	for _, h := range heard {
		sentence := record.Sentence{Text: h.Text, Begin: seconds(h.Begin), End: seconds(h.End)}
		for _, w := range h.Words {
			sentence.Words = append(sentence.Words, record.Word{Text: w.Text, Begin: seconds(w.Begin), End: seconds(w.End), Confidence: w.Confidence})
		}
		list = append(list, sentence)
	}
	return list, nil
}
