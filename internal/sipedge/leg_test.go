package sipedge

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
	"github.com/offhook/offhook/internal/testkit"
)

// outcome collects what an INVITE of a test's peer ran into.
type outcome struct {
	provisional chan *sip.Response
	answered    chan *sip.Dialog
	failed      chan *sip.Response
	bye         chan []sip.Reason
}

func newOutcome() (*outcome, sip.OutgoingEvents) {
	o := &outcome{make(chan *sip.Response, 8), make(chan *sip.Dialog, 1), make(chan *sip.Response, 1), make(chan []sip.Reason, 1)}
	return o, sip.OutgoingEvents{
		Provisional: func(_ *sip.Dialog, res *sip.Response) { o.provisional <- res },
		Answered:    func(d *sip.Dialog, _ *sip.Response) { o.answered <- d },
		Failed:      func(_ int, res *sip.Response) { o.failed <- res },
		Dialog:      sip.DialogEvents{Bye: func(_ *sip.Dialog, r []sip.Reason) { o.bye <- r }},
	}
}

// next receives within 5 s.
func next[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(5 * time.Second):
		t.Fatal("no ", what)
		panic("unreachable")
	}
}

func TestInviteOfStrangerIsChallenged(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", nil)
	b := newBench(t, carrier.at)
	stranger := newPeer(t, "127.0.0.1", nil)
	for _, c := range []struct {
		what        string
		credentials *sip.Credentials
		want        int
	}{
		{"no credentials", nil, 407},
		{"wrong password", &sip.Credentials{Username: "alice", Password: "wrong"}, 403},
		{"unknown user", &sip.Credentials{Username: "mallory", Password: "wrong"}, 403},
	} {
		o, ev := newOutcome()
		stranger.invite(b, "12995558888", c.credentials, ev)
		if res := next(t, "refusal", o.failed); res.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.what, res.StatusCode, c.want)
		}
	}
	if n := count[core.Offered](b); n != 0 {
		t.Errorf("%d calls of strangers reached the exchange", n)
	}
}

func TestTrunkCallIsOfferedAnsweredAndEnded(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", nil)
	b := newBench(t, carrier.at)
	o, ev := newOutcome()
	carrier.invite(b, "12995558888", nil, ev)
	offered := wait(b, anyOf[core.Offered])
	if offered.From.Trunk != "carrier" || offered.From.Number != "+12995550100" || offered.To != "12995558888" {
		t.Errorf("offered as %+v", offered)
	}
	ref := core.LegRef{Leg: offered.Leg, Edge: core.EdgeSIP}
	b.do(core.Progress{LegRef: ref, Early: true})
	if res := next(t, "183", o.provisional); res.StatusCode != 183 || len(res.Body()) == 0 {
		t.Errorf("progress is %d with %d bytes of SDP", res.StatusCode, len(res.Body()))
	}
	b.do(core.Answer{LegRef: ref})
	next(t, "200", o.answered)
	wait(b, anyOf[core.LegUp])
	b.do(core.End{LegRef: ref, Cause: core.CauseNormal})
	if reasons := next(t, "BYE", o.bye); len(reasons) != 1 || reasons[0].Cause != 16 {
		t.Errorf("BYE with reasons %v", reasons)
	}
	wait(b, anyOf[core.LegGone])
	if n := count[core.LegGone](b); n != 1 || b.edge.Legs() != 0 {
		t.Errorf("%d LegGone, %d legs left", n, b.edge.Legs())
	}
}

// TestOverloadRefusesNewCallsOnly: calls that run are ended as always.
func TestOverloadRefusesNewCallsOnly(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", nil)
	b := newBench(t, carrier.at)
	o, ev := newOutcome()
	carrier.invite(b, "12995558888", nil, ev)
	ref := core.LegRef{Leg: wait(b, anyOf[core.Offered]).Leg, Edge: core.EdgeSIP}

	b.overloaded.Store(true)
	late, lateEv := newOutcome()
	carrier.invite(b, "12995558888", nil, lateEv)
	res := next(t, "refusal", late.failed)
	if after, err := strconv.Atoi(sip.HeaderValue(res, "Retry-After")); res.StatusCode != 503 || err != nil || after < 5 || after > 15 {
		t.Errorf("%d with Retry-After %q", res.StatusCode, sip.HeaderValue(res, "Retry-After"))
	}
	b.do(core.Answer{LegRef: ref})
	next(t, "200", o.answered)
	b.do(core.End{LegRef: ref, Cause: core.CauseNormal})
	next(t, "BYE", o.bye)
	wait(b, anyOf[core.LegGone])
	if n := count[core.Offered](b); n != 1 {
		t.Errorf("%d calls reached the exchange, want 1", n)
	}
}

