package exchange

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// appID steers calls of the number 40, of its users and of its own making; otherID
// does nothing by itself.
const (
	appID   = "11111111-2222-4333-8444-555555555555"
	otherID = "99999999-2222-4333-8444-555555555555"
)

// house is what the tests call: a trunk that takes three calls a second, one
// behind it, and
//
//	alice  two phones: desk (SIP) and tab (browser)
//	bob    one browser: bobtab; a decline stops all his devices
//	carol  nothing registered
//	dora   do not disturb
//
// The number 18 leads to the group of all of them and two mobiles, 17 to alice,
// 16 to carol, 15 to bob; 21 to 30 to groups with something special.
func house(tb testing.TB) *route.Directory {
	tb.Helper()
	second := route.Duration(time.Second)
	unlimited := &route.Limit{}
	d, err := route.NewDirectory(route.Resources{
		Users: []route.User{
			{Name: "alice", DisplayName: "Alice", Number: "1555"},
			{Name: "bob", DeclineAll: true},
			{Name: "carol"},
			{Name: "dora", DoNotDisturb: true},
			{Name: "poor", Limits: &route.Limit{Calls: 1, Minutes: 1, Longest: 12 * second}},
		},
		Trunks: []route.Trunk{
			{Name: "carrier", URI: "sip:127.0.0.1:5080", CallsPerSecond: 3, CallerID: "1000"},
			{Name: "backup", URI: "sip:127.0.0.1:5081", Prefixes: []string{"49"}, Priority: 2},
			{Name: "main", URI: "sip:127.0.0.1:5082", Prefixes: []string{"49"}, Priority: 1, Limits: &route.Limit{Minutes: 1}},
		},
		Groups: []route.Group{
			{Name: "all", RingTimeout: 29 * second, CallerHears: "de", Endpoints: []route.Endpoint{
				{Phone: "1001"}, {Phone: "1002"}, {User: "alice"}, {User: "bob"}, {User: "carol"},
			}},
			{Name: "steps", Strategy: route.Sequential, RingTimeout: 25 * second, StepTimeout: 10 * second, Endpoints: []route.Endpoint{
				{Phone: "1001"}, {User: "alice"}, {User: "bob"},
			}, NoAnswer: &route.Destination{User: "carol"}, Busy: &route.Destination{Announce: "closed"}, Unreachable: &route.Destination{Group: "all"}},
			{Name: "turns", Strategy: route.RoundRobin, Endpoints: []route.Endpoint{{User: "alice"}, {User: "bob"}, {Phone: "1001"}}},
			{Name: "rested", Strategy: route.LeastRecent, Endpoints: []route.Endpoint{{User: "alice"}, {User: "bob"}}},
			{Name: "drawn", Strategy: route.Random, Endpoints: []route.Endpoint{{User: "alice", Weight: 9}, {User: "bob"}}},
			{Name: "asked", Confirm: &route.Confirm{Key: "5", Timeout: route.Duration(12 * time.Second)}, Endpoints: []route.Endpoint{{Phone: "1001"}, {Phone: "1002"}, {User: "bob"}}},
			{Name: "nested", RingTimeout: 40 * second, Endpoints: []route.Endpoint{{User: "bob"}, {Group: "steps", Timeout: 15 * second}, {Phone: "1009", Delay: 5 * second}}},
			{Name: "idle", SkipBusy: true, Endpoints: []route.Endpoint{{User: "alice"}, {User: "bob"}, {User: "dora"}}},
			{Name: "shown", CallerHears: "music", Endpoints: []route.Endpoint{{Phone: "1001", CallerID: "dialled"}, {Phone: "1002", CallerID: "trunk"}, {Phone: "1003"}}},
			{Name: "given", Endpoints: []route.Endpoint{{User: "bob"}}, NoAnswer: &route.Destination{Application: appID}},
			{Name: "trunked", Endpoints: []route.Endpoint{{Phone: "4930"}}, Failed: &route.Destination{User: "bob"}},
		},
		Numbers: []route.Number{
			{Number: "18", Group: "all"},
			{Number: "17", User: "alice"},
			{Number: "16", User: "carol"},
			{Number: "15", User: "bob"},
			{Number: "21", Group: "steps"},
			{Number: "22", Group: "turns"},
			{Number: "23", Group: "rested"},
			{Number: "24", Group: "drawn"},
			{Number: "25", Group: "asked"},
			{Number: "26", Group: "nested"},
			{Number: "27", Group: "idle"},
			{Number: "28", Group: "trunked"},
			{Number: "29", User: "dora"},
			{Number: "30", Group: "shown"},
			{Number: "31", Announce: "https://example.com/hours.wav"},
			{Number: "40", Application: appID},
			{Number: "41", Group: "given"},
			{Number: "42", Application: otherID},
		},
		Accounts: []route.Account{{Key: "owner"}},
		Applications: []route.Application{
			{ID: appID, Account: "owner", Answer: route.Webhook{URL: "https://app.example/answer"}, Members: 4, CallsPerSecond: 5},
			{ID: otherID},
		},
		Limits: route.Limits{User: unlimited, Trunk: unlimited, Application: unlimited},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

var (
	desk   = core.ContactUp{Contact: core.Contact{ID: "desk", User: core.UserID{Name: "alice"}, Edge: core.EdgeSIP}}
	tab    = core.ContactUp{Contact: core.Contact{ID: "tab", User: core.UserID{Name: "alice"}, Edge: core.EdgeBrowser}}
	bobtab = core.ContactUp{Contact: core.Contact{ID: "bobtab", User: core.UserID{Name: "bob"}, Edge: core.EdgeBrowser}}
)

// fromTrunk is a call a from the carrier, fromAlice one from alice's desk phone.
func fromTrunk(to string) core.Offered {
	return core.Offered{Leg: "a", Edge: core.EdgeSIP, From: core.Party{Trunk: "carrier", Number: "1777"}, To: to}
}

func fromAlice(to string) core.Offered {
	return core.Offered{Leg: "a", Edge: core.EdgeSIP, From: core.Party{User: core.UserID{Name: "alice"}}, Contact: "desk", To: to}
}

// script drives an Exchange by names: an outgoing leg is called like the contact,
// number or URI it rings. Commands come back as lines, see line.
type script struct {
	x     *Exchange
	now   time.Time
	names map[core.LegID]core.LegID // real to name
	ids   map[core.LegID]core.LegID // name to real

	rows     map[core.LegID]core.Hear // what each hears
	listened core.Listen              // the last
	records  []core.RecordingID       // in the order they began
}

func newScript(tb testing.TB) *script {
	tb.Helper()
	return &script{
		x: New(Config{Directory: house(tb)}), now: time.Unix(1e9, 0),
		names: map[core.LegID]core.LegID{}, ids: map[core.LegID]core.LegID{}, rows: map[core.LegID]core.Hear{},
	}
}

// apply applies one event and returns what was ordered, history apart.
func (s *script) apply(ev core.Event) (orders, history []string) {
	all := s.applyAll(ev)
	for _, line := range all {
		if said, ok := strings.CutPrefix(line, "-> "); ok {
			history = append(history, said)
		} else {
			orders = append(orders, line)
		}
	}
	return orders, history
}

// applyAll is apply with orders and history as they came; history begins with "-> ".
func (s *script) applyAll(ev core.Event) (lines []string) {
	for _, cmd := range s.x.Apply(s.now, s.rename(ev)) {
		s.see(cmd)
		if p, ok := cmd.(core.Publish); ok {
			lines = append(lines, "-> "+s.change(p.Change))
			continue
		}
		if r, ok := cmd.(core.Ring); ok {
			name := core.LegID(string(r.Target.Contact) + r.Target.Number + r.Target.URI + r.Target.Socket.URI)
			if r.Target.Trunk == "backup" {
				name += "@backup"
			}
			s.names[r.Leg], s.ids[name] = name, r.Leg
			if _, named := s.names[r.As]; len(r.As) == 36 && !named {
				s.names[r.As], s.ids[name+"*"] = name+"*", r.As
			}
		}
		lines = append(lines, s.line(cmd))
	}
	// Began of an outgoing leg comes before its Ring, so its name is known only now.
	for i, line := range lines {
		for id, name := range s.names {
			line = strings.ReplaceAll(line, string(id), string(name))
		}
		lines[i] = line
	}
	return lines
}

// after is a pseudo event that lets time pass.
type after struct {
	core.EventBase
	d time.Duration
}

func (s *script) rename(ev core.Event) core.Event {
	id := func(name core.LegID) core.LegID {
		if id, ok := s.ids[name]; ok {
			return id
		}
		return name
	}
	switch ev := ev.(type) {
	case after:
		s.now = s.now.Add(ev.d)
	case core.LegRinging:
		return core.LegRinging{Leg: id(ev.Leg)}
	case core.LegEarly:
		return core.LegEarly{Leg: id(ev.Leg)}
	case core.LegAccepted:
		return core.LegAccepted{Leg: id(ev.Leg)}
	case core.LegUp:
		return core.LegUp{Leg: id(ev.Leg)}
	case core.LegGone:
		ev.Leg = id(ev.Leg)
		return ev
	case core.LegHeld:
		ev.Leg = id(ev.Leg)
		return ev
	case core.LegMuted:
		ev.Leg = id(ev.Leg)
		return ev
	case core.LegSilent:
		ev.Leg = id(ev.Leg)
		return ev
	case core.LegHeard:
		return core.LegHeard{Leg: id(ev.Leg)}
	case core.LegDigit:
		ev.Leg = id(ev.Leg)
		return ev
	case core.Played:
		ev.Leg = id(ev.Leg)
		return ev
	case core.TransferAsked:
		ev.Leg, ev.Replaces = id(ev.Leg), id(ev.Replaces)
		return ev
	case core.Offered:
		ev.Replaces = id(ev.Replaces)
		return ev
	case core.Asked:
		ev.Do = renameRequest(ev.Do, id)
		return ev
	case core.TimedOut:
		ev.Timer.Leg = id(ev.Timer.Leg)
		return ev
	case core.Broken:
		return core.Broken{Leg: id(ev.Leg)}
	}
	return s.renameApp(ev, id)
}

func renameRequest(req core.Request, id func(core.LegID) core.LegID) core.Request {
	switch req := req.(type) {
	case core.Transfer:
		return core.Transfer{Leg: id(req.Leg), To: req.To, Replaces: id(req.Replaces)}
	case core.Pickup:
		return core.Pickup{Leg: id(req.Leg), By: id(req.By)}
	case core.Park:
		return core.Park{Leg: id(req.Leg), Slot: req.Slot}
	case core.Retrieve:
		return core.Retrieve{Slot: req.Slot, Leg: id(req.Leg), By: id(req.By)}
	case core.Merge:
		return core.Merge{Leg: id(req.Leg), With: id(req.With)}
	case core.AddParty:
		return core.AddParty{Leg: id(req.Leg), To: req.To, Mode: req.Mode}
	case core.Supervise:
		return core.Supervise{Leg: id(req.Leg), Target: id(req.Target), Mode: req.Mode}
	case core.Release:
		return core.Release{Leg: id(req.Leg)}
	case core.Hold:
		return core.Hold{Leg: id(req.Leg), Held: req.Held}
	case core.Mute:
		return core.Mute{Leg: id(req.Leg), Muted: req.Muted}
	case core.SetHear:
		pairs := make([]core.HearPair, len(req.Pairs))
		for i, p := range req.Pairs {
			pairs[i] = core.HearPair{From: id(p.From), To: id(p.To), Hears: p.Hears}
		}
		return core.SetHear{Call: req.Call, Pairs: pairs}
	case core.SuperviseCall:
		req.Leg, req.Target = id(req.Leg), id(req.Target)
		return req
	case core.Dismiss:
		return core.Dismiss{Leg: id(req.Leg)}
	case core.Within:
		return core.Within{Call: req.Call, Do: renameRequest(req.Do, id)}
	}
	return renameAppRequest(req, id)
}

func (s *script) name(id core.LegID) string {
	if name, ok := s.names[id]; ok {
		return string(name)
	}
	return string(id)
}

// line writes a command as in "end desk 26 answered_elsewhere".
func (s *script) line(cmd core.Command) string {
	switch cmd := cmd.(type) {
	case core.Ring:
		return "ring " + s.name(cmd.Leg)
	case core.Progress:
		if !cmd.Early {
			return "rings " + s.name(cmd.Leg)
		}
		return "progress " + s.name(cmd.Leg)
	case core.Answer:
		return "answer " + s.name(cmd.Leg)
	case core.End:
		line := fmt.Sprintf("end %s %d", s.name(cmd.Leg), cmd.Cause)
		if cmd.Reason != core.ReasonNone {
			line += " " + cmd.Reason.String()
		}
		if cmd.Code != 0 {
			line += fmt.Sprintf(" code=%d", cmd.Code)
		}
		return line
	case core.Silenced:
		return fmt.Sprintf("silenced %s deaf=%v on=%v", s.name(cmd.Leg), cmd.Deaf, cmd.On)
	case core.Hear:
		return "hear " + s.name(cmd.Leg) + " " + s.source(cmd) + s.over(cmd)
	case core.TransferProgress:
		line := fmt.Sprintf("notify %s %d", s.name(cmd.Leg), cmd.Code)
		if cmd.Final {
			line += " final"
		}
		return line
	case core.Reply:
		if cmd.Err != nil {
			return "refused " + core.KindOf(cmd.Err).String()
		}
		return strings.TrimSpace("done " + cmd.Slot)
	case core.StartTimer:
		return fmt.Sprintf("start %s %v", s.timer(cmd.Timer), cmd.After)
	case core.StopTimer:
		return "stop " + s.timer(cmd.Timer)
	}
	return s.appLine(cmd)
}

func (s *script) source(row core.Hear) string {
	switch row.Sound.Kind {
	case core.SoundRingback:
		return "ringback:" + row.Sound.Name
	case core.SoundBusy:
		return "busy:" + row.Sound.Name
	case core.SoundPrompt:
		return "prompt:" + row.Sound.Name
	case core.SoundHold:
		return "music"
	case core.SoundFile, core.SoundMusic, core.SoundSpeech, core.SoundBeep:
		return soundName(row.Sound)
	case core.SoundNone:
	}
	if len(row.From) == 0 {
		return "nothing"
	}
	names := make([]string, len(row.From))
	for i, id := range row.From {
		names[i] = s.name(id)
	}
	return strings.Join(names, "+")
}

func (s *script) timer(id core.TimerID) string {
	kinds := [...]string{"", "ring", "answer", "media", "play", "drain", "pace", "confirm", "park", "talk", "silence", "verb", "limit", "ask"}
	return kinds[id.Kind] + " " + s.name(id.Leg) + id.Trunk
}

// change writes a LegChange as in "ended desk 26 answered_elsewhere".
func (s *script) change(c core.LegChange) string {
	line := c.Kind.String() + " " + s.name(c.Leg)
	if c.Turn.No != 0 {
		line += fmt.Sprintf(" turn=%d", c.Turn.No)
	}
	switch c.Kind {
	case core.ChangeBridged:
		line += " " + s.name(c.Peer)
	case core.ChangeEnded:
		line += fmt.Sprintf(" %d", c.Cause)
		if c.Reason != core.ReasonNone {
			line += " " + c.Reason.String()
		}
		if c.Code != 0 {
			line += fmt.Sprintf(" code=%d", c.Code)
		}
	case core.ChangeParked:
		line += " " + c.Slot
	case core.ChangeBegan, core.ChangeRinging, core.ChangeConfirming, core.ChangeAnswered, core.ChangeHeld,
		core.ChangeResumed, core.ChangeMoved, core.ChangeSilent, core.ChangeHeard,
		core.ChangeHuman, core.ChangeMachine, core.ChangeBeep, core.ChangeNoBeep, core.ChangeClosed, core.ChangeLeft:
	}
	return line
}
