package exchange

import (
	"slices"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/route"
)

// anyWire picks a leg, or one that rings for a virtual leg.
func (w *world) anyWire() core.LegID {
	if n := len(w.wires); n > 0 && w.dice(3) == 0 {
		return w.wires[n-1-min(w.dice(12), n-1)].Leg
	}
	return w.anyLeg()
}

// program lets an application, its recogniser, its recorder or its phones say
// something, true or not.
func (w *world) program() {
	leg := w.anyWire()
	switch k := w.dice(22); {
	case k < 9:
		w.answerConsult()
	case k < 11:
		w.soundOver(leg)
	case k < 12:
		w.apply(core.AnswererKnown{Leg: leg, Who: core.Answerer(1 + w.dice(4))})
	case k < 13:
		w.hearSpeech()
	case k < 14:
		w.apply(core.LegClosed{Leg: leg})
	case k < 15:
		w.apply(core.RecordEnded{ID: w.anyRecord()})
	case k < 17:
		w.apply(core.LegDigit{Leg: leg, Digit: "0123456789*#A"[w.dice(13)]})
	default:
		w.askApp(w.anyLeg())
	}
}

// answerConsult answers a question of the last, or one that was never asked.
func (w *world) answerConsult() {
	turn := core.Turn{Leg: w.anyLeg(), No: uint32(w.dice(4))}
	if n := len(w.apps.consults); n > 0 && w.dice(8) > 0 {
		turn = w.apps.consults[n-1-min(w.dice(4), n-1)].Turn
	}
	if n := len(w.apps.asides); n > 0 && w.dice(3) == 0 {
		turn = w.apps.asides[n-1-min(w.dice(4), n-1)]
	}
	ev := flow.Instructed{Turn: turn, Kind: flow.Run, Verbs: w.verbs()}
	if w.dice(4) == 0 {
		ev.Kind, ev.Verbs, ev.Reason = flow.AnswerKind(2+w.dice(3)), nil, core.ReasonSyntax
	}
	w.apply(ev)
}

// soundOver ends the sound that a leg hears, or one that it is injected.
func (w *world) soundOver(leg core.LegID) {
	sound := w.played[leg].Sound
	if w.dice(3) == 0 {
		sound = w.played[leg].Over[w.dice(int(core.InjectSlots))]
	}
	if w.dice(4) == 0 {
		w.apply(core.SoundFailed{Leg: leg, Sound: sound, Why: "404"})
		return
	}
	w.apply(core.Played{Leg: leg, Sound: sound})
}

// hearSpeech lets a recogniser that listens report.
func (w *world) hearSpeech() {
	turns := make([]core.Turn, 0, len(w.apps.listens))
	for turn := range w.apps.listens {
		turns = append(turns, turn)
	}
	if len(turns) == 0 {
		return
	}
	slices.SortFunc(turns, func(a, b core.Turn) int { return int(a.No) - int(b.No) })
	turn := turns[w.dice(len(turns))]
	if w.dice(4) == 0 {
		w.apply(core.SpeechBegan{Leg: w.apps.listens[turn], Turn: turn})
		return
	}
	w.apply(core.SpeechHeard{Leg: w.apps.listens[turn], Turn: turn, Result: w.speechResult()})
}

func (w *world) speechResult() core.SpeechResult {
	return []core.SpeechResult{
		{Reason: core.SpeechSilence, Results: []core.SpeechText{{Text: "sales"}}}, {Reason: core.SpeechNone}, {Error: "broken"},
	}[w.dice(3)]
}

func (w *world) anyRecord() core.RecordingID {
	ids := make([]core.RecordingID, 0, len(w.apps.records))
	for id := range w.apps.records {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return "nobody's"
	}
	slices.Sort(ids)
	return ids[w.dice(len(ids))]
}

// askApp lets an application ask something about a leg, sensibly or not.
func (w *world) askApp(leg core.LegID) {
	sound := core.Sound{Kind: core.SoundFile, Name: "x.mp3", Loop: []uint16{0, core.LoopForever}[w.dice(2)]}
	requests := []core.Request{
		flow.Create{Leg: core.LegID(w.freshName()), App: appID, Endpoint: w.endpoint(), Verbs: w.verbs(), Timeout: 20 * time.Second, Detect: w.detection()},
		flow.Create{Leg: core.LegID(w.freshName()), App: appID, Endpoint: w.endpoint(), Limit: time.Minute, Detect: w.detection()},
		flow.Create{Leg: leg, App: appID, Endpoint: w.endpoint()},
		flow.Replace{Leg: leg, Verbs: w.verbs()},
		flow.Replace{Leg: leg, Verbs: w.verbs()},
		core.Release{Leg: leg},
		core.Mute{Leg: leg, Muted: w.dice(2) == 0},
		core.Earmuff{Leg: leg, On: w.dice(2) == 0},
		core.Inject{Leg: leg, Slot: core.InjectSlot(w.dice(3)), Sound: sound},
		core.Inject{Leg: leg, Slot: core.InjectSlot(w.dice(2))},
		core.Key{Leg: leg, Digits: "1p2"},
		core.WatchKeys{Leg: leg, On: w.dice(2) == 0},
	}
	do := requests[w.dice(len(requests))]
	create, creates := do.(flow.Create)
	if l := w.byID[create.Leg]; l != nil && l.ended {
		return // names are given once
	}
	if !creates && w.dice(2) == 0 {
		do = core.OfApp{App: []string{appID, otherID}[w.dice(2)], Do: do}
	}
	w.asks++
	w.waits = true
	w.apply(core.Asked{Ask: w.asks, Do: do})
	if w.waits {
		w.fail("question %d got no reply", w.asks)
	}
}

