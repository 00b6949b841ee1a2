package wsedge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// order is a text of a server.
type order struct {
	Action  string          `json:"action"`
	Payload json.RawMessage `json:"payload"`
}

func readOrder(text []byte) (order, bool) {
	var o order
	err := json.Unmarshal(text, &o)
	return o, err == nil
}

// connected is the first message: the format of the audio, and the headers of the
// endpoint as they were given.
func connected(rate int, headers []core.Header) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"event":"websocket:connected","content-type":"audio/l16;rate=%d"`, rate)
	for _, h := range headers {
		if h.Name == "event" || h.Name == "content-type" {
			continue
		}
		value := []byte(h.Value)
		if !json.Valid(value) {
			value = quoted(h.Value)
		}
		b.WriteByte(',')
		b.Write(quoted(h.Name))
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// pressed tells of a key of another party.
func pressed(key byte, lasted time.Duration) []byte {
	return fmt.Appendf(nil, `{"event":"websocket:dtmf","digit":%q,"duration":%d}`, string(key), lasted.Milliseconds())
}

// cleared answers a clear.
func cleared() []byte { return []byte(`{"event":"websocket:cleared"}`) }

// notified answers a notify whose place was reached.
func notified(payload json.RawMessage) []byte {
	if len(payload) == 0 {
		payload = json.RawMessage("null")
	}
	text := append([]byte(`{"event":"websocket:notify","payload":`), payload...)
	return append(text, '}')
}

func quoted(s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		return []byte(strconv.Quote(s))
	}
	return text
}

// display is a URI for logs, without what may be secret in it.
func display(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return "a malformed URI"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
