// Package config loads, completes and checks the configuration: a YAML file,
// defaults in code, and the environment, which wins. Every mistake is reported
// at once, with the line and column it was made at.
package config

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/core/route"
)

// Config is everything a node is told. Load and Default return it complete.
type Config struct {
	HTTP        HTTP        `yaml:"http"`
	TLS         TLS         `yaml:"tls"`
	SIP         SIP         `yaml:"sip"`
	Network     Network     `yaml:"network"`
	Media       Media       `yaml:"media"`
	Speech      Speech      `yaml:"speech"`
	Recognition Recognition `yaml:"recognition"`
	Recording   Recording   `yaml:"recording"`
	TURN        TURN        `yaml:"turn"`
	Voice       Voice       `yaml:"voice"`
	Store       Store       `yaml:"store"`
	Log         Log         `yaml:"log"`
	Limits      Limits      `yaml:"limits"`
	Resources   Resources   `yaml:"resources"`
}

// Validate checks every section and returns all mistakes joined, each as
// "path: what is wrong".
func (c Config) Validate() error {
	var errs error
	if len(c.TLS.ACMEDomains) > 0 && !c.HTTP.TLS {
		errs = errors.New("tls.acme_domains: needs http.tls: true, where the authority looks for the answer to its challenge")
	}
	return errors.Join(errs, c.HTTP.Validate(), c.TLS.Validate(), c.SIP.Validate(), c.Network.Validate(),
		c.Media.Validate(), c.TURN.Validate(), c.Voice.Validate(),
		c.Speech.Validate(), c.Recognition.Validate(), c.Recording.Validate(), c.Store.Validate(), c.Log.Validate(), c.Limits.Validate(), c.Resources.Validate())
}

// HTTP is the server of pages, REST and WebSockets.
type HTTP struct {
	// Listen is host:port; an empty host is every address. Default ":8080".
	Listen string `yaml:"listen"`
	// TLS serves HTTPS with the certificate of section tls. Browsers give a
	// microphone only to HTTPS and to localhost.
	TLS bool `yaml:"tls"`
}

// Validate checks the section.
func (c HTTP) Validate() error { return checkListen("http.listen", c.Listen, required) }

// TLS is the certificate of HTTPS and of SIP over TLS. Without files and domains
// one is generated and kept in the store's folder.
type TLS struct {
	// CertFile and KeyFile are PEM files, both or none.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// ACMEDomains are the names to get certificates for from Let's Encrypt, or from
	// the authority at ACMEDirectory (RFC 8555); who sets it accepts its terms. It
	// connects to port 443 of each name, so http.tls must be on and reachable there.
	ACMEDomains   []string `yaml:"acme_domains"`
	ACMEDirectory string   `yaml:"acme_directory"`
	// ACMEEmail is where the authority writes about trouble; may be empty.
	ACMEEmail string `yaml:"acme_email"`
}

// Validate checks the section. The files are read by who listens.
func (c TLS) Validate() error {
	if (c.CertFile == "") != (c.KeyFile == "") {
		return errors.New("tls: cert_file and key_file belong together")
	}
	var errs []error
	if c.CertFile != "" && len(c.ACMEDomains) > 0 {
		errs = append(errs, errors.New("tls: cert_file or acme_domains, not both"))
	}
	for i, name := range c.ACMEDomains {
		if _, err := netip.ParseAddr(name); err == nil || !isHost(name) || !strings.Contains(name, ".") {
			errs = append(errs, fmt.Errorf("tls.acme_domains[%d]: %q is not a full host name, such as phones.example.com", i, name))
		}
	}
	if c.ACMEDirectory != "" && !strings.HasPrefix(c.ACMEDirectory, "https://") {
		errs = append(errs, fmt.Errorf("tls.acme_directory: %q is not an https URL", c.ACMEDirectory))
	}
	return errors.Join(errs...)
}