// TestRinging180After183: what a callee says second goes on second, without SDP, once.
func TestRinging180After183(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", nil)
	b := newBench(t, carrier.at)
	o, ev := newOutcome()
	carrier.invite(b, "12995558888", nil, ev)
	ref := core.LegRef{Leg: wait(b, anyOf[core.Offered]).Leg, Edge: core.EdgeSIP}
	b.do(core.Progress{LegRef: ref, Early: true})
	b.do(core.Progress{LegRef: ref})
	b.do(core.Progress{LegRef: ref})
	b.do(core.Progress{LegRef: ref, Early: true})
	b.do(core.Answer{LegRef: ref})
	first, second := next(t, "183", o.provisional), next(t, "180", o.provisional)
	if first.StatusCode != 183 || len(first.Body()) == 0 || second.StatusCode != 180 || len(second.Body()) != 0 {
		t.Errorf("%d with %d bytes, %d with %d bytes", first.StatusCode, len(first.Body()), second.StatusCode, len(second.Body()))
	}
	next(t, "200", o.answered)
	if len(o.provisional) != 0 {
		t.Error("more of them came")
	}
}

func TestCallerGivesUpWhileRinging(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", nil)
	b := newBench(t, carrier.at)
	o, ev := newOutcome()
	out := carrier.invite(b, "12995558888", nil, ev)
	offered := wait(b, anyOf[core.Offered])
	b.do(core.Progress{LegRef: core.LegRef{Leg: offered.Leg, Edge: core.EdgeSIP}})
	next(t, "180", o.provisional)
	out.Cancel()
	if res := next(t, "487", o.failed); res.StatusCode != 487 {
		t.Errorf("INVITE ended with %d", res.StatusCode)
	}
	if gone := wait(b, anyOf[core.LegGone]); gone.Cause != core.CauseNormal {
		t.Errorf("gone with %+v", gone)
	}
}

// ring orders a leg to the trunk.
func ring(b *bench, leg core.LegID) core.LegRef {
	ref := core.LegRef{Leg: leg, Edge: core.EdgeSIP}
	b.do(core.Ring{LegRef: ref, Call: "c", Target: core.Target{Trunk: "carrier", Number: "12995551111"}, From: core.Party{Number: "12995550100"}})
	return ref
}

func TestLoserGetsCancelWithReason(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", func(c *call) { c.in.Ring(180, nil) })
	b := newBench(t, carrier.at)
	ref := ring(b, "l1")
	c := next(t, "INVITE", carrier.calls)
	if got := c.in.Request().Recipient.User; got != "12995551111" {
		t.Errorf("carrier was asked for %q", got)
	}
	wait(b, anyOf[core.LegRinging])
	b.do(core.End{LegRef: ref, Cause: core.CauseElsewhere, Reason: core.ReasonElsewhere})
	reasons := next(t, "CANCEL", c.cancelled)
	if len(reasons) != 1 || reasons[0].Protocol != "SIP" || reasons[0].Cause != 200 {
		t.Errorf("CANCEL with reasons %v, want SIP;cause=200", reasons)
	}
	wait(b, anyOf[core.LegGone])
}

