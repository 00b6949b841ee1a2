package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/offhook/offhook/internal/config"
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
