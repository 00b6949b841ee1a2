package exchange

import (
	"slices"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// appWatch is what a world has seen of what applications have to do with.
type appWatch struct {
	turns    map[core.LegID]uint32 // of the last question about a leg
	records  map[core.RecordingID]bool
	seen     map[core.RecordingID]bool // ever
	listens  map[core.Turn]core.LegID
	consults []core.Consult // all, for the dice to answer
	asides   []core.Turn    // questions in changes, likewise
	moved    int            // ChangeMoved of legs of applications
}

func newAppWatch() appWatch {
	return appWatch{
		turns: map[core.LegID]uint32{}, records: map[core.RecordingID]bool{}, seen: map[core.RecordingID]bool{},
		listens: map[core.Turn]core.LegID{},
	}
}

// newWire takes in a leg that rings for a virtual one.
func (w *world) newWire(cmd core.Ring) {
	if v := w.byID[cmd.As]; v == nil || v.ended || v.call != cmd.Call {
		w.fail("leg rings for another that is not there: %+v", cmd)
	}
	l := &watched{LegRef: cmd.LegRef, call: cmd.Call, outbound: true, began: true, wire: true}
	w.wires, w.byID[cmd.Leg] = append(w.wires, l), l
}

// inCall returns the call of a leg as it was told; those that ring for others are told
// nothing.
func (w *world) inCall(l *watched) core.CallID {
	if l.wire {
		return w.x.legs[l.Leg].call.id
	}
	return l.call
}

// watchApp checks a command that has to do with applications.
func (w *world) watchApp(cmd core.Command) {
	switch cmd := cmd.(type) {
	case core.Consult:
		if l := w.byID[cmd.Leg]; l == nil || l.ended || l.wire || cmd.Turn.Leg != cmd.Leg || cmd.App == "" {
			w.fail("question about nobody: %+v", cmd)
		}
		w.asked(cmd.Turn)
		w.apps.consults = append(w.apps.consults, cmd)
	case core.Notice:
		if l := w.byID[cmd.Leg]; l == nil || l.ended || l.wire {
			w.fail("notice about nobody: %+v", cmd)
		}
	case core.Record:
		if w.apps.seen[cmd.ID] || len(cmd.Channels) == 0 {
			w.fail("recording begun twice, or of nothing: %+v", cmd)
		}
		w.apps.records[cmd.ID], w.apps.seen[cmd.ID] = true, true
	case core.SetRecord:
		w.mustRecord(cmd.ID, cmd)
	case core.StopRecord:
		w.mustRecord(cmd.ID, cmd)
		delete(w.apps.records, cmd.ID)
	case core.Listen:
		w.mustRun(cmd.Leg, cmd)
		w.asked(cmd.Turn)
		w.apps.listens[cmd.Turn] = cmd.Leg
	case core.StopListen:
		if _, ok := w.apps.listens[cmd.Turn]; !ok {
			w.fail("stopped a recogniser that does not listen: %+v", cmd)
		}
		delete(w.apps.listens, cmd.Turn)
	case core.Detect:
		w.mustRun(cmd.Leg, cmd)
	case core.SendDigits:
		w.mustRun(cmd.Leg, cmd)
	}
}

func (w *world) mustRecord(id core.RecordingID, cmd core.Command) {
	if !w.apps.records[id] {
		w.fail("command for a recording that does not run: %T%+v", cmd, cmd)
	}
}

// asked says that the questions of a leg are counted.
func (w *world) asked(t core.Turn) {
	if t.No <= w.apps.turns[t.Leg] {
		w.fail("a question has the number of an older one: %+v", t)
	}
	w.apps.turns[t.Leg] = t.No
}

// told notes what an event of the world ends by itself.
func (w *world) told(ev core.Event) {
	switch ev := ev.(type) {
	case core.RecordEnded:
		delete(w.apps.records, ev.ID)
	case core.SpeechHeard:
		if l := w.x.leg(ev.Leg); l != nil && l.live() {
			delete(w.apps.listens, ev.Turn)
		}
	}
}

// checkProgrammed says that a leg of an application waits for something that comes,
// or for the application.
func (w *world) checkProgrammed(c *liveCall, l *leg) {
	p, waits := l.app, false
	switch v := p.verb.(type) {
	case nil:
		waits = p.asked == 0 || l.timers.running(core.TimerAsk)
	case flow.Say:
		waits = len(p.playing) > 0 && (l.timers.running(core.TimerPlay) || !p.playing[0].Ends())
	case flow.Wait:
		waits = l.timers.running(core.TimerVerb)
	case flow.Input:
		waits = p.keys == nil && p.asked != 0 ||
			p.keys != nil && (l.timers.running(core.TimerVerb) || len(p.playing) > 0 && l.timers.running(core.TimerPlay))
	case flow.Record:
		waits = p.taking != nil && w.x.records[p.taking.id] == p.taking || len(p.playing) > 0
	case flow.Converse:
		waits = l.inRoom() && c.room != nil && c.room.name == v.Name
	case flow.MoveAll:
		waits = l.inRoom() && c.room != nil
	case flow.Notify:
		waits = p.asked != 0
	case flow.Call:
		waits = c.caller == l && (c.hunt != nil || c.winner != nil || l.joined && len(c.talkers()) > 1)
	}
	if !waits {
		w.fail("flow of leg %s waits for nothing in %T%+v", l.Leg, p.verb, p.verb)
	}
	if p.asked != 0 && !l.timers.running(core.TimerAsk) || l.state == setup && l.direction == core.Inbound && p.verb == nil && !l.timers.running(core.TimerAsk) {
		w.fail("leg %s may wait for its application for ever", l.Leg)
	}
	if d := p.dialled; d != nil && d.detecting && !l.timers.running(core.TimerVerb) {
		w.fail("leg %s may wait for who answered for ever", l.Leg)
	}
	if l.virtual && (c.hunt == nil || l.node == nil || l.node.Over()) {
		w.fail("nothing rings for leg %s", l.Leg)
	}
	if l.face != nil || l.inRoom() != (c.room != nil && l.inRoom()) {
		w.fail("leg %s is an application's and somebody's device, or in a conversation that is none", l.Leg)
	}
}

// checkApps looks at what belongs to applications and not to one leg.
func (w *world) checkApps() {
	for id, l := range w.x.named {
		if w.x.legs[l.Leg] != l || l.app.name != id {
			w.fail("name %s is that of a leg that is gone", id)
		}
	}
	for name, c := range w.x.rooms {
		if w.x.calls[c.id] != c || c.room.roomName != name || len(c.members()) == 0 {
			w.fail("conversation %v is without members", name)
		}
		w.checkRoom(c)
	}
	for id, r := range w.x.records {
		if !w.apps.records[id] {
			w.fail("recording %s was never ordered, or is over", id)
		}
		alive := r.leg != nil && w.x.legs[r.leg.Leg] == r.leg && r.leg.live() && slices.Contains(r.leg.app.records, r) ||
			r.leg == nil && w.x.rooms[r.call.room.roomName] == r.call && r.call.room.record == r
		if !alive {
			w.fail("recording %s outlives what it records", id)
		}
		if rows := r.hears(); !slices.EqualFunc(rows, r.rows, func(a, b core.Hear) bool { return a.Over == b.Over && slices.Equal(a.From, b.From) }) {
			w.fail("recording %s was not told who is heard now", id)
		}
	}
	if len(w.x.records) != len(w.apps.records) {
		w.fail("%d recordings run, %d are known", len(w.apps.records), len(w.x.records))
	}
	for turn, leg := range w.apps.listens {
		if l := w.x.legs[leg]; l == nil || !l.live() || l.app.keys == nil || l.app.keys.turn != turn {
			w.fail("a recogniser listens to leg %s and nobody waits for it", leg)
		}
	}
}

// checkRoom says that all members of a conversation that has started talk, and each
// hears whom it shall.
func (w *world) checkRoom(c *liveCall) {
	app, _ := w.x.dir.Application(c.room.app)
	members := c.members()
	if len(members) > app.MostMembers() {
		w.fail("conversation %v has %d members", c.room.roomName, len(members))
	}
	for _, l := range members {
		if l.app.app != c.room.app || l.joined != c.room.started {
			w.fail("leg %s is in a conversation and does not take part", l.Leg)
		}
	}
}

// checkNothingLeft says that nothing of an application outlives its legs.
func (w *world) checkNothingLeft() {
	if len(w.x.named)+len(w.x.rooms)+len(w.x.records)+len(w.apps.records)+len(w.apps.listens) != 0 {
		w.fail("left: names %v, conversations %v, recordings %v %v, recognisers %v", w.x.named, w.x.rooms, w.x.records, w.apps.records, w.apps.listens)
	}
}
