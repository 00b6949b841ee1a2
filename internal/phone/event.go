package phone

import "time"

// Kind says what happened.
type Kind string

// The kinds of Event.
const (
	Registered   Kind = "registered"   // the registrar took our contact; also each change back after Unregistered
	Unregistered Kind = "unregistered" // refused or lost; Code and Reason say why. The phone tries again
	Incoming     Kind = "incoming"     // somebody calls; 180 is sent, unless Config.ManualRing
	Ringing      Kind = "ringing"      // the party we dialled is alerted
	Early        Kind = "early"        // audio before the answer: 183 with SDP
	Answered     Kind = "answered"     // the call is up
	Held         Kind = "held"         // the far end put us on hold
	Resumed      Kind = "resumed"      // the far end took us back
	Digit        Kind = "digit"        // one key of the far end
	Referred     Kind = "referred"     // how the transfer goes that Refer asked for: Code is 100, 180, 200, or why it failed
	Ended        Kind = "ended"        // last event of a call; Code and Reason say why
)

// Event is one fact about the phone or one of its calls.
type Event struct {
	At     time.Time `json:"at"`
	Kind   Kind      `json:"event"`
	Call   string    `json:"call,omitempty"`   // id of the call, "" for the phone itself
	Peer   Party     `json:"peer,omitzero"`    // the other party
	To     string    `json:"to,omitempty"`     // with Incoming: the user or number that was called
	Code   int       `json:"code,omitempty"`   // SIP status, 0 if none
	Reason string    `json:"reason,omitempty"` // why, in words: "answered elsewhere", "declined", ...
	Digit  string    `json:"digit,omitempty"`
	Heard  *Heard    `json:"heard,omitempty"` // with Ended, if there was audio
}

// Party is who is at the other end, as the other end says.
type Party struct {
	Number string `json:"number,omitempty"` // user part of the URI
	Name   string `json:"name,omitempty"`   // display name
}

// Heard sums up what a call's party heard.
type Heard struct {
	Packets uint64  `json:"packets"`
	Level   float64 `json:"level"`            // dB below full scale over the last second
	Tone    float64 `json:"tone,omitempty"`   // Hz looked for
	Purity  float64 `json:"purity,omitempty"` // share of Tone in the last second, 0 to 1
}
