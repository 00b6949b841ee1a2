package sipedge

import (
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/offhook/offhook/internal/sip"
)

// Times of registrations at trunks.
const (
	firstRegister   = 200 * time.Millisecond // once we listen
	registerExpires = 10 * time.Minute
	longestExpires  = 24 * 60 * 60 // seconds; the longest that we ask for, and believe
	retryLeast      = 2 * time.Second
	retryMost       = 5 * time.Minute
	// retryRefused is the pause after 401, 403 and 404: carriers lock out who tries
	// a wrong password again and again.
	retryRefused = 10 * time.Minute
)

// registration keeps us registered at one trunk (RFC 3261 section 10.2), and tries
// again for as long as the trunk wants it.
type registration struct {
	trunk  Trunk
	domain string
	user   string // of our contact
	log    *slog.Logger
	send   func(sip.Outbound, func(*sip.Response, error))
	tell   func(up bool)  // a change
	sent   func(sip.Flow) // the connection in use
	stop   chan struct{}  // closed to end run
	again  chan struct{}  // begin anew at once

	flow  sip.Flow                  // guarded by registrations.mu
	until atomic.Pointer[time.Time] // when the registration ends, whatever the clock is set to; nil if none

	// The fields below belong to run.
	callID  string
	cseq    uint32
	expires time.Duration
	retry   time.Duration
	down    bool // and told so
}

func newRegistration(t Trunk, log *slog.Logger) *registration {
	r := &registration{
		trunk: t, user: "reg-" + strings.ReplaceAll(uuid.NewString(), "-", ""), callID: uuid.NewString(), expires: time.Duration(t.RegisterExpires),
		log: log.With("trunk", t.Name), stop: make(chan struct{}), again: make(chan struct{}, 1), retry: retryLeast,
	}
	if r.expires == 0 {
		r.expires = registerExpires
	}
	return r
}

// same reports whether t is registered as r's trunk is.
func (r *registration) same(t Trunk) bool {
	old := r.trunk
	return old.URI == t.URI && slices.Equal(old.Backups, t.Backups) && old.Username == t.Username && old.CAFile == t.CAFile &&
		old.Password.Reveal() == t.Password.Reveal() && old.RegisterExpires == t.RegisterExpires && old.Domain == t.Domain &&
		old.Probe == t.Probe
}

// run registers until it is stopped, and then takes the contact back without
// waiting for the answer.
func (r *registration) run() {
	wait := firstRegister
	for r.sleep(wait) {
		res, err, ok := r.once(r.expires)
		if !ok {
			break
		}
		wait = r.judge(res, err)
	}
	if r.until.Load() != nil {
		r.request(0, func(*sip.Response, error) {})
	}
}

// once registers one time. ok is false when the registration is stopped meanwhile.
func (r *registration) once(expires time.Duration) (res *sip.Response, err error, ok bool) { //nolint:revive // ok says whether the others count
	type answer struct {
		res *sip.Response
		err error
	}
	done := make(chan answer, 1)
	r.request(expires, func(res *sip.Response, err error) { done <- answer{res, err} })
	select {
	case a := <-done:
		return a.res, a.err, true
	case <-r.stop:
		return nil, nil, false
	}
}

func (r *registration) request(expires time.Duration, done func(*sip.Response, error)) {
	aor := sip.Uri{Scheme: "sip", User: r.trunk.Username, Host: r.trunk.uri.Host}
	if r.trunk.Domain != "" {
		aor.Host = r.trunk.Domain
	}
	registrar := r.trunk.uri
	registrar.User = ""
	req := sip.NewRequest(sip.REGISTER, registrar)
	req.AppendHeader(&sip.FromHeader{Address: aor, Params: sip.Params{}})
	req.AppendHeader(&sip.ToHeader{Address: aor, Params: sip.Params{}})
	callID := sip.CallIDHeader(r.callID)
	req.AppendHeader(&callID)
	r.cseq++
	req.AppendHeader(&sip.CSeqHeader{SeqNo: r.cseq, MethodName: sip.REGISTER})
	req.AppendHeader(sip.NewHeader("Expires", strconv.Itoa(int(expires/time.Second))))
	r.send(sip.Outbound{
		Request: req, Target: sip.Target{TLS: r.trunk.tls}, Backups: r.trunk.backups, Credentials: r.trunk.credentials(),
		ContactUser: r.user, Sent: r.sent,
	}, done)
}

// judge notes an answer and returns when to register next.
func (r *registration) judge(res *sip.Response, err error) (next time.Duration) {
	if err != nil {
		return r.failed(0, err.Error(), r.backOff())
	}
	r.cseq = res.CSeq().SeqNo // more than one went out if we were challenged
	switch code := res.StatusCode; {
	case code < 300:
		return r.up(granted(res, r.user, r.expires))
	case code == 423:
		least, err := strconv.Atoi(strings.TrimSpace(sip.HeaderValue(res, "Min-Expires")))
		if want := time.Duration(least) * time.Second; err == nil && want > r.expires && want <= longestExpires*time.Second {
			r.expires = want
			return 0
		}
		return r.failed(code, res.Reason, retryRefused)
	case code == 401, code == 403, code == 404, code == 407:
		return r.failed(code, res.Reason, retryRefused)
	default:
		after, _ := strconv.Atoi(strings.TrimSpace(sip.HeaderValue(res, "Retry-After")))
		return r.failed(code, res.Reason, max(r.backOff(), min(time.Duration(after)*time.Second, time.Hour)))
	}
}

// up notes a registration for that long and returns when to refresh it.
func (r *registration) up(granted time.Duration) time.Duration {
	until := time.Now().Add(granted)
	if r.until.Swap(&until) == nil || r.down {
		r.log.Info("registered at trunk", "expires", granted)
	}
	if r.down {
		r.down = false
		r.tell(true)
	}
	r.retry = retryLeast
	// Early enough for a second try: RFC 5626 section 4.4.1 has the same idea.
	return max(granted-max(granted/5, min(granted/2, 20*time.Second)), time.Second)
}

func (r *registration) failed(code int, reason string, next time.Duration) time.Duration {
	if !r.down {
		r.down = true
		r.log.Warn("not registered at trunk", "code", code, "reason", reason, "again", next)
		r.tell(false)
	}
	if !r.registered() {
		r.until.Store(nil)
	}
	return next
}

// registered reports whether the registration has not ended.
func (r *registration) registered() bool {
	until := r.until.Load()
	return until != nil && time.Until(*until) > 0
}

// backOff doubles from try to try, a little at random so that many do not come at once.
func (r *registration) backOff() time.Duration {
	now := r.retry
	r.retry = min(2*r.retry, retryMost)
	return jitter(now)
}

// granted is how long the registrar keeps our contact: as its own parameter says, else
// Expires, else what we asked for (RFC 3261 section 10.2.4).
func granted(res *sip.Response, user string, asked time.Duration) time.Duration {
	value := sip.HeaderValue(res, "Expires")
	for _, h := range res.GetHeaders("Contact") {
		if c, ok := h.(*sip.ContactHeader); ok && c.Address.User == user {
			if v, ok := sip.Param(c.Params, "expires"); ok {
				value = v
			}
		}
	}
	if n, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && n > 0 {
		return time.Duration(min(n, longestExpires)) * time.Second
	}
	return asked
}

// sleep waits for d, or until the registration is to begin anew; false means that it
// was stopped.
func (r *registration) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.again:
		return true
	case <-r.stop:
		return false
	}
}
