package demo

import (
	"net/netip"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// The sample company. Numbers are from the range kept for fiction and from an
// area code that is not in use.
const (
	mainNumber   = "12995558888"
	directNumber = "12995558801"
	onCallNumber = "12995551111"
	trunkName    = "carrier"
)

// Sample is a small company whose phones the demo simulates.
type Sample struct {
	// Resources are for offhook: users, the trunk to the carrier, a group, numbers.
	Resources route.Resources
	// Passwords of the users, by name. They are the same everywhere, so that a
	// visitor can type them: a network with them must stay on loopback.
	Passwords map[string]core.Secret
}

// NewSample returns the sample company with its trunk to the carrier at that address.
func NewSample(carrier netip.AddrPort) Sample {
	return Sample{
		Passwords: map[string]core.Secret{
			"sales":   "correct horse",
			"support": "battery staple",
		},
		Resources: route.Resources{
			Users: []route.User{
				{Name: "sales", DisplayName: "Sales", Number: directNumber},
				{Name: "support", DisplayName: "Support", Number: mainNumber},
			},
			Trunks: []route.Trunk{{
				Name: trunkName, URI: "sip:" + carrier.String(), CallerID: mainNumber,
				AcceptFrom: []netip.Prefix{netip.PrefixFrom(carrier.Addr(), carrier.Addr().BitLen())},
			}},
			Groups: []route.Group{{
				Name: "front-desk", RingTimeout: route.Duration(30 * time.Second), CallerHears: "us",
				Endpoints: []route.Endpoint{{User: "sales"}, {User: "support"}, {Phone: onCallNumber}},
			}},
			Numbers: []route.Number{
				{Number: mainNumber, Group: "front-desk"},
				{Number: directNumber, User: "sales"},
			},
		},
	}
}

// numbers says what a visitor should dial.
func (Sample) numbers() []Number {
	return []Number{
		{mainNumber, "Front desk", "two desk phones, a mobile and every open browser of Sales and Support"},
		{directNumber, "Sales, direct", "the Sales desk phone and every open browser of Sales"},
	}
}

// callers are the numbers that the visitor's mobile has.
func (Sample) callers() []Caller {
	return []Caller{{"12995550100", "Grace, mobile"}, {"12995550123", "Linus, office"}, {"12995550199", ""}}
}
