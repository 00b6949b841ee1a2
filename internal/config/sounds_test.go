package config

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSoundsFolderAndHosts(t *testing.T) {
	c, err := Load(write(t, "store: {folder: /var/lib/offhook}\nmedia: {sound_hosts: [127.0.0.1, 10.1.0.0/16, music.internal]}\n"))
	if err != nil || c.Media.Sounds != filepath.Join("/var/lib/offhook", "sounds") ||
		!slices.Equal(c.Media.SoundHosts, []string{"127.0.0.1", "10.1.0.0/16", "music.internal"}) {
		t.Errorf("%+v, %v", c.Media, err)
	}
	c, err = Load(write(t, "media: {sounds: /srv/sounds}\n"))
	if err != nil || c.Media.Sounds != "/srv/sounds" {
		t.Errorf("%+v, %v", c.Media, err)
	}
	c, err = Load(write(t, "media: {sound_files: {\"https://a.example/us.mp3\": us.mp3}}\n"))
	if err != nil || c.Media.SoundFiles["https://a.example/us.mp3"] != "us.mp3" {
		t.Errorf("%+v, %v", c.Media, err)
	}
	for _, wrong := range []string{`{us.mp3: us.mp3}`, `{"https://a.example/us.mp3": "../us.mp3"}`, `{"https://a.example/us.mp3": ""}`} {
		if _, err := Load(write(t, "media: {sound_files: "+wrong+"}\n")); err == nil || !strings.Contains(err.Error(), "media.sound_files") {
			t.Errorf("%s: got %v", wrong, err)
		}
	}
	_, err = Load(write(t, "media: {sound_hosts: [\"http://a.example\"]}\n"))
	if err == nil || !strings.Contains(err.Error(), `:1:23: media.sound_hosts[0]: "http://a.example" is neither`) {
		t.Errorf("got %v", err)
	}
}
