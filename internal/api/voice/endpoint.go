package voice

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/flow"
)

// endpoint reads whom to ring.
func (o object) endpoint(app string) flow.Endpoint {
	switch kind := o.text("type"); kind {
	case "phone":
		return o.phoneEndpoint()
	case "app":
		return flow.Endpoint{User: o.needText(128, "user")}
	case "sip":
		return o.sipEndpoint()
	case "websocket":
		return o.socketEndpoint(app)
	case "vbc":
		return flow.Endpoint{House: o.needText(64, "extension")}
	case "":
		o.fail("type", "is required")
	case "voicemail", "queue":
		o.notAvailable("type", kind)
	default:
		o.fail("type", "must be one of phone, app, sip, websocket, vbc")
	}
	return flow.Endpoint{}
}

func (o object) phoneEndpoint() flow.Endpoint {
	e := flow.Endpoint{Phone: o.phone("number"), Digits: o.keys("dtmfAnswer")}
	if e.Phone == "" {
		o.fail("number", "is required")
	}
	e.OnAnswer, e.Music = o.onAnswer()
	return e
}

// onAnswer reads where to ask what a callee hears before it is joined, and what the
// caller hears meanwhile. The SDK for Go writes the URL alone.
func (o object) onAnswer() (*core.Hook, core.Sound) {
	if value, ok := o.get("onAnswer"); ok {
		if _, err := asText(value); err == nil {
			return hookTo(o.url("onAnswer")), core.Sound{}
		}
	}
	on, _ := o.object("onAnswer")
	hook := hookTo(on.url("url"))
	if hook == nil {
		return nil, core.Sound{}
	}
	return hook, on.music("ringbackTone", "ringback")
}

func hookTo(url string) *core.Hook {
	if url == "" {
		return nil
	}
	return &core.Hook{URL: url}
}

func (o object) sipEndpoint() flow.Endpoint {
	var e flow.Endpoint
	switch uri := o.text("uri"); {
	case uri != "":
		if e.URI = sipURI(uri); e.URI == "" {
			o.fail("uri", "must be a SIP URI of at most 255 characters")
		}
	case o.has("domain"):
		e.Phone, e.Trunk = o.needText(64, "user"), o.needText(64, "domain")
	default:
		o.fail("uri", "is required")
	}
	e.Headers = append(o.sipHeaders("headers", "X-"), o.sipHeaders("standardHeaders", "")...)
	return e
}

// sipURI returns text as a SIP URI, "" if it cannot be one.
func sipURI(text string) string {
	lower := strings.ToLower(text)
	if !strings.HasPrefix(lower, "sip:") && !strings.HasPrefix(lower, "sips:") {
		text = "sip:" + text
	}
	_, rest, _ := strings.Cut(text, ":")
	if len(text) > maxName || rest == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("<>\"", r) }) {
		return ""
	}
	return text
}

// sipHeaders reads headers for an INVITE, in the order given. With a prefix they
// are the application's own, without one the few standard ones that it may set.
func (o object) sipHeaders(name, prefix string) []core.Header {
	value, ok := o.get(name)
	if !ok || isEmptyList(value) {
		return nil
	}
	fields, err := orderedFields(value)
	if err != nil || len(fields) > maxHeaders {
		o.fail(name, "must be an object of at most "+strconv.Itoa(maxHeaders)+" texts")
		return nil
	}
	var out []core.Header
	for _, f := range fields {
		if isNull(f.value) {
			continue
		}
		text, err := asText(f.value)
		switch {
		case err != nil || !isHeaderName(f.name) || !isHeaderValue(text):
			o.fail(name, "has a name or value that no SIP header can have")
		case prefix == "" && !strings.EqualFold(f.name, "User-to-User"):
			o.fail(name, "can only contain User-to-User")
		case prefix != "" && len(f.name) > 2 && strings.EqualFold(f.name[:2], prefix):
			out = append(out, core.Header{Name: f.name, Value: text})
		case prefix == "":
			out = append(out, core.Header{Name: "User-to-User", Value: text})
		default:
			out = append(out, core.Header{Name: prefix + f.name, Value: text})
		}
	}
	return out
}

// isHeaderName says whether s is a token of RFC 3261 section 25.1.
func isHeaderName(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("-.!%*_+`'~", r)
	})
}

// isHeaderValue says whether s can stand in one line.
func isHeaderValue(s string) bool {
	return len(s) <= 1024 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// The limits of a WebSocket endpoint, in bytes.
const (
	maxSocketHeaders = 512
	maxAuthorization = 4096
)

func (o object) socketEndpoint(app string) flow.Endpoint {
	e := flow.Endpoint{Socket: core.Socket{URI: o.needText(maxURL, "uri"), Rate: o.rate(), App: app}}
	if e.Socket.URI != "" && !isURL(e.Socket.URI, "ws", "wss") {
		o.fail("uri", "must be a ws or wss URL")
	}
	if value, ok := o.get("headers"); ok && !isEmptyList(value) {
		fields, err := orderedFields(value)
		if err != nil || len(compact(value)) > maxSocketHeaders {
			o.fail("headers", "must be an object of at most "+strconv.Itoa(maxSocketHeaders)+" bytes")
		}
		for _, f := range fields {
			e.Headers = append(e.Headers, core.Header{Name: f.name, Value: compact(f.value)})
		}
	}
	if auth, ok := o.object("authorization"); ok {
		switch auth.word("type", "", "vonage", "custom") {
		case "vonage":
			e.Socket.Authorization = core.SocketToken
		case "custom":
			e.Socket.Authorization = auth.needText(maxAuthorization, "value")
			if !isLine(e.Socket.Authorization) {
				auth.fail("value", "must be one line")
			}
		default:
			auth.fail("type", "must be vonage or custom")
		}
	}
	return e
}

func isLine(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// rate reads the sampling rate out of a content type. The SDKs for PHP and Ruby write
// audio/116, with a digit for the letter.
func (o object) rate() int {
	text := strings.ToLower(strings.ReplaceAll(o.text("contentType"), " ", ""))
	text = strings.Replace(text, "audio/116", "audio/l16", 1)
	switch text {
	case "", "audio/l16", "audio/l16;rate=16000":
		return 16000
	case "audio/l16;rate=8000":
		return 8000
	case "audio/l16;rate=24000":
		return 24000
	}
	o.fail("content-type", "must be audio/l16;rate=8000, 16000 or 24000")
	return 16000
}

// field is one member of a JSON object.
type field struct {
	name  string
	value json.RawMessage
}

var errNoObject = errors.New("not a JSON object")

// orderedFields returns the members of an object as they were written.
func orderedFields(text []byte) ([]field, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errNoObject
	}
	var out []field
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, ok := t.(string)
		if !ok {
			return nil, errNoObject
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		out = append(out, field{name, value})
	}
	return out, nil
}
