// Package route decides whom to try for a call: it holds the directory of
// users, numbers, groups and trunks as plain data and turns what was dialled
// into a plan. It is pure: no I/O, no clock.
package route

import (
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
	// DeclineAll lets a decline on one device stop the user's other devices.
	DeclineAll bool `yaml:"decline_all,omitempty" json:"decline_all,omitempty"`
}

// ID returns the user's identity.
func (u User) ID() core.UserID { return core.UserID{App: u.App, Name: u.Name} }

// Trunk is a SIP peer that carries numbers.
type Trunk struct {
	Name       string         `yaml:"name" json:"name"`
	URI        string         `yaml:"uri" json:"uri"`                                     // where calls go: "sip:host[:port][;transport=tcp]"
	AcceptFrom []netip.Prefix `yaml:"accept_from,omitempty" json:"accept_from,omitempty"` // source addresses whose INVITEs are this trunk's
	Username   string         `yaml:"username,omitempty" json:"username,omitempty"`       // digest, for outbound INVITE
	Domain     string         `yaml:"domain,omitempty" json:"domain,omitempty"`           // host part of From; "" = our own
	// CallsPerSecond paces INVITEs to this trunk; 0 is no limit. Range 0-1000.
	CallsPerSecond float64 `yaml:"calls_per_second,omitempty" json:"calls_per_second,omitempty"`
	// CallerID is shown on the trunk when the calling user has no number.
	CallerID string `yaml:"caller_id,omitempty" json:"caller_id,omitempty"`
}

// Endpoint is one entry of a group: exactly one field is set.
type Endpoint struct {
	Phone string `yaml:"phone,omitempty" json:"phone,omitempty"` // a number, reached over a trunk
	User  string `yaml:"user,omitempty" json:"user,omitempty"`   // every live registration of a house user
	SIP   string `yaml:"sip,omitempty" json:"sip,omitempty"`     // a SIP URI
}

// Group rings its endpoints for one call; the first to answer gets it.
type Group struct {
	Name        string        `yaml:"name" json:"name"`
	Strategy    string        `yaml:"strategy,omitempty" json:"strategy,omitempty"`         // "simultaneous" (default)
	RingTimeout time.Duration `yaml:"ring_timeout,omitempty" json:"ring_timeout,omitempty"` // 1s-180s, default 30s
	CallerHears string        `yaml:"caller_hears,omitempty" json:"caller_hears,omitempty"` // country of the ringback tone, default "us"
	Endpoints   []Endpoint    `yaml:"endpoints" json:"endpoints"`
}

// Number is something that can be dialled from outside and leads to exactly one
// of Group or User.
type Number struct {
	Number string `yaml:"number" json:"number"` // E.164 digits without +
	Group  string `yaml:"group,omitempty" json:"group,omitempty"`
	User   string `yaml:"user,omitempty" json:"user,omitempty"`
}

// Resources is everything a Directory is made of, in the order of the
// configuration. Phone numbers leave by the first trunk.
type Resources struct {
	Users   []User   `yaml:"users,omitempty" json:"users,omitempty"`
	Trunks  []Trunk  `yaml:"trunks,omitempty" json:"trunks,omitempty"`
	Groups  []Group  `yaml:"groups,omitempty" json:"groups,omitempty"`
	Numbers []Number `yaml:"numbers,omitempty" json:"numbers,omitempty"`
}
