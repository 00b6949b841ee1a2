package sounds

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/outward"
	"github.com/offhook/offhook/internal/testkit"
)

// wav returns a WAV file of n samples at 8000 Hz.
func wav(t testing.TB, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := file.EncodeWAV(&b, 8000, 1, make([]int16, n)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func newLibrary(t testing.TB, folder string, hosts ...string) *Library {
	t.Helper()
	testkit.CheckLeaks(t)
	_, log := testkit.NewLog(t)
	l, err := New(Config{Folder: folder, Hosts: hosts, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func ask(t testing.TB, l *Library, name string) (*file.PCM, error) {
	t.Helper()
	done := make(chan outcome, 2)
	l.Open(name, func(pcm *file.PCM, err error) { done <- outcome{pcm, err} })
	r := testkit.Receive(t, done, 20*time.Second, name)
	if (r.pcm == nil) == (r.err == nil) {
		t.Errorf("%s: %v and %v", name, r.pcm, r.err)
	}
	return r.pcm, r.err
}

// expire makes a name be asked for again.
func (l *Library) expire(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept[name].fresh = time.Time{}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFiles(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	write(t, filepath.Join(outside, "secret.wav"), wav(t, 100))
	write(t, filepath.Join(dir, "hello.wav"), wav(t, 100))
	write(t, filepath.Join(dir, "text.wav"), []byte("no sound at all"))
	for _, err := range []error{
		os.Symlink(filepath.Join(outside, "secret.wav"), filepath.Join(dir, "link.wav")),
		os.Symlink("hello.wav", filepath.Join(dir, "inside.wav")),
		syscall.Mkfifo(filepath.Join(dir, "pipe.wav"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	l := newLibrary(t, dir)
	for _, c := range []struct {
		name string
		want error // nil is a sound
	}{
		{"hello.wav", nil},
		{"inside.wav", nil},
		{"missing.wav", fs.ErrNotExist},
		{"text.wav", file.ErrFormat},
		{"pipe.wav", errNoFile},
		{".", errNoFile},
		{"link.wav", errAny},
		{"../" + filepath.Base(outside) + "/secret.wav", errAny},
		{filepath.Join(outside, "secret.wav"), errAny},
		{"", errAny},
	} {
		pcm, err := ask(t, l, c.name)
		if errors.Is(c.want, errAny) && err != nil {
			continue
		}
		if !errors.Is(err, c.want) || err == nil && len(pcm.Samples) != 100 {
			t.Errorf("%q: %v, %v; want %v", c.name, pcm, err, c.want)
		}
	}
	if _, err := ask(t, newLibrary(t, filepath.Join(dir, "none")), "hello.wav"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a folder: %v", err)
	}
}

var errAny = errors.New("any")

func TestFileIsReadAgainWhenItChanges(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.wav"), wav(t, 100))
	l := newLibrary(t, dir)
	first, _ := ask(t, l, "a.wav")
	l.expire("a.wav")
	if again, err := ask(t, l, "a.wav"); again != first || err != nil {
		t.Errorf("read again for nothing: %v", err)
	}
	write(t, filepath.Join(dir, "a.wav"), wav(t, 200))
	l.expire("a.wav")
	if pcm, err := ask(t, l, "a.wav"); err != nil || pcm == first || len(pcm.Samples) != 200 {
		t.Errorf("a changed file is not read: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "a.wav")); err != nil {
		t.Fatal(err)
	}
	l.expire("a.wav")
	if _, err := ask(t, l, "a.wav"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is gone: %v", err)
	}
}

// site is a web server whose answers are functions.
type site struct {
	*httptest.Server
	asked atomic.Int32
}

func newSite(t *testing.T, answer http.HandlerFunc) *site {
	t.Helper()
	s := new(site)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func send(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) }
}

func TestManyListenersFetchOnce(t *testing.T) {
	s := newSite(t, send(wav(t, 100)))
	l := newLibrary(t, "", "127.0.0.1")
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if _, err := ask(t, l, s.URL+"/a.wav"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := s.asked.Load(); n != 1 {
		t.Errorf("fetched %d times", n)
	}
}

// A sound is asked for again when its time is over, and fetched again only if it
// has changed. A server in trouble takes nothing away, one that refuses does.
func TestRevalidation(t *testing.T) {
	var version, status atomic.Int32
	version.Store(1)
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if code := status.Load(); code != 0 {
			w.WriteHeader(int(code))
			return
		}
		tag := fmt.Sprintf(`"v%d"`, version.Load())
		w.Header().Set("ETag", tag)
		w.Header().Set("Cache-Control", "public, max-age=60")
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(wav(t, 100*int(version.Load())))
	})
	l := newLibrary(t, "", "127.0.0.0/8")
	url := s.URL + "/music.wav"
	first, err := ask(t, l, url)
	if err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		name    string
		do      func()
		asked   int32
		samples int // 0 is an error
		same    bool
	}{
		{"fresh", func() {}, 1, 100, true},
		{"stale, not changed", func() { l.expire(url) }, 2, 100, true},
		{"not changed is fresh again", func() {}, 2, 100, true},
		{"stale, server in trouble", func() { status.Store(503); l.expire(url) }, 3, 100, true},
		{"not asked again at once", func() { status.Store(0) }, 3, 100, true},
		{"changed", func() { version.Store(2); l.expire(url) }, 4, 200, false},
		{"gone", func() { status.Store(410); l.expire(url) }, 5, 0, false},
		{"gone is remembered", func() { status.Store(0) }, 5, 0, false},
		{"back", func() { l.expire(url) }, 6, 200, false},
	}
	for _, c := range steps {
		c.do()
		pcm, err := ask(t, l, url)
		if n := s.asked.Load(); n != c.asked {
			t.Errorf("%s: asked %d times, want %d", c.name, n, c.asked)
		}
		if (err != nil) != (c.samples == 0) || err == nil && len(pcm.Samples) != c.samples || (pcm == first) != c.same {
			t.Errorf("%s: %v, %v", c.name, pcm, err)
		}
	}
}

// A server that has become slow must not keep callers from what is there.
func TestSlowServerDoesNotDelayWhatIsThere(t *testing.T) {
	release := make(chan struct{})
	var asked atomic.Int32
	s := newSite(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) > 1 {
			<-release
		}
		_, _ = w.Write(wav(t, 100*int(asked.Load())))
	})
	l := newLibrary(t, "", "127.0.0.1")
	first, err := ask(t, l, s.URL)
	if err != nil {
		t.Fatal(err)
	}
	l.expire(s.URL)
	for _, times := range []int{1, 10} { // who comes first waits a little
		begin := time.Now()
		for range times {
			if pcm, err := ask(t, l, s.URL); pcm != first || err != nil {
				t.Errorf("got %v, %v", pcm, err)
			}
		}
		if took := time.Since(begin); took > 5*askTime {
			t.Errorf("%d of them took %v", times, took)
		}
	}
	close(release)
	testkit.Eventually(t, 5*time.Second, "the new one is there", func() bool {
		pcm, err := ask(t, l, s.URL)
		return err == nil && len(pcm.Samples) == 200
	})
}

// A name is allowed as such, or by the address that it leads to.
func TestNamesAreCheckedWhereTheyLead(t *testing.T) {
	s := newSite(t, send(wav(t, 100)))
	named := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	for _, c := range []struct {
		hosts []string
		url   string
		want  error
	}{
		{nil, named, outward.ErrPrivate},
		{[]string{"10.0.0.0/8", "elsewhere"}, named, outward.ErrPrivate},
		{[]string{"LocalHost"}, named, nil},
		{[]string{"127.0.0.0/8"}, named, nil},
		{[]string{"localhost"}, s.URL, outward.ErrPrivate},
	} {
		if _, err := ask(t, newLibrary(t, "", c.hosts...), c.url+"/a.wav"); !errors.Is(err, c.want) {
			t.Errorf("%v, %s: %v, want %v", c.hosts, c.url, err, c.want)
		}
	}
}

func TestURLsThatFail(t *testing.T) {
	forever := make(chan struct{})
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/page":
			_, _ = w.Write([]byte("<!doctype html>"))
		case "/long":
			w.Header().Set("Content-Length", strconv.Itoa(maxBytes+1))
		case "/endless":
			for w.(http.Flusher).Flush(); r.Context().Err() == nil; {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		case "/slow":
			_, _ = w.Write(wav(t, 100)[:50])
			w.(http.Flusher).Flush()
			<-forever
		case "/circle":
			http.Redirect(w, r, "/circle", http.StatusFound)
		case "/elsewhere":
			http.Redirect(w, r, "http://127.0.0.2:"+r.URL.Query().Get("port")+"/a.wav", http.StatusFound)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	})
	l := newLibrary(t, "", "127.0.0.1")
	l.getTime = 500 * time.Millisecond
	defer close(forever)
	_, port, _ := strings.Cut(s.Listener.Addr().String(), ":")
	for _, c := range []struct {
		url  string
		want error
	}{
		{s.URL + "/page", file.ErrFormat},
		{s.URL + "/missing", errRefused},
		{s.URL + "/long", errTooBig},
		{s.URL + "/slow", errLate},
		{s.URL + "/circle", errRedirects},
		{s.URL + "/file", errScheme},
		{s.URL + "/elsewhere?port=" + port, outward.ErrPrivate},
		{"http://127.0.0.3:" + port + "/a.wav", outward.ErrPrivate},
		{"http://0.0.0.0:" + port + "/a.wav", outward.ErrPrivate},
		{"http://[::1]:" + port + "/a.wav", outward.ErrPrivate},
		{"http://[::ffff:127.0.0.3]:" + port + "/a.wav", outward.ErrPrivate},
		{"http://169.254.169.254/latest/meta-data", outward.ErrPrivate},
		{"ftp://127.0.0.1/a.wav", errScheme},
		{"http://", errAny},
		{"://", errAny},
	} {
		_, err := ask(t, l, c.url)
		if err == nil || !errors.Is(c.want, errAny) && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.url, err, c.want)
		}
	}
	l.getTime = 10 * time.Second // the limit shall be the bytes
	if _, err := ask(t, l, s.URL+"/endless"); !errors.Is(err, errTooBig) {
		t.Errorf("endless: %v", err)
	}
}

func TestErrorsTellNoSecrets(t *testing.T) {
	s := newSite(t, http.NotFound)
	l := newLibrary(t, "", "127.0.0.1")
	_, err := ask(t, l, strings.Replace(s.URL, "http://", "http://user:hunter2@", 1)+"/a.wav?token=abc123")
	if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "abc123") || !strings.Contains(err.Error(), "/a.wav: ") {
		t.Errorf("got %v", err)
	}
	for _, malformed := range []string{"http://user:hunter2@example.com/%zz", "http://user:hun ter2@example.com/", "ht!tp://user:hunter2@example.com/"} {
		if _, err := ask(t, l, malformed); err == nil || strings.Contains(err.Error(), "ter2") {
			t.Errorf("got %v", err)
		}
	}
}

func TestCloseEndsWhoWaits(t *testing.T) {
	forever, begun := make(chan struct{}), make(chan struct{})
	s := newSite(t, func(http.ResponseWriter, *http.Request) { close(begun); <-forever })
	l := newLibrary(t, "", "127.0.0.1")
	defer close(forever)
	done := make(chan outcome, 1)
	l.Open(s.URL, func(pcm *file.PCM, err error) { done <- outcome{pcm, err} })
	<-begun
	l.Close()
	if r := testkit.Receive(t, done, time.Second, "the end"); r.err == nil {
		t.Errorf("got %v", r)
	}
	if _, err := ask(t, l, s.URL); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	l := newLibrary(t, "")
	now := time.Now()
	var latest *entry
	for i := range 5 {
		latest = &entry{pcm: &file.PCM{Rate: 16000, Samples: make([]int16, maxMemory/2/4)}, used: now.Add(time.Duration(i))}
		l.kept[strconv.Itoa(i)] = latest
	}
	l.kept["1"].loading = true
	l.shrinkLocked(latest)
	if len(l.kept) != 4 || l.kept["0"] != nil {
		t.Errorf("%d are left", len(l.kept))
	}
	for i := range 2 * maxNames {
		l.Open(fmt.Sprintf("missing-%d", i), func(*file.PCM, error) {})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.kept) > maxNames {
		t.Errorf("%d names are kept", len(l.kept))
	}
}

func TestLifeOf(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"":                             usualLife,
		"public, max-age=600":          10 * time.Minute,
		`max-age="60"`:                 time.Minute,
		"max-age=0":                    minLife,
		"max-age=99999999":             maxLife,
		"max-age=-1":                   usualLife,
		"max-age=3600, No-Store":       minLife,
		"no-cache":                     minLife,
		"private,must-revalidate, x=y": usualLife,
	} {
		if got := lifeOf(http.Header{"Cache-Control": {header}}); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}
