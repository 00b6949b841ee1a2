//go:build e2e

package rtc_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/rtc"
	"github.com/offhook/offhook/test/e2e/harness"
)

// callPage negotiates without waiting for candidates, as our SDK does.
const callPage = `<!doctype html><title>call</title><body><audio id="a" autoplay></audio><script>
let pc;
const state = (want) => new Promise((done) => {
	const look = () => pc.connectionState === want ? done(true) : setTimeout(look, 20);
	look();
});
async function negotiate() {
	await pc.setLocalDescription();
	const r = await fetch("/offer" + location.search, {method: "POST", body: pc.localDescription.sdp});
	if (!r.ok) throw new Error(await r.text());
	await pc.setRemoteDescription({type: "answer", sdp: await r.text()});
	return true;
}
async function call() {
	pc = new RTCPeerConnection();
	pc.ontrack = (e) => { document.getElementById("a").srcObject = e.streams[0]; };
	const mic = await navigator.mediaDevices.getUserMedia({audio: true});
	pc.addTrack(mic.getAudioTracks()[0], mic);
	await negotiate();
	return state("connected");
}
async function restart() {
	pc.restartIce();
	await negotiate();
	return state("connected");
}
function press(keys) {
	pc.getSenders()[0].dtmf.insertDTMF(keys, 100, 50);
	return true;
}
async function cipher() {
	for (const s of (await pc.getStats()).values()) if (s.type === "transport") return s.srtpCipher;
}
async function lost() {
	for (const s of (await pc.getStats()).values()) if (s.type === "inbound-rtp") return s.packetsLost;
}
</script></body>`

// party is one tab and its path.
type party struct {
	path   *rtc.Path
	page   *harness.Page
	noUDP  bool // offer it our TCP candidates only
	up     chan struct{}
	down   chan error
	digits chan byte
}

func newParty(t *testing.T, s *rtc.Server, codec media.Codec) *party {
	t.Helper()
	p := &party{up: make(chan struct{}, 10), down: make(chan error, 10), digits: make(chan byte, 10)}
	path, err := s.NewPath(rtc.PathConfig{
		Codecs: []media.Codec{codec}, OnUp: func() { p.up <- struct{}{} },
		OnDown: func(err error) { p.down <- err }, OnDigit: func(d byte) { p.digits <- d },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(path.Close)
	p.path = path
	return p
}

// serve gives a page whose offers go to the party that its query names.
func serve(t *testing.T, parties map[string]*party) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /offer", func(w http.ResponseWriter, r *http.Request) {
		offer, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		party := parties[r.URL.RawQuery]
		answer, err := party.path.Answer(r.Context(), string(offer))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if party.noUDP {
			answer = regexp.MustCompile(`(?m)^a=candidate:.* udp .*\n`).ReplaceAllString(answer, "")
		}
		_, _ = io.WriteString(w, answer)
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, callPage)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// TestChromiumTalksToChromium relays two tabs to each other through one port, and
// checks tones, keys, an ICE restart and the end of a tab.
func TestChromiumTalksToChromium(t *testing.T) {
	browser := harness.NewBrowser(t)
	for _, codec := range []media.Codec{media.PCMU, media.Opus} {
		t.Run(codec.String(), func(t *testing.T) {
			s, err := rtc.NewServer(rtc.Config{Listen: netip.MustParseAddrPort("127.0.0.1:0")})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			ann, bob := newParty(t, s, codec), newParty(t, s, codec)
			ann.path.Receive(bob.path.Send)
			bob.path.Receive(ann.path.Send)
			url := serve(t, map[string]*party{"ann": ann, "bob": bob})
			ann.page = browser.Open("ann-"+codec.String(), url+"/?ann", 440)
			bob.page = browser.Open("bob-"+codec.String(), url+"/?bob", 1000)
			for _, p := range []*party{ann, bob} {
				start := time.Now()
				harness.Eval[bool](p.page, "call()")
				wait(t, "up", p.up)
				t.Logf("connected in %v", time.Since(start))
				if c := harness.Eval[string](p.page, "cipher()"); c != "SRTP_AEAD_AES_128_GCM" {
					t.Errorf("cipher %s", c)
				}
			}
			early := bob.path.Stats().Dropped // what ann said before bob was there
			talk := func() {
				t.Helper()
				ann.page.WantTone(1000)
				bob.page.WantTone(440)
			}
			talk()

			harness.Eval[bool](ann.page, `press("5#")`)
			for _, want := range "5#" {
				if got := wait(t, "digit", ann.digits); got != byte(want) {
					t.Errorf("digit %q, want %q", got, want)
				}
			}

			harness.Eval[bool](ann.page, "restart()")
			wait(t, "up after the restart", ann.up)
			talk()
			if n := harness.Eval[int](bob.page, "lost()"); n != 0 {
				t.Errorf("%d packets were lost", n)
			}
			if st := bob.path.Stats(); st.Dropped != early || st.Malformed != 0 {
				t.Errorf("stats %+v", st)
			}

			harness.Eval[bool](ann.page, "pc.close(), true")
			if err := wait(t, "down", ann.down); !errors.Is(err, rtc.ErrClosed) {
				t.Errorf("down because of %v", err)
			}
		})
	}
}

// TestChromiumWithoutUDP: of two tabs one can be reached over TCP only.
func TestChromiumWithoutUDP(t *testing.T) {
	browser := harness.NewBrowser(t)
	loopback := netip.MustParseAddrPort("127.0.0.1:0")
	s, err := rtc.NewServer(rtc.Config{Listen: loopback, ListenTCP: loopback})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	ann, bob := newParty(t, s, media.Opus), newParty(t, s, media.Opus)
	ann.noUDP = true
	ann.path.Receive(bob.path.Send)
	bob.path.Receive(ann.path.Send)
	url := serve(t, map[string]*party{"ann": ann, "bob": bob})
	ann.page = browser.Open("ann", url+"/?ann", 440)
	bob.page = browser.Open("bob", url+"/?bob", 1000)
	for _, p := range []*party{ann, bob} {
		harness.Eval[bool](p.page, "call()")
		wait(t, "up", p.up)
	}
	if got := s.Stats().Streams; got == 0 {
		t.Error("no TCP connection")
	}
	ann.page.WantTone(1000)
	bob.page.WantTone(440)

	harness.Eval[bool](ann.page, "restart()")
	wait(t, "up after the restart", ann.up)
	ann.page.WantTone(1000)
	bob.page.WantTone(440)
}

func wait[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute):
		t.Fatalf("%s: nothing within a minute", what)
		panic("unreachable")
	}
}
