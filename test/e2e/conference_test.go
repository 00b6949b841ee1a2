//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

const (
	// conferenceGuests are reached over the trunk, with the chair they are 50 legs of G.711.
	conferenceGuests = 49
	// conferenceSeconds is how long everybody must hear the others well; a minute with
	// OFFHOOK_LONG=1.
	conferenceSeconds = 10
)

// What the first guests and the pages say; all others say nothing.
var (
	guestTones = []float64{1000, 1300}
	pageTones  = []float64{600, 820, 1600}
)

// conference is one call of many.
type conference struct {
	*office
	t      *testing.T
	api    *harness.API
	call   string // its id
	chair  string // leg by whose rights others are rung
	guests *harness.Phone
	lines  []*phone.Call // of the guests
	pages  []*softphone
}

// TestConferenceOfFifty puts 50 legs of G.711 and three browsers into one call,
// and lets everybody hear all who speak, without a packet lost.
func TestConferenceOfFifty(t *testing.T) {
	c := newConference(t)
	for range conferenceGuests - 1 { // the chair rang the first
		c.invite(fmt.Sprintf("1777555%04d", len(c.lines)))
		c.joined()
	}
	for i := range pageTones {
		c.invite(fmt.Sprintf("page%d", i))
		c.pages[i].AwaitRing(t, "chair")
		c.pages[i].Answer()
		testkit.Eventually(t, soon, "the page hears the others", func() bool { return meter.Level(c.pages[i].Hear(time.Second/2)) > -50 })
	}
	seconds := conferenceSeconds
	if os.Getenv("OFFHOOK_LONG") != "" {
		seconds = 60
	}
	begin, cpu := time.Now(), c.Metric("process_cpu_seconds_total")
	c.wantRight(seconds)
	minutes := time.Since(begin).Minutes() * float64(len(c.lines)+1+len(c.pages))
	t.Logf("%.3f CPU-s a participant-minute", (c.Metric("process_cpu_seconds_total")-cpu)/minutes)

	c.api.Do(t, "DELETE", "/calls/"+c.call, "", 204)
	c.AwaitMetric("offhook_legs", 0, soon)
	c.AwaitMetric("offhook_calls", 0, soon)
}

// newConference starts the exchange, the phones and the call of the chair with the
// first guest.
func newConference(t *testing.T) *conference {
	t.Helper()
	const ip = "127.0.0.4"
	trunk := netip.AddrPortFrom(netip.MustParseAddr(ip), testkit.FreePort(t, ip))
	var users strings.Builder
	for i := range pageTones {
		fmt.Fprintf(&users, "    - {name: page%[1]d, password: %[2]s}\n", i, password(fmt.Sprint("page", i)))
	}
	c := &conference{t: t, office: &office{Offhook: harness.NewOffhook(t, fmt.Sprintf(`limits: {api_rate: 0}
resources:
  limits: {user: {calls: 0}, trunk: {calls: 0}}
  trunks: [{name: out, uri: "sip:%s", prefixes: ["1777"], accept_from: [%s/32]}]
  users:
    - {name: operator, role: admin}
    - {name: chair, password: %s}
%s`, trunk, ip, password("chair"), users.String()))}}
	c.api = c.API(t, "operator")
	var joined atomic.Int32
	c.guests = harness.NewCarrier(t, c.Offhook, trunk, phone.Config{
		Codecs: []media.Codec{media.PCMU}, MaxCalls: conferenceGuests, AutoAnswer: true,
		Say: func() phone.Source {
			if n := int(joined.Add(1)); n <= len(guestTones) {
				return phone.Tone(guestTones[n-1])
			}
			return nil
		},
	})
	c.browser = harness.NewBrowser(t)
	for i, hz := range pageTones {
		name := fmt.Sprint("page", i)
		c.pages = append(c.pages, c.logIn(name, password(name), hz))
	}
	chair := harness.NewUser(t, c.Offhook, "chair", password("chair"), phone.Config{Codecs: []media.Codec{media.PCMU}})
	dial(t, chair, "17775550000", phone.DialOptions{})
	chair.Await(phone.Answered, soon)
	c.joined()
	for _, leg := range c.legs() {
		if leg["direction"] == "inbound" {
			c.chair = fmt.Sprint(leg["id"])
		}
	}
	return c
}