func TestEndMeets200OnTheStrand(t *testing.T) {
	// The 200 and the order to end cross in every possible way: the far end must
	// always hear CANCEL or BYE, and the exchange exactly one LegGone.
	carrier := newPeer(t, "127.0.0.3", func(c *call) {
		c.in.Ring(180, nil)
		c.in.Answer([]byte(offerSDP))
	})
	b := newBench(t, carrier.at)
	const rounds = 80
	for i := range rounds {
		ref := ring(b, core.LegID(uuid.NewString()))
		time.Sleep(time.Duration(i*50) * time.Microsecond) // the race is the test
		b.do(core.End{LegRef: ref, Cause: core.CauseElsewhere, Reason: core.ReasonElsewhere})
		gone := wait(b, func(e core.LegGone) bool { return e.Leg == ref.Leg })
		if gone.Cause != core.CauseElsewhere {
			t.Fatalf("round %d: gone with %+v", i, gone)
		}
		select {
		case c := <-carrier.calls:
			select {
			case <-c.cancelled:
			case <-c.bye:
			case <-time.After(5 * time.Second):
				t.Fatalf("round %d: the far end was left in the call", i)
			}
		case <-time.After(50 * time.Millisecond): // ended before the INVITE left
		}
	}
	if n := count[core.LegGone](b); n != rounds {
		t.Errorf("%d LegGone for %d legs", n, rounds)
	}
}

func TestRedirectionIsNotFollowed(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", func(c *call) {
		c.in.Reject(302, "", sip.NewHeader("Contact", "<sip:19005550000@127.0.0.3>"))
	})
	b := newBench(t, carrier.at)
	ring(b, "l1")
	if gone := wait(b, anyOf[core.LegGone]); gone.Code != 480 || gone.Cause != core.CauseNoRoute {
		t.Errorf("gone with %+v", gone)
	}
	if len(carrier.calls) != 1 {
		t.Errorf("%d INVITEs left us", len(carrier.calls))
	}
}

// Every way to say hold, its right answer (RFC 3264 sections 6.1 and 8.4), and back.
func TestHoldInEveryFormAndResume(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", nil)
	b := newBench(t, carrier.at)
	o, ev := newOutcome()
	carrier.invite(b, "12995558888", nil, ev)
	offered := wait(b, anyOf[core.Offered])
	b.do(core.Answer{LegRef: core.LegRef{Leg: offered.Leg, Edge: core.EdgeSIP}})
	d := next(t, "200", o.answered)
	reinvite := func(body, want string) {
		t.Helper()
		done := make(chan *sip.Response, 1)
		d.Reinvite([]byte(body), func(res *sip.Response) { done <- res })
		res := next(t, "answer to re-INVITE", done)
		if res == nil || res.StatusCode != 200 || !strings.Contains(string(res.Body()), want) {
			t.Fatalf("%s\nis answered by %v, want %q", body, res, want)
		}
	}
	for i, hold := range []struct{ name, old, line, want string }{
		{"sendonly", "a=sendrecv", "a=sendonly", "a=recvonly\r\n"},
		{"inactive", "a=sendrecv", "a=inactive", "a=inactive\r\n"},
		{"0.0.0.0", "c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0", "a=recvonly\r\n"},
		{"port 0", "m=audio 30000 RTP/AVP 0 8 101", "m=audio 0 RTP/AVP 0 8 101", "m=audio 0 RTP/AVP "},
	} {
		reinvite(replaceLine(offerSDP, hold.old, hold.line), hold.want)
		testkit.Eventually(t, 5*time.Second, hold.name+" is seen", func() bool { return count[core.LegHeld](b) == 2*i+1 })
		reinvite(offerSDP, "a=sendrecv\r\n")
		testkit.Eventually(t, 5*time.Second, "resume is seen", func() bool { return count[core.LegHeld](b) == 2*i+2 })
	}
	if n := len(b.all()); n == 0 || count[core.LegGone](b) != 0 {
		t.Error("the call is over")
	}
}

