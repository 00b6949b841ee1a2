package sipedge

import (
	"strings"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// probes are the running probes, by trunk.
type probes struct {
	mu      sync.Mutex // guards running, and that nothing is told after a stop
	running map[string]*probe
}

// probe starts and stops probes so that they are those of trunks.
func (e *Edge) probe(trunks map[string]Trunk) {
	e.probes.mu.Lock()
	defer e.probes.mu.Unlock()
	for name, p := range e.probes.running {
		if of, ok := toProbe(trunks[name]); !ok || of != p.probed {
			e.stopProbeLocked(p)
		}
	}
	for name, t := range trunks {
		if of, ok := toProbe(t); ok && e.probes.running[name] == nil {
			e.startProbeLocked(t, of)
		}
	}
}

// toProbe returns how a trunk is to be asked, if it is.
func toProbe(t Trunk) (of probed, ok bool) {
	return probed{
		uri: t.URI, backups: strings.Join(t.Backups, " "), caFile: t.CAFile, domain: t.Domain, every: time.Duration(t.Probe),
	}, t.Probe > 0
}

func (e *Edge) startProbeLocked(t Trunk, of probed) {
	p := &probe{probed: of, trunk: t.Name, log: e.log, stop: make(chan struct{})}
	p.ask = func(done func(int)) { e.askOptions(t, done) }
	p.tell = func(up bool) { e.trunkState(p, up) }
	e.probes.running[t.Name] = p
	e.running.Go(p.run)
}

// stopProbeLocked ends a probe. A trunk that was down is up again for who counts
// on it: nobody asks any more.
func (e *Edge) stopProbeLocked(p *probe) {
	close(p.stop)
	delete(e.probes.running, p.trunk)
	if p.down.Load() {
		e.post(core.TrunkState{Trunk: p.trunk, Up: true})
	}
}

// trunkState passes on what a probe found, unless it was stopped.
func (e *Edge) trunkState(p *probe, up bool) {
	e.probes.mu.Lock()
	defer e.probes.mu.Unlock()
	if e.probes.running[p.trunk] == p {
		e.post(core.TrunkState{Trunk: p.trunk, Up: up})
	}
}

// TrunksUp returns of each trunk that is asked by OPTIONS whether it answers.
func (e *Edge) TrunksUp() map[string]bool {
	e.probes.mu.Lock()
	defer e.probes.mu.Unlock()
	up := make(map[string]bool, len(e.probes.running))
	for name, p := range e.probes.running {
		up[name] = !p.down.Load()
	}
	return up
}

// askOptions sends OPTIONS (RFC 3261 section 11) to a trunk. A challenge is not
// answered: it says enough, and a wrong password would be tried for ever.
func (e *Edge) askOptions(t Trunk, done func(code int)) {
	req := sip.NewRequest(sip.OPTIONS, t.uri)
	req.AppendHeader(&sip.FromHeader{Address: sip.Uri{Scheme: "sip", User: contactUser, Host: e.domainOn(t)}, Params: sip.Params{}})
	req.AppendHeader(&sip.ToHeader{Address: t.uri, Params: sip.Params{}})
	req.AppendHeader(sip.NewHeader("Accept", sip.SDP))
	e.stack.Send(sip.Outbound{Request: req, Target: sip.Target{TLS: t.tls}, Backups: t.backups, ContactUser: contactUser}, func(res *sip.Response, err error) {
		if err != nil {
			e.log.Debug("no answer to OPTIONS", "trunk", t.Name, "error", err)
			done(0)
			return
		}
		done(res.StatusCode)
	})
}
