package sipedge

import (
	"bytes"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/sip"
)

// silence is a trunk that does not answer at all.
const silence = 0

// TestProbe lets a trunk give one answer after the other and wants to know what
// is told and logged, and how many seconds pass between the questions.
func TestProbe(t *testing.T) {
	const (
		every = 60 // seconds, give or take a tenth
		again = 5  // the wait for an answer, and the pause
	)
	for _, tt := range []struct {
		name    string
		answers []int
		told    []bool
		waits   []int
		logged  int
	}{
		{"answers", []int{200, 200, 200}, nil, []int{every, every}, 0},
		{"refuses, and so lives", []int{401, 403, 404, 405, 407, 481, 500, 501, 603}, nil, slices.Repeat([]int{every}, 8), 0},
		{"one is lost", []int{200, silence, 200, silence, 200}, nil, []int{every, again, every, again}, 0},
		{"two in a row are lost", []int{200, silence, silence, silence}, []bool{false, false}, []int{every, again, every + 4}, 1},
		{"408 is no answer", []int{408, 408}, []bool{false}, []int{1}, 1},
		{"503 says it itself", []int{503, 503}, []bool{false, false}, []int{every}, 1},
		{"comes back", []int{silence, silence, 200, 200}, []bool{false, true}, []int{again, every + 4, every}, 2},
		{"one good answer clears the misses", []int{silence, 200, silence, 503}, []bool{false}, []int{again, every, again}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				var asked []time.Time
				var told []bool
				p := &probe{
					probed: probed{every: every * time.Second}, stop: make(chan struct{}),
					log: slog.New(slog.NewTextHandler(&log, nil)), tell: func(up bool) { told = append(told, up) },
				}
				p.ask = func(done func(int)) {
					asked = append(asked, time.Now())
					n := len(asked)
					if n > len(tt.answers) {
						t.Error("asked once more")
						return
					}
					end := probeAgain / 2 // when the answer is judged
					if tt.answers[n-1] == silence {
						end += probeAnswer
					} else {
						done(tt.answers[n-1])
					}
					if n == len(tt.answers) {
						time.AfterFunc(end, func() { close(p.stop) })
					}
				}
				p.run()
				if !slices.Equal(told, tt.told) {
					t.Errorf("told %v, want %v", told, tt.told)
				}
				for i, want := range tt.waits {
					d := asked[i+1].Sub(asked[i]).Seconds()
					if slack := 0.1*float64(want) + 0.001; d < float64(want)-slack || d > float64(want)+slack {
						t.Errorf("question %d came after %.1f s, want %d", i+2, d, want)
					}
				}
				if n := strings.Count(log.String(), "\n"); n != tt.logged {
					t.Errorf("%d lines logged, want %d:\n%s", n, tt.logged, log.String())
				}
			})
		})
	}
}

// TestProbeIsSpread wants that intervals differ, and by no more than a tenth.
func TestProbeIsSpread(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 100 {
		d := jitter(time.Minute)
		seen[d] = true
		if d < 54*time.Second || d > 66*time.Second {
			t.Fatalf("%v is outside 54s..66s", d)
		}
	}
	if len(seen) < 50 {
		t.Errorf("%d different ones of 100", len(seen))
	}
}

// asked is a trunk's far end that counts OPTIONS and answers them with a status.
type asked struct {
	at   netip.AddrPort
	code atomic.Int32

	mu   sync.Mutex // guards last and n
	last *sip.Request
	n    int
}

func newAsked(t *testing.T, code int32) *asked {
	t.Helper()
	a := &asked{}
	a.code.Store(code)
	stack := sip.NewStack(sip.Config{Handler: sip.HandlerFunc(func(tx *sip.ServerTx, req *sip.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.last, a.n = req, a.n+1
		tx.Reply(int(a.code.Load()), "")
	})})
	var err error
	if a.at, err = stack.ListenUDP(t.Context(), sip.Listen{Addr: "127.0.0.3:0"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stack.Close)
	return a
}

func (a *asked) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.n
}

// trunkTo is a trunk that is asked every five seconds.
func trunkTo(at netip.AddrPort) Trunk {
	return Trunk{Trunk: route.Trunk{Name: "carrier", URI: "sip:" + at.String(), Probe: route.Duration(5 * time.Second)}}
}

// TestProbeOnTheWire wants an OPTIONS that a carrier understands, the state told
// to the exchange, and nothing more once the trunk is changed or gone.
func TestProbeOnTheWire(t *testing.T) {
	b := newBench(t, netip.MustParseAddrPort("127.0.0.3:9"))
	if up := b.edge.TrunksUp(); len(up) != 0 {
		t.Errorf("trunks that nobody asks for are asked: %v", up)
	}
	far := newAsked(t, 503)
	b.edge.SetTrunks([]Trunk{trunkTo(far.at)})
	if ev := wait(b, anyOf[core.TrunkState]); ev.Up || ev.Trunk != "carrier" {
		t.Errorf("told %+v", ev)
	}
	if up, asked := b.edge.TrunksUp()["carrier"]; up || !asked {
		t.Errorf("up %v, asked %v", up, asked)
	}
	far.mu.Lock()
	if to := far.last.Recipient; far.last.Method != sip.OPTIONS || to.Host != "127.0.0.3" || to.User != "" ||
		sip.HeaderValue(far.last, "Accept") != sip.SDP || far.last.From().Address.Host != realm || far.last.Contact() == nil {
		t.Errorf("asked with\n%s", far.last)
	}
	far.mu.Unlock()

	n := far.count()
	b.edge.SetTrunks([]Trunk{trunkTo(far.at)}) // as before: the probe goes on
	if up := b.edge.TrunksUp()["carrier"]; up || count[core.TrunkState](b) != 1 {
		t.Errorf("a change of nothing started anew: %v", b.all())
	}
	other := newAsked(t, 200)
	b.edge.SetTrunks([]Trunk{trunkTo(other.at)})
	wait(b, func(ev core.TrunkState) bool { return ev.Up })
	if !b.edge.TrunksUp()["carrier"] {
		t.Error("a trunk with a new address is still down")
	}
	deadline := time.Now().Add(5 * time.Second)
	for other.count() == 0 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if other.count() == 0 || far.count() != n {
		t.Errorf("the new address was asked %d times, the old one %d times more", other.count(), far.count()-n)
	}
	b.edge.SetTrunks(nil)
	if up := b.edge.TrunksUp(); len(up) != 0 {
		t.Errorf("a removed trunk is still there: %v", up)
	}
}

// A probe that goes on with what a trunk was asks the wrong machine, or trusts the
// wrong certificate.
func TestChangedTrunkIsProbedAnew(t *testing.T) {
	trunk := func(change func(*Trunk)) probed {
		out := trunkTo(netip.MustParseAddrPort("192.0.2.1:5060"))
		change(&out)
		of, _ := toProbe(out)
		return of
	}
	same := trunk(func(*Trunk) {})
	for name, change := range map[string]func(*Trunk){
		"address":     func(t *Trunk) { t.URI = "sip:192.0.2.2" },
		"backup":      func(t *Trunk) { t.Backups = []string{"sip:192.0.2.3"} },
		"certificate": func(t *Trunk) { t.CAFile = "carrier.pem" },
		"domain":      func(t *Trunk) { t.Domain = "carrier.example" },
		"pace":        func(t *Trunk) { t.Probe *= 2 },
	} {
		if trunk(change) == same {
			t.Errorf("a change of the %s goes unnoticed", name)
		}
	}
	if trunk(func(t *Trunk) { t.Name = "other" }) != same {
		t.Error("what does not matter is noticed")
	}
}