// Video and fax are refused in their places; a switch to fax alone is refused and
// the call goes on.
func TestVideoAndFaxAreRefusedInTheirPlaces(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", nil)
	b := newBench(t, carrier.at)
	d := trunkCall(t, b, carrier)
	reinvite := func(media ...string) *sip.Response {
		t.Helper()
		done := make(chan *sip.Response, 1)
		head, _, _ := strings.Cut(offerSDP, "m=")
		d.Reinvite([]byte(head+strings.Join(media, "\r\n")+"\r\n"), func(res *sip.Response) { done <- res })
		return next(t, "answer to re-INVITE", done)
	}
	res := reinvite("m=video 30002 RTP/AVP 96", "a=rtpmap:96 VP8/90000", "m=audio 30000 RTP/AVP 0", "m=image 30004 udptl t38")
	var got []string
	for line := range strings.Lines(string(res.Body())) {
		if kind, _, ok := strings.Cut(line, " "); ok && strings.HasPrefix(line, "m=") {
			got = append(got, kind)
			if zero := strings.HasPrefix(line, kind+" 0 "); zero == (kind == "m=audio") {
				t.Errorf("answered %q", line)
			}
		}
	}
	if strings.Join(got, " ") != "m=video m=audio m=image" {
		t.Errorf("order %q", got)
	}
	for _, alone := range []string{"m=image 30004 udptl t38", "m=video 30002 RTP/AVP 96"} {
		if res := reinvite(alone); res.StatusCode != 488 {
			t.Errorf("%s is answered %d, want 488", alone, res.StatusCode)
		}
	}
	if res := reinvite("m=audio 30000 RTP/AVP 0"); res.StatusCode != 200 || count[core.LegGone](b) != 0 {
		t.Errorf("the call did not go on: %d", res.StatusCode)
	}
}

func replaceLine(body, old, line string) string {
	return strings.Replace(body, old+"\r\n", line+"\r\n", 1)
}

func containsLine(body, line string) bool { return strings.Contains(body, line+"\r\n") }

func TestReferOfATrunkIsRefused(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", nil)
	b := newBench(t, carrier.at)
	d := trunkCall(t, b, carrier)
	if code := refer(t, d, "<sip:19005550000@"+realm+">"); code != 603 {
		t.Errorf("REFER of a trunk: %d, want 603", code)
	}
	if n := count[core.TransferAsked](b); n != 0 {
		t.Errorf("%d transfers of a trunk reached the exchange", n)
	}
}

// trunkCall is an answered call from the carrier.
func trunkCall(t *testing.T, b *bench, carrier *peer) *sip.Dialog {
	t.Helper()
	o, ev := newOutcome()
	carrier.invite(b, "12995558888", nil, ev)
	offered := wait(b, anyOf[core.Offered])
	b.do(core.Answer{LegRef: core.LegRef{Leg: offered.Leg, Edge: core.EdgeSIP}})
	return next(t, "200", o.answered)
}

// refer sends REFER and returns the status of its answer.
func refer(t *testing.T, d *sip.Dialog, to string) int {
	t.Helper()
	code := make(chan int, 1)
	d.Request(sip.REFER, "", nil, func(res *sip.Response, err error) {
		if err != nil {
			t.Error(err)
			code <- 0
			return
		}
		code <- res.StatusCode
	}, sip.NewHeader("Refer-To", to))
	return next(t, "answer to REFER", code)
}

// userCall is an answered call of alice, whose NOTIFYs come in notes.
func userCall(t *testing.T, b *bench, phone *peer, notes chan string) (*sip.Dialog, core.LegRef) {
	t.Helper()
	before := count[core.Offered](b)
	o, ev := newOutcome()
	ev.Dialog.Notify = func(_ *sip.Dialog, req *sip.Request) int {
		notes <- strings.TrimSpace(string(req.Body())) + " " + sip.HeaderValue(req, "Subscription-State")
		return 200
	}
	phone.invite(b, "bob", &sip.Credentials{Username: "alice", Password: "secret"}, ev)
	testkit.Eventually(t, 5*time.Second, "the call is offered", func() bool { return count[core.Offered](b) > before })
	ref := last(b)
	b.do(core.Answer{LegRef: ref})
	return next(t, "200", o.answered), ref
}

func TestBlindTransferIsAskedAndTold(t *testing.T) {
	b := newBench(t, netip.MustParseAddrPort("127.0.0.3:9"))
	notes := make(chan string, 8)
	d, ref := userCall(t, b, newPeer(t, "127.0.0.1", nil), notes)
	if code := refer(t, d, "\"Carol\" <sip:carol@"+realm+">"); code != 202 {
		t.Fatalf("REFER: %d, want 202", code)
	}
	if asked := wait(b, anyOf[core.TransferAsked]); asked.To != "carol" || asked.Replaces != "" || asked.Leg != ref.Leg {
		t.Errorf("asked %+v", asked)
	}
	for _, c := range []struct {
		code  int
		final bool
		want  string
	}{
		{100, false, "SIP/2.0 100 Trying active;expires=180"},
		{180, false, "SIP/2.0 180 Ringing active;expires=180"},
		{486, true, "SIP/2.0 486 Busy Here terminated;reason=noresource"},
	} {
		b.do(core.TransferProgress{LegRef: ref, Code: c.code, Final: c.final})
		if got := next(t, "NOTIFY", notes); got != c.want {
			t.Errorf("NOTIFY %q, want %q", got, c.want)
		}
	}
	if code := refer(t, d, "<sip:dave@"+realm+";method=BYE>"); code != 403 {
		t.Errorf("REFER to do something else: %d, want 403", code)
	}
}

