//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// party is somebody in a call, on whatever phone.
type party interface {
	Tone() float64 // Hz that it says
	AwaitTone(t *testing.T, hz float64)
	HangUp()
	AwaitEnd(t *testing.T)
}

// callee is a party that can be called. From is the caller's number or name.
type callee interface {
	party
	AwaitRing(t *testing.T, from string)
	Answer()
	// AwaitElsewhere waits until the phone was told, once and in the right words,
	// that another one took the call.
	AwaitElsewhere(t *testing.T, from string)
	// WantNoCancel fails the test if the phone was told to stop ringing.
	WantNoCancel(t *testing.T, from string)
}

// talk waits until both hear each other.
func talk(t *testing.T, a, b party) {
	t.Helper()
	a.AwaitTone(t, b.Tone())
	b.AwaitTone(t, a.Tone())
}

// elsewhere is the header of RFC 3326 that keeps a call out of the list of missed ones.
const elsewhere = "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n"

// wantElsewhere checks the CANCELs of one leg, retransmissions left out.
func wantElsewhere(t *testing.T, who string, cancels []string) {
	t.Helper()
	cancels = slices.Compact(cancels)
	if len(cancels) != 1 || !strings.Contains(cancels[0], elsewhere) {
		t.Errorf("%s got %d CANCELs, want one with %s%s", who, len(cancels), elsewhere, strings.Join(cancels, "\n"))
	}
}

// caller is a party in the phone network that called the office.
type caller struct {
	line   *line
	call   *phone.Call
	number string
}

func (c *caller) Tone() float64 { return callerHz }
func (c *caller) HangUp()       { c.call.HangUp() }

func (c *caller) AwaitTone(t *testing.T, hz float64) {
	t.Helper()
	awaitTone(t, "caller", c.call, hz)
}

func (c *caller) AwaitEnd(t *testing.T) { t.Helper(); c.line.Await(phone.Ended, soon) }

// AwaitRingback waits until the caller has heard the American ringback tone for a second.
func (c *caller) AwaitRingback(t *testing.T) {
	t.Helper()
	awaitRingback(t, c.call, time.Second, 440, 480)
}

// awaitRingback waits until a call has heard some frequencies at once for d.
func awaitRingback(t *testing.T, c *phone.Call, d time.Duration, hz ...float64) {
	t.Helper()
	testkit.Eventually(t, soon, fmt.Sprintf("caller hears %v Hz", hz), func() bool {
		return harness.HasTones(c.Heard(d+250*time.Millisecond), phone.Rate, d, hz...)
	})
}

// listenTime is how long one look at what is heard right now takes.
const listenTime = 500 * time.Millisecond

// listen returns what comes in during d, nothing if no packets come.
func (c *caller) listen(d time.Duration) []int16 {
	var mu sync.Mutex
	var pcm []int16
	c.call.Listen(func(heard []int16) {
		mu.Lock()
		defer mu.Unlock()
		pcm = append(pcm, heard...)
	})
	<-time.After(d)
	c.call.Listen(nil)
	mu.Lock()
	defer mu.Unlock()
	return pcm
}

// AwaitSilence waits until a tone that was there is gone, which is to happen at once.
func (c *caller) AwaitSilence(t *testing.T, hz float64) {
	t.Helper()
	testkit.Eventually(t, 3*time.Second, fmt.Sprintf("caller hears no %.0f Hz", hz), func() bool {
		pcm := c.listen(listenTime)
		return meter.Purity(pcm, phone.Rate, hz) <= harness.Absent || meter.Level(pcm) < -60
	})
}

// AwaitDigit waits for the next key of the other party.
func (c *caller) AwaitDigit(t *testing.T, want string) {
	t.Helper()
	if ev := c.line.Await(phone.Digit, soon); ev.Digit != want {
		t.Errorf("the caller got key %q, want %q", ev.Digit, want)
	}
}

// WantAnswers checks what the caller's INVITE got: early media, then one 200.
func (c *caller) WantAnswers(t *testing.T) {
	t.Helper()
	wire := c.line.Wire()
	if len(wire.Find("< SIP/2.0 183 ", c.number, "\r\nm=audio ")) == 0 {
		t.Error("the caller got no 183 with SDP")
	}
	oks := wire.Find("< SIP/2.0 200 ", c.number, " INVITE\r\n", "\r\nm=audio ")
	if oks = slices.Compact(oks); len(oks) != 1 { // a retransmission is the same text
		t.Errorf("the caller got %d different 200 OK, want 1:\n%s", len(oks), strings.Join(oks, "\n"))
	}
}

// awaitTone waits until a call has heard a tone for a second.
func awaitTone(t *testing.T, who string, c *phone.Call, hz float64) {
	t.Helper()
	testkit.Eventually(t, soon, fmt.Sprintf("%s hears %.0f Hz", who, hz), func() bool {
		return harness.HasTone(c.Heard(1250*time.Millisecond), phone.Rate, hz, time.Second)
	})
}

// mobile is a party behind the trunk.
type mobile struct {
	*harness.Phone
	call *phone.Call // the last that rang it
	to   string      // the number that was called
}

func newMobile(p *harness.Phone) *mobile { return &mobile{Phone: p} }

func (m *mobile) Tone() float64 { return mobileHz }
func (m *mobile) Answer()       { m.call.Answer() }
func (m *mobile) HangUp()       { m.call.HangUp() }

