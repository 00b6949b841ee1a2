package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// record is what the caller and the callees saw of one call. Times are taken at
// the generator's sockets.
type record struct {
	winner string // the callee who answers; set before the call is dialled

	dialled  time.Time // the INVITE without credentials left
	invited  time.Time // the INVITE with credentials left
	answered time.Time // the first 200 reached the caller
	picked   time.Time // the winner's 200 left
	// lastCancel is when the last CANCEL for a loser arrived.
	lastCancel time.Time

	rung         int // callees that were called
	cancelled    int // callees that were told to stop
	wrongReasons int // CANCELs without "answered elsewhere"
	answers      int // different 200s that the caller got
	accepted     int // callees whose 200 was ACKed
	final        int // status of a call that failed, 0 otherwise
	ended        bool
}

// ledger keeps the records of one run. The server shows its own name for a
// caller, so callees find the record by who calls whom: as long as it lasts,
// nobody but that caller may call that callee.
type ledger struct {
	mu      sync.Mutex // guards what follows, and what the records hold
	records []*record
	latest  map[pair]*record
	unknown int // INVITEs of callers we know nothing of
}

// pair is a caller and whom he calls, or the caller of a group alone.
type pair struct{ caller, callee string }

func newLedger() *ledger { return &ledger{latest: make(map[pair]*record)} }

// add makes the record of a call about to be dialled.
func (l *ledger) add(who pair) *record {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := new(record)
	l.records = append(l.records, r)
	l.latest[who] = r
	return r
}

// find returns the record of a call that rings a callee, nil if there is none.
func (l *ledger) find(who pair) *record {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.latest[who]; r != nil {
		return r
	}
	return l.latest[pair{caller: who.caller}]
}

// note changes a record; nil stands for a call that we know nothing of.
func (l *ledger) note(r *record, change func(*record)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r == nil {
		l.unknown++
		return
	}
	change(r)
}

// all returns the records. The run is over when it is called.
func (l *ledger) all() []*record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.records
}

// faults checks every record: callees is how many each call should ring.
func (l *ledger) faults(callees int) []string {
	var failed, silent, missing, doubled, unacked, reasons, notRung int
	statuses := make(map[int]int)
	for _, r := range l.all() {
		switch {
		case r.final != 0:
			failed++
			statuses[r.final]++
			continue
		case !r.ended:
			silent++
			continue
		}
		notRung += max(0, callees-r.rung)
		missing += max(0, r.rung-1-r.cancelled)
		doubled += max(0, r.answers-1)
		unacked += max(0, 1-r.accepted)
		reasons += r.wrongReasons
	}
	return problems(map[string]int{
		fmt.Sprintf("calls failed (statuses %v)", statuses): failed,
		"calls without an end":                              silent,
		"missing CANCELs":                                   missing,
		"double answers":                                    doubled,
		"200s without ACK":                                  unacked,
		"CANCELs without Reason SIP;cause=200":              reasons,
		"callees that did not ring":                         notRung,
		"messages of callers that never called":             l.unknown,
	})
}

// problems lists the counts that are not zero, in a stable order.
func problems(counts map[string]int) []string {
	var list []string
	for what, n := range counts {
		if n > 0 {
			list = append(list, fmt.Sprintf("%d %s", n, what))
		}
	}
	slices.SortFunc(list, func(a, b string) int { return strings.Compare(a[strings.Index(a, " "):], b[strings.Index(b, " "):]) })
	return list
}

// between returns how long it took from one time of each record to another, for
// the records that have both.
func (l *ledger) between(from, to func(*record) time.Time) durations {
	var list durations
	for _, r := range l.all() {
		if a, b := from(r), to(r); !a.IsZero() && !b.IsZero() {
			list = append(list, b.Sub(a))
		}
	}
	return list
}

// durations is a sample of times.
type durations []time.Duration

// at returns the quantile q, 0 to 1, in milliseconds.
func (d durations) at(q float64) float64 {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	i := min(len(d)-1, int(q*float64(len(d))))
	return float64(d[i]) / float64(time.Millisecond)
}
