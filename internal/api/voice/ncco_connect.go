package voice

import (
	"encoding/json"
	"fmt"

	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/route"
)

// maxEndpoints bounds how many one connect rings at once.
const maxEndpoints = 100

// connect reads the action of that name. Several endpoints, groups and how they
// ring are ours.
func (a action) connect() flow.Verb {
	c := flow.Call{
		From:        a.caller(),
		Hook:        a.hook(),
		Sync:        a.word("eventType", "", "synchronous", "syncchronous") != "", // the second is the PHP SDK's
		Timeout:     a.seconds("timeout", 60, 1, 180),
		Limit:       a.seconds("limit", 7200, 1, 86400),
		Music:       a.music("ringbackTone", "ringback"),
		Detect:      a.detection(),
		AnswerFirst: a.word("answer", "connected", "first") == "first",
	}
	c.Ring = a.ringing()
	values, ok := a.list("endpoint", "endpoints")
	switch {
	case !ok || len(values) == 0:
		a.fail("endpoint", "is required")
	case len(values) > maxEndpoints:
		a.fail("endpoint", fmt.Sprintf("has more than %d entries", maxEndpoints))
	}
	for i, value := range values {
		a.endpointOf(&c, value, i, len(values))
	}
	return c
}

// endpointOf adds one of several endpoints, or the group.
func (a action) endpointOf(c *flow.Call, value json.RawMessage, i, of int) {
	o := newObject(value, fmt.Sprintf("%s[%d]", a.path("endpoint"), i), a.wrong)
	if a.failed() {
		return
	}
	if o.text("type") != "group" {
		c.Endpoints = append(c.Endpoints, o.endpoint(a.App))
		return
	}
	if of > 1 {
		a.fail("endpoint", "a group goes with no other endpoint")
	}
	c.Group = o.needText(64, "name")
	if !a.has("timeout") {
		c.Timeout = 0 // the group's own
	}
	own := o.ringing()
	if own.Strategy != "" {
		c.Ring.Strategy = own.Strategy
	}
	if own.Confirm != nil {
		c.Ring.Confirm = own.Confirm
	}
	if own.Hears != "" {
		c.Ring.Hears = own.Hears
	}
	for _, from := range []object{a.object, o} {
		if from.has("ringTimeout") {
			c.Timeout = from.seconds("ringTimeout", 30, 1, 180)
		}
	}
}

// caller reads what callees see: digits, or the name of a user.
func (a action) caller() string {
	if a.truth("randomFromNumber", false) && a.Number != nil {
		return a.Number()
	}
	from := a.text("from")
	if len(from) > maxName {
		a.fail("from", fmt.Sprintf("is longer than %d characters", maxName))
	}
	if number := route.Normalise(from); number != "" {
		return number
	}
	return from
}

// ringing reads how several endpoints, or a group, ring.
func (o object) ringing() flow.Ringing {
	r := flow.Ringing{
		Strategy: route.Strategy(o.word("strategy", "", string(route.Simultaneous), string(route.Sequential),
			string(route.RoundRobin), string(route.Random), string(route.LeastRecent))),
		Hears: o.text("callerHears"),
	}
	if len(r.Hears) > maxURL {
		o.fail("callerHears", "is too long")
	}
	r.Confirm = o.confirm()
	return r
}

// confirm reads the key that takes a call: true, the key, or an object.
func (o object) confirm() *route.Confirm {
	value, ok := o.get("confirm")
	if !ok {
		return nil
	}
	if s, err := asText(value); err == nil {
		return &route.Confirm{Key: confirmKey(o, "confirm", s)}
	}
	var on bool
	if json.Unmarshal(value, &on) == nil {
		if on {
			return &route.Confirm{}
		}
		return nil
	}
	c, _ := o.object("confirm")
	out := &route.Confirm{Key: confirmKey(c, "key", c.text("key")), Prompt: c.text("prompt")}
	if len(out.Prompt) > maxURL {
		c.fail("prompt", "is too long")
	}
	if c.has("timeout") {
		out.Timeout = route.Duration(c.seconds("timeout", 15, 1, 60))
	}
	return out
}

func confirmKey(o object, name, key string) string {
	if key == "" {
		return ""
	}
	k := object{at: o.at, fields: map[string]json.RawMessage{fold(name): json.RawMessage(`"` + key[:1] + `"`)}, wrong: o.wrong}
	if len(key) > 1 || k.key(name) == 0 {
		o.fail(name, "must be one of 0-9, * and #")
		return ""
	}
	return key
}

// detection reads what to do about answering machines; nil is nothing.
func (o object) detection() *flow.Detection {
	if adv, ok := o.object("advancedMachineDetection"); ok {
		d := &flow.Detection{
			Hangup:      adv.word("behavior", "continue", "hangup") == "hangup",
			BeepTimeout: adv.seconds("beepTimeout", 45, 45, 120),
		}
		switch adv.word("mode", "detect", "detect_beep", "default") {
		case "detect":
			d.Mode = flow.DetectFirst
		case "detect_beep":
			d.Mode = flow.DetectBeep
		}
		if d.Mode != flow.DetectBeep {
			d.BeepTimeout = 0
		}
		return d
	}
	switch o.word("machineDetection", "", "continue", "hangup") {
	case "continue":
		return &flow.Detection{}
	case "hangup":
		return &flow.Detection{Hangup: true}
	}
	return nil
}
