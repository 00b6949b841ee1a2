package config

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core/route"
)

// write puts a configuration into a fresh folder and returns its path.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "offhook.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// publicKey returns a fresh public key as PEM.
func publicKey(t *testing.T, bits int) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

const whole = `# everything DESIGN.md shows for this stage
http: {listen: "127.0.0.1:8080", tls: true}
sip: {domain: offhook.example, udp: ":5060", tcp: "", tls: ":5061"}
network: {public: 203.0.113.7, local: [10.0.0.0/8, fd00::/8]}
media: {rtp_ports: 20000-20999, webrtc_udp: ":8189", prefer: cost}
store: {url: "sqlite:/var/lib/offhook/offhook.db"}
log: {level: debug}
limits: {drain: 90s}
resources:
  users:
    - {name: sales, password: "correct horse", display_name: Sales, number: 12995558888}
    - {name: support, password: 1234567890}
  trunks: [{name: carrier, uri: "sip:127.0.0.1:5080", accept_from: [127.0.0.2/32], calls_per_second: 3, username: u, password: p}]
  groups:
    - name: front-desk
      strategy: simultaneous
      ring_timeout: 29s
      caller_hears: us
      endpoints: [{phone: "12995551111"}, {user: sales}, {sip: "sip:bob@10.0.0.7"}]
  numbers: [{number: "12995558888", group: front-desk}]
  applications: [{id: 11111111-2222-3333-4444-555555555555, public_key_file: app.pub, users: {alice: sales}, account: abcd1234, answer_url: "http://localhost:8000/answer", event: {url: "http://localhost:8000/event", method: GET, socket_timeout: 2s}}]
  accounts: [{key: abcd1234, secret: anything16chars00, signature_secret: another16chars00}]
`

func TestLoadWhole(t *testing.T) {
	path := write(t, whole)
	key := publicKey(t, 2048)
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "app.pub"), []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range []struct {
		what      string
		got, want any
	}{
		{"http.listen", c.HTTP.Listen, "127.0.0.1:8080"},
		{"http.tls", c.HTTP.TLS, true},
		{"sip.realm follows the domain", c.SIP.Realm, "offhook.example"},
		{"sip.tcp off", c.SIP.TCP, ""},
		{"network.local", fmt.Sprint(c.Network.Local), "[10.0.0.0/8 fd00::/8]"},
		{"media.rtp_ports", c.Media.RTPPorts, PortRange{20000, 20999}},
		{"log.format default", c.Log.Format, "auto"},
		{"limits.drain", c.Limits.Drain, 90 * time.Second},
		{"user", c.Resources.Users[0].User, route.User{Name: "sales", DisplayName: "Sales", Number: "12995558888"}},
		{"password of digits", c.Resources.Users[1].Password.Reveal(), "1234567890"},
		{"trunk password", c.Resources.Trunks[0].Password.Reveal(), "p"},
		{"accept_from", c.Resources.Trunks[0].AcceptFrom[0], netip.MustParsePrefix("127.0.0.2/32")},
		{"ring_timeout", c.Resources.Groups[0].RingTimeout, route.Duration(29 * time.Second)},
		{"endpoints", len(c.Resources.Groups[0].Endpoints), 3},
		{"public key", c.Resources.Applications[0].PublicKey, key},
		{"answer_url", c.Resources.Applications[0].Answer, route.Webhook{URL: "http://localhost:8000/answer"}},
		{"event", c.Resources.Applications[0].Event, route.Webhook{URL: "http://localhost:8000/event", Method: "GET", Timeout: route.Duration(2 * time.Second)}},
		{"account", c.Resources.Accounts[0].Account, route.Account{Key: "abcd1234"}},
		{"account secret", c.Resources.Accounts[0].Secret.Reveal(), "anything16chars00"},
		{"users map", c.Resources.Applications[0].Users["alice"], "sales"},
	} {
		if check.got != check.want {
			t.Errorf("%s = %v, want %v", check.what, check.got, check.want)
		}
	}
	if printed := fmt.Sprintf("%v %+v", c, c); strings.Contains(printed, "correct horse") {
		t.Error("a printed configuration shows passwords")
	}
}

