package voice

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// The limits of an NCCO.
const (
	maxNCCO    = 1 << 20 // bytes
	maxActions = 200
)

// Parser turns NCCOs of one application into verbs.
type Parser struct {
	App string
	// Number picks a number of the application for randomFromNumber, "" if it has
	// none. nil picks none.
	Number func() string
	// TimedAside lets a recording whose only end is a time run beside what follows.
	TimedAside bool
}

// SyntaxError says what is wrong with an NCCO.
type SyntaxError struct {
	Detail string // for people
	// Reason is what the application is told in an event: core.ReasonSyntax, or that a
	// reserved word is not available.
	Reason string
}

func syntaxError(detail string) *SyntaxError {
	return &SyntaxError{Detail: detail, Reason: core.ReasonSyntax}
}

func (m *mistake) syntaxError() *SyntaxError {
	e := syntaxError(m.Error())
	if m.reserved {
		e.Reason = strings.ToUpper(m.reason[:1]) + m.reason[1:] + "."
	}
	return e
}

// reasonOf is what an application is told in an event of an error of Parse.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*SyntaxError](err); ok {
		return e.Reason
	}
	return core.ReasonSyntax
}

// Error implements error.
func (e *SyntaxError) Error() string { return "ncco: " + e.Detail }

// detail is what a client that sent a wrong NCCO is told.
func detail(err error) string {
	if e, ok := errors.AsType[*SyntaxError](err); ok {
		return e.Detail
	}
	return err.Error()
}

// byteOrderMark is what editors on Windows put before a text.
const byteOrderMark = "\ufeff"

// errNoArray marks a text that is no array: not an NCCO at all.
var errNoArray = errors.New("not a JSON array")

// Parse reads an NCCO, all of it or nothing. The error is a *SyntaxError. The
// result is not nil: no action at all is a flow that ends the call.
func (p Parser) Parse(text []byte) ([]flow.Verb, error) {
	actions, err := split(text)
	if err != nil {
		return nil, syntaxError(err.Error())
	}
	wrong := &mistakes{}
	verbs := make([]flow.Verb, 0, len(actions))
	for i, text := range actions {
		a := action{object: newObject(text, fmt.Sprintf("[%d]", i), wrong), Parser: p}
		verb := a.verb()
		if wrong.first != nil {
			return nil, wrong.first.syntaxError()
		}
		verbs = append(verbs, verb)
	}
	if err := bargeIn(verbs); err != nil {
		return nil, syntaxError(err.Error())
	}
	return verbs, nil
}

// split returns the actions of an NCCO.
func split(text []byte) ([]json.RawMessage, error) {
	if len(text) > maxNCCO {
		return nil, fmt.Errorf("longer than %d bytes", maxNCCO)
	}
	text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	if t := bytes.TrimSpace(text); len(t) == 0 || t[0] != '[' {
		return nil, errNoArray
	}
	if err := checkDepth(text); err != nil {
		return nil, err
	}
	var actions []json.RawMessage
	if err := json.Unmarshal(text, &actions); err != nil {
		return nil, err
	}
	if len(actions) > maxActions {
		return nil, fmt.Errorf("more than %d actions", maxActions)
	}
	return actions, nil
}

// action is one action of an NCCO.
type action struct {
	object
	Parser
}

// verb reads the action. What it returns means nothing once something is wrong.
func (a action) verb() flow.Verb {
	switch name := a.text("action"); name {
	case "talk":
		return a.talk()
	case "stream":
		return a.stream()
	case "input":
		return a.input()
	case "record":
		return a.record()
	case "conversation":
		return a.converse()
	case "connect":
		return a.connect()
	case "notify":
		return a.notify()
	case "wait":
		return flow.Wait{For: a.seconds("timeout", 10, 0.1, 7200)}
	case "transfer":
		return a.moveAll()
	case "queue", "voicemail":
		a.notAvailable("action", name)
	case "":
		a.fail("action", "is required")
	default:
		a.fail("action", fmt.Sprintf("%.40q is unknown", name))
	}
	return nil
}

// notify reads the action of that name.
func (a action) notify() flow.Verb {
	n := flow.Notify{Payload: a.payload("payload", 64<<10), Hook: a.hook()}
	if n.Hook.URL == "" {
		a.fail("eventUrl", "is required")
	}
	return n
}

// moveAll reads the action transfer.
func (a action) moveAll() flow.Verb {
	return flow.MoveAll{
		To:     callID(a.needText(maxName, "conversationId")),
		Speaks: a.circle("canSpeak"), Hears: a.circle("canHear"), Mute: a.truth("mute", false),
	}
}

// bargeIn makes a barge-in of a talk or stream last until the input that it is
// for. Sounds that no input follows cannot be barged into: they are heard to their
// end like any other.
func bargeIn(verbs []flow.Verb) error {
	first := -1 // index of the first sound that may be barged into
	for i, v := range verbs {
		switch v := v.(type) {
		case flow.Say:
			if v.BargeIn && first < 0 {
				first = i
			}
		case flow.Input:
			if first >= 0 {
				setBargeIn(verbs[first:i], true)
			}
			first = -1
		default:
			if first >= 0 {
				return fmt.Errorf("[%d].action: must be input after bargeIn", i)
			}
		}
	}
	if first >= 0 {
		setBargeIn(verbs[first:], false)
	}
	return nil
}

func setBargeIn(says []flow.Verb, on bool) {
	for i, v := range says {
		if say, ok := v.(flow.Say); ok {
			say.BargeIn = on
			says[i] = say
		}
	}
}

// compact writes JSON without spaces; text that is none stays as it is.
func compact(text []byte) string {
	var out bytes.Buffer
	if json.Compact(&out, text) != nil {
		return string(text)
	}
	return out.String()
}
