package demo

// The messages of docs/protocol/demo.md, which says what each field means.

// state is the whole network at one moment.
type state struct {
	Type       string       `json:"type"` // "state"
	Now        int64        `json:"now"`
	Numbers    []Number     `json:"numbers"`
	Callers    []Caller     `json:"callers"`
	Phones     []phoneState `json:"phones"`
	Softphones []Softphone  `json:"softphones"`
	Lanes      []lane       `json:"lanes"`
}

// Number is worth dialling.
type Number struct {
	Number string `json:"number"`
	Name   string `json:"name"`
	Rings  string `json:"rings"` // who rings, in words
}

// Caller is a number that the visitor's mobile may call from.
type Caller struct {
	Number string `json:"number"`
	Name   string `json:"name"`
}

// Softphone is a sample user's browser phone.
type Softphone struct {
	User string `json:"user"`
	Name string `json:"name"`
	URL  string `json:"url"` // logs in by itself; a secret of the visitor
}

type lane struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type phoneState struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"` // "mobile" or "desk"
	Name    string `json:"name"`
	Number  string `json:"number"`
	Via     string `json:"via"`
	Visitor bool   `json:"visitor,omitempty"`
	State   status `json:"state"`
	Peer    *peer  `json:"peer,omitempty"`
	Since   int64  `json:"since,omitempty"`
	Last    string `json:"last"`
	Sound   sound  `json:"sound"`
	Yours   bool   `json:"yours"`
}

type peer struct {
	Number string `json:"number"`
	Name   string `json:"name"`
}

type levels struct {
	Type  string         `json:"type"` // "levels"
	Hears map[string]int `json:"hears"`
}

type ladderMessage struct {
	Type    string  `json:"type"` // "ladder"
	Entries []entry `json:"entries"`
}

// entry is one line of the ladder.
type entry struct {
	Seq   int    `json:"seq"`
	At    int64  `json:"at"`
	Call  string `json:"call"`
	From  string `json:"from"`
	To    string `json:"to"`
	Kind  string `json:"kind"` // "request", "response" or "event"
	Label string `json:"label"`
	Note  string `json:"note"`
}

type failure struct {
	Type    string `json:"type"` // "error"
	Command string `json:"command"`
	Phone   string `json:"phone"`
	Message string `json:"message"`
}

// command is any order of a page; which fields count depends on Type.
type command struct {
	Type  string `json:"type"`
	Phone string `json:"phone"`
	To    string `json:"to"`
	From  string `json:"from"`
	Sound sound  `json:"sound"`
	Digit string `json:"digit"`
}

// status is what a handset is doing.
type status string

const (
	offline status = "offline"
	idle    status = "idle"
	calling status = "calling"
	ringing status = "ringing"
	talking status = "talking"
)

// sound is what a handset says.
type sound string

const (
	silence sound = "silence"
	tone    sound = "tone"
	voice   sound = "voice"
)