func TestAttendedTransferNamesTheOtherLeg(t *testing.T) {
	b := newBench(t, netip.MustParseAddrPort("127.0.0.3:9"))
	phone := newPeer(t, "127.0.0.1", nil)
	notes := make(chan string, 8)
	first, ref := userCall(t, b, phone, notes)
	second, other := userCall(t, b, phone, notes)
	replaces := url.QueryEscape(second.CallID() + ";to-tag=" + second.RemoteTag() + ";from-tag=" + second.LocalTag())
	if code := refer(t, first, "<sip:carol@"+realm+"?Replaces="+replaces+">"); code != 202 {
		t.Fatalf("REFER: %d, want 202", code)
	}
	if asked := wait(b, anyOf[core.TransferAsked]); asked.Leg != ref.Leg || asked.Replaces != other.Leg {
		t.Errorf("asked %+v, want leg %s in place of %s", asked, other.Leg, ref.Leg)
	}
	if code := refer(t, first, "<sip:carol@"+realm+"?Replaces=nobody%3Bto-tag%3Da%3Bfrom-tag%3Db>"); code != 481 {
		t.Errorf("REFER to an unknown dialog: %d, want 481", code)
	}
}

// TestRingingLegCanBeNamed: Replaces finds the early dialog of a leg that rings,
// so that it can be picked up (RFC 3891 section 3).
func TestRingingLegCanBeNamed(t *testing.T) {
	carrier := newPeer(t, "127.0.0.3", func(c *call) { c.in.Ring(180, nil); c.in.Ring(180, nil) })
	b := newBench(t, carrier.at)
	d, _ := userCall(t, b, newPeer(t, "127.0.0.1", nil), make(chan string, 8))
	rings := ring(b, "l1")
	early := next(t, "INVITE", carrier.calls).in.Dialog()
	wait(b, anyOf[core.LegRinging])
	replaces := url.QueryEscape(early.CallID() + ";to-tag=" + early.RemoteTag() + ";from-tag=" + early.LocalTag())
	if code := refer(t, d, "<sip:carol@"+realm+"?Replaces="+replaces+">"); code != 202 {
		t.Fatalf("REFER: %d, want 202", code)
	}
	if asked := wait(b, anyOf[core.TransferAsked]); asked.Replaces != rings.Leg {
		t.Errorf("asked %+v, want leg %s replaced", asked, rings.Leg)
	}
	b.do(core.End{LegRef: rings, Cause: core.CauseNormal})
}

// A fault of ours ends the call of its leg, and the strand goes on: what was posted
// by the exchange ran on goroutines whose panic took the program down.
func TestPanicCostsOneCall(t *testing.T) {
	var log *testkit.Log
	b := newBench(t, netip.MustParseAddrPort("127.0.0.3:9"), func(c *Config) { log, c.Log = testkit.NewLog(t) })
	for _, give := range []func(*leg, func()){
		func(l *leg, f func()) { l.strand.post(f) },
		func(l *leg, f func()) { l.strand.do(f) },
	} {
		l := b.edge.newLeg(core.LegID(uuid.NewString()))
		on := make(chan bool, 1)
		give(l, func() { panic("as if") })
		give(l, func() { on <- true })
		testkit.Receive(t, on, 5*time.Second, "what comes behind it")
		wait(b, func(ev core.Broken) bool { return ev.Leg == l.id })
	}
	if n := len(log.Lines("as if", "TestPanicCostsOneCall")); n != 2 {
		t.Errorf("%d lines in the log say where", n)
	}
}
