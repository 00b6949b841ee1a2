package route

import (
	"net/url"
	"strings"
)

// Account owns applications. Its key and secrets are what clients of the hosted
// platforms log in with; the secrets are kept sealed, apart from this.
type Account struct {
	Key  string `yaml:"key" json:"key,omitempty"`             // 1-64 of a-z A-Z 0-9 _ -
	Name string `yaml:"name,omitempty" json:"name,omitempty"` // for people
}

// Application is a program that steers calls by webhooks and REST, and signs
// tokens for itself and its own users.
type Application struct {
	ID      string `yaml:"id" json:"id,omitempty"`                     // UUID in lower case
	Name    string `yaml:"name,omitempty" json:"name,omitempty"`       // for people
	Account string `yaml:"account,omitempty" json:"account,omitempty"` // key of its Account, "" if it has none
	// PublicKey is RSA in PEM, 2048 bits or more: what the application's tokens are
	// checked with. Without one it has none.
	PublicKey string `yaml:"public_key,omitempty" json:"public_key,omitempty"`
	// Answer is asked what to do with each call of a number that leads here, and of
	// each of its users; an application without one has users who call each other.
	Answer Webhook `yaml:"answer,omitempty" json:"answer,omitzero"`
	// Event is told of every change of a leg; Fallback is asked when Answer fails.
	Event    Webhook `yaml:"event,omitempty" json:"event,omitzero"`
	Fallback Webhook `yaml:"fallback,omitempty" json:"fallback,omitzero"`
	// Unsigned sends webhooks without a signature; the others are signed with the
	// signature secret of the account.
	Unsigned bool `yaml:"unsigned,omitempty" json:"unsigned,omitempty"`
	// CallsPerSecond is how many legs it may begin by REST and connect; more of them
	// fail. 0-1000, default 3.
	CallsPerSecond float64 `yaml:"calls_per_second,omitempty" json:"calls_per_second,omitempty"`
	// RequestsPerSecond bounds all its other requests. 0-10000, default 15.
	RequestsPerSecond float64 `yaml:"requests_per_second,omitempty" json:"requests_per_second,omitempty"`
	// Members is how many legs one conversation may have. 0-1000, default 50.
	Members int `yaml:"members,omitempty" json:"members,omitempty"`
	// Limits replace those of Limits.Application for this application.
	Limits *Limit `yaml:"limits,omitempty" json:"limits,omitempty"`
	// Users maps names in the application's tokens to users of the house, who log in
	// with such a token. All other names are the application's own users.
	Users map[string]string `yaml:"users,omitempty" json:"users,omitempty"`
}

// Trusts reports whether what the application names itself, in a flow or a request, may
// lead to a server wherever that is: to a host of its webhooks, which the operator has
// chosen. By HTTP that is at the port of such a webhook, or at 80 and 443, for programs
// make their URLs of the host name that they were called by and leave its port out. A
// WebSocket may be at any port: bots are programs of their own, and nobody who does not
// speak the protocol learns or tells anything.
func (a Application) Trusts(host, port string, webSocket bool) bool {
	for _, hook := range []Webhook{a.Answer, a.Event, a.Fallback} {
		u, err := url.Parse(hook.URL)
		if err != nil || u.Host == "" || !strings.EqualFold(u.Hostname(), host) {
			continue
		}
		if webSocket || port == PortOf(u) || port == "80" || port == "443" {
			return true
		}
	}
	return false
}

// PortOf returns the port of a URL, which may be the usual one of its scheme.
func PortOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case strings.EqualFold(u.Scheme, "https"), strings.EqualFold(u.Scheme, "wss"):
		return "443"
	}
	return "80"
}

// Webhook is a URL of an application.
type Webhook struct {
	URL    string `yaml:"url" json:"url"`                           // http or https
	Method string `yaml:"method,omitempty" json:"method,omitempty"` // GET or POST
	// ConnectTimeout, 300ms-1s, is for the connection, Timeout, 1s-10s, for the answer.
	ConnectTimeout Duration `yaml:"connection_timeout,omitempty" json:"connection_timeout,omitempty"`
	Timeout        Duration `yaml:"socket_timeout,omitempty" json:"socket_timeout,omitempty"`
}

// The defaults of an Application.
const (
	DefaultAppCallsPerSecond    = 3
	DefaultAppRequestsPerSecond = 15
	DefaultMembers              = 50
)
