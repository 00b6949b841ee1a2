package media

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/amd"
)

// defaultBeepTimeout is how long a beep is waited for where the order does not say.
const defaultBeepTimeout = 45 * time.Second

// detections are the legs whose answerer is not known yet. The zero value is ready.
type detections struct {
	mu    sync.Mutex // guards what follows
	byLeg map[core.LegID]*detection
}

// detection finds out who answered a leg: it is the path of a virtual leg that hears
// it. What Send does belongs to the mixer's goroutine.
type detection struct {
	events   Events
	order    core.Detect
	detector *amd.Detector
	left     time.Duration // until it is too late for a beep; 0 while none is waited for
	over     atomic.Bool   // all was reported
	pcm      [narrowFrame]int16
}

// Detect finds out who answered order.Leg, from now on: AnswererKnown says so within
// 5 s of audio, and again when a machine has beeped, or has not. An order for the same
// leg replaces the one before.
func (s *Server) Detect(order core.Detect) {
	if order.BeepTimeout <= 0 {
		order.BeepTimeout = defaultBeepTimeout
	}
	d := &detection{events: s.events, order: order, detector: amd.New()}
	s.undetect(order.Leg, nil)
	s.detections.mu.Lock()
	if s.detections.byLeg == nil {
		s.detections.byLeg = make(map[core.LegID]*detection)
	}
	s.detections.byLeg[order.Leg] = d
	s.detections.mu.Unlock()
	s.Attach(d.id(), d)
	s.Do(core.Hear{Leg: d.id(), From: []core.LegID{order.Leg}})
}

// undetect ends the detection of leg, if there is one, and if it is that one unless
// that is nil.
func (s *Server) undetect(leg core.LegID, that *detection) {
	s.detections.mu.Lock()
	d := s.detections.byLeg[leg]
	found := d != nil && (that == nil || d == that)
	if found {
		delete(s.detections.byLeg, leg)
	}
	s.detections.mu.Unlock()
	if found {
		d.over.Store(true)
		s.Detach(d.id())
	}
}

// settleDetections ends those that have reported all.
func (s *Server) settleDetections() {
	s.detections.mu.Lock()
	var over []*detection
	for _, d := range s.detections.byLeg {
		if d.over.Load() {
			over = append(over, d)
		}
	}
	s.detections.mu.Unlock()
	for _, d := range over {
		s.undetect(d.order.Leg, d)
	}
}

// id names the virtual leg of d.
func (d *detection) id() core.LegID { return "amd-" + d.order.Leg }

// Send implements Path: d hears 20 ms.
func (d *detection) Send(p *Packet) {
	if d.over.Load() {
		return
	}
	payload := p.Payload()
	n := min(len(d.pcm), len(payload)/2)
	for i := range d.pcm[:n] {
		d.pcm[i] = int16(binary.LittleEndian.Uint16(payload[2*i:]))
	}
	switch who := d.detector.Frame(d.pcm[:n]); who {
	case core.Human:
		d.report(who, true)
	case core.Machine:
		d.report(who, !d.order.Beep)
		d.left = d.order.BeepTimeout
	case core.Beep:
		d.report(who, true)
	case core.NoBeep:
	default:
		d.wait()
	}
}

// wait lets the time for a beep pass.
func (d *detection) wait() {
	if d.left <= 0 {
		return
	}
	if d.left -= mixTime; d.left <= 0 {
		d.report(core.NoBeep, true)
	}
}

func (d *detection) report(who core.Answerer, last bool) {
	d.over.Store(last)
	_ = d.events.Post(core.AnswererKnown{Leg: d.order.Leg, Who: who}) // the node has stopped: nobody is left to tell
}

// Format implements Path.
func (d *detection) Format() Format { return Format{Codec: L16x8, PTime: 20} }

// Receive implements Path: nothing comes of d.
func (d *detection) Receive(func(*Packet)) {}

// Stats implements Path.
func (d *detection) Stats() Stats { return Stats{} }

// Diagnose implements Path.
func (d *detection) Diagnose(Stats) Diagnosis { return Diagnosis{} }

// Close implements Path.
func (d *detection) Close() {}