func TestLoadWrongFiles(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       []string // all of them, each behind the file's path
	}{
		{"unknown section", "sipp:\n  udp: x\n", []string{`:1:1: unknown field "sipp"`}},
		{"resource in the wrong place", "users: []\n", []string{`:1:1: unknown field "users", which belongs below resources`}},
		{"unknown key", "http:\n  listen: :80\nsip:\n  ring_timeuot: 30s\n", []string{`:4:3: sip: unknown field "ring_timeuot"; known are domain, keep_alive, `}},
		{"section that is a number", "http: 5\n", []string{`:1:7: http: expected keys and their values, found a number`}},
		{"file that is a list", "- 1\n", []string{`:1:1: expected keys and their values, found a list`}},
		{"list that is a text", "resources:\n  groups: desk\n", []string{`:2:11: resources.groups: expected a list, such as [a, b], found a text`}},
		{"value that is a list", "http: {listen: [80]}\nsip: {domain: {a: b}}\n", []string{`http.listen: expected a single value, found a list`, `sip.domain: expected a single value, found keys`}},
		{"all unknown keys at once", "htp: 1\nsip: {tpc: x}\n", []string{`:1:1: unknown field "htp": did you mean "http"?`, `:2:7: sip: unknown field "tpc"`}},
		{"tabs", "http:\n\tlisten: x\n", []string{`:2:1: indent with spaces, not with tabs`}},
		{"unknown key of an embedded resource", "resources:\n  users:\n    - {name: a, pasword: x}\n", []string{`:3:17: resources.users[0]: unknown field "pasword": did you mean "password"?`}},
		{"key twice", "sip:\n  domain: a\n  domain: b\n", []string{`:3:3: mapping key "domain" already defined`}},
		{"not YAML", "sip: {domain: a\n", []string{`:1:6: `}},
		{"anchor in itself", "media: &x\n  <<: *x\n", []string{`:1:8: anchors (&), aliases (*), merge keys (<<) and tags (!) are not supported`, `:2:3: anchors`}},
		{"tag", "sip: {domain: !name a}\n", []string{`:1:15: anchors`}},
		{"two documents", "sip: {domain: a}\n---\nhttp: {}\n", []string{`more than one document`}},
		{"text for a list", "network:\n  local: here\n", []string{`:2:10: `}},
		{"bad prefix", "network:\n  local: [10.0.0.0/8, 10.0.0.0/99]\n", []string{`:2:23: `, `10.0.0.0/99`}},
		{"bad ports", "media:\n  rtp_ports: 1-2-3\n", []string{`:2:14: `, `"1-2-3" is not a range of ports`}},
		{"number for a duration", "limits:\n  drain: soon\n", []string{`:2:10: `}},
		{"all mistakes at once", "sip: {udp: nowhere, domain: \"a b\"}\nmedia:\n  prefer: speed\nlog:\n  level: loud\nlimits:\n  drain: 25h\n  api_rate: -1\n  api_burst: 0\n", []string{
			`:1:12: sip.udp: "nowhere" is not an address to listen at, such as :5060 or 127.0.0.1:5060`,
			`:1:29: sip.domain: "a b" is neither a host name nor an address`,
			`:3:11: media.prefer: "speed" is neither quality nor cost`,
			`:5:10: log.level: "loud" is none of debug, info, warn, error`,
			`:7:10: limits.drain: 25h0m0s is outside 0s..24h`,
			`:8:13: limits.api_rate: -1 is outside 0..1000000`,
			`:9:14: limits.api_burst: 0 is outside 1..1000000`,
		}},
		{"registrations and session timers out of range", "sip:\n  max_contacts: 0\n  session_expires: 1m\n  keep_alive: 1s\n", []string{
			`:2:17: sip.max_contacts: 0 is outside 1..100`, `:3:20: sip.session_expires: 1m0s is neither 0 nor in 90s..24h`,
			`:4:15: sip.keep_alive: 1s is neither 0 nor in 10s..10m`,
		}},
		{"resources that do not fit", "resources:\n  users: [{name: Sales}]\n  groups:\n    - name: desk\n      ring_timeout: 300s\n      endpoints:\n        - {user: nobody}\n  numbers: [{number: \"911\", group: desk}]\n", []string{
			`:2:18: resources.users[0].name: "Sales" is not`,
			`:5:21: resources.groups[0].ring_timeout: 5m0s is outside 1s..180s`,
			`:7:18: resources.groups[0].endpoints[0].user: no user "nobody"`,
			`resources.numbers[0].number: "911" is an emergency number`,
		}},
		{"application", "resources:\n  applications:\n    - id: app\n      users: {alice: boss}\n", []string{
			`:3:11: resources.applications[0].id: "app" is not a UUID in lower case`,
			`:4:22: resources.applications[0].users.alice: no user "boss"`,
		}},
		{"account", "resources:\n  accounts:\n    - {key: a b, secret: short, signature_secret: short}\n", []string{
			`:3:13: resources.accounts[0].key: "a b" is not`,
			`:3:26: resources.accounts[0].secret: not 8 to 128 characters`,
			`:3:51: resources.accounts[0].signature_secret: not 16 to 128 characters`,
		}},
		{"unknown key of a webhook", "resources:\n  applications:\n    - id: 11111111-2222-3333-4444-555555555555\n      answer_url: http://a.test/\n      answer: {url: http://b.test/, timeout: 3s}\n", []string{
			`:5:37: resources.applications[0].answer: unknown field "timeout"; known are connection_timeout, method, socket_timeout, url`,
		}},
		{"webhook in short and long", "resources:\n  applications:\n    - id: 11111111-2222-3333-4444-555555555555\n      answer_url: http://a.test/\n      answer: {url: http://b.test/}\n      event_url: nowhere\n", []string{
			`:4:19: resources.applications[0].answer_url: answer.url is there too, use one of them`,
			`resources.applications[0].event.url: "nowhere" is not an http or https URL`,
		}},
		{"missing key file", "resources:\n  applications:\n    - {id: 11111111-2222-3333-4444-555555555555, public_key_file: none.pub}\n", []string{`:3:67: resources.applications[0].public_key_file: `, "no such file"}},
		{"certificates without HTTPS", "tls: {acme_domains: [phones.example.com]}\n", []string{`tls.acme_domains: needs http.tls: true`}},
		{"certificates for no names", "http: {tls: true}\ntls: {acme_domains: [phones, 192.0.2.1], acme_directory: \"http://ca\", cert_file: a, key_file: b}\n", []string{
			`tls.acme_domains[0]: "phones" is not a full host name`, `tls.acme_domains[1]: "192.0.2.1" is not`, `tls.acme_directory: "http://ca" is not an https URL`, `cert_file or acme_domains, not both`,
		}},
		{"half a certificate", "tls: {cert_file: a.pem}\n", []string{`tls: cert_file and key_file belong together`}},
		{"no store", "store: {url: \"postgres://x\"}\n", []string{`:1:14: store.url: "postgres://x" is not sqlite:PATH`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := write(t, tc.text)
			_, err := Load(path)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tc.want {
				if strings.HasPrefix(want, ":") {
					want = path + want
				}
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error\n%v\ndoes not contain\n%s", err, want)
				}
			}
		})
	}
}