// SIP is the server of phones and trunks.
type SIP struct {
	// Domain is the host part of our users' addresses. Default "offhook.local".
	Domain string `yaml:"domain"`
	// Realm is what phones are told to log in to; passwords of phones are kept
	// for this realm. Default: Domain.
	Realm string `yaml:"realm"`
	// UDP, TCP and TLS are host:port to listen at, "" is off. Default ":5060",
	// ":5060" and "auto", which is port 5061 at the host of UDP, or of TCP.
	UDP string `yaml:"udp"`
	TCP string `yaml:"tcp"`
	TLS string `yaml:"tls"`
	// Resolver is the name server, an address with or without a port, that is asked for
	// NAPTR, SRV and address records of trunks and SIP URIs. Default: the system's.
	Resolver string `yaml:"resolver"`
	// MessagesPerSecond is how many messages one source may bring, an address or a
	// /64 of IPv6, whose phones did not log in; 20 times as many if one did or it is a
	// trunk. More are dropped unread. This machine has no limit. 0-100000, 0 is none.
	// Default 200.
	MessagesPerSecond int `yaml:"messages_per_second"`
	// SRTP is off, optional or required; default: optional for phones that signal by
	// TLS, else only for calls that offer it. A trunk may say otherwise.
	SRTP route.SRTP `yaml:"srtp"`
	// MaxContacts bounds the registrations of one user. 1-100, default 20.
	MaxContacts int `yaml:"max_contacts"`
	// KeepAlive is how often phones on UDP are asked by OPTIONS whether they are there,
	// which keeps their NAT open too; two that are not answered end the registration.
	// 10s-10m, default 0, never.
	KeepAlive time.Duration `yaml:"keep_alive"`
	// SHA256 challenges phones with SHA-256 after MD5 (RFC 8760). Some phones cannot
	// read a second challenge. Default false.
	SHA256 bool `yaml:"sha256"`
	// SessionExpires is the session interval to ask for and to grant: who does not
	// refresh in time is hung up (RFC 4028). 90s-24h, default 30m; 0 asks for none and
	// grants what others ask.
	SessionExpires time.Duration `yaml:"session_expires"`
}

// Validate checks the section.
func (c SIP) Validate() error {
	var errs []error
	if !isHost(c.Domain) {
		errs = append(errs, fmt.Errorf("sip.domain: %q is neither a host name nor an address", c.Domain))
	}
	if !isRealm(c.Realm) {
		errs = append(errs, fmt.Errorf("sip.realm: %q %s", c.Realm, notRealm))
	}
	if !c.SRTP.Valid() {
		errs = append(errs, fmt.Errorf("sip.srtp: %q is not off, optional or required", c.SRTP))
	}
	if _, err := c.NameServer(); err != nil {
		errs = append(errs, fmt.Errorf("sip.resolver: %q is not an address such as 192.0.2.53 or 192.0.2.53:53", c.Resolver))
	}
	if c.MessagesPerSecond < 0 || c.MessagesPerSecond > 100_000 {
		errs = append(errs, fmt.Errorf("sip.messages_per_second: %d is outside 0..100000", c.MessagesPerSecond))
	}
	if c.MaxContacts < 1 || c.MaxContacts > 100 {
		errs = append(errs, fmt.Errorf("sip.max_contacts: %d is outside 1..100", c.MaxContacts))
	}
	if d := c.KeepAlive; d != 0 && (d < 10*time.Second || d > 10*time.Minute) {
		errs = append(errs, fmt.Errorf("sip.keep_alive: %v is neither 0 nor in 10s..10m", d))
	}
	if d := c.SessionExpires; d != 0 && (d < 90*time.Second || d > 24*time.Hour) {
		errs = append(errs, fmt.Errorf("sip.session_expires: %v is neither 0 nor in 90s..24h", d))
	}
	return errors.Join(append(errs, checkListen("sip.udp", c.UDP, optional), checkListen("sip.tcp", c.TCP, optional), checkListen("sip.tls", c.TLS, optional))...)
}

// NameServer returns where Resolver is, not valid for the system's.
func (c SIP) NameServer() (netip.AddrPort, error) {
	if c.Resolver == "" {
		return netip.AddrPort{}, nil
	}
	if addr, err := netip.ParseAddr(c.Resolver); err == nil {
		return netip.AddrPortFrom(addr, dnsPort), nil
	}
	return netip.ParseAddrPort(c.Resolver)
}

const dnsPort = 53

// Network says where we are.
type Network struct {
	// Public is the address or name put into Via, Contact, SDP and ICE for peers
	// outside Local, or "auto": the address of the interface that reaches them.
	Public string `yaml:"public"`
	// Local are the networks that reach us at our interfaces' own addresses.
	// Default: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16.
	Local []netip.Prefix `yaml:"local"`
}

// Auto is the value of Network.Public that means the interface's own address.
const Auto = "auto"

// Validate checks the section.
func (c Network) Validate() error {
	var errs []error
	if c.Public != Auto && !isHost(c.Public) {
		errs = append(errs, fmt.Errorf("network.public: %q is neither auto nor an address or host name", c.Public))
	}
	for i, p := range c.Local {
		if !p.IsValid() {
			errs = append(errs, fmt.Errorf("network.local[%d]: not a prefix such as 10.0.0.0/8", i))
		}
	}
	return errors.Join(errs...)
}

