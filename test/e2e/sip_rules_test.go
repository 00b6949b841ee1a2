//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// TestFinalCodeReachesTheCaller: what a user's only phone answers is what the caller
// gets, with the cause of it.
func TestFinalCodeReachesTheCaller(t *testing.T) {
	codes := []struct {
		code  int
		cause core.Cause
	}{
		{603, core.CauseRejected},
		{486, core.CauseBusy},
		{480, core.CauseNoAnswer},
		{404, core.CauseUnallocated},
		{488, core.CauseIncompatible},
		{503, core.CauseTempFailure},
	}
	var users []string
	for _, c := range codes {
		users = append(users, fmt.Sprintf("callee%d", c.code), fmt.Sprintf("caller%d", c.code))
	}
	h := newHouse(t, "", usualTrunk, users)
	for _, c := range codes {
		t.Run(fmt.Sprint(c.code), func(t *testing.T) {
			t.Parallel()
			callee, caller := fmt.Sprintf("callee%d", c.code), fmt.Sprintf("caller%d", c.code)
			p := h.user(t, callee, phone.Config{})
			call := dial(t, h.user(t, caller, phone.Config{}), callee, phone.DialOptions{})
			ring(p).Decline(c.code)
			ended := call.Await(phone.Ended, longestAnnouncement)
			reason := fmt.Sprintf("\r\nReason: Q.850;cause=%d", c.cause)
			if ended.Code != c.code || len(call.Wire().Find(fmt.Sprintf("< SIP/2.0 %d ", c.code), reason)) == 0 {
				t.Errorf("the caller got %d %s, want %d with%s", ended.Code, ended.Reason, c.code, reason)
			}
		})
	}
}

// TestOneOfAGroupDeclines: the others ring on, whatever one says. When nobody is left
// the caller gets the code if all say the same, else 480: nobody speaks for a group.
func TestOneOfAGroupDeclines(t *testing.T) {
	for _, c := range []struct {
		codes []int // in the order in which the phones refuse
		want  int
	}{
		{[]int{603, 486, 480}, 480},
		{[]int{603, 603, 603}, 603},
		{[]int{486, 486, 486}, 486},
	} {
		t.Run(fmt.Sprint(c.codes), func(t *testing.T) {
			t.Parallel()
			users := []string{"ann", "ben", "cid"}
			h := newHouse(t, "", usualTrunk, users, `endpoints: [{user: ann}, {user: ben}, {user: cid}]`)
			var phones []*harness.Phone
			for _, u := range users {
				phones = append(phones, h.user(t, u, phone.Config{}))
			}
			caller := h.dialIn(t, number(0))
			var ringing []*phone.Call
			for _, p := range phones {
				ringing = append(ringing, ring(p))
			}
			for i, code := range c.codes {
				ringing[i].Decline(code)
				phones[i].Await(phone.Ended, soon)
				time.Sleep(300 * time.Millisecond) // a CANCEL would have come by then
				for _, p := range phones[i+1:] {
					if len(p.Calls()) != 1 || len(p.Wire().Find("< CANCEL ")) != 0 {
						t.Errorf("after %d the next phone stopped ringing", code)
					}
				}
			}
			if ended := caller.Await(phone.Ended, longestAnnouncement); ended.Code != c.want {
				t.Errorf("the caller got %d %s, want %d", ended.Code, ended.Reason, c.want)
			}
		})
	}
}

// TestSameInviteIsOneCall says the same INVITE twice at once, after 0.3 s, and after
// the ACK (RFC 6026): the callee rings once, and every answer is of one dialog.
func TestSameInviteIsOneCall(t *testing.T) {
	r := newRack(t, "UDP")
	c := r.invitation("127.0.0.60")
	again := func() { c.say("INVITE", c.branch, "Content-Type: application/sdp\r\n", c.offer) }
	again()
	again()
	time.Sleep(300 * time.Millisecond)
	again()
	ok := c.final(1)
	if ok.code != 200 {
		t.Fatalf("the call got %q", ok.text)
	}
	invited := c.to
	c.to = ok.header("To")
	c.ack()
	time.Sleep(100 * time.Millisecond)
	answered := c.to
	c.to = invited
	again()
	time.Sleep(300 * time.Millisecond)
	c.to = answered
	if code := c.request("INFO"); code != "200" {
		t.Errorf("the call's INFO got %q", code)
	}
	for tag := range c.tags {
		if !strings.Contains(answered, tag) {
			t.Errorf("an answer of another dialog: tag %s", tag)
		}
	}
	if code := c.request("BYE"); code != "200" {
		t.Errorf("BYE got %q", code)
	}
	time.Sleep(300 * time.Millisecond)
	if n := len(messages(r.mia, "< INVITE ")); n != 1 {
		t.Errorf("mia was rung %d times", n)
	}
	r.AwaitMetric("offhook_legs", 0, soon)
}

