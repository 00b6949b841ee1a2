package main

import (
	"fmt"
	"time"
)

// registration is a phone that registers, and refreshes when it is told to. Each
// refresh is answered with a challenge first, as by a phone that keeps no nonce.
type registration struct {
	agent    *agent
	account  account
	callID   string
	cseq     int
	begun    time.Time // zero while nothing is under way
	request  resend
	finished func(status int, took time.Duration) // of the refresh under way
}

// newRegistration returns a phone of account on a. It has not registered yet.
func newRegistration(a *agent, who account) *registration {
	r := &registration{agent: a, account: who, callID: "reg-" + a.id(), request: resend{agent: a}}
	a.locked(func() { a.dialogs[r.callID] = r })
	return r
}

// refresh sends REGISTER and reports the final status to finished. It reports
// false if the last one is still under way.
func (r *registration) refresh(finished func(status int, took time.Duration)) bool {
	r.agent.mu.Lock()
	defer r.agent.mu.Unlock()
	if !r.begun.IsZero() {
		return false
	}
	r.begun, r.finished = time.Now(), finished
	r.send("")
	return true
}

func (r *registration) send(authorization string) {
	r.cseq++
	r.request.begin(request{
		method: "REGISTER", uri: r.uri(), via: r.agent.via, branch: r.agent.branch(),
		from: fmt.Sprintf("<sip:%s@%s>;tag=%s", r.account.user, domain, r.agent.id()),
		to:   fmt.Sprintf("<sip:%s@%s>", r.account.user, domain), callID: r.callID, cseq: r.cseq,
		headers: fmt.Sprintf("Contact: <sip:%s@%s>\r\nExpires: 3600\r\nUser-Agent: load\r\n%s", r.account.user, r.agent.here, authorization),
	}.bytes())
}

func (r *registration) uri() string { return "sip:" + r.agent.server.String() }

func (r *registration) receive(m *message, at time.Time) {
	switch {
	case m.status < 200 || m.cseq != r.cseq:
	case m.status == 401 && r.cseq%2 == 1:
		r.send(r.account.authorize(m, "REGISTER", r.uri()))
	default:
		r.cseq += r.cseq % 2 // the next challenge is at an odd number again
		r.request.clear()
		took := at.Sub(r.begun)
		r.begun = time.Time{}
		r.finished(m.status, took)
	}
}

func (r *registration) tick(now time.Time) { r.request.tick(now) }

func (r *registration) open() bool { return !r.begun.IsZero() }

// registerAll registers every account on a and returns the phones.
func registerAll(a *agent, accounts []account) ([]*registration, error) {
	phones := make([]*registration, len(accounts))
	statuses := make(chan int, len(accounts))
	for i, who := range accounts {
		phones[i] = newRegistration(a, who)
		phones[i].refresh(func(status int, _ time.Duration) { statuses <- status })
	}
	limit := time.After(10 * time.Second)
	for range accounts {
		select {
		case status := <-statuses:
			if status != 200 {
				return nil, fmt.Errorf("a phone cannot register: %d", status)
			}
		case <-limit:
			return nil, fmt.Errorf("%d phones did not register within 10 s", len(accounts))
		}
	}
	return phones, nil
}
