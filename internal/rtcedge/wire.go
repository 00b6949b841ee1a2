package rtcedge

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/offhook/offhook/internal/core"
)

// protocolVersion is the version of docs/protocol/ws.md that we speak.
const protocolVersion = 1

// request is any message of a client; each type uses its own fields.
type request struct {
	Type string `json:"type"`
	ID   string `json:"id"`

	Protocol int         `json:"protocol"` // login, resume
	User     string      `json:"user"`     // login
	Password core.Secret `json:"password"`
	Token    core.Secret `json:"token"` // login, resume
	Label    string      `json:"label"` // login, label
	Device   string      `json:"device"`

	Leg core.LegID `json:"leg"`
	To  string     `json:"to"` // call
	// Custom is what an application shall get with a call: a JSON object.
	Custom json.RawMessage `json:"custom"`
	Path   string          `json:"path"` // call, accept, media, release
	SDP    string          `json:"sdp"`  // media
	Digit  string          `json:"digit"`
	Muted  *bool           `json:"muted"`
}

// errNoObject is a frame after which the client cannot be understood any more.
var errNoObject = errors.New("not a JSON object with a type")

// decodeRequest reads one frame. The id is set whenever it is usable, also
// beside an error. errNoObject closes the socket, another error only fails the
// request.
func decodeRequest(frame []byte) (request, error) {
	var head struct {
		Type *string `json:"type"`
		ID   any     `json:"id"`
	}
	if err := json.Unmarshal(frame, &head); err != nil || head.Type == nil {
		return request{}, errNoObject
	}
	id, ok := head.ID.(string)
	if !ok || id == "" || len(id) > 64 {
		return request{}, invalid("id must be a string of 1 to 64 bytes")
	}
	var req request
	if err := json.Unmarshal(frame, &req); err != nil {
		if field, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return request{ID: id}, invalid(field.Field + " has the wrong type")
		}
		return request{ID: id}, invalid("malformed request")
	}
	return req, nil
}

// reply is the good answer to a request.
type reply struct {
	Type string     `json:"type"` // "reply"
	ID   string     `json:"id"`
	Leg  core.LegID `json:"leg,omitempty"`
	Path string     `json:"path,omitempty"`
	SDP  string     `json:"sdp,omitempty"`
}

// failure is the bad answer to a request.
type failure struct {
	Type    string `json:"type"` // "error"
	ID      string `json:"id,omitempty"`
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

// failureOf maps err to the wire: kind and text, and for a fault of ours
// nothing but that it is one.
func failureOf(id string, err error) failure {
	f := failure{Type: "error", ID: id, Kind: core.KindOf(err).String(), Message: "internal error"}
	if e, ok := errors.AsType[*core.Error](err); ok && e.Kind != core.Internal {
		f.Message = f.Kind
		if e.Err != nil {
			f.Message = e.Err.Error()
		}
	}
	return f
}

// refuse makes an error for a client: its kind and a sentence that may be shown.
func refuse(kind core.Kind, text string) error {
	return &core.Error{Op: "rtcedge", Kind: kind, Err: errors.New(text)}
}

func invalid(text string) error { return refuse(core.Invalid, text) }

// party is core.Party on the wire.
type party struct {
	User   string `json:"user,omitempty"`
	Number string `json:"number,omitempty"`
	Name   string `json:"name,omitempty"`
}

func partyOf(p core.Party) party {
	w := party{Number: p.Number, Name: p.Name}
	if !p.User.IsZero() {
		w.User = p.User.String()
	}
	return w
}

// call is the call object: one leg as its device sees it.
type call struct {
	Leg       core.LegID  `json:"leg"`
	As        core.LegID  `json:"as,omitempty"` // what applications call it, if not Leg
	Call      core.CallID `json:"call,omitempty"`
	Direction string      `json:"direction"`
	Request   string      `json:"request,omitempty"`
	State     string      `json:"state"`
	Active    int         `json:"active_seconds,omitempty"` // since "up"
	From      party       `json:"from"`
	To        party       `json:"to"`
	Early     bool        `json:"early,omitempty"`
	Muted     bool        `json:"muted,omitempty"`
	Path      string      `json:"path,omitempty"`
}

// hello answers a good login or resume with all there is to know.
type hello struct {
	Type     string      `json:"type"` // "hello"
	ID       string      `json:"id"`
	Protocol int         `json:"protocol"`
	Version  string      `json:"version"`
	User     party       `json:"user"`
	Device   string      `json:"device"`
	Resume   string      `json:"resume"`
	Resumed  bool        `json:"resumed"`
	Calls    []call      `json:"calls"`
	Ended    []legEvent  `json:"ended"`
	Paths    []pathState `json:"paths"`
	// IceServers are for RTCPeerConnection. We are ICE-lite on reachable addresses:
	// none is needed but where the client's network lets nothing through.
	IceServers []ICEServer `json:"ice_servers"`
	Limits     wireLimits  `json:"limits"`
}

// ICEServer is an RTCIceServer (W3C WebRTC section 4.2.4).
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username"`
	Credential string   `json:"credential"`
}

// iceServers is the event that brings new credentials before the old ones end.
type iceServers struct {
	Type       string      `json:"type"` // "ice_servers"
	IceServers []ICEServer `json:"ice_servers"`
}

type wireLimits struct {
	Frame         int `json:"frame"`
	PerSecond     int `json:"per_second"`
	Burst         int `json:"burst"`
	Queue         int `json:"queue"`
	Legs          int `json:"legs"`
	Paths         int `json:"paths"`
	ResumeSeconds int `json:"resume_seconds"`
	PingSeconds   int `json:"ping_seconds"`
}

// incoming proposes a leg.
type incoming struct {
	Type string `json:"type"` // "incoming"
	Call call   `json:"call"`
}

// legEvent is every other event about a leg: "ringing", "answered", "up",
// "ended", "handled".
type legEvent struct {
	Type    string     `json:"type"`
	Leg     core.LegID `json:"leg"`
	Request string     `json:"request,omitempty"`
	Early   *bool      `json:"early,omitempty"`
	Cause   core.Cause `json:"cause,omitempty"`
	Reason  string     `json:"reason,omitempty"`
}

// moved says that a leg is in another call now.
type moved struct {
	Type string      `json:"type"` // "moved"
	Leg  core.LegID  `json:"leg"`
	Call core.CallID `json:"call"`
}

// silenced says that somebody else muted a leg, or made it deaf, or undid that.
type silenced struct {
	Type string     `json:"type"` // "silenced"
	Leg  core.LegID `json:"leg"`
	Deaf bool       `json:"deaf"`
	On   bool       `json:"on"`
}

// pathState is a path in hello; with Type "path" it is the event.
type pathState struct {
	Type  string     `json:"type,omitempty"`
	Path  string     `json:"path"`
	State string     `json:"state"` // "up", "down", "closed"
	Leg   core.LegID `json:"leg,omitempty"`
}

// encode returns v as a frame. Every message is a struct of strings, numbers and
// bools, so that encoding cannot fail.
func encode(v any) []byte {
	frame, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("rtcedge: message %T: %v", v, err))
	}
	return frame
}
