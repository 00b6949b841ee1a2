package rtcedge

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/offhook/offhook/internal/core"
)

// maxMissed bounds the terminal events kept for a device without a socket.
const maxMissed = 16

// device is one browser tab of a user. It outlives its socket by
// Limits.ResumeFor. Events about its legs are posted and messages are queued
// while mu is held, so that both keep the order of the facts.
type device struct {
	edge *Edge
	id   core.ContactID
	user core.UserID
	made time.Time

	mu     sync.Mutex // guards what follows
	label  string
	token  string  // what the next resume must bring
	socket *socket // nil while lost
	grace  *time.Timer
	renew  *time.Timer // of ICE servers
	losses int         // how often the socket was lost: tells a late grace from the current one
	ended  bool        // final: the device is over
	legs   map[core.LegID]*leg
	order  []*leg // the same legs, oldest first
	paths  map[string]*path
	missed []legEvent // terminal events since the socket was lost
}

func newDevice(e *Edge, user core.UserID, label string) *device {
	return &device{
		edge: e, id: core.ContactID(uuid.NewString()), user: user, made: time.Now(), label: label,
		legs: make(map[core.LegID]*leg), paths: make(map[string]*path),
	}
}

// take makes s the device's socket and greets it. From now on calls arrive.
func (d *device) take(s *socket, requestID string, resumed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.takeLocked(s, requestID, resumed)
}

// resume is take for a client that knows the token; false if it does not.
func (d *device) resume(s *socket, requestID, token string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended || !sameSecret(token, d.token) {
		return false
	}
	if d.socket != nil {
		d.socket.drop(closeTakenOver)
	}
	d.takeLocked(s, requestID, true)
	return true
}

func (d *device) takeLocked(s *socket, requestID string, resumed bool) {
	if d.grace != nil {
		d.grace.Stop()
		d.grace = nil
	}
	d.socket = s
	d.token = newSecret()
	s.send(d.helloLocked(requestID, resumed))
	d.renewLocked()
	d.missed = nil
	d.watchDownLocked()
	d.announceLocked()
}

// iceServers returns what the client may use to reach us.
func (d *device) iceServers() []ICEServer {
	if d.edge.ICE == nil {
		return []ICEServer{}
	}
	return append([]ICEServer{}, d.edge.ICE(d.user)...)
}

// renewLocked tells a client that stays for long of new credentials, again and again.
func (d *device) renewLocked() {
	if d.renew != nil {
		d.renew.Stop()
	}
	if d.edge.ICE == nil {
		return
	}
	d.renew = d.edge.after(d.edge.Limits.ICEEvery, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if !d.ended {
			d.sendLocked(iceServers{"ice_servers", d.iceServers()})
			d.renewLocked()
		}
	})
}

// announceLocked tells the exchange that the device can be rung.
func (d *device) announceLocked() {
	d.edge.post(core.ContactUp{Contact: core.Contact{
		ID: d.id, User: d.user, Edge: core.EdgeBrowser, Device: d.label,
	}})
}

// lose takes note that s is over. The device's legs go on until somebody resumes
// it or the time is up.
func (d *device) lose(s *socket) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.socket != s || d.ended {
		return // another socket has taken over
	}
	d.socket = nil
	d.watchDownLocked()
	d.edge.post(core.ContactGone{ID: d.id})
	d.edge.Log.Info("browser connection lost", "device", d.id, "legs", len(d.order))
	d.losses++
	loss := d.losses
	d.grace = d.edge.after(d.edge.Limits.ResumeFor, func() { d.expire(loss) })
}

// expire ends a device that nobody resumed since its loss number loss.
func (d *device) expire(loss int) {
	d.mu.Lock()
	if d.socket != nil || d.losses != loss || d.ended {
		d.mu.Unlock()
		return
	}
	paths := d.endLocked(core.CauseRecoveryOnTimer, core.ReasonNone)
	d.mu.Unlock()
	d.bury(paths)
}

// end is the only way out of a device: its legs end with cause, its paths close,
// it cannot be rung or resumed any more. Once more does nothing.
func (d *device) end(cause core.Cause, reason core.Reason) {
	d.mu.Lock()
	if d.ended {
		d.mu.Unlock()
		return
	}
	paths := d.endLocked(cause, reason)
	d.mu.Unlock()
	d.bury(paths)
}

// endLocked ends the legs and returns the paths, which bury closes without the
// lock.
func (d *device) endLocked(cause core.Cause, reason core.Reason) map[string]*path {
	d.ended = true
	if d.grace != nil {
		d.grace.Stop()
	}
	if d.renew != nil {
		d.renew.Stop()
	}
	for len(d.order) > 0 {
		d.goneLocked(d.order[0], cause, reason)
	}
	if d.socket != nil {
		d.edge.post(core.ContactGone{ID: d.id})
	}
	paths := d.paths
	d.paths = nil
	for _, p := range paths {
		if p.watch != nil {
			p.watch.Stop()
		}
	}
	return paths
}

func (d *device) bury(paths map[string]*path) {
	d.edge.remove(d)
	for _, p := range paths {
		p.close()
	}
}

// sendLocked queues a message for the client, if there is one.
func (d *device) sendLocked(v any) {
	if d.socket != nil {
		d.socket.send(v)
	}
}

// tellEndLocked queues a terminal event, or keeps it for the next hello.
func (d *device) tellEndLocked(ev legEvent) {
	if d.socket != nil {
		d.socket.send(ev)
	} else if len(d.missed) < maxMissed {
		d.missed = append(d.missed, ev)
	}
}

func (d *device) profile() party {
	if d.edge.Profile == nil {
		return party{User: d.user.String()}
	}
	return partyOf(d.edge.Profile(d.user))
}

// helloLocked describes all that the device has.
func (d *device) helloLocked(requestID string, resumed bool) hello {
	l := d.edge.Limits
	h := hello{
		Type: "hello", ID: requestID, Protocol: protocolVersion, Version: d.edge.Version,
		User: d.profile(), Device: string(d.id), Resume: d.token, Resumed: resumed,
		Calls: []call{}, Ended: append([]legEvent{}, d.missed...), Paths: []pathState{}, IceServers: d.iceServers(),
		Limits: wireLimits{
			Frame: l.Frame, PerSecond: l.PerSecond, Burst: l.Burst, Queue: l.Queue, Legs: l.Legs, Paths: l.Paths,
			ResumeSeconds: int(l.ResumeFor.Seconds()), PingSeconds: int(l.PingEvery.Seconds()),
		},
	}
	for _, leg := range d.order {
		h.Calls = append(h.Calls, leg.wire())
	}
	for _, p := range d.paths {
		h.Paths = append(h.Paths, p.wire())
	}
	return h
}
