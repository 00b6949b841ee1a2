package config

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// The values of Speech.Engine and Recognition.Engine.
const (
	EngineNone      = "none"
	EngineEspeak    = "espeak-ng"
	EngineFlite     = "flite"
	EngineOpenAI    = "openai"
	EngineHTTP      = "http"
	EngineWebSocket = "websocket"
)

// Speech is text to speech.
type Speech struct {
	// Engine is auto (default: espeak-ng or flite, what is installed), espeak-ng,
	// flite, openai, http or none.
	Engine string `yaml:"engine"`
	// URL is where openai and http ask, such as http://127.0.0.1:8000/v1/audio/speech.
	URL string `yaml:"url"`
	// Key is sent by openai as a bearer token; http puts it where it finds {key}.
	Key core.Secret `yaml:"key"`
	// Model is what openai asks for. Default "tts-1".
	Model string `yaml:"model"`
	// Method, Headers and Body are the request of http. {text}, {voice}, {language},
	// {rate}, {key} and {model} are replaced in them and in URL.
	Method  string            `yaml:"method"`
	Headers map[string]string `yaml:"headers"`
	Body    string            `yaml:"body"`
	// PCMRate is the rate of answers that are 16-bit samples without a header, 8000
	// to 48000 Hz; 0 (default) is WAV, MP3 or Ogg/Opus.
	PCMRate int `yaml:"pcm_rate"`
	// Voices are voices of the engine by language and style ("de-DE/2"), language
	// ("de-DE", "de"), the name that applications use ("Amy") or "default".
	Voices map[string]string `yaml:"voices"`
	// Timeout bounds how long a text may take. 1s-60s, default 20s.
	Timeout time.Duration `yaml:"timeout"`
	// Parallel is how many texts are spoken at once. 1-64, default 4.
	Parallel int `yaml:"parallel"`
	// CacheMB is how much of what was spoken is kept in the store's folder, in MB.
	// 0-100000, default 200.
	CacheMB int `yaml:"cache_mb"`
}

// Validate checks the section.
func (c Speech) Validate() error {
	errs := []error{
		checkWord("speech.engine", c.Engine, Auto, EngineEspeak, EngineFlite, EngineOpenAI, EngineHTTP, EngineNone),
		checkServer("speech", c.Engine, c.URL, "http", "https"),
	}
	if c.Method != "" && !slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPut}, c.Method) {
		errs = append(errs, fmt.Errorf("speech.method: %q is none of GET, POST, PUT", c.Method))
	}
	if c.PCMRate != 0 && (c.PCMRate < 8000 || c.PCMRate > 48000) {
		errs = append(errs, fmt.Errorf("speech.pcm_rate: %d is neither 0 nor in 8000..48000", c.PCMRate))
	}
	for key, voice := range c.Voices {
		if voice == "" || strings.HasPrefix(voice, "-") {
			errs = append(errs, fmt.Errorf("speech.voices: %q is no voice, for %q", voice, key))
		}
	}
	if c.Timeout < time.Second || c.Timeout > time.Minute {
		errs = append(errs, fmt.Errorf("speech.timeout: %v is outside 1s..60s", c.Timeout))
	}
	if c.Parallel < 1 || c.Parallel > 64 {
		errs = append(errs, fmt.Errorf("speech.parallel: %d is outside 1..64", c.Parallel))
	}
	if c.CacheMB < 0 || c.CacheMB > 100_000 {
		errs = append(errs, fmt.Errorf("speech.cache_mb: %d is outside 0..100000", c.CacheMB))
	}
	return errors.Join(errs...)
}

// Recognition is speech to text.
type Recognition struct {
	// Engine is none (default), openai, http or websocket.
	Engine string `yaml:"engine"`
	// URL is where it listens: http or https, such as
	// http://127.0.0.1:8000/v1/audio/transcriptions; ws or wss for websocket.
	URL string `yaml:"url"`
	// Key is sent as a bearer token.
	Key core.Secret `yaml:"key"`
	// Model is what openai asks for. Default "whisper-1".
	Model string `yaml:"model"`
	// Timeout bounds the wait for a text when somebody has spoken. 1s-60s, default 10s.
	Timeout time.Duration `yaml:"timeout"`
}

// Validate checks the section.
func (c Recognition) Validate() error {
	schemes := []string{"http", "https"}
	if c.Engine == EngineWebSocket {
		schemes = []string{"ws", "wss"}
	}
	errs := []error{
		checkWord("recognition.engine", c.Engine, EngineNone, EngineOpenAI, EngineHTTP, EngineWebSocket),
		checkServer("recognition", c.Engine, c.URL, schemes...),
	}
	if c.Timeout < time.Second || c.Timeout > time.Minute {
		errs = append(errs, fmt.Errorf("recognition.timeout: %v is outside 1s..60s", c.Timeout))
	}
	return errors.Join(errs...)
}

// checkServer checks the URL of an engine that is a server.
func checkServer(section, engine, address string, schemes ...string) error {
	if !slices.Contains([]string{EngineOpenAI, EngineHTTP, EngineWebSocket}, engine) {
		return nil
	}
	u, err := url.Parse(strings.NewReplacer("{", "", "}", "").Replace(address))
	if err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme) {
		return fmt.Errorf("%s.url: %q is not a URL that begins with %s://, which engine %s needs", section, address, schemes[0], engine)
	}
	return nil
}

// Recording is what is kept of calls as sound.
type Recording struct {
	// Folder holds the files. Default: recordings in the store's folder.
	Folder string `yaml:"folder"`
	// Keep is how long they are kept. 1h-87600h (ten years), default 720h (30 days).
	Keep time.Duration `yaml:"keep"`
	// MaxTime ends a recording that nothing else ends. 1m-24h, default 4h.
	MaxTime time.Duration `yaml:"max_time"`
}

// Validate checks the section.
func (c Recording) Validate() error {
	var errs []error
	if c.Keep < time.Hour || c.Keep > 87600*time.Hour {
		errs = append(errs, fmt.Errorf("recording.keep: %v is outside 1h..87600h", c.Keep))
	}
	if c.MaxTime < time.Minute || c.MaxTime > 24*time.Hour {
		errs = append(errs, fmt.Errorf("recording.max_time: %v is outside 1m..24h", c.MaxTime))
	}
	return errors.Join(errs...)
}
