//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// What the files of these tests say, in Hz.
const (
	waitingHz = 1600
	saidHz    = 1850
)

// wavOf returns a stereo WAV file of a tone.
func wavOf(t *testing.T, rate int, hz float64, d time.Duration) []byte {
	t.Helper()
	var stereo []int16
	for _, s := range harness.Sine(rate, hz, d) {
		stereo = append(stereo, s, s)
	}
	var b bytes.Buffer
	if err := file.EncodeWAV(&b, rate, 2, stereo); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// soundServer serves one sound at an address and every path, and counts who asks.
func soundServer(t *testing.T, ip string, sound []byte) (url string, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = w.Write(sound)
	}))
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", ip+":0")
	if err != nil {
		t.Fatal(err)
	}
	_ = server.Listener.Close() // its own choice
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, asked
}

// TestSoundFiles shows what parties hear of files and URLs, and what in place of
// those that cannot be had.
func TestSoundFiles(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "wait.wav"), wavOf(t, 44100, waitingHz, 1500*time.Millisecond), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "press.wav"), wavOf(t, 16000, saidHz, time.Second), 0o600); err != nil {
		t.Fatal(err)
	}
	mp3, err := os.ReadFile(filepath.Join(harness.Root(t), "internal", "media", "file", "testdata", "vbr-44100-stereo.mp3"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "jazz.mp3"), mp3, 0o600); err != nil {
		t.Fatal(err)
	}
	url, asked := soundServer(t, "127.0.0.1", wavOf(t, 22050, saidHz, 1500*time.Millisecond))
	private, askedPrivate := soundServer(t, "127.0.0.3", wavOf(t, 8000, waitingHz, time.Second))
	t.Setenv("OFFHOOK_MEDIA_SOUNDS", folder)
	t.Setenv("OFFHOOK_MEDIA_SOUND_HOSTS", "127.0.0.1")

	tellStories(t, nil, []story{
		{
			"music out of a WAV file, again and again",
			[]string{"ann"},
			[]string{"name: wait, caller_hears: \"file:wait.wav\", endpoints: [{user: ann}]"},
			(*scene).hearsWaitingFile,
		},
		{
			"MP3 to a caller who talks Opus",
			[]string{"gus", "hal"},
			[]string{"name: jazz, caller_hears: \"file:jazz.mp3\", endpoints: [{user: gus}]"},
			(*scene).hearsMP3,
		},
		{
			"announcement from a URL, then the call ends",
			[]string{"eve"}, // who is nowhere
			[]string{"name: said, endpoints: [{user: eve}], unreachable: {announce: \"" + url + "/closed.wav\"}"},
			func(s *scene) {
				s.hearsAnnouncement(saidHz)
				s.hearsAnnouncement(saidHz)
				if n := asked.Load(); n != 1 {
					s.Errorf("the server was asked %d times for two calls", n)
				}
			},
		},
		{
			"prompt to press a key out of a file",
			[]string{"ben"},
			[]string{"name: press, confirm: {prompt: \"file:press.wav\"}, endpoints: [{user: ben}]"},
			(*scene).hearsPromptFile,
		},
		{
			"music at an address of ours is not asked for: ringback",
			[]string{"cid"},
			[]string{"name: inside, caller_hears: \"" + private + "/a.wav\", endpoints: [{user: cid}]"},
			func(s *scene) {
				s.hearsRingback("cid", 440, 480)
				s.wantLogged("a sound cannot be played", private+"/a.wav", "127.0.0.3 is no public address")
				if n := askedPrivate.Load(); n > 0 {
					s.Errorf("its server was asked %d times", n)
				}
			},
		},
		{
			"announcement that is not there: the call ends all the same",
			[]string{"fay"},
			[]string{"name: gone, endpoints: [{user: fay}], unreachable: {announce: \"file:gone.wav\"}"},
			func(s *scene) {
				caller := s.dial()
				caller.Await(phone.Ended, soon)
				s.wantLogged("a sound cannot be played", "gone.wav: file does not exist")
			},
		},
	})
}

// hearsWaitingFile listens for longer than the file lasts.
func (s *scene) hearsWaitingFile() {
	ann := s.user("ann", deskHz)
	caller := s.dial()
	call := s.ring(ann)
	s.awaitLongTone("the caller", caller.call, waitingHz, 3*time.Second)
	s.wantEarly(caller)
	call.Answer()
	s.wantTalk(caller, call, deskHz)
}

// hearsMP3 hears a tone of half a second, again and again.
func (s *scene) hearsMP3() {
	const mp3Hz = 1000
	gus := s.user("gus", deskHz)
	hal := s.house.user(s.T, "hal", phone.Config{Say: says(callerHz), Codecs: []media.Codec{media.Opus}})
	caller := dial(s.T, hal, s.number, phone.DialOptions{})
	call := s.ring(gus)
	s.awaitLongTone("the caller", caller.call, mp3Hz, 250*time.Millisecond)
	if got := caller.call.Format().Codec; got != media.Opus {
		s.Errorf("the caller talks %v", got)
	}
	call.Answer()
	s.wantTalk(caller, call, deskHz)
}

// hearsAnnouncement calls and is refused after it has heard a tone of 1.5 s.
func (s *scene) hearsAnnouncement(hz float64) {
	s.Helper()
	caller := s.dial()
	caller.Await(phone.Ended, soon)
	heard := caller.call.Heard(20 * time.Second)
	if !harness.HasTone(heard, phone.Rate, hz, 1250*time.Millisecond) || harness.HasTone(heard, phone.Rate, hz, 1750*time.Millisecond) {
		s.Errorf("the caller did not hear 1.5 s of %.0f Hz in %.1f s", hz, float64(len(heard))/phone.Rate)
	}
	s.wantUnanswered(caller)
}

func (s *scene) hearsPromptFile() {
	ben := s.user("ben", deskHz)
	caller := s.dial()
	call, _ := s.listen(ben)
	s.awaitLongTone("ben", call, saidHz, time.Second)
	call.Digits("1")
	s.wantTalk(caller, call, deskHz)
}

// awaitLongTone waits until a call has heard a tone for d without a break.
func (s *scene) awaitLongTone(who string, c *phone.Call, hz float64, d time.Duration) {
	s.Helper()
	testkit.Eventually(s, soon, fmt.Sprintf("%s hears %.0f Hz for %v", who, hz, d), func() bool {
		return harness.HasTone(c.Heard(d+2*time.Second), phone.Rate, hz, d)
	})
}

// wantLogged fails the test unless the exchange says words in one line.
func (s *scene) wantLogged(words ...string) {
	s.Helper()
	if lines := s.house.Log().Lines(words...); len(lines) == 0 {
		s.Errorf("no line in the log with %q", words)
	}
}