func (w *world) freshName() string {
	return "new-" + time.Duration(len(w.legs)).String() + "-" + time.Duration(w.asks).String()
}

func (w *world) endpoint() flow.Endpoint {
	e := []flow.Endpoint{
		{Phone: "1001"},
		{Phone: "1002"},
		{Phone: "4930"},
		{Phone: "27"},
		{Phone: "40"},
		{Phone: "112"},
		{User: "ann"},
		{User: "zoe"},
		{House: "alice"},
		{House: "bob"},
		{House: "nobody"},
		{URI: "sip:x@10.0.0.1"},
		{URI: "?"},
		{Socket: core.Socket{URI: "wss://bot", Rate: 16000}},
	}[w.dice(14)]
	if w.dice(4) == 0 {
		e.OnAnswer = &core.Hook{URL: "https://app.example/on"}
	}
	if w.dice(6) == 0 {
		e.Digits = "12"
	}
	return e
}

func (w *world) detection() *flow.Detection {
	if w.dice(3) > 0 {
		return nil
	}
	return &flow.Detection{Mode: flow.DetectMode(w.dice(3)), Hangup: w.dice(4) == 0, BeepTimeout: 45 * time.Second}
}

// verbs makes a flow.
func (w *world) verbs() []flow.Verb {
	verbs := make([]flow.Verb, w.dice(4))
	for i := range verbs {
		verbs[i] = w.verb()
	}
	return verbs
}

// verb makes one of all kinds of verbs; most often one that leads to others.
func (w *world) verb() flow.Verb {
	switch w.dice(14) {
	case 0, 1:
		return flow.Say{Sound: speech("hello"), BargeIn: w.dice(2) == 0}
	case 2:
		return flow.Wait{For: w.span(10)}
	case 3, 4:
		in := flow.Input{Async: w.dice(5) == 0}
		if w.dice(3) > 0 {
			in.Keys = &flow.KeyInput{Timeout: w.span(5), MaxDigits: 1 + w.dice(4), SubmitOnHash: w.dice(2) == 0}
		}
		if w.dice(2) == 0 {
			in.Speech = &core.Speech{StartTimeout: 3 * time.Second, MaxDuration: 10 * time.Second}
		}
		return in
	case 5:
		return w.recordVerb()
	case 6, 7, 8:
		return w.converseVerb()
	case 9, 10:
		return w.callVerb()
	case 11:
		return flow.Notify{Payload: "{}"}
	case 12:
		return flow.MoveAll{To: w.anyCall(), Mute: w.dice(4) == 0, Hears: w.circle()}
	}
	return flow.Hangup{}
}

func (w *world) span(seconds int) time.Duration {
	return time.Duration(1+w.dice(seconds*10)) * 100 * time.Millisecond
}

func (w *world) recordVerb() flow.Record {
	r := flow.Record{Channels: 1 + w.dice(4), Split: w.dice(2) == 0, Beep: w.dice(4) == 0, Background: w.dice(2) == 0}
	if !r.Background {
		r.EndOnKey, r.Timeout = '#', 10*time.Second
	}
	return r
}

func (w *world) converseVerb() flow.Converse {
	v := flow.Converse{
		Name: []string{"r", "r", "s"}[w.dice(3)], StartOnEnter: w.dice(3) > 0, EndOnExit: w.dice(3) == 0,
		Speaks: w.circle(), Hears: w.circle(), Mute: w.dice(5) == 0,
		Music: core.Sound{Kind: core.SoundMusic, Name: "m.mp3"},
	}
	if w.dice(4) == 0 {
		r := w.recordVerb()
		v.Record = &r
	}
	return v
}

func (w *world) circle() *flow.Circle {
	if w.dice(3) > 0 || len(w.legs) == 0 {
		return nil
	}
	c := &flow.Circle{}
	for range w.dice(3) {
		c.Legs = append(c.Legs, w.anyLeg())
	}
	return c
}

func (w *world) callVerb() flow.Call {
	v := flow.Call{
		Sync: w.dice(2) == 0, AnswerFirst: w.dice(4) == 0, Timeout: w.span(20), Detect: w.detection(),
		From: []string{"", "40", "17"}[w.dice(3)],
	}
	if w.dice(4) == 0 {
		v.Music = core.Sound{Kind: core.SoundMusic, Name: "ring.mp3"}
	}
	if w.dice(5) == 0 {
		v.Limit = w.span(10)
	}
	if w.dice(4) == 0 {
		v.Group = []string{"all", "steps", "turns", "asked", "nested", "nobody"}[w.dice(6)]
		return v
	}
	for range 1 + w.dice(3) {
		v.Endpoints = append(v.Endpoints, w.endpoint())
	}
	if w.dice(5) == 0 {
		v.Ring.Confirm = &route.Confirm{Key: "5"}
	}
	v.Ring.Strategy = []route.Strategy{"", route.Simultaneous, route.Sequential, route.RoundRobin, "x"}[w.dice(5)]
	return v
}

// anyCall names a call, often a conversation.
func (w *world) anyCall() core.CallID {
	names := make([]string, 0, len(w.x.rooms))
	for name := range w.x.rooms {
		names = append(names, name.name)
	}
	if len(names) == 0 || w.dice(4) == 0 {
		return "nowhere"
	}
	slices.Sort(names)
	for name, c := range w.x.rooms {
		if name.name == names[0] {
			return c.id
		}
	}
	return ""
}
