package webhook

import (
	"encoding/json"
	"net/http"
	"time"
)

// Job is one webhook: a request to an application, with its second attempt and
// its fallback. What it points to must not change after Send.
type Job struct {
	// Queue is whose events must keep their order: the leg. Jobs of one queue are
	// done in the order of Send and one at a time. "" is none.
	Queue string
	App   string // identifier of the application

	Target
	// Params are sent in this order: by POST as a compact JSON object, by GET behind
	// the query of the URL, strings without quotes, anything else as JSON, null not.
	Params []Param
	// Body is sent by POST instead of Params, if it is not nil.
	Body []byte
	Sign *Signer // nil sends no signature

	// Fallback is asked when Target has failed; nil is nobody.
	Fallback *Fallback
	// Durable keeps the job in the outbox until it is delivered or given up, so that
	// a process that was killed goes on with it at its next start. Fallback and Done
	// do not outlive the process: then it is told, and nobody asks.
	Durable bool
	// Last says that the queue ends with this job: no leg is told twice that it
	// ended. See Deliverer.Ended.
	Last bool
	// After is how long to wait at most for older jobs of the queue before they are
	// overtaken. A job with After holds up nothing behind it, and is given up if it
	// still waits when a Last job comes. 0 waits for its turn.
	After time.Duration
	// Overtaken says that jobs with After do not wait for this one at all.
	Overtaken bool
	// Done gets what came of it, once, on a goroutine of its own; nil is nobody.
	Done func(Result)
}

// Target is where a request goes.
type Target struct {
	URL    string // http or https
	Method string // GET or POST, "" is POST
	// ConnectTimeout is for the connection and TLS, 0 is 1 s; Timeout for the answer
	// from then on, 0 is 10 s.
	ConnectTimeout time.Duration
	Timeout        time.Duration
	// Foreign says that the URL came from outside and not from the configuration of
	// the application: it must lead to a public address or to a host of Config.Hosts.
	Foreign bool
}

// Fallback is asked when another target has failed, with the same parameters and
// two more: reason, and original_request {url, type}.
type Fallback struct {
	Target
	Type string // of the request that failed: "answer" or "event"
}

// Param is a parameter of a request.
type Param struct {
	Name  string
	Value json.RawMessage // compact JSON, nil is null
}

// String is a parameter that is a string.
func String(name, value string) Param { return Param{name, appendString(nil, value)} }

// Result is what came of a Job.
type Result struct {
	// Status is the HTTP status of the last answer, 0 if there was none.
	Status      int
	Body        []byte // up to 1 MB
	ContentType string
	// Err is nil if somebody answered with 2xx; Reason says the same for people, such
	// as "Connection closed.".
	Err    error
	Reason string
}

const (
	defaultConnectTimeout = time.Second
	defaultTimeout        = 10 * time.Second
)

func (t Target) method() string {
	if t.Method == "" {
		return http.MethodPost
	}
	return t.Method
}

func (t Target) connectTimeout() time.Duration {
	if t.ConnectTimeout <= 0 {
		return defaultConnectTimeout
	}
	return t.ConnectTimeout
}

func (t Target) timeout() time.Duration {
	if t.Timeout <= 0 {
		return defaultTimeout
	}
	return t.Timeout
}
