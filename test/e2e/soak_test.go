//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// The numbers of the soak: its group, its application, and the first park slot.
const soakGroup, soakApp, soakSlot = "600", "12995558800", "701"

// spare is how many goroutines and files more than before are no leak: pools fill, and
// idle connections of webhooks come and go. A leak is one for each of a hundred calls.
const spare = 30

// soakPhones is how many phones call each other, each one call at a time.
const soakPhones = 8

const soakConfig = `voice: {webhook_hosts: [127.0.0.0/8]}
resources:
  users:
%[1]s  groups: [{name: all, endpoints: [{user: soak-0}, {user: soak-1}, {user: soak-2}, {user: soak-3}]}]
  parking: {first: 701, last: 720, timeout: 10s}
  applications:
    - {id: "` + voiceApp + `", answer: {url: "%[2]s/answer", method: GET}, event: {url: "%[2]s/event", method: POST}}
  numbers: [{number: "` + soakGroup + `", group: all}, {number: "` + soakApp + `", application: "` + voiceApp + `"}]
`

// TestSoak lets phones do anything to each other, to a group and to an application,
// while strangers send garbage, and wants that nothing is left: no call, socket, file
// or goroutine. It lasts for OFFHOOK_SOAK, 8 s if that is not set; OFFHOOK_SEED
// repeats what was chosen, as far as the clock lets it.
func TestSoak(t *testing.T) {
	t.Parallel()
	length, err := time.ParseDuration(cmp.Or(os.Getenv("OFFHOOK_SOAK"), "8s"))
	if err != nil {
		t.Fatal(err)
	}
	s := newSoak(t)
	before, files, heap := s.Holds(), s.Metric("process_open_fds"), s.Metric("go_memstats_heap_inuse_bytes")
	before.Goroutines += spare
	s.run(length)
	s.AwaitIdle(before, 2*time.Minute) // transactions are forgotten after 32 s
	t.Logf("%d calls; goroutines %v at first, then %v; files %v, then %v; heap %.1f MB, then %.1f MB", s.calls, before.Goroutines-spare, s.Metric("go_goroutines"),
		files, s.Metric("process_open_fds"), heap/1e6, s.Metric("go_memstats_heap_inuse_bytes")/1e6)
	for _, gauge := range []string{"offhook_recordings", "offhook_websocket_legs", "offhook_webhooks_queued"} {
		s.AwaitMetric(gauge, 0, soon)
	}
	if n := s.Metric("offhook_media_panics_total"); n != 0 {
		t.Errorf("%v panics of media", n)
	}
	if after := s.Metric("process_open_fds"); after > files+spare {
		t.Errorf("%v open files, %v before", after, files)
	}
	for _, line := range s.Log().Lines("panic") {
		t.Error(line)
	}
}

