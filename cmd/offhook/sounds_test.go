package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/testkit"
)

func TestCheckSaysWhichSoundsCannotBePlayed(t *testing.T) {
	testkit.CheckLeaks(t)
	folder := t.TempDir()
	var wav bytes.Buffer
	if err := file.EncodeWAV(&wav, 8000, 1, make([]int16, 12000)); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"jazz.wav": wav.Bytes(), "list.wav": []byte("file 'a.wav'\n")} {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	say := func(text string) *route.Destination { return &route.Destination{Announce: text} }
	cfg := config.Config{
		Media: config.Media{Sounds: folder},
		Resources: config.Resources{Groups: []route.Group{{
			CallerHears: "file:jazz.wav", NoAnswer: say("file:gone.wav"), Busy: say("file:list.wav"), Failed: say("http://127.0.0.1:9/a.wav"),
		}}},
	}
	var out bytes.Buffer
	r := &report{out: &out}
	r.sounds(cfg)
	want := `ok    sounds         in ` + folder + `
ok    sound          jazz.wav lasts 1.5s
FAIL  sound          sounds: gone.wav: file does not exist in ` + folder + `
FAIL  sound          sounds: list.wav: cannot be decoded: file: neither WAV nor MP3 nor Ogg/Opus
warn  sound          sounds: http://127.0.0.1:9/a.wav: dial tcp 127.0.0.1:9: 127.0.0.1 is no public address; media.sound_hosts can allow it
`
	if got := out.String(); got != want || !r.failed {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
