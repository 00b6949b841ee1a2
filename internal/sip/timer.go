package sip

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// ErrExpired is reported for a dialog that nobody refreshed in time (RFC 4028).
var ErrExpired = errors.New("sip: session timer expired")

// minSessionExpires is the shortest session interval that we accept, the least that
// RFC 4028 section 4 allows.
const minSessionExpires = 90 * time.Second

// tagTimer is the option tag of session timers.
const tagTimer = "timer"

// sessionTimer ends a dialog whose peer vanished: one side, the refresher, sends
// UPDATE or re-INVITE at half of the interval, and who misses that hangs up (RFC
// 4028). Its fields belong to the strand.
type sessionTimer struct {
	d        *Dialog
	interval time.Duration // 0 is no timer
	least    time.Duration // the highest Min-SE of the peer
	raised   int           // how often least made us ask again
	ours     bool          // we are the refresher
	running  *time.Timer
	round    int // counts refreshes; a late timer of an earlier round does nothing
}

// sessionExpires reads a Session-Expires header. ok is false if there is none.
func sessionExpires(m Message) (interval time.Duration, refresher string, ok bool) {
	seconds, params, _ := strings.Cut(HeaderValue(m, "Session-Expires"), ";")
	n, err := strconv.ParseUint(strings.TrimSpace(seconds), 10, 31)
	if err != nil {
		return 0, "", false
	}
	for p := range strings.SplitSeq(params, ";") {
		if name, v, _ := strings.Cut(strings.TrimSpace(p), "="); strings.EqualFold(name, "refresher") {
			refresher = strings.ToLower(strings.TrimSpace(v))
		}
	}
	return time.Duration(n) * time.Second, refresher, true
}

// minSE reads a Min-SE header, 0 if there is none.
func minSE(m Message) time.Duration {
	seconds, _, _ := strings.Cut(HeaderValue(m, "Min-SE"), ";")
	n, err := strconv.ParseUint(strings.TrimSpace(seconds), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// checkTimer refuses an interval below ours to who can ask again (RFC 4028 section 8).
func checkTimer(req *Request) *refusal {
	if interval, _, ok := sessionExpires(req); ok && interval < minSessionExpires && HasToken(req, "Supported", tagTimer) {
		return &refusal{code: 422, header: NewHeader("Min-SE", seconds(minSessionExpires))}
	}
	return nil
}

// ask returns the headers of an INVITE or UPDATE of ours. Who refreshes now goes on
// doing so; in a first INVITE the callee decides.
func (t *sessionTimer) ask(ours time.Duration, refresher string) []Header {
	interval := max(t.interval, t.least)
	if t.interval == 0 {
		interval = max(ours, t.least)
	}
	if ours <= 0 || interval == 0 {
		return nil
	}
	headers := []Header{NewHeader("Session-Expires", seconds(interval)+refresher)}
	if t.least > minSessionExpires {
		headers = append(headers, NewHeader("Min-SE", seconds(t.least)))
	}
	return headers
}

// askAgain is ask inside a dialog.
func (t *sessionTimer) askAgain() []Header {
	if t.interval == 0 {
		return t.ask(t.d.ses.stack.cfg.SessionExpires, "")
	}
	if t.ours {
		return t.ask(t.d.ses.stack.cfg.SessionExpires, ";refresher=uac")
	}
	return t.ask(t.d.ses.stack.cfg.SessionExpires, ";refresher=uas")
}

// maxRaises bounds how often a request is repeated with a longer interval: each proxy
// on the way may ask for one (RFC 4028 section 7.3), a peer that always wants a second
// more may not.
const maxRaises = 4

// raise takes a 422 to a request of ours and reports whether it is worth repeating.
func (t *sessionTimer) raise(res *Response) bool {
	least := minSE(res)
	if res.StatusCode != 422 || least <= t.least || least > 24*time.Hour || t.raised == maxRaises {
		return false
	}
	t.least = least
	t.raised++
	return true
}

// granted takes the peer's 2xx to an INVITE or UPDATE of ours.
func (t *sessionTimer) granted(res *Response) {
	interval, refresher, ok := sessionExpires(res)
	if !ok {
		t.stop()
		return
	}
	t.start(interval, refresher != "uas")
}

// grant starts the timer that our 2xx to req promises and returns its headers. The
// peer refreshes if it can and says nothing else: browsers insist, and it knows its
// own network.
func (t *sessionTimer) grant(req *Request) []Header {
	ours := t.d.ses.stack.cfg.SessionExpires
	supported := HasToken(req, "Supported", tagTimer)
	interval, refresher, asked := sessionExpires(req)
	t.least = max(t.least, minSE(req))
	switch {
	case !asked && (!supported || ours <= 0):
		t.stop()
		return nil
	case !asked:
		interval = max(ours, t.least)
	case ours > 0:
		interval = min(interval, max(ours, t.least))
	}
	if refresher != "uas" && refresher != "uac" {
		refresher = "uac"
		if !supported {
			refresher = "uas"
		}
	}
	t.start(interval, refresher == "uas")
	headers := []Header{NewHeader("Session-Expires", seconds(interval)+";refresher="+refresher)}
	if supported && refresher == "uac" {
		headers = append(headers, NewHeader("Require", tagTimer))
	}
	return headers
}

// start begins an interval anew.
func (t *sessionTimer) start(interval time.Duration, ours bool) {
	t.stop()
	if t.d.state == dialogEnded {
		return
	}
	t.interval, t.ours = max(interval, minSessionExpires), ours
	if ours {
		t.after(t.interval/2, t.refresh)
		return
	}
	// RFC 4028 section 10: a little early, so that the BYE still finds somebody.
	t.after(t.interval-min(32*time.Second, t.interval/3), t.expired)
}

func (t *sessionTimer) stop() {
	t.interval = 0
	t.round++
	if t.running != nil {
		t.running.Stop()
		t.running = nil
	}
}

// after runs fn in this round.
func (t *sessionTimer) after(d time.Duration, fn func()) {
	round := t.round
	t.running = t.d.ses.after(d, func() {
		if t.round == round {
			fn()
		}
	})
}

func (t *sessionTimer) expired() {
	if t.d.state == dialogConfirmed {
		t.d.lost(ErrExpired)
	}
}

// refresh sends UPDATE without offer to who takes that, else a re-INVITE with the
// session as it is.
func (t *sessionTimer) refresh() {
	if t.d.state != dialogConfirmed || t.d.silent {
		return
	}
	t.after(t.interval/2, t.expired)
	if t.d.takesUpdate {
		t.update()
		return
	}
	t.reinvite()
}

// reinvite asks the owner for a re-INVITE, or sends it.
func (t *sessionTimer) reinvite() {
	if t.d.ev.Refresh != nil {
		t.d.ev.Refresh(t.d)
		return
	}
	t.d.Reinvite(t.d.sdp, nil)
}

// update refreshes by UPDATE. What its answer does not settle is tried again while
// there is time.
func (t *sessionTimer) update() {
	d, round := t.d, t.round
	d.transact(UPDATE, "", nil, nil, func(res *Response, err error) {
		switch {
		case gone(res, err):
			d.lost(goneError(UPDATE, err))
		case err != nil || t.round != round:
		case res.StatusCode == 405 || res.StatusCode == 501:
			d.takesUpdate = false
			t.reinvite()
		case t.raise(res):
			t.update()
		case crossed(res):
			d.ses.after(glareWait(d.incoming == nil), func() {
				if t.round == round && d.state == dialogConfirmed {
					t.update()
				}
			})
		}
	})
}
