package config

import (
	"net"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// defaults are the values of keys that a file leaves out.
func defaults() Config {
	return Config{
		HTTP: HTTP{Listen: ":8080"},
		SIP: SIP{
			Domain: "offhook.local", UDP: ":5060", TCP: ":5060", TLS: Auto,
			MessagesPerSecond: 200, MaxContacts: 20, SessionExpires: 30 * time.Minute,
		},
		Network:     Network{Public: Auto, Local: localNetworks()},
		Media:       Media{RTPPorts: PortRange{16384, 32767}, WebRTCUDP: ":8189", WebRTCTCP: Auto, Prefer: PreferQuality},
		TURN:        TURN{Relay: Auto},
		Voice:       Voice{LenientFinishedLeg: true},
		Speech:      Speech{Engine: Auto, Timeout: 20 * time.Second, Parallel: 4, CacheMB: 200},
		Recognition: Recognition{Engine: EngineNone, Timeout: 10 * time.Second},
		Recording:   Recording{Keep: 30 * 24 * time.Hour, MaxTime: 4 * time.Hour},
		Store:       Store{Folder: "offhook-data"},
		Log:         Log{Level: "info", Format: "auto"},
		Limits:      Limits{Drain: time.Minute, APIRate: 50, APIBurst: 100},
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
	if c.TURN.Realm == "" {
		c.TURN.Realm = c.SIP.Realm
	}
	if c.SIP.TLS == Auto {
		c.SIP.TLS = besides(c.SIP.UDP, c.SIP.TCP)
	}
	if c.Media.WebRTCTCP == Auto {
		c.Media.WebRTCTCP = c.Media.WebRTCUDP
	}
	if c.Media.Sounds == "" {
		c.Media.Sounds = filepath.Join(c.Store.Folder, "sounds")
	}
	if c.Recording.Folder == "" {
		c.Recording.Folder = filepath.Join(c.Store.Folder, "recordings")
	}
	if c.Store.URL == "" {
		c.Store.URL = "sqlite:" + filepath.Join(c.Store.Folder, "offhook.db")
	}
}

// besides returns the usual port of SIP over TLS at the host of the first
// address that is set: who listens on loopback only gets no door to the network
// by a key left out.
func besides(listen ...string) string {
	for _, l := range listen {
		if host, _, err := net.SplitHostPort(l); err == nil {
			return net.JoinHostPort(host, sipTLSPort)
		}
	}
	return ":" + sipTLSPort
}

// sipTLSPort is the registered port (RFC 3261 section 18.2.1).
const sipTLSPort = "5061"

// local moves every listener to this machine's loopback address.
func (c *Config) local() {
	for _, listen := range []*string{&c.HTTP.Listen, &c.SIP.UDP, &c.SIP.TCP, &c.Media.WebRTCUDP} {
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

// samplePasswords are those of the demo and of the documentation: everybody
// knows them.
func samplePasswords() []core.Secret {
	return []core.Secret{"correct horse", "battery staple", "copper kettle"}
}
