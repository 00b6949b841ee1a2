package phone

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/media/sdp"
	"github.com/offhook/offhook/internal/sip"
	"github.com/offhook/offhook/internal/testkit"
)

// party is a phone of a test and its events.
type party struct {
	*Phone
	t      *testing.T
	name   string
	events chan Event
}

func newParty(t *testing.T, name string, c Config) *party {
	t.Helper()
	_, log := testkit.NewLog(t)
	p := &party{t: t, name: name, events: make(chan Event, 100)}
	c.User, c.Log = name, log
	c.Events = func(ev Event) { p.events <- ev }
	var err error
	if p.Phone, err = New(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// next returns the next event, which must be of that kind.
func (p *party) next(kind Kind) Event {
	p.t.Helper()
	ev := testkit.Receive(p.t, p.events, 5*time.Second, p.name+" reports "+string(kind))
	if ev.Kind != kind {
		p.t.Fatalf("%s reports %+v, want %s", p.name, ev, kind)
	}
	return ev
}

// dial calls another phone directly.
func (p *party) dial(to *party) *Call {
	p.t.Helper()
	c, err := p.Dial(fmt.Sprintf("sip:%s@%s", to.name, to.Addr()), DialOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

// hears waits until a call hears a tone for half a second.
func hears(t *testing.T, c *Call, freq float64) {
	t.Helper()
	testkit.Eventually(t, 15*time.Second, fmt.Sprintf("%s hears %.0f Hz", c.id, freq), func() bool {
		pcm := c.Heard(500 * time.Millisecond)
		return len(pcm) == Rate/2 && meter.Purity(pcm, Rate, freq) > 0.8 && meter.Level(pcm) > -20
	})
}

// connect makes alice call bob and bob answer.
func connect(t *testing.T, alice, bob *party) (a, b *Call) {
	t.Helper()
	a = alice.dial(bob)
	b = bob.Call(bob.next(Incoming).Call)
	alice.next(Ringing)
	b.Answer()
	bob.next(Answered)
	alice.next(Answered)
	return a, b
}

func TestCallBothWays(t *testing.T) {
	for _, c := range []media.Codec{media.PCMU, media.PCMA, media.Opus} {
		t.Run(c.String(), func(t *testing.T) {
			testkit.CheckLeaks(t)
			alice := newParty(t, "alice", Config{Say: func() Source { return Tone(440) }})
			bob := newParty(t, "bob", Config{Codecs: []media.Codec{c}, Tone: 440, Say: func() Source { return Tone(1000) }})
			a, b := connect(t, alice, bob)
			hears(t, a, 1000)
			hears(t, b, 440)
			if a.Format().Codec != c {
				t.Errorf("codec %v, want %v", a.Format().Codec, c)
			}
			a.HangUp()
			if end := bob.next(Ended); end.Reason != "the other side hung up" || end.Heard == nil || end.Heard.Level < -20 || end.Heard.Purity < 0.8 {
				t.Errorf("bob's end: %+v %+v", end, end.Heard)
			}
			alice.next(Ended)
		})
	}
}

func TestDigitsArriveOnceAndInOrder(t *testing.T) {
	alice, bob := newParty(t, "alice", Config{}), newParty(t, "bob", Config{})
	a, _ := connect(t, alice, bob)
	a.Digits("1x99#")
	for _, want := range []string{"1", "9", "9", "#"} {
		if got := bob.next(Digit).Digit; got != want {
			t.Errorf("digit %q, want %q", got, want)
		}
	}
}

func TestHoldSilencesTheOtherSide(t *testing.T) {
	say := func() Source { return Tone(700) }
	alice, bob := newParty(t, "alice", Config{Say: say}), newParty(t, "bob", Config{Say: say})
	a, b := connect(t, alice, bob)
	hears(t, a, 700)
	a.Hold()
	bob.next(Held)
	testkit.Eventually(t, 5*time.Second, "bob stops sending", func() bool {
		before := b.Stats().PacketsSent
		time.Sleep(100 * time.Millisecond)
		return b.Stats().PacketsSent == before
	})
	received := b.Stats().PacketsReceived // held, but may listen
	testkit.Eventually(t, 15*time.Second, "bob is sent audio", func() bool { return b.Stats().PacketsReceived > received+30 })
	hears(t, b, 700)
	a.Resume()
	bob.next(Resumed)
	sent := b.Stats().PacketsSent
	testkit.Eventually(t, 5*time.Second, "bob sends again", func() bool { return b.Stats().PacketsSent > sent+10 })
}

func TestEndsBeforeAnswer(t *testing.T) {
	for _, c := range []struct {
		name       string
		end        func(a, b *Call)
		alice, bob string
		code       int
	}{
		{"declined (603)", func(_, b *Call) { b.HangUp() }, "declined", "declined", 603},
		{"busy (486)", func(_, b *Call) { b.Decline(486) }, "busy", "declined", 486},
		{"caller gives up (CANCEL)", func(a, _ *Call) { a.HangUp() }, "cancelled", "caller gave up", 487},
		{"forwarded (302)", func(_, b *Call) { b.Forward("sip:carol@127.0.0.9") }, "Moved Temporarily", "forwarded", 302},
		{"answered elsewhere (CANCEL with Reason)", func(a, _ *Call) {
			a.out.Cancel(sip.Reason{Protocol: "SIP", Cause: 200, Text: "Call completed elsewhere"}.Header())
		}, "cancelled", "answered elsewhere", 487},
	} {
		t.Run(c.name, func(t *testing.T) {
			testkit.CheckLeaks(t)
			alice, bob := newParty(t, "alice", Config{}), newParty(t, "bob", Config{})
			a := alice.dial(bob)
			b := bob.Call(bob.next(Incoming).Call)
			alice.next(Ringing)
			c.end(a, b)
			if end := alice.next(Ended); end.Reason != c.alice || end.Code != c.code {
				t.Errorf("alice's end: %+v, want %d %s", end, c.code, c.alice)
			}
			if end := bob.next(Ended); end.Reason != c.bob {
				t.Errorf("bob's end: %+v, want %s", end, c.bob)
			}
			if len(alice.Calls())+len(bob.Calls()) != 0 {
				t.Error("calls are left")
			}
		})
	}
}

func TestEarlyMediaIsHeardBeforeTheAnswer(t *testing.T) {
	alice := newParty(t, "alice", Config{})
	bob := newParty(t, "bob", Config{Say: func() Source { return Tone(1000) }})
	a := alice.dial(bob)
	b := bob.Call(bob.next(Incoming).Call)
	alice.next(Ringing)
	b.Early()
	alice.next(Early)
	hears(t, a, 1000)
	b.Answer()
	alice.next(Answered)
	hears(t, a, 1000)
}

func TestFullPhoneIsBusy(t *testing.T) {
	alice, bob := newParty(t, "alice", Config{}), newParty(t, "bob", Config{MaxCalls: 1})
	alice.dial(bob)
	bob.next(Incoming)
	alice.next(Ringing)
	alice.dial(bob)
	if end := alice.next(Ended); end.Reason != "busy" {
		t.Errorf("second call ended %+v", end)
	}
}

func TestAutoAnswerWaits(t *testing.T) {
	alice, bob := newParty(t, "alice", Config{}), newParty(t, "bob", Config{AutoAnswer: true, AnswerAfter: 200 * time.Millisecond})
	alice.dial(bob)
	rang := bob.next(Incoming).At
	if waited := bob.next(Answered).At.Sub(rang); waited < 150*time.Millisecond {
		t.Errorf("answered after %v", waited)
	}
}

// TestReferred: what a phone makes of the NOTIFYs of a transfer (RFC 3515 section
// 2.4.4), and of others.
func TestReferred(t *testing.T) {
	alice, bob := newParty(t, "alice", Config{}), newParty(t, "bob", Config{})
	a, b := connect(t, alice, bob)
	for _, c := range []struct {
		event, body string
		want        int // the answer
	}{
		{"refer;id=2", "SIP/2.0 180 Ringing\r\n", 200},
		{"Refer", "SIP/2.0 486 Busy Here\r\n", 200},
		{"refer", "nonsense", 400},
		{"message-summary", "SIP/2.0 200 OK\r\n", 489},
	} {
		answers := make(chan int, 1)
		b.dialog.Request(sip.NOTIFY, "message/sipfrag", []byte(c.body), func(res *sip.Response, err error) {
			if err != nil {
				t.Error(err)
				answers <- 0
				return
			}
			answers <- res.StatusCode
		}, sip.NewHeader("Event", c.event), sip.NewHeader("Subscription-State", "active"))
		if got := testkit.Receive(t, answers, 5*time.Second, "an answer to NOTIFY"); got != c.want {
			t.Errorf("NOTIFY %s %q got %d, want %d", c.event, c.body, got, c.want)
		}
	}
	if first, last := alice.next(Referred), alice.next(Referred); first.Code != 180 || last.Code != 486 || first.Call != a.ID() {
		t.Errorf("%+v, %+v", first, last)
	}
}

// TestReplaces: both ends name a call by the same dialog, each from its own side.
func TestReplaces(t *testing.T) {
	alice, bob := newParty(t, "alice", Config{}), newParty(t, "bob", Config{})
	a := alice.dial(bob)
	b := bob.Call(bob.next(Incoming).Call)
	early := b.Replaces()
	if early == "" || a.Replaces() != "" {
		t.Errorf("while it rings: %q, %q", early, a.Replaces())
	}
	b.Answer()
	alice.next(Ringing)
	alice.next(Answered)
	ours, theirs := strings.Split(a.Replaces(), ";"), strings.Split(b.Replaces(), ";")
	if len(ours) != 3 || len(theirs) != 3 || b.Replaces() != early || ours[0] != theirs[0] ||
		strings.TrimPrefix(ours[1], "to-tag=") != strings.TrimPrefix(theirs[2], "from-tag=") ||
		strings.TrimPrefix(ours[2], "from-tag=") != strings.TrimPrefix(theirs[1], "to-tag=") {
		t.Errorf("%q, %q", ours, theirs)
	}
}

func TestReferIsRefusedByAPhone(t *testing.T) {
	alice, bob := newParty(t, "alice", Config{}), newParty(t, "bob", Config{})
	a, _ := connect(t, alice, bob)
	answers := make(chan int, 1)
	a.Refer("sip:carol@127.0.0.9", func(code int) { answers <- code })
	if code := testkit.Receive(t, answers, 5*time.Second, "answer to REFER"); code != 405 {
		t.Errorf("REFER was answered with %d", code)
	}
}

// TestHangUpCrossesTheAnswer is a HangUp whose CANCEL comes too late, because the
// 200 is being taken at this moment.
func TestHangUpCrossesTheAnswer(t *testing.T) {
	alice, bob := newParty(t, "alice", Config{}), newParty(t, "bob", Config{})
	a := alice.dial(bob)
	b := bob.Call(bob.next(Incoming).Call)
	alice.next(Ringing)
	a.mu.Lock()
	a.giveUp = true // as HangUp does before it cancels
	a.mu.Unlock()
	b.Answer()
	bob.next(Answered)
	alice.next(Ended)
	bob.next(Ended)
}

// TestHangUpWhileAnswering is a HangUp between the decision to answer and its
// 200: the call must end at both sides, and Answered comes before Ended.
func TestHangUpWhileAnswering(t *testing.T) {
	alice, bob := newParty(t, "alice", Config{}), newParty(t, "bob", Config{})
	alice.dial(bob)
	b := bob.Call(bob.next(Incoming).Call)
	alice.next(Ringing)
	var hanging sync.WaitGroup
	hanging.Go(func() {
		for range 1000 {
			b.mu.Lock()
			up := b.state == stateUp
			b.mu.Unlock()
			if up {
				break
			}
			runtime.Gosched()
		}
		b.HangUp()
	})
	b.Answer()
	hanging.Wait()
	testkit.Eventually(t, 5*time.Second, "both calls end", func() bool { return len(alice.Calls())+len(bob.Calls()) == 0 })
	if ev := testkit.Receive(t, bob.events, time.Second, "bob's event"); ev.Kind == Answered {
		bob.next(Ended)
	} else if ev.Kind != Ended { // HangUp was first and declined
		t.Errorf("bob reports %+v", ev)
	}
}

// TestInviteWithoutOffer is a caller that wants our offer and answers it in its
// ACK (RFC 3261 section 13.2.1).
func TestInviteWithoutOffer(t *testing.T) {
	bob := newParty(t, "bob", Config{AutoAnswer: true, Say: func() Source { return Tone(1000) }})
	alice := newParty(t, "alice", Config{})
	heard := &Call{phone: alice.Phone}
	var err error
	if heard.audio, err = alice.newAudio(heard); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(heard.audio.close)
	uri := sip.Uri{Scheme: "sip", User: "bob", Host: "127.0.0.1", Port: int(bob.Addr().Port())}
	alice.stack.Invite(sip.InviteRequest{RequestURI: uri, From: alice.address(), To: sip.Address{URI: uri}, ContactUser: "alice"}, sip.OutgoingEvents{
		Answered: func(d *sip.Dialog, res *sip.Response) {
			offer, err := sdp.ParseOffer(res.Body())
			if err != nil {
				t.Error(err)
				return
			}
			answer, err := heard.audio.answerOffer(offer, []media.Codec{media.PCMA})
			if err != nil {
				t.Error(err)
			}
			d.Ack(answer)
		},
	})
	hears(t, heard, 1000)
}

func TestDialRefusesNonsense(t *testing.T) {
	alice := newParty(t, "alice", Config{})
	for _, to := range []string{"", "a b", "<bob>", "sip:", "bob\r\nX: y", "bob@evil"} {
		if _, err := alice.Dial(to, DialOptions{}); err == nil {
			t.Errorf("dialled %q", to)
		}
	}
}

func TestRecording(t *testing.T) {
	pcm := []int16{1, 2, 3}
	for _, c := range []struct {
		name string
		loop bool
		want []int16
	}{
		{"once", false, []int16{1, 2, 3, 0, 0, 0, 0, 0, 0, 0}},
		{"loop", true, []int16{1, 2, 3, 1, 2, 3, 1, 2, 3, 1}},
	} {
		source := Recording(pcm, c.loop)
		var got []int16
		for range 2 {
			part := make([]int16, 5)
			source(part)
			got = append(got, part...)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestMemoryKeepsTheNewest(t *testing.T) {
	var m memory
	for i := range 3 * memorySamples / Frame {
		m.add(slices.Repeat([]int16{int16(i)}, Frame+1))
	}
	got := m.last(20 * time.Millisecond)
	newest := int16(3*memorySamples/Frame - 1)
	if len(got) != Frame || got[0] != newest || got[Frame-1] != newest {
		t.Errorf("%d samples, %d to %d, want all %d", len(got), got[0], got[len(got)-1], newest)
	}
}

// A phone must not listen on 127.0.0.1 when its server is elsewhere.
func TestAddressTowards(t *testing.T) {
	local := netip.MustParseAddr("127.0.0.1")
	for _, server := range []string{"", "127.0.0.1", "127.0.0.1:5070", "127.0.0.9:5070", "no such host", "bad:port:5060"} {
		if got := addressTowards(t.Context(), server); got != local {
			t.Errorf("%q: %v", server, got)
		}
	}
	if got := addressTowards(t.Context(), "[::1]:5060"); got != netip.IPv6Loopback() && got != local { // a machine without IPv6
		t.Errorf("[::1]: %v", got)
	}
}
