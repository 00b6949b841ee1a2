package route

import (
	"slices"
	"testing"
)

func TestSoundFiles(t *testing.T) {
	r := Resources{
		Groups: []Group{
			{CallerHears: "file:jazz.mp3", Confirm: &Confirm{Prompt: "https://example.com/press.wav"}, Busy: &Destination{Announce: "file:busy.wav"}},
			{CallerHears: "music", Confirm: &Confirm{}, NoAnswer: &Destination{Announce: "closed"}, Failed: &Destination{Announce: "file:failed.wav"}},
			{CallerHears: "file:jazz.mp3", Unreachable: &Destination{User: "x"}},
		},
		Numbers: []Number{{Announce: "file:jazz.mp3", Closed: &Destination{Announce: "file:night.wav"}}, {Group: "x"}},
		Callers: []CallerRule{{To: &Destination{Announce: "file:vip.wav"}}, {Block: true}},
	}
	want := []string{"jazz.mp3", "https://example.com/press.wav", "busy.wav", "failed.wav", "night.wav", "vip.wav"}
	if got := r.SoundFiles(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
