package rtcedge

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// path is one media connection of a device; the device's lock guards it.
type path struct {
	device *device
	id     string // chosen by the client
	media  Path
	up     bool
	ready  bool // negotiated once
	leg    *leg // the leg it serves, nil between calls
	// watch ends what is of no use: a path that is not up, or up without a leg,
	// for too long. nil while it is up and serves a leg.
	watch   *time.Timer
	watches int // how often watch was set: tells a late timer from the current one

	// negotiating keeps a request of a lost socket from overlapping with one of
	// its successor. It is taken without the device's lock.
	negotiating sync.Mutex
}

func (p *path) wire() pathState {
	w := pathState{Path: p.id, State: "down"}
	if p.up {
		w.State = "up"
	}
	if p.leg != nil {
		w.Leg = p.leg.id
	}
	return w
}

// media serves the request of that name: with an offer it makes or renegotiates
// a path, with a leg the path serves that leg from now on.
func (d *device) media(ctx context.Context, req request) (reply, error) {
	p, err := d.openPath(req)
	if err != nil {
		return reply{}, err
	}
	answer := ""
	if req.SDP != "" {
		if answer, err = p.answer(ctx, req.SDP); err != nil {
			d.dropUnready(p)
			return reply{}, pathError(err)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p.ready = true
	if p.leg != nil {
		d.settleLocked(p.leg) // the media server hears of a new format
	}
	if req.Leg != "" {
		l, err := d.legLocked(req.Leg)
		if err != nil {
			return reply{}, err
		}
		if err := d.serveLocked(p, l); err != nil {
			return reply{}, err
		}
	}
	return reply{Path: p.id, SDP: answer}, nil
}

// answer negotiates. Not under the device's lock: it takes milliseconds, and the
// path may call back.
func (p *path) answer(ctx context.Context, offer string) (string, error) {
	p.negotiating.Lock()
	defer p.negotiating.Unlock()
	return p.media.Answer(ctx, offer)
}

// openPath returns the path that req names; an offer for an unknown one makes it.
func (d *device) openPath(req request) (*path, error) {
	if req.Path == "" || len(req.Path) > 64 {
		return nil, invalid("path must be a string of 1 to 64 bytes")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return nil, refuse(core.NotFound, "device has ended")
	}
	if req.Leg != "" {
		if _, err := d.legLocked(req.Leg); err != nil {
			return nil, err // before a path is made in vain
		}
	}
	if p := d.paths[req.Path]; p != nil {
		return p, nil
	}
	if req.SDP == "" {
		return nil, refuse(core.NotFound, "no such path")
	}
	if len(d.paths) >= d.edge.Limits.Paths {
		return nil, refuse(core.Unavailable, "too many paths")
	}
	p := &path{device: d, id: req.Path}
	made, err := d.edge.Paths.NewPath(PathEvents{Up: p.onUp, Down: p.onDown, Digit: p.onDigit})
	if err != nil {
		return nil, pathError(err)
	}
	p.media = made
	d.paths[p.id] = p
	d.watchLocked(p)
	return p, nil
}

// dropUnready takes a path away whose first offer was no good; one that worked
// before stays as it was.
func (d *device) dropUnready(p *path) {
	d.mu.Lock()
	mine := d.paths[p.id] == p && !p.ready
	if mine {
		d.forgetLocked(p)
	}
	d.mu.Unlock()
	if mine {
		p.close()
	}
}

// pathError keeps the text of a refusal, which names what is wrong with the
// client's SDP, and hides a fault of ours.
func pathError(err error) error {
	if core.KindOf(err) == core.Internal {
		return err
	}
	text := err.Error()
	if e, ok := errors.AsType[*core.Error](err); ok && e.Err != nil {
		text = e.Err.Error()
	}
	return refuse(core.KindOf(err), text)
}

// serveLocked lets p serve l, in place of the path that l had.
func (d *device) serveLocked(p *path, l *leg) error {
	if d.paths[p.id] != p {
		return refuse(core.NotFound, "no such path")
	}
	if p.leg == l {
		return nil
	}
	if err := d.freeLocked(p, p.id, l); err != nil {
		return err
	}
	d.partLocked(l)
	l.path, p.leg = p, l
	d.watchLocked(p)
	d.settleLocked(l)
	return nil
}

// freeLocked reports why a request for l cannot have path p, which it named id.
// No name asks for no path.
func (d *device) freeLocked(p *path, id string, l *leg) error {
	if id != "" && p == nil {
		return refuse(core.NotFound, "no such path")
	}
	for _, other := range d.order {
		if p != nil && other != l && (other.path == p || other.joined == p) {
			return refuse(core.Conflict, "path serves another leg")
		}
	}
	return nil
}

// partLocked takes l's path away, which then waits for another leg.
func (d *device) partLocked(l *leg) {
	if p := l.path; p != nil {
		l.path, p.leg = nil, nil
		d.watchLocked(p)
	}
}

// release serves the request of that name.
func (d *device) release(req request) (reply, error) {
	d.mu.Lock()
	p := d.paths[req.Path]
	if p == nil {
		d.mu.Unlock()
		return reply{}, refuse(core.NotFound, "no such path")
	}
	d.forgetLocked(p)
	d.mu.Unlock()
	p.close()
	return reply{}, nil
}

// forgetLocked takes p from the device; the caller then closes it without the
// lock, because closing waits for the path's callbacks.
func (d *device) forgetLocked(p *path) {
	if p.leg != nil {
		d.partLocked(p.leg)
	}
	delete(d.paths, p.id)
	if p.watch != nil {
		p.watch.Stop()
		p.watch = nil
	}
}

// close frees the connection. Not under the device's lock.
func (p *path) close() { p.media.Close() }

// onUp, onDown and onDigit are the path's callbacks.
func (p *path) onUp() { p.changed(true) }

func (p *path) onDown() { p.changed(false) }

func (p *path) changed(up bool) {
	d := p.device
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.paths[p.id] != p || p.up == up {
		return
	}
	p.up = up
	d.watchLocked(p)
	d.sendLocked(pathState{Type: "path", Path: p.id, State: p.wire().State})
	if up && p.leg != nil {
		d.settleLocked(p.leg)
	}
}

func (p *path) onDigit(digit byte) {
	d := p.device
	d.mu.Lock()
	defer d.mu.Unlock()
	if p.leg != nil && p.leg.joined == p {
		d.edge.post(core.LegDigit{Leg: p.leg.id, Digit: digit})
	}
}

// watchDownLocked sets the timers anew of paths that are not up, whose patience
// depends on whether there is a socket.
func (d *device) watchDownLocked() {
	for _, p := range d.paths {
		if !p.up {
			d.watchLocked(p)
		}
	}
}

// watchLocked sets the timer that p's state asks for.
func (d *device) watchLocked(p *path) {
	if p.watch != nil {
		p.watch.Stop()
		p.watch = nil
	}
	limit := d.edge.Limits.PathDown
	switch {
	case d.paths[p.id] != p || p.up && p.leg != nil:
		return
	case p.up:
		limit = d.edge.Limits.PathIdle
	case d.socket == nil:
		limit = d.edge.Limits.Abandoned
	}
	p.watches++
	watch := p.watches
	p.watch = d.edge.after(limit, func() { d.tooLong(p, watch) })
}

// tooLong ends the leg of a path that stayed down, and the path.
func (d *device) tooLong(p *path, watch int) {
	d.mu.Lock()
	if d.paths[p.id] != p || p.watch == nil || p.watches != watch {
		d.mu.Unlock()
		return // came up, found a leg or went away meanwhile
	}
	if l := p.leg; l != nil {
		d.goneLocked(l, core.CauseRecoveryOnTimer, core.ReasonNoMedia)
	}
	d.forgetLocked(p)
	d.sendLocked(pathState{Type: "path", Path: p.id, State: "closed"})
	d.mu.Unlock()
	p.close()
}
