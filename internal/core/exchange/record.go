package exchange

import (
	"slices"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// recording is one that runs, of what a leg says and hears or of a conversation.
type recording struct {
	id       core.RecordingID
	leg      *leg      // whose flow began it, nil for one of a conversation
	call     *liveCall // the conversation, nil for one of a leg
	channels int
	split    bool
	order    []core.LegID // who has a channel of his own
	rows     []core.Hear  // what the channels hear
}

// record begins a recording of a leg, after the beep if there is one.
func (x *Exchange) record(l *leg, v flow.Record) (waits bool) {
	if !v.Beep {
		return x.startRecord(l, v)
	}
	l.app.playing = []core.Sound{x.again(core.Sound{Kind: core.SoundBeep})}
	x.playFirst(l)
	return true
}

// startRecord begins a recording of a leg and reports whether its flow waits for the
// end of it.
func (x *Exchange) startRecord(l *leg, v flow.Record) (waits bool) {
	r := &recording{leg: l}
	x.beginRecord(r, l, v)
	l.app.records = append(l.app.records, r)
	if !v.Background {
		l.app.taking = r
	}
	return !v.Background
}

// beginRecord orders a recording that l asked for.
func (x *Exchange) beginRecord(r *recording, l *leg, v flow.Record) {
	r.id, r.channels, r.split = core.RecordingID(x.newID()), v.Channels, v.Split
	r.rows = r.hears()
	x.records[r.id] = r
	order := core.Record{
		ID: r.id, App: l.app.app, Call: l.call.id, Hook: l.app.hookOf(v.Hook), Format: v.Format, Channels: r.rows,
		EndOnSilence: v.EndOnSilence, MaxTime: v.Timeout,
	}
	if t := v.Transcribe; t != nil {
		order.Transcribe = &core.Transcription{Language: t.Language, Hook: l.app.hookOf(t.Hook)}
	}
	if r.leg != nil {
		order.Leg = l.name()
	}
	x.emit(order)
}

// recordEnded forgets a recording that has ended, and goes on with the flow that
// waited for it.
func (x *Exchange) recordEnded(id core.RecordingID) {
	r := x.records[id]
	if r == nil {
		return
	}
	waits := r.leg != nil && r.leg.app.taking == r
	x.forgetRecord(r)
	if waits {
		x.verbOver(r.leg)
	}
}

// stopRecord ends a recording.
func (x *Exchange) stopRecord(r *recording) {
	x.forgetRecord(r)
	x.emit(core.StopRecord{ID: r.id})
}

func (x *Exchange) forgetRecord(r *recording) {
	delete(x.records, r.id)
	if r.leg == nil {
		r.call.room.record = nil
		return
	}
	p := r.leg.app
	p.records = slices.DeleteFunc(slices.Clone(p.records), func(o *recording) bool { return o == r })
	if p.taking == r {
		p.taking = nil
	}
}

// rechannel orders what the channels of the recordings in a call hear, where that
// has changed.
func (x *Exchange) rechannel(c *liveCall) {
	for _, l := range c.legs {
		if l.app != nil {
			for _, r := range l.app.records {
				x.setRecord(r)
			}
		}
	}
	if c.room != nil && c.room.record != nil {
		x.setRecord(c.room.record)
	}
}

func (x *Exchange) setRecord(r *recording) {
	rows := r.hears()
	same := func(a, b core.Hear) bool { return a.Over == b.Over && slices.Equal(a.From, b.From) }
	if !slices.EqualFunc(rows, r.rows, same) {
		r.rows = rows
		x.emit(core.SetRecord{ID: r.id, Channels: rows})
	}
}

// hears returns what each channel hears now.
func (r *recording) hears() []core.Hear {
	all := r.all()
	if !r.split || r.channels < 2 {
		return []core.Hear{all}
	}
	rows := make([]core.Hear, r.channels)
	last := &rows[r.channels-1]
	last.Over = all.Over
	for _, id := range all.From {
		if !slices.Contains(r.order, id) && len(r.order) < r.channels-1 {
			r.order = append(r.order, id)
		}
		if at := slices.Index(r.order, id); at >= 0 {
			rows[at].From = []core.LegID{id}
		} else {
			last.From = append(last.From, id)
		}
	}
	return rows
}

// all returns everything that is recorded: what the leg says and hears, or what
// is said in the conversation.
func (r *recording) all() (row core.Hear) {
	if r.leg == nil {
		for _, l := range r.call.talkers() {
			if !r.call.matrix.Look(l.Leg).Muted {
				row.From = append(row.From, l.Leg)
			}
		}
		return row
	}
	look := r.leg.call.matrix.Look(r.leg.Leg)
	if !look.Muted {
		row.From = []core.LegID{r.leg.Leg}
	}
	row.From = append(row.From, look.Hears.From...)
	row.Over = look.Hears.Over
	// A row has people or a sound, so what is played in their place goes over them.
	if slot := slices.Index(row.Over[:], core.Sound{}); slot >= 0 {
		row.Over[slot] = look.Hears.Sound
	}
	return row
}
