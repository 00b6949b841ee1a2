package config

import (
	"strings"
	"testing"
	"time"
)

func TestSpeechRecognitionAndRecordingAreChecked(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string // "" is no mistake
	}{
		"defaults":              {func(*Config) {}, ""},
		"unknown engine":        {func(c *Config) { c.Speech.Engine = "festival" }, "speech.engine"},
		"server without URL":    {func(c *Config) { c.Speech.Engine = EngineOpenAI }, "speech.url"},
		"server":                {func(c *Config) { c.Speech.Engine, c.Speech.URL = EngineHTTP, "http://127.0.0.1/?q={text}" }, ""},
		"voice like an option":  {func(c *Config) { c.Speech.Voices = map[string]string{"en": "-x"} }, "speech.voices"},
		"rate of samples":       {func(c *Config) { c.Speech.PCMRate = 400 }, "speech.pcm_rate"},
		"nobody speaks":         {func(c *Config) { c.Speech.Parallel = 0 }, "speech.parallel"},
		"recogniser by http":    {func(c *Config) { c.Recognition.Engine, c.Recognition.URL = EngineWebSocket, "http://a" }, "recognition.url"},
		"recogniser":            {func(c *Config) { c.Recognition.Engine, c.Recognition.URL = EngineWebSocket, "ws://a/listen" }, ""},
		"impatient recogniser":  {func(c *Config) { c.Recognition.Timeout = time.Millisecond }, "recognition.timeout"},
		"nothing is kept":       {func(c *Config) { c.Recording.Keep = 0 }, "recording.keep"},
		"recording without end": {func(c *Config) { c.Recording.MaxTime = 0 }, "recording.max_time"},
	} {
		cfg := Default()
		c.change(&cfg)
		err := cfg.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want a mistake at %q", name, err, c.want)
		}
	}
}
