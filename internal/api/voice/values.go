package voice

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
	"github.com/offhook/offhook/internal/core/route"
)

// The limits of texts that applications send, in bytes.
const (
	maxURL     = 2048
	maxName    = 255
	maxSpoken  = 1500  // of what is said, without tags
	maxTagged  = 20000 // with tags
	maxKeys    = 100
	maxCircle  = 200 // legs of canSpeak and canHear
	maxHeaders = 32
)

// seconds turns seconds into a duration.
func seconds(n float64) time.Duration {
	return time.Duration(math.Round(n * float64(time.Second)))
}

// seconds reads a duration in seconds.
func (o object) seconds(name string, byDefault, low, high float64) time.Duration {
	return seconds(o.number(name, byDefault, low, high))
}

// url reads an http or https URL, alone or as a list of one; "" if there is none. An
// empty list is what some SDKs write for none.
func (o object) url(names ...string) string {
	values, _ := o.list(names...)
	if len(values) == 0 {
		return ""
	}
	if len(values) > 1 {
		o.fail(names[0], "must have one entry")
		return ""
	}
	text, err := asText(values[0])
	if err != nil || text != "" && !isURL(text, "http", "https") {
		o.fail(names[0], "must be an http or https URL")
		return ""
	}
	return text
}

// needURL is url for one that must be there.
func (o object) needURL(names ...string) string {
	text := o.url(names...)
	if text == "" {
		o.fail(names[0], "is required")
	}
	return text
}

func isURL(text string, schemes ...string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || len(text) > maxURL {
		return false
	}
	for _, s := range schemes {
		if strings.EqualFold(u.Scheme, s) {
			return true
		}
	}
	return false
}

// hook reads where the application wants to be told.
func (o object) hook() core.Hook {
	return core.Hook{URL: o.url("eventUrl"), Method: o.method("eventMethod")}
}

// method reads GET or POST, "" if there is none.
func (o object) method(name string) string {
	return o.word(name, "", "GET", "POST")
}

// circle reads a list of legs; nil if there is none.
func (o object) circle(name string) *flow.Circle {
	texts, ok := o.texts(maxCircle, name)
	if !ok {
		return nil
	}
	c := &flow.Circle{Legs: make([]core.LegID, 0, len(texts))}
	for _, t := range texts {
		if len(t) > maxName {
			o.fail(name, "must be a list of leg uuids")
		}
		c.Legs = append(c.Legs, core.LegID(strings.ToLower(t)))
	}
	return c
}

// keys reads keys to send: 0-9 * # and p for a pause.
func (o object) keys(names ...string) string {
	s := o.text(names...)
	if len(s) > maxKeys || strings.Trim(s, "0123456789*#p") != "" {
		o.fail(names[0], "can only contain 0-9, *, # and p")
	}
	return s
}

// key reads one key, 0 if there is none.
func (o object) key(name string) byte {
	switch s := o.text(name); {
	case s == "":
	case len(s) == 1 && strings.Contains("0123456789*#", s):
		return s[0]
	default:
		o.fail(name, "must be one of 0-9, * and #")
	}
	return 0
}

// phone reads a number in E.164, "" if there is none.
func (o object) phone(names ...string) string {
	s := o.text(names...)
	if s == "" {
		return ""
	}
	number := route.Normalise(s)
	if number == "" {
		o.fail(names[0], "can contain up to 15 digits prefixed with +")
	}
	return number
}

// payload reads an object that is passed on as it is, compact.
func (o object) payload(name string, limit int) string {
	value, ok := o.get(name)
	if !ok {
		o.fail(name, "is required")
		return ""
	}
	if isEmptyList(value) {
		return "{}"
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(value, &fields) != nil {
		o.fail(name, "must be an object")
		return ""
	}
	text := compact(value)
	if len(text) > limit {
		o.fail(name, fmt.Sprintf("is longer than %d bytes", limit))
	}
	return text
}

// conversation is how applications see a call.
func conversation(id core.CallID) string {
	if id == "" {
		return ""
	}
	return "CON-" + string(id)
}

// callID is the inverse of conversation.
func callID(text string) core.CallID {
	if len(text) > 4 && strings.EqualFold(text[:4], "CON-") {
		text = text[4:]
	}
	return core.CallID(strings.ToLower(text))
}

// newLegID mints the name of a leg.
func newLegID() core.LegID { return core.LegID(uuid.NewString()) }