func (m *mobile) AwaitRing(t *testing.T, from string) {
	t.Helper()
	ev := m.Await(phone.Incoming, soon)
	if got := strings.TrimPrefix(ev.Peer.Number, "+"); got != from {
		t.Errorf("the mobile shows caller %q, want %q", got, from)
	}
	m.to = strings.TrimPrefix(ev.To, "+")
	if m.call = m.Call(ev.Call); m.call == nil {
		t.Fatal("the mobile stopped ringing at once")
	}
}

func (m *mobile) AwaitTone(t *testing.T, hz float64) {
	t.Helper()
	awaitTone(t, "mobile", m.call, hz)
}

func (m *mobile) AwaitEnd(t *testing.T) { t.Helper(); m.Await(phone.Ended, soon) }

func (m *mobile) AwaitElsewhere(t *testing.T, from string) {
	t.Helper()
	m.AwaitEnd(t)
	wantElsewhere(t, "mobile", m.Wire().Find("< CANCEL ", from))
}

func (m *mobile) WantNoCancel(t *testing.T, from string) {
	t.Helper()
	if n := len(m.Wire().Find("< CANCEL ", from)); n > 0 {
		t.Errorf("the mobile answered and got %d CANCELs", n)
	}
}

// desk is a baresip.
type desk struct {
	*harness.Baresip
	hz float64
}

func (d *desk) Tone() float64 { return d.hz }
func (d *desk) Answer()       { d.Accept() }

func (d *desk) AwaitRing(t *testing.T, from string) {
	t.Helper()
	if ev := d.Await("CALL_INCOMING", soon); !strings.Contains(ev.Peer, from) {
		t.Errorf("the desk phone shows caller %q, want %q", ev.Peer, from)
	}
}

func (d *desk) AwaitTone(t *testing.T, hz float64) {
	t.Helper()
	d.Baresip.AwaitTone(hz, soon)
}

func (d *desk) AwaitEnd(t *testing.T) { t.Helper(); d.Await("CALL_CLOSED", soon) }

func (d *desk) AwaitElsewhere(t *testing.T, from string) {
	t.Helper()
	d.AwaitEnd(t)
	// The event comes by a socket and may overtake what the phone printed.
	testkit.Eventually(t, soon, "the desk phone prints a CANCEL", func() bool { return len(d.Find("CANCEL ", from)) > 0 })
	wantElsewhere(t, "desk phone", d.Find("CANCEL ", from))
}

func (d *desk) WantNoCancel(t *testing.T, from string) {
	t.Helper()
	if n := len(d.Find("CANCEL ", from)); n > 0 {
		t.Errorf("the desk phone answered and got %d CANCELs", n)
	}
}

// softphone is our page in Chromium.
type softphone struct {
	*harness.Page
	hz float64
}

func (s *softphone) Tone() float64 { return s.hz }
func (s *softphone) Answer()       { s.Click("[data-testid=answer]") }
func (s *softphone) HangUp()       { s.Click("[data-testid=hangup]") }

// Dial calls by the dial pad.
func (s *softphone) Dial(to string) {
	s.Type("[data-testid=dial-input]", to)
	s.Click("[data-testid=dial-call]")
}

func (s *softphone) AwaitRing(t *testing.T, from string) {
	t.Helper()
	testkit.Eventually(t, soon, "the page shows a call from "+from, func() bool {
		return strings.Contains(s.text("incoming"), grouped(from))
	})
}

func (s *softphone) AwaitTone(t *testing.T, hz float64) {
	t.Helper()
	testkit.Eventually(t, soon, fmt.Sprintf("the page plays %.0f Hz", hz), func() bool {
		return harness.HasTone(s.Hear(1250*time.Millisecond), harness.HearRate, hz, time.Second)
	})
}

func (s *softphone) AwaitEnd(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, soon, "the page is out of its call", func() bool {
		return !s.has("call") && !s.has("incoming") && s.has("dial-input")
	})
}

func (s *softphone) AwaitElsewhere(t *testing.T, from string) {
	t.Helper()
	testkit.Eventually(t, soon, "the page says that another phone took the call", func() bool {
		toast := s.text("toast")
		return strings.Contains(toast, grouped(from)) && strings.Contains(toast, "Answered on another phone")
	})
	s.AwaitEnd(t)
}

func (s *softphone) WantNoCancel(t *testing.T, from string) {
	t.Helper()
	if toast := s.text("toast"); strings.Contains(toast, grouped(from)) {
		t.Errorf("the page answered and says %q", toast)
	}
}

// awaitTimer waits until the call's timer has counted two seconds.
func (s *softphone) awaitTimer(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, soon, "the timer runs", func() bool {
		minutes, seconds, found := strings.Cut(strings.TrimSpace(s.text("timer")), ":")
		m, err1 := strconv.Atoi(minutes)
		sec, err2 := strconv.Atoi(seconds)
		return found && err1 == nil && err2 == nil && 60*m+sec >= 2
	})
}

// text returns what an element shows, "" if it is not there.
func (s *softphone) text(id string) string {
	return harness.Eval[string](s.Page, fmt.Sprintf(`document.querySelector("[data-testid=%s]")?.textContent ?? ""`, id))
}

func (s *softphone) has(id string) bool {
	return harness.Eval[bool](s.Page, fmt.Sprintf(`document.querySelector("[data-testid=%s]") !== null`, id))
}

// grouped writes a number as the page does: +1 299 555 0100.
func grouped(number string) string {
	if len(number) != 11 || strings.Trim(number, "0123456789") != "" {
		return number
	}
	return fmt.Sprintf("+%s %s %s %s", number[:1], number[1:4], number[4:7], number[7:])
}