func TestLoadErrorsShowNoPasswords(t *testing.T) {
	_, err := Load(write(t, "resources:\n  users:\n    - name: a\n      password: tell nobody\n      pin: 1\n"))
	if err == nil || strings.Contains(err.Error(), "tell nobody") {
		t.Errorf("error = %v", err)
	}
}

func TestLoadEmptyAndMissing(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "sip:\n", "{}\n"} {
		c, err := Load(write(t, text))
		if err != nil || c.HTTP.Listen != ":8080" || c.SIP.UDP != ":5060" || c.Store.URL != "sqlite:offhook-data/offhook.db" {
			t.Errorf("Load(%q) = %+v, %v", text, c, err)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml")); err == nil {
		t.Error("a missing file is no mistake")
	}
}

func TestLoadWithoutFileStaysLocal(t *testing.T) {
	c, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	if open := c.exposed(); open != "" {
		t.Errorf("without a file %s is open", open)
	}
	if len(c.Resources.Users) != 0 {
		t.Error("without a file there are users")
	}
}

func TestEnvironmentWins(t *testing.T) {
	for name, value := range map[string]string{
		"OFFHOOK_SIP_DOMAIN":      "env.example",
		"OFFHOOK_HTTP_TLS":        "true",
		"OFFHOOK_LIMITS_DRAIN":    "5s",
		"OFFHOOK_LIMITS_API_RATE": "2.5",
		"OFFHOOK_NETWORK_LOCAL":   "192.0.2.0/24, 2001:db8::/32",
		"OFFHOOK_MEDIA_RTP_PORTS": "30000-30100",
		"OFFHOOK_PORT":            "tcp://10.0.0.1:80", // made by Kubernetes for a service of that name
	} {
		t.Setenv(name, value)
	}
	c, err := Load(write(t, "sip: {domain: file.example}\nlimits: {drain: 1s}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c.SIP.Domain != "env.example" || c.SIP.Realm != "env.example" || !c.HTTP.TLS || c.Limits != (Limits{Drain: 5 * time.Second, APIRate: 2.5, APIBurst: 100}) ||
		fmt.Sprint(c.Network.Local) != "[192.0.2.0/24 2001:db8::/32]" || c.Media.RTPPorts != (PortRange{30000, 30100}) {
		t.Errorf("environment not taken: %+v", c)
	}
}

func TestEnvironmentMistakesNameTheVariable(t *testing.T) {
	t.Setenv("OFFHOOK_LIMITS_DRAIN", "48h")
	t.Setenv("OFFHOOK_HTTP_TLS", "perhaps")
	_, err := Load(write(t, "limits:\n  drain: 1s\n"))
	for _, want := range []string{
		"OFFHOOK_LIMITS_DRAIN: limits.drain: 48h0m0s is outside 0s..24h",
		`OFFHOOK_HTTP_TLS: http.tls: "perhaps" is neither true nor false`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not contain %s", err, want)
		}
	}
}

// Every key of every section can be set from the environment: a key of a new
// kind must be taught to setField.
func TestEnvironmentReachesEveryKey(t *testing.T) {
	c := defaults()
	set, err := override(&c, func(name string) (string, bool) {
		switch {
		case name == "OFFHOOK_MEDIA_RTP_PORTS":
			return "2000-3000", true
		case name == "OFFHOOK_NETWORK_LOCAL":
			return "10.0.0.0/8", true
		case name == "OFFHOOK_LIMITS_DRAIN", name == "OFFHOOK_SPEECH_TIMEOUT", name == "OFFHOOK_RECOGNITION_TIMEOUT",
			strings.HasPrefix(name, "OFFHOOK_RECORDING_") && name != "OFFHOOK_RECORDING_FOLDER":
			return "1s", true
		case name == "OFFHOOK_SPEECH_HEADERS", name == "OFFHOOK_SPEECH_VOICES", name == "OFFHOOK_MEDIA_SOUND_FILES", name == "OFFHOOK_VOICE_WEBHOOK_REWRITE":
			return "de=anna, en-GB/2=bert", true
		case name == "OFFHOOK_SIP_SESSION_EXPIRES":
			return "1h", true
		case name == "OFFHOOK_SIP_KEEP_ALIVE":
			return "30s", true
		case name == "OFFHOOK_SIP_SHA256", name == "OFFHOOK_VOICE_LENIENT_FINISHED_LEG", name == "OFFHOOK_VOICE_RECORD_ASIDE":
			return "true", true
		case strings.HasPrefix(name, "OFFHOOK_LIMITS_API"), name == "OFFHOOK_SIP_MESSAGES_PER_SECOND", name == "OFFHOOK_SIP_MAX_CONTACTS",
			name == "OFFHOOK_SPEECH_PCM_RATE", name == "OFFHOOK_SPEECH_PARALLEL", name == "OFFHOOK_SPEECH_CACHE_MB":
			return "7", true
		case strings.HasSuffix(name, "_TLS") && strings.HasPrefix(name, "OFFHOOK_HTTP"):
			return "true", true
		}
		return "x", true
	})
	if err != nil {
		t.Error(err)
	}
	if len(set) < 18 {
		t.Errorf("only %d keys: %v", len(set), set)
	}
}

// FuzzDecode looks for files that make the loader panic, or that it refuses
// without a word.
func FuzzDecode(f *testing.F) {
	f.Add(whole)
	f.Add("sip: {udp: nowhere}\nmedia:\n  rtp_ports: 1-2-3\n")
	f.Add("resources:\n  users: [{name: a, password: ~}]\n  groups: [{name: &a b, endpoints: [*a]}]\n")
	f.Fuzz(func(t *testing.T, text string) {
		c := defaults()
		tree, err := decode([]byte(text), &c)
		if err != nil {
			if message := locate("x.yaml", err).Error(); !strings.HasPrefix(message, "x.yaml:") {
				t.Errorf("mistake without a place: %s", message)
			}
			return
		}
		c.complete()
		if err := c.Validate(); err != nil {
			if message := explain("x.yaml", tree, nil, err).Error(); !strings.HasPrefix(message, "x.yaml:") {
				t.Errorf("mistake without a place: %s", message)
			}
		}
	})
}
