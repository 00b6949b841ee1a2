package main

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/offhook/offhook/internal/media/codec"
)

const (
	// ramp is how long media runs before it counts.
	ramp = 2 * time.Second
	// drain is how long a packet may be under way before it counts as lost.
	drain = 300 * time.Millisecond
	// dialRate is how fast standing calls are set up, in calls a second.
	dialRate = 50.0
)

// relayed measures M1 and M3: G.711 both ways, and each packet's delay.
func (b *bench) relayed() error {
	calls := b.pick(100, 10)
	site, err := b.openSite(newHouse(20, 20))
	if err != nil {
		return err
	}
	defer site.close()
	for run := range b.runs {
		ours, err := b.mediaRun(site, fmt.Sprintf("M1 run %d", run+1), calls, stampedG711(), nil, coarse)
		if err != nil {
			return err
		}
		control, err := b.relayRun(fmt.Sprintf("M1 control %d", run+1), calls, coarse)
		if err != nil {
			return err
		}
		b.report.add("M1", ours.cost, control.cost)
		b.report.add("M3", ours.delays.at(0.5), control.delays.at(0.5))
		b.report.add("M3 p99", ours.delays.at(0.99), control.delays.at(0.99))
	}
	if b.quick {
		return nil
	}
	ours, err := b.mediaRun(site, "M1 even", calls, stampedG711(), nil, fine)
	if err != nil {
		return err
	}
	control, err := b.relayRun("M1 even control", calls, fine)
	b.report.add("M1 even", ours.cost, control.cost)
	return err
}

// maxLoss is how many of 100 packets a call may lose.
const maxLoss = 0.1

// relayedMost measures M2: more calls until packets are lost, through offhook and
// through the relay.
func (b *bench) relayedMost() error {
	ladder := []int{300, 400, 500, 600, 700, 800, 900, 1000}
	if b.quick {
		ladder = []int{20}
	}
	most := func(measure func(b *bench, calls int) (mediaPoint, error)) (best float64, err error) {
		for _, calls := range ladder {
			good, err := b.rung(func(b *bench) (bool, error) {
				point, err := measure(b, calls)
				return point.loss <= maxLoss, err
			})
			if err != nil || !good {
				return best, err
			}
			best = float64(calls)
		}
		return best, nil
	}
	site, err := b.openSite(newHouse(40, 40))
	if err != nil {
		return err
	}
	defer site.close()
	ours, err := most(func(b *bench, calls int) (mediaPoint, error) {
		return b.mediaRun(site, fmt.Sprintf("M2 with %d calls", calls), calls, stampedG711(), nil, coarse)
	})
	if err != nil {
		return err
	}
	control, err := most(func(b *bench, calls int) (mediaPoint, error) {
		return b.relayRun(fmt.Sprintf("M2 control with %d calls", calls), calls, coarse)
	})
	b.report.add("M2", ours, control)
	return err
}

// transcoded measures M4: the caller speaks PCMU, the callee Opus only.
func (b *bench) transcoded() error {
	calls := b.pick(20, 5)
	site, err := b.openSite(newHouse(20, 20))
	if err != nil {
		return err
	}
	defer site.close()
	pcmu, err := tone(codec.PCMU, pcmuType)
	if err != nil {
		return err
	}
	opus, err := tone(codec.Opus, opusType)
	if err != nil {
		return err
	}
	for run := range b.runs {
		ours, err := b.mediaRun(site, fmt.Sprintf("M4 run %d", run+1), calls, pcmu, &opus, coarse)
		if err != nil {
			return err
		}
		control, err := b.relayRun(fmt.Sprintf("M4 control %d", run+1), calls, coarse)
		if err != nil {
			return err
		}
		b.report.add("M4", ours.cost, control.cost)
	}
	return nil
}

// mediaPoint is one run with standing calls.
type mediaPoint struct {
	cost   float64 // CPU seconds a call and minute
	loss   float64 // of 100 packets
	delays durations
}

// mediaRun sets calls up, lets them talk and takes them down again. Callees send
// answer, or what the callers do if it is nil.
func (b *bench) mediaRun(site *site, name string, calls int, offer coding, answer *coding, wait clock) (mediaPoint, error) {
	before, err := site.holdings()
	if err != nil {
		return mediaPoint{}, err
	}
	standing, err := b.stand(site, calls, offer, answer)
	if err != nil {
		return mediaPoint{}, err
	}
	point, err := b.measureMedia(name, site.process, standing.streams, calls, wait)
	standing.hangUp()
	site.settle(b, name)
	b.report.fault(name, standing.book.faults(1)...)
	return point, errors.Join(err, site.checkLeaks(b, name, before))
}

// relayRun does the same without SIP, through the control.
func (b *bench) relayRun(name string, calls int, wait clock) (mediaPoint, error) {
	r, err := startRelay(calls)
	if err != nil {
		return mediaPoint{}, err
	}
	defer r.stop()
	w := new(window)
	var streams []*stream
	for _, s := range r.sessions {
		for i, to := range []netip.AddrPort{s.A, s.B} {
			end, err := newStream(netip.AddrFrom4([4]byte{127, 0, byte(2 + i), 1}), w, stampedG711(), pcmuType)
			if err != nil {
				return mediaPoint{}, err
			}
			end.sendTo(to)
			streams = append(streams, end)
		}
	}
	return b.measureMedia(name, r.process, streams, calls, wait)
}

// measureMedia drives streams, each call's two side by side, through p for a
// window, closes them and checks what arrived.
func (b *bench) measureMedia(name string, p process, streams []*stream, calls int, wait clock) (mediaPoint, error) {
	w := streams[0].window
	pacer := startPacer(streams, wait)
	time.Sleep(min(ramp, b.window))
	used, err := during(p, func() {
		w.open(b.window)
		time.Sleep(b.window)
	})
	pacer.end()
	time.Sleep(drain)
	for _, s := range streams {
		s.close()
	}
	if err != nil {
		return mediaPoint{}, err
	}
	point := mediaPoint{cost: used.Seconds() / (float64(calls) * b.window.Minutes())}
	lost, total := 0, 0
	counts := make(map[string]int)
	for i, s := range streams {
		peer := streams[i^1] // calls are pairs
		total += int(peer.written)
		lost += max(0, int(peer.written)-int(s.heard))
		counts["packets of a wrong type"] += int(s.foreign)
		counts["packets that came twice"] += int(s.doubled)
		if s.heard < peer.written/4 { // less is the machine's fault at times
			counts["phones that heard next to nothing"]++
		}
		if s.silent > s.heard/10 {
			counts["phones that heard silence"]++
		}
		point.delays = append(point.delays, s.delays...)
	}
	b.report.fault(name, problems(counts)...)
	point.loss = 100 * float64(lost) / float64(max(1, total))
	if point.loss > maxLoss {
		b.report.remark("%s: %.2f %% of the packets were lost", name, point.loss)
	}
	b.logf("%s: %.3f CPU-s a call-minute, %d of %d packets lost, delay p50 %.3f ms, p99 %.3f ms", name,
		point.cost, lost, total, point.delays.at(0.5), point.delays.at(0.99))
	return point, nil
}