// soak is an exchange with phones that do anything.
type soak struct {
	*harness.Offhook
	t      *testing.T
	phones []*phone.Phone

	mu    sync.Mutex // guards the fields below
	dice  *rand.Rand
	calls int
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	seed := uint64(time.Now().UnixNano()) //nolint:gosec // any number is good
	if text := os.Getenv("OFFHOOK_SEED"); text != "" {
		if _, err := fmt.Sscan(text, &seed); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("OFFHOOK_SEED=%d", seed)
	s := &soak{t: t, dice: rand.New(rand.NewPCG(seed, 1))} //nolint:gosec // chance that can be repeated
	app := httptest.NewServer(http.HandlerFunc(s.application))
	t.Cleanup(app.Close)
	var users strings.Builder
	for i := range soakPhones {
		fmt.Fprintf(&users, "    - {name: soak-%d, password: soak-password-%[1]d}\n", i)
	}
	s.Offhook = harness.NewOffhook(t, fmt.Sprintf(soakConfig, users.String(), app.URL))
	for i := range soakPhones {
		s.phones = append(s.phones, s.phone(i))
	}
	s.AwaitMetric("offhook_contacts", soakPhones, soon)
	return s
}

// pick returns a number below n.
func (s *soak) pick(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dice.IntN(n)
}

// while returns up to so long.
func (s *soak) while(most time.Duration) time.Duration {
	return time.Duration(s.pick(int(most/time.Millisecond))) * time.Millisecond
}

// phone is user i, who answers some calls late, declines others and lets some ring.
func (s *soak) phone(i int) *phone.Phone {
	s.t.Helper()
	var p *phone.Phone
	ready := make(chan struct{})
	_, log := testkit.NewLog(s.t)
	p, err := phone.New(s.t.Context(), phone.Config{
		User: fmt.Sprintf("soak-%d", i), Password: fmt.Sprintf("soak-password-%d", i), Server: s.SIP, Register: true,
		Transport: []string{"udp", "udp", "tcp"}[i%3], Say: says(float64(400 + 50*i)), Log: log,
		Codecs: [][]media.Codec{{media.PCMU, media.PCMA}, {media.Opus, media.PCMU}, {media.PCMA}, {media.G722, media.PCMU}}[i%4],
		Events: func(ev phone.Event) {
			if ev.Kind == phone.Incoming {
				go func() { <-ready; s.called(p.Call(ev.Call)) }()
			}
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	close(ready)
	s.t.Cleanup(p.Close)
	return p
}

// called does anything to a call that came.
func (s *soak) called(c *phone.Call) {
	if c == nil { // it is over already
		return
	}
	switch s.pick(8) {
	case 0:
		c.Decline(486)
	case 1:
		c.Decline(603)
	case 2: // let it ring
	case 3:
		c.Early()
		c.AnswerAfter(s.while(time.Second))
	default:
		c.AnswerAfter(s.while(2 * time.Second))
		time.AfterFunc(s.while(8*time.Second), c.HangUp)
	}
}

// run lets all phones call, and strangers disturb, for so long.
func (s *soak) run(length time.Duration) {
	ctx, cancel := context.WithTimeout(s.t.Context(), length)
	defer cancel()
	var all sync.WaitGroup
	for i, p := range s.phones {
		all.Go(func() {
			for ctx.Err() == nil {
				s.call(p, i)
			}
		})
	}
	all.Go(func() {
		for ctx.Err() == nil {
			s.disturb(ctx)
			time.Sleep(s.while(50 * time.Millisecond))
		}
	})
	all.Wait()
	for _, p := range s.phones {
		for _, c := range p.Calls() {
			c.HangUp()
		}
	}
}

// call places a call to anybody and does anything in it.
func (s *soak) call(p *phone.Phone, i int) {
	anybody := func() string {
		return []string{soakGroup, soakApp, soakApp, soakSlot, "nobody", fmt.Sprintf("soak-%d", (i+1+s.pick(soakPhones-1))%soakPhones)}[s.pick(6)]
	}
	c, err := p.Dial(anybody(), phone.DialOptions{})
	if err != nil {
		s.t.Error(err)
		return
	}
	s.mu.Lock()
	s.calls++
	s.mu.Unlock()
	for range s.pick(5) {
		time.Sleep(s.while(time.Second))
		switch s.pick(6) {
		case 0:
			c.Hold()
		case 1:
			c.Resume()
		case 2:
			c.Digits("1#")
		case 3:
			c.Refer([]string{anybody(), "700"}[s.pick(2)], func(int) {})
		}
	}
	c.HangUp()
	time.Sleep(s.while(100 * time.Millisecond)) // or it goes on while the next begins
}

// application answers the webhooks with any flow.
func (s *soak) application(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/socket":
		s.bot(w, r)
		return
	case "/event":
		if s.pick(20) == 0 {
			w.WriteHeader(http.StatusInternalServerError)
		}
		return
	}
	flows := []string{
		`[{"action": "talk", "text": "1 2 3", "loop": 0}]`,
		`[{"action": "talk", "text": "4", "bargeIn": true}, {"action": "input", "type": ["dtmf"], "dtmf": {"maxDigits": 2, "timeOut": 1}}]`,
		`[{"action": "conversation", "name": "room"}]`,
		`[{"action": "conversation", "name": "taped", "record": true, "endOnExit": true}]`,
		`[{"action": "record", "format": "wav"}, {"action": "conversation", "name": "room", "mute": true}]`,
		`[{"action": "connect", "timeout": 3, "endpoint": [{"type": "group", "name": "all"}]}]`,
		fmt.Sprintf(`[{"action": "connect", "endpoint": [{"type": "websocket", "uri": "ws://%s/socket", "content-type": "audio/l16;rate=16000"}]}]`, r.Host),
		`[{"action": "wait", "timeout": 1}]`,
		`[{"action": "no such verb"}]`,
		`not JSON`,
	}
	time.Sleep(s.while(300 * time.Millisecond))
	_, _ = fmt.Fprint(w, flows[s.pick(len(flows))]) // the exchange may have given up
}

// bot repeats what it hears, for a while.
func (s *soak) bot(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // it says so itself
	}
	defer conn.CloseNow()
	ctx, cancel := context.WithTimeout(r.Context(), s.while(5*time.Second))
	defer cancel()
	for {
		kind, data, err := conn.Read(ctx)
		if err != nil || conn.Write(ctx, kind, data) != nil {
			return
		}
	}
}

// disturb sends what no client sends, and leaves.
func (s *soak) disturb(ctx context.Context) {
	const upgrade = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
	garbage := []struct{ network, to, text string }{
		{"udp", s.SIP, "INVITE sip:x SIP/2.0\r\nVia: "},
		{"udp", s.SIP, "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK" + fmt.Sprint(s.pick(1e9)) + "\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:x>\r\nCall-ID: " + fmt.Sprint(s.pick(1e9)) + "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"},
		{"tcp", s.SIP, "REGISTER sip:x SIP/2.0\r\nContent-Length: 999\r\n\r\n"},
		{"tcp", s.TLS, "\x16\x03\x01\x02\x00"},
		{"tcp", s.HTTP, upgrade},
		{"tcp", s.HTTP, upgrade + "\x81\xfe\x40"},
		{"tcp", s.HTTP, "POST /v1/calls HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{"},
		{"udp", fmt.Sprintf("127.0.0.1:%d", 16384+s.pick(200)), "\x80\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01garbage"},
	}
	g := garbage[s.pick(len(garbage))]
	var d net.Dialer
	conn, err := d.DialContext(ctx, g.network, g.to)
	if err != nil {
		return // the time is over
	}
	_, _ = conn.Write([]byte(g.text)) // whatever comes of it
	time.Sleep(s.while(20 * time.Millisecond))
	_ = conn.Close()
}