// TestTakenElsewhereBeforeUs: a caller that cancels because its call was taken at
// another exchange is no missed call at our phones.
func TestTakenElsewhereBeforeUs(t *testing.T) {
	h := newHouse(t, "", usualTrunk, []string{"mia"}, `endpoints: [{user: mia}]`)
	r := &rack{house: h, t: t, transport: "UDP", mia: h.user(t, "mia", phone.Config{})}
	c := r.invitation("127.0.0.60")
	c.say("INVITE", c.branch, "Content-Type: application/sdp\r\n", c.offer)
	ring(r.mia)
	c.say("CANCEL", c.branch, "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n", "")
	wantCancelled(t, r.mia, whyElsewhere)
	r.AwaitMetric("offhook_legs", 0, soon)
}

// TestCallerNeverAcks: 32 s after the 200 both legs are ended, and the record says why.
func TestCallerNeverAcks(t *testing.T) {
	t.Parallel()
	r := newRack(t, "UDP")
	c := r.invitation("127.0.0.60")
	c.say("INVITE", c.branch, "Content-Type: application/sdp\r\n", c.offer)
	if ok := c.final(1); ok.code != 200 {
		t.Fatalf("the call got %q", ok.text)
	}
	answered := time.Now()
	r.mia.Await(phone.Ended, 60*time.Second)
	if took := time.Since(answered); took < 31*time.Second || took > 45*time.Second {
		t.Errorf("the callee was hung up after %.1f s", took.Seconds())
	}
	r.AwaitMetric("offhook_legs", 0, soon)
	for _, l := range r.AwaitLegs(t, soon) {
		if l.Direction == "inbound" && l.Cause != int(core.CauseRecoveryOnTimer) {
			t.Errorf("the caller's leg ended with cause %d %s, want %d", l.Cause, l.Reason, core.CauseRecoveryOnTimer)
		}
	}
	if len(r.mia.Wire().Find("< BYE ", "Reason: ")) == 0 {
		t.Error("no BYE with Reason came to the callee")
	}
}

// TestReinvitesOfBothSidesAtOnce: we answer each side ourselves, so that neither gets
// 491, and both are back when both resume.
func TestReinvitesOfBothSidesAtOnce(t *testing.T) {
	h := newHouse(t, "", usualTrunk, []string{"ann", "ben"})
	ann, ben := h.user(t, "ann", phone.Config{Say: says(deskHz)}), h.user(t, "ben", phone.Config{Say: says(desk2Hz)})
	a := dial(t, ann, "ben", phone.DialOptions{}).call
	b := ring(ben)
	b.Answer()
	ann.Await(phone.Answered, soon)
	awaitTone(t, "ann", a, desk2Hz)
	both := func(f, g func()) {
		var all sync.WaitGroup
		all.Go(f)
		all.Go(g)
		all.Wait()
	}
	for n := 1; n <= 10; n++ {
		both(a.Hold, b.Hold)
		wantReinvited(t, ann, ben, 2*n-1)
		both(a.Resume, b.Resume)
		wantReinvited(t, ann, ben, 2*n)
	}
	a.Say(phone.Tone(callerHz))
	b.Say(phone.Tone(salesHz))
	awaitTone(t, "ann", a, salesHz)
	awaitTone(t, "ben", b, callerHz)
	a.HangUp()
	ben.Await(phone.Ended, soon)
	for _, p := range []*harness.Phone{ann, ben} {
		if n := len(p.Wire().Find("< SIP/2.0 491")); n != 0 {
			t.Errorf("%d times 491", n)
		}
	}
	h.AwaitMetric("offhook_legs", 0, soon)
}

// wantReinvited waits until both phones have the answers to n re-INVITEs.
func wantReinvited(t *testing.T, ann, ben *harness.Phone, n int) {
	t.Helper()
	for _, p := range []*harness.Phone{ann, ben} {
		testkit.Eventually(t, soon, fmt.Sprintf("answer %d to a re-INVITE", n), func() bool {
			var cseqs []string // of INVITEs of ours after the first
			for _, m := range messages(p, "> ACK ") {
				if cseq := m.Header("Call-ID") + m.Header("CSeq"); !slices.Contains(cseqs, cseq) {
					cseqs = append(cseqs, cseq)
				}
			}
			if p == ann {
				return len(cseqs) >= n+1
			}
			return len(cseqs) >= n
		})
	}
}
