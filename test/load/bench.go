package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// bench runs row families and collects what they find.
type bench struct {
	binary string
	temp   string        // folder for the servers
	quick  bool          // few calls, one run: for correctness, not for figures
	runs   int           // of each row
	window time.Duration // that counts in each run
	report *report
}

// pick returns full, or quick in quick mode.
func (b *bench) pick(full, quick int) int {
	if b.quick {
		return quick
	}
	return full
}

// logf tells whoever watches how far it is.
func (b *bench) logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// site is a server with a socket full of phones on either side.
type site struct {
	*server
	house            house
	callers, callees *agent
	contacts         []*registration
}

// openSite starts a server in a new folder and registers the callees.
func (b *bench) openSite(h house) (*site, error) {
	folder, err := os.MkdirTemp(b.temp, "server-")
	if err != nil {
		return nil, err
	}
	s, err := startServer(b.binary, folder, h)
	if err != nil {
		return nil, err
	}
	return joinSite(s, h)
}

// joinSite brings phones to a running server, which it stops if that fails.
func joinSite(s *server, h house) (*site, error) {
	w := &site{server: s, house: h}
	var err error
	if w.callers, err = newAgent("127.0.2.1", s.sip); err == nil {
		w.callees, err = newAgent("127.0.3.1", s.sip)
	}
	if err == nil {
		w.contacts, err = registerAll(w.callees, h.callees)
	}
	if err == nil {
		err = w.awaitContacts(len(h.callees))
	}
	if err != nil {
		w.close()
		return nil, fmt.Errorf("%w; %w", err, s.tail())
	}
	return w, nil
}

// awaitContacts waits until the server counts n registrations: its answer to a
// phone may be ahead of its metrics.
func (w *site) awaitContacts(n int) error {
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		now, err := w.holdings()
		if err != nil || now.contacts == n {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("the server counts %d registrations of %d", now.contacts, n)
		}
	}
}

func (w *site) close() {
	for _, a := range []*agent{w.callers, w.callees} {
		if a != nil {
			a.close()
		}
	}
	w.stop()
}

// settle waits for the end of every call, lets the agents forget them and
// reports what went wrong: dialogs without an end, messages sent twice.
func (w *site) settle(b *bench, name string) {
	limit := time.Now().Add(setupLimit + 2*time.Second)
	counts := make(map[string]int)
	for side, a := range map[string]*agent{"caller": w.callers, "callee": w.callees} {
		counts[side+" dialogs without an end"] = a.settle(time.Until(limit))
		a.locked(func() {
			counts[side+" requests that belong to nothing"] = a.strays
			if a.resent > 0 {
				b.report.remark("%s: %d messages of the %ss were sent twice", name, a.resent, side)
			}
			a.strays, a.resent = 0, 0
			for id, d := range a.dialogs {
				if _, phone := d.(*registration); !phone {
					delete(a.dialogs, id)
				}
			}
		})
	}
	b.report.fault(name, problems(counts)...)
}

// checkLeaks reports what the server did not let go of.
func (w *site) checkLeaks(b *bench, name string, before holdings) error {
	limit := 10 * time.Second
	left, err := w.leaks(before, limit)
	b.report.fault(name, left...)
	return err
}

// openLoop calls f for 0, 1, 2... at rate a second for d, whatever became of the
// earlier ones.
func openLoop(rate float64, d time.Duration, f func(i int)) {
	begun := time.Now()
	for i := range int(rate * d.Seconds()) {
		time.Sleep(time.Until(begun.Add(time.Duration(float64(i) / rate * float64(time.Second)))))
		f(i)
	}
	time.Sleep(time.Until(begun.Add(d)))
}

// during returns the CPU time that p used while f ran.
func during(p process, f func()) (time.Duration, error) {
	before, err := p.cpu()
	if err != nil {
		return 0, err
	}
	f()
	after, err := p.cpu()
	return after - before, err
}

// rung measures one rung of a ladder with its own report: a fault there is the
// end of the ladder, not of the product.
func (b *bench) rung(measure func(*bench) (good bool, err error)) (bool, error) {
	try := *b
	try.report = newReport()
	good, err := measure(&try)
	return good && len(try.report.faults) == 0, err
}

// milliseconds returns d for each of n pieces of work.
func milliseconds(d time.Duration, n int) float64 {
	return d.Seconds() * 1000 / float64(max(1, n))
}

// family is rows that are measured together.
type family struct {
	rows string // names, by spaces
	run  func(*bench) error
}

func families() []family {
	return []family{
		{"R1", (*bench).register},
		{"R2", (*bench).registerMost},
		{"S1 S2 S3", (*bench).calls},
		{"G1 G2 G3", (*bench).groups},
		{"M1 M3", (*bench).relayed},
		{"M2", (*bench).relayedMost},
		{"M4", (*bench).transcoded},
		{"M5a M5b M5c", (*bench).browserMedia},
		{"M5d M5e", (*bench).browserCalls},
		{"M5f M5g", (*bench).browserMemory},
		{"M6 M7", (*bench).rooms},
		{"V1 V2 V3", (*bench).voice},
		{"K1", (*bench).memory},
		{"K2", (*bench).idle},
		{"K3 K4", (*bench).afterwards},
		{"E1", (*bench).exchange},
	}
}

// wants reports whether any row of the family was asked for.
func (f family) wants(rows []string) bool {
	for row := range strings.FieldsSeq(f.rows) {
		for _, r := range rows {
			if strings.EqualFold(r, row) || r == "all" {
				return true
			}
		}
	}
	return false
}