// invite rings somebody into the call.
func (c *conference) invite(to string) {
	c.t.Helper()
	c.api.Do(c.t, "POST", "/calls/"+c.call+"/legs", fmt.Sprintf(`{"by":%q,"to":%q}`, c.chair, to), 200)
}

// joined waits for the next guest.
func (c *conference) joined() {
	c.t.Helper()
	ev := c.guests.Await(phone.Answered, soon)
	c.lines = append(c.lines, c.guests.Call(ev.Call))
	c.await(len(c.lines) + 1)
}

// await waits until that many legs talk; only one at a time can be added.
func (c *conference) await(legs int) {
	c.t.Helper()
	testkit.Eventually(c.t, soon, fmt.Sprintf("%d legs talk", legs), func() bool {
		answered := 0
		for _, l := range c.legs() {
			if l["state"] == "answered" {
				answered++
			}
		}
		return answered == legs
	})
}

// legs returns the legs of the only call there is.
func (c *conference) legs() (legs []map[string]any) {
	c.t.Helper()
	list, _ := c.api.Do(c.t, "GET", "/calls", "", 200)["items"].([]any)
	for _, one := range list {
		call, _ := one.(map[string]any)
		c.call = fmt.Sprint(call["id"])
		all, _ := call["legs"].([]any)
		for _, l := range all {
			leg, _ := l.(map[string]any)
			legs = append(legs, leg)
		}
	}
	return legs
}

// wantRight looks every second until everybody has heard just the others in so many of
// them: a busy machine spoils a second of one or another. Of the packets none is missing,
// and they come at the pace of the time whenever the machine does not stand still.
func (c *conference) wantRight(seconds int) {
	c.t.Helper()
	begin, first := time.Now(), c.received()
	right, best := make([]int, len(c.lines)+len(c.pages)), make([]float64, len(c.lines))
	deadline := begin.Add(time.Minute + 10*time.Duration(seconds)*time.Second)
	for looks, short := 0, true; short; looks++ {
		if time.Now().After(deadline) {
			c.t.Fatalf("of %d seconds so many were right for each: %d, want %d", looks, right, seconds)
		}
		at, before := time.Now(), c.received()
		time.Sleep(time.Second)
		passed := time.Since(at).Seconds()
		for i, n := range c.received() {
			best[i] = max(best[i], float64(n-before[i])/passed)
		}
		short = false
		for i, what := range c.wrong() {
			if what == "" {
				right[i]++
			} else {
				c.t.Logf("after %v: listener %d %s", time.Since(begin).Round(time.Second), i, what)
			}
			short = short || right[i] < seconds
		}
	}
	passed := time.Since(begin).Seconds()
	for i, line := range c.lines {
		mean, lost := float64(line.Stats().PacketsReceived-first[i])/passed, line.Stats().Lost
		if best[i] < 48 || mean > 51.5 || lost > 0 {
			c.t.Errorf("guest %d got %.1f packets a second, %.1f at best, want 50; %d are missing", i, mean, best[i], lost)
		}
	}
}

// wrong says of each guest and page what it does not hear of the others who speak, ""
// if it hears just them.
func (c *conference) wrong() (list []string) {
	for i, line := range c.lines {
		own := 0.0
		if i < len(guestTones) {
			own = guestTones[i]
		}
		list = append(list, hearsOthers(line.Heard(time.Second), phone.Rate, own))
	}
	for i, page := range c.pages {
		list = append(list, hearsOthers(page.Hear(time.Second), harness.HearRate, pageTones[i]))
	}
	return list
}

// hearsOthers says what is wrong with a second of the conference, for somebody
// who says own himself.
func hearsOthers(pcm []int16, rate int, own float64) string {
	if len(pcm) < rate/2 || meter.Level(pcm) < -50 {
		return "hears nothing"
	}
	total := 0.0
	for _, tones := range [][]float64{guestTones, pageTones} {
		for _, hz := range tones {
			share := meter.Purity(pcm, rate, hz)
			switch {
			case hz == own && share > harness.Absent:
				return fmt.Sprintf("hears himself: %.2f", share)
			case hz != own && share < 0.04:
				return fmt.Sprintf("does not hear %.0f Hz: %.2f", hz, share)
			case hz != own:
				total += share
			}
		}
	}
	if total < 0.7 {
		return fmt.Sprintf("hears something else: the tones are %.2f of it", total)
	}
	return ""
}

func (c *conference) received() (counts []uint64) {
	for _, line := range c.lines {
		counts = append(counts, line.Stats().PacketsReceived)
	}
	return counts
}
