// Package route decides whom to try for a call: it holds the directory of
// users, numbers, groups, schedules and trunks as plain data and turns what was
// dialled into a plan. It is pure: no I/O, no clock.
package route

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// The resource types carry the names of the configuration file and of our REST
// API in their tags; package config decodes them, package store keeps them.

// User is somebody who registers phones and browsers. Secrets are not here.
type User struct {
	App         string `yaml:"-" json:"app,omitempty"`                               // owning application, "" = the house
	Name        string `yaml:"name" json:"name"`                                     // login and SIP user part: 1-64 of a-z 0-9 . _ -
	DisplayName string `yaml:"display_name,omitempty" json:"display_name,omitempty"` // for people, <= 128 bytes
	Number      string `yaml:"number,omitempty" json:"number,omitempty"`             // caller id on trunks, E.164 digits
	// Role is "admin" for who may use /api/v1; else "".
	Role string `yaml:"role,omitempty" json:"role,omitempty"`
	// DeclineAll lets a decline on one device stop the user's other devices.
	DeclineAll bool `yaml:"decline_all,omitempty" json:"decline_all,omitempty"`
	// DoNotDisturb rings none of the user's devices: groups go on without, direct
	// calls hear that the user is busy.
	DoNotDisturb bool `yaml:"do_not_disturb,omitempty" json:"do_not_disturb,omitempty"`
	// SRTP and DTMF are as those of a trunk, for the user's phones; default SRTP is
	// sip.srtp.
	SRTP SRTP `yaml:"srtp,omitempty" json:"srtp,omitempty"`
	DTMF DTMF `yaml:"dtmf,omitempty" json:"dtmf,omitempty"`
	// LateOffer is as that of a trunk, for the user's phones; browsers always get an
	// offer.
	LateOffer bool `yaml:"late_offer,omitempty" json:"late_offer,omitempty"`
	// Limits replace those of Limits.User for this user.
	Limits *Limit `yaml:"limits,omitempty" json:"limits,omitempty"`
}

// RoleAdmin is the Role of who may use /api/v1.
const RoleAdmin = "admin"

// ID returns the user's identity.
func (u User) ID() core.UserID { return core.UserID{App: u.App, Name: u.Name} }

// Trunk is a SIP peer that carries numbers.
type Trunk struct {
	Name       string         `yaml:"name" json:"name"`
	URI        string         `yaml:"uri" json:"uri"`                                     // where calls go: "sip:host[:port][;transport=tcp]"
	AcceptFrom []netip.Prefix `yaml:"accept_from,omitempty" json:"accept_from,omitempty"` // source addresses whose INVITEs are this trunk's
	Username   string         `yaml:"username,omitempty" json:"username,omitempty"`       // digest, for outbound INVITE
	Domain     string         `yaml:"domain,omitempty" json:"domain,omitempty"`           // host part of From; "" = our own
	// CallsPerSecond paces INVITEs to this trunk: more of them wait, none fails.
	// 0 is no limit. Range 0-1000.
	CallsPerSecond float64 `yaml:"calls_per_second,omitempty" json:"calls_per_second,omitempty"`
	// CallerID is shown on the trunk when the calling user has no number.
	CallerID string `yaml:"caller_id,omitempty" json:"caller_id,omitempty"`
	// Prefixes are the numbers the trunk carries, by their first digits in E.164;
	// none is every number. The trunk with the longest prefix of a number goes
	// before the others that carry it.
	Prefixes []string `yaml:"prefixes,omitempty" json:"prefixes,omitempty"`
	// Priority orders trunks with the same prefix: the lowest is tried first, the
	// next after a failure. 0-100.
	Priority int `yaml:"priority,omitempty" json:"priority,omitempty"`
	// Weight is a trunk's share of the calls among those of its priority. 1-100,
	// default 1.
	Weight int `yaml:"weight,omitempty" json:"weight,omitempty"`
	// Probe is how often the trunk is asked by OPTIONS whether it is there; one that
	// is not is tried last. 5s-1h, default never: some carriers count an OPTIONS as
	// a failed call.
	Probe Duration `yaml:"probe,omitempty" json:"probe,omitempty"`
	// SRTP is off, optional or required; default: optional if URI says TLS, else only
	// for calls of the trunk that offer it.
	SRTP SRTP `yaml:"srtp,omitempty" json:"srtp,omitempty"`
	// DTMF is rfc4733, info or inband; default: keys in any form are understood, and go
	// in the best one that the trunk's side takes.
	DTMF DTMF `yaml:"dtmf,omitempty" json:"dtmf,omitempty"`
	// LateOffer sends the trunk INVITEs without a session description: it offers in its
	// 200, or in a reliable 183, and our answer goes with the ACK or PRACK. For peers
	// that want to choose first what is spoken.
	LateOffer bool `yaml:"late_offer,omitempty" json:"late_offer,omitempty"`
	// Limits replace those of Limits.Trunk for this trunk.
	Limits *Limit `yaml:"limits,omitempty" json:"limits,omitempty"`

	TrunkSIP `yaml:",inline"`
}

