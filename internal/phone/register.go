package phone

import (
	"context"
	"strconv"
	"time"

	"github.com/offhook/offhook/internal/sip"
)

// Registration timing.
const (
	defaultExpires = 300 * time.Second
	retryFirst     = 500 * time.Millisecond
	retryMost      = 30 * time.Second
	longestExpires = 1<<32 - 1 // seconds, RFC 3261 section 20.19
)

// register keeps the phone registered until ctx ends, then takes the contact
// back. It is the phone's only goroutine beside those of calls.
func (p *Phone) register(ctx context.Context) {
	retry := retryFirst
	for {
		granted, up := p.registerOnce(ctx, p.config.Expires)
		wait := granted * 4 / 5
		if !up {
			wait, retry = retry, min(2*retry, retryMost)
		} else {
			retry = retryFirst
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			if up {
				last, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewellTime)
				p.registerOnce(last, 0)
				cancel()
			}
			return
		case <-p.flowLost:
			timer.Stop()
			p.unregistered(0, "connection lost")
		case <-timer.C:
		}
	}
}

// registerOnce sends one REGISTER and waits for its end. It returns how long the
// registrar keeps the contact, and whether it took it.
func (p *Phone) registerOnce(ctx context.Context, expires time.Duration) (granted time.Duration, up bool) {
	p.cseq += 2 // one for this request, one for its repetition with credentials
	type outcome struct {
		res *sip.Response
		err error
	}
	done := make(chan outcome, 1)
	p.stack.Send(p.registerRequest(expires), func(res *sip.Response, err error) { done <- outcome{res, err} })
	var o outcome
	select {
	case o = <-done:
	case <-ctx.Done():
		return 0, false
	}
	switch {
	case o.err != nil:
		p.unregistered(0, o.err.Error())
		return 0, false
	case o.res.StatusCode != 200:
		p.unregistered(o.res.StatusCode, o.res.Reason)
		return 0, false
	}
	granted = grantedExpiry(o.res, expires)
	if expires > 0 {
		p.registered()
	}
	return granted, true
}

func (p *Phone) registerRequest(expires time.Duration) sip.Outbound {
	aor := p.address()
	req := sip.NewRequest(sip.REGISTER, sip.Uri{Scheme: "sip", Host: aor.URI.Host, Port: aor.URI.Port})
	req.AppendHeader(&sip.FromHeader{DisplayName: aor.Name, Address: aor.URI, Params: sip.Params{}})
	req.AppendHeader(&sip.ToHeader{DisplayName: aor.Name, Address: aor.URI, Params: sip.Params{}})
	callID := sip.CallIDHeader(p.callID)
	req.AppendHeader(&callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: p.cseq, MethodName: sip.REGISTER})
	req.AppendHeader(sip.NewHeader("Expires", strconv.Itoa(int(expires.Seconds()))))
	return sip.Outbound{
		Request: req, Target: p.target(), ContactUser: p.config.User, Credentials: p.credentials(),
	}
}

// grantedExpiry reads the time of our contact from the answer: its own expires
// parameter, else the Expires header, else what was asked for.
func grantedExpiry(res *sip.Response, asked time.Duration) time.Duration {
	value := sip.HeaderValue(res, "Expires")
	if c := res.Contact(); c != nil {
		if v, ok := sip.Param(c.Params, "expires"); ok {
			value = v
		}
	}
	if n, err := strconv.Atoi(value); err == nil && n > 0 {
		return time.Duration(min(n, longestExpires)) * time.Second
	}
	return asked
}

// registered and unregistered report changes, not repetitions.

func (p *Phone) registered() {
	p.mu.Lock()
	changed := !p.isRegistered
	p.isRegistered = true
	p.mu.Unlock()
	if changed {
		p.emit(Event{Kind: Registered})
	}
}

func (p *Phone) unregistered(code int, reason string) {
	p.mu.Lock()
	changed := p.isRegistered || p.lastRefusal != reason
	p.isRegistered, p.lastRefusal = false, reason
	p.mu.Unlock()
	if changed {
		p.emit(Event{Kind: Unregistered, Code: code, Reason: reason})
	}
}