// Media is RTP and WebRTC.
type Media struct {
	// RTPPorts are the UDP ports of SIP legs, an even one and the next for each.
	// Default 16384-32767, below the kernel's ephemeral range.
	RTPPorts PortRange `yaml:"rtp_ports"`
	// WebRTCUDP is host:port of the one UDP port of all WebRTC media. Default ":8189".
	// A loopback address is for the browsers on this machine, at all of its addresses,
	// because Firefox uses no other.
	WebRTCUDP string `yaml:"webrtc_udp"`
	// WebRTCTCP is host:port for browsers whose network lets no UDP through, "" for
	// none, or "auto" (default) for the same as WebRTCUDP.
	WebRTCTCP string `yaml:"webrtc_tcp"`
	// Prefer chooses codecs: "quality" (default) takes Opus and G.722 first,
	// "cost" takes what need not be transcoded.
	Prefer string `yaml:"prefer"`
	// Sounds is the folder of "file:NAME". Default: sounds in the store's folder.
	Sounds string `yaml:"sounds"`
	// SoundHosts are the names, addresses and networks that the URLs of sounds may
	// lead to although they are not public, such as 10.1.0.0/16 or music.internal.
	SoundHosts []string `yaml:"sound_hosts"`
	// SoundFiles names files of Sounds that are played in place of URLs, such as
	// those of programs that name a server which is not to be asked.
	SoundFiles map[string]string `yaml:"sound_files"`
}

// The values of Media.Prefer.
const (
	PreferQuality = "quality"
	PreferCost    = "cost"
)

// minRTPPorts is the fewest ports that RTP gets: two legs of two ports each.
const minRTPPorts = 4

// Validate checks the section.
func (c Media) Validate() error {
	var errs []error
	if c.RTPPorts.First < 1024 || c.RTPPorts.Count() < minRTPPorts {
		errs = append(errs, fmt.Errorf("media.rtp_ports: %v is not a range of at least %d ports from 1024 on, such as 16384-32767", c.RTPPorts, minRTPPorts))
	}
	if c.Prefer != PreferQuality && c.Prefer != PreferCost {
		errs = append(errs, fmt.Errorf("media.prefer: %q is neither quality nor cost", c.Prefer))
	}
	for i, host := range c.SoundHosts {
		if _, err := netip.ParsePrefix(host); err != nil && !isHost(host) {
			errs = append(errs, fmt.Errorf("media.sound_hosts[%d]: %q is neither a host name nor an address nor a network such as 10.1.0.0/16", i, host))
		}
	}
	for _, from := range slices.Sorted(maps.Keys(c.SoundFiles)) {
		if u, err := url.Parse(from); err != nil || u.Host == "" {
			errs = append(errs, fmt.Errorf("media.sound_files: %q is no URL", from))
		}
		if file := c.SoundFiles[from]; file == "" || strings.ContainsAny(file, `/\`) {
			errs = append(errs, fmt.Errorf("media.sound_files.%s: %q is no name of a file in the folder of sounds", from, file))
		}
	}
	return errors.Join(append(errs,
		checkListen("media.webrtc_udp", c.WebRTCUDP, required), checkListen("media.webrtc_tcp", c.WebRTCTCP, optional))...)
}

// Store is where we keep things.
type Store struct {
	// Folder holds the node key, generated certificates and files. Default
	// "offhook-data".
	Folder string `yaml:"folder"`
	// URL is the database, "sqlite:PATH". Default: offhook.db in Folder.
	URL string `yaml:"url"`
}

// Validate checks the section.
func (c Store) Validate() error {
	if path, ok := strings.CutPrefix(c.URL, "sqlite:"); !ok || path == "" {
		return fmt.Errorf("store.url: %q is not sqlite:PATH", c.URL)
	}
	return nil
}

// Log is what we say about ourselves on standard error.
type Log struct {
	// Level is the least important level printed: debug, info (default), warn or error.
	Level string `yaml:"level"`
	// Format is text, json, or auto (default): text for a terminal.
	Format string `yaml:"format"`
}

// Validate checks the section.
func (c Log) Validate() error {
	return errors.Join(
		checkWord("log.level", c.Level, "debug", "info", "warn", "error"),
		checkWord("log.format", c.Format, "auto", "text", "json"))
}

// Limits bound what we do.
type Limits struct {
	// Drain is how long running calls may go on after SIGTERM before they are
	// hung up with cause 41. 0s to 24h, default 60s.
	Drain time.Duration `yaml:"drain"`
	// APIRate is how many requests a second one client, an IPv4 address or an IPv6
	// /64, may make to /api/v1, and APIBurst how many at once. An APIRate of 0 is no
	// limit. Default 50 and 100.
	APIRate  float64 `yaml:"api_rate"`
	APIBurst int     `yaml:"api_burst"`
}

// Validate checks the section.
func (c Limits) Validate() error {
	var errs []error
	if c.Drain < 0 || c.Drain > 24*time.Hour {
		errs = append(errs, fmt.Errorf("limits.drain: %v is outside 0s..24h", c.Drain))
	}
	if !(c.APIRate >= 0 && c.APIRate <= 1e6) { // not NaN either
		errs = append(errs, fmt.Errorf("limits.api_rate: %v is outside 0..1000000", c.APIRate))
	}
	if c.APIBurst < 1 || c.APIBurst > 1e6 {
		errs = append(errs, fmt.Errorf("limits.api_burst: %v is outside 1..1000000", c.APIBurst))
	}
	return errors.Join(errs...)
}
