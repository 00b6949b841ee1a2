package config

import (
	"net/netip"
	"path/filepath"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// defaults are the values of keys that a file leaves out.
func defaults() Config {
	return Config{
		HTTP:    HTTP{Listen: ":8080"},
		SIP:     SIP{Domain: "offhook.local", UDP: ":5060", TCP: ":5060", TLS: ":5061"},
		Network: Network{Public: Auto, Local: localNetworks()},
		Media:   Media{RTPPorts: PortRange{16384, 32767}, WebRTCUDP: ":8189", Prefer: PreferQuality},
		Store:   Store{Folder: "offhook-data"},
		Log:     Log{Level: "info", Format: "auto"},
		Limits:  Limits{Drain: time.Minute},
	}
}

// localNetworks are the private networks of RFC 1918.
func localNetworks() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"),
		netip.MustParsePrefix("172.16.0.0/12"),
		netip.MustParsePrefix("192.168.0.0/16"),
	}
}

// complete fills the values that follow from others.
func (c *Config) complete() {
	if c.SIP.Realm == "" {
		c.SIP.Realm = c.SIP.Domain
	}
	if c.Store.URL == "" {
		c.Store.URL = "sqlite:" + filepath.Join(c.Store.Folder, "offhook.db")
	}
}

// local moves every listener to this machine's loopback address.
func (c *Config) local() {
	for _, listen := range []*string{&c.HTTP.Listen, &c.SIP.UDP, &c.SIP.TCP, &c.SIP.TLS, &c.Media.WebRTCUDP} {
		*listen = "127.0.0.1" + *listen
	}
}

// Default returns the complete configuration of one machine without a file: it
// has no users yet and can be reached from this machine only.
func Default() Config {
	c := defaults()
	c.local()
	c.complete()
	return c
}

// The names of the demo that other parts rely on.
const (
	DemoTrunk  = "carrier"
	DemoGroup  = "front-desk"
	DemoNumber = "12995558888"
)

// Demo returns Default with sample users, a number that rings everybody and a
// trunk to the simulated carrier. The carrier calls from, and is called at,
// the addresses that the caller puts into the trunk.
func Demo() Config {
	c := Default()
	c.Resources = Resources{
		Users: []User{
			{route.User{Name: "sales", DisplayName: "Sales", Number: DemoNumber}, "correct horse"},
			{route.User{Name: "support", DisplayName: "Support", Number: DemoNumber}, "battery staple"},
			{route.User{Name: "workshop", DisplayName: "Workshop", Number: DemoNumber}, "copper kettle"},
		},
		Groups: []route.Group{{
			Name: DemoGroup, RingTimeout: 29 * time.Second, CallerHears: "us",
			Endpoints: []route.Endpoint{{User: "sales"}, {User: "support"}, {User: "workshop"}, {Phone: "12995551111"}, {Phone: "12995551212"}},
		}},
		Numbers: []route.Number{{Number: DemoNumber, Group: DemoGroup}},
		Trunks: []Trunk{{Trunk: route.Trunk{
			Name: DemoTrunk, URI: "sip:127.0.0.2:5080",
			AcceptFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")},
			CallerID:   DemoNumber,
		}}},
	}
	return c
}

// samplePasswords are those of the demo, which the documentation uses too:
// everybody knows them.
func samplePasswords() []core.Secret {
	var samples []core.Secret
	for _, u := range Demo().Resources.Users {
		samples = append(samples, u.Password)
	}
	return samples
}