// Endpoint is one entry of a group: exactly one of Phone, User, SIP and Group is
// set.
type Endpoint struct {
	Phone string `yaml:"phone,omitempty" json:"phone,omitempty"` // a number, reached over a trunk
	User  string `yaml:"user,omitempty" json:"user,omitempty"`   // every live registration of a house user
	SIP   string `yaml:"sip,omitempty" json:"sip,omitempty"`     // a SIP URI
	Group string `yaml:"group,omitempty" json:"group,omitempty"` // another group, by its own rules
	// Delay holds the endpoint back after its turn has come. 0s-180s.
	Delay Duration `yaml:"delay,omitempty" json:"delay,omitempty"`
	// Timeout is how long the endpoint rings, then it counts as no answer. 1s-180s;
	// default: the group's StepTimeout when endpoints take turns, else as long as
	// the group rings.
	Timeout Duration `yaml:"timeout,omitempty" json:"timeout,omitempty"`
	// Weight is the endpoint's share of first turns with strategy random. 1-100,
	// default 1.
	Weight int `yaml:"weight,omitempty" json:"weight,omitempty"`
	// CallerID is the number the endpoint sees: E.164 digits, "trunk" for the one
	// of the trunk, "dialled" for the one of ours that was called, or "caller" for
	// the caller's own, which some carriers refuse. Default "caller".
	CallerID string `yaml:"caller_id,omitempty" json:"caller_id,omitempty"`
}

// Strategy says in what order a group rings.
type Strategy string

// The strategies. All but simultaneous ring one endpoint at a time, each for its
// time-out.
const (
	Simultaneous Strategy = "simultaneous" // all at once; the default
	Sequential   Strategy = "sequential"   // in the order given
	RoundRobin   Strategy = "round_robin"  // each call begins behind the endpoint that began the last one
	Random       Strategy = "random"       // in an order drawn by weight
	LeastRecent  Strategy = "least_recent" // first who has not talked for longest
)

// Group rings its endpoints for one call; the first to answer gets it.
type Group struct {
	Name     string   `yaml:"name" json:"name"`
	Strategy Strategy `yaml:"strategy,omitempty" json:"strategy,omitempty"`
	// RingTimeout bounds the whole hunt. 1s-180s, default 30s.
	RingTimeout Duration `yaml:"ring_timeout,omitempty" json:"ring_timeout,omitempty"`
	// StepTimeout is how long each endpoint rings when they take turns. 1s-180s,
	// default 15s.
	StepTimeout Duration `yaml:"step_timeout,omitempty" json:"step_timeout,omitempty"`
	// CallerHears is what the caller hears while it rings: the country of a
	// ringback tone such as "us" (default), "music", "file:NAME" in the
	// folder of sounds, or a URL.
	CallerHears string `yaml:"caller_hears,omitempty" json:"caller_hears,omitempty"`
	// Confirm, if set, gives the call to who presses the key, not to who answers.
	Confirm *Confirm `yaml:"confirm,omitempty" json:"confirm,omitempty"`
	// SkipBusy leaves out users who are in a call.
	SkipBusy  bool       `yaml:"skip_busy,omitempty" json:"skip_busy,omitempty"`
	Endpoints []Endpoint `yaml:"endpoints" json:"endpoints"`
	// Where the call goes when nobody takes it; without one the caller hears the
	// announcement that says why.
	NoAnswer    *Destination `yaml:"no_answer,omitempty" json:"no_answer,omitempty"`     // it rang
	Busy        *Destination `yaml:"busy,omitempty" json:"busy,omitempty"`               // all were busy or declined
	Unreachable *Destination `yaml:"unreachable,omitempty" json:"unreachable,omitempty"` // nobody is registered, nothing to ring
	Failed      *Destination `yaml:"failed,omitempty" json:"failed,omitempty"`           // trunks and networks failed
}

// Confirm makes whoever answers press a key to take the call, so that a
// mobile's voicemail cannot win.
type Confirm struct {
	// Key is one of 0-9 * #. Default "1".
	Key string `yaml:"key,omitempty" json:"key,omitempty"`
	// Prompt is what who answers hears until the key: an announcement,
	// "file:NAME" or a URL. Default core.PromptConfirm.
	Prompt string `yaml:"prompt,omitempty" json:"prompt,omitempty"`
	// Timeout is how long who answered may take to press the key, then it counts as
	// no answer. 1s-60s, default 15s, which lets the prompt be heard twice.
	Timeout Duration `yaml:"timeout,omitempty" json:"timeout,omitempty"`
}

// Destination is where a call goes: exactly one field is set.
type Destination struct {
	Group    string `yaml:"group,omitempty" json:"group,omitempty"`
	User     string `yaml:"user,omitempty" json:"user,omitempty"`         // of the house
	Phone    string `yaml:"phone,omitempty" json:"phone,omitempty"`       // a number: one of ours, or over a trunk
	Announce string `yaml:"announce,omitempty" json:"announce,omitempty"` // announcement, file or URL; then the call ends
	// Application is asked what to do with the call; its identifier.
	Application string `yaml:"application,omitempty" json:"application,omitempty"`
}

// Number is something that can be dialled from outside. It leads to exactly one
// of Group, User, Phone, Announce and Application.
type Number struct {
	// Number is E.164 digits without +. "x" stands for any digit, "[2-5]" for one
	// of a set, and "*" at the end for any rest, also none: "1299555*". An exact
	// number goes before a pattern, a longer pattern before a shorter.
	Number   string `yaml:"number" json:"number"`
	Group    string `yaml:"group,omitempty" json:"group,omitempty"`
	User     string `yaml:"user,omitempty" json:"user,omitempty"`
	Phone    string `yaml:"phone,omitempty" json:"phone,omitempty"`
	Announce string `yaml:"announce,omitempty" json:"announce,omitempty"`
	// Application is asked what to do with calls to the number; its identifier. The
	// application may show the number on the calls that it makes.
	Application string `yaml:"application,omitempty" json:"application,omitempty"`
	// Schedule says when the number leads there; Closed is where it leads
	// otherwise. Both or none.
	Schedule string       `yaml:"schedule,omitempty" json:"schedule,omitempty"`
	Closed   *Destination `yaml:"closed,omitempty" json:"closed,omitempty"`
}

// Destination returns where the number leads, but for its schedule.
func (n Number) Destination() Destination {
	return Destination{Group: n.Group, User: n.User, Phone: n.Phone, Announce: n.Announce, Application: n.Application}
}

// Resources is everything a Directory is made of, in the order of the
// configuration.
type Resources struct {
	Users     []User       `yaml:"users,omitempty" json:"users,omitempty"`
	Trunks    []Trunk      `yaml:"trunks,omitempty" json:"trunks,omitempty"`
	Groups    []Group      `yaml:"groups,omitempty" json:"groups,omitempty"`
	Numbers   []Number     `yaml:"numbers,omitempty" json:"numbers,omitempty"`
	Schedules []Schedule   `yaml:"schedules,omitempty" json:"schedules,omitempty"`
	Callers   []CallerRule `yaml:"callers,omitempty" json:"callers,omitempty"`
	Dialling  Dialling     `yaml:"dialling,omitempty" json:"dialling,omitzero"`
	Limits    Limits       `yaml:"limits,omitempty" json:"limits,omitzero"`
	Parking   Parking      `yaml:"parking,omitempty" json:"parking,omitzero"`
	// Applications are who programs calls; Accounts are whose they are.
	Applications []Application `yaml:"applications,omitempty" json:"applications,omitempty"`
	Accounts     []Account     `yaml:"accounts,omitempty" json:"accounts,omitempty"`
	// Overrides are made by hand at run time, whoever keeps the schedule.
	Overrides []Override `yaml:"-" json:"overrides,omitempty"`
}

// Parking are the slots where calls wait to be taken from another phone. The zero
// Parking is DefaultParking.
type Parking struct {
	First int `yaml:"first" json:"first"` // what is dialled for the first slot; 2 to 6 digits
	Last  int `yaml:"last" json:"last"`   // and for the last; at most 1000 slots
	// Timeout is how long a call stays before it rings who parked it. 1s-24h,
	// default 45s.
	Timeout Duration `yaml:"timeout,omitempty" json:"timeout,omitempty"`
}

// DefaultParking is what holds where nothing is set.
func DefaultParking() Parking {
	return Parking{First: 701, Last: 720, Timeout: Duration(45 * time.Second)}
}

// Duration is a time.Duration that is written as text, "29s", in files and API.
type Duration time.Duration

// String returns the text.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 30s", text)
	}
	*d = Duration(parsed)
	return nil
}
