package route

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// TrunkSIP is how a trunk wants its SIP: what carriers differ in.
type TrunkSIP struct {
	// Backups are where calls go when URI does not answer, is busy with itself (503)
	// or cannot be reached, in this order. The servers of one name need none: they
	// are its SRV records.
	Backups []string `yaml:"backups,omitempty" json:"backups,omitempty"`
	// Register keeps us registered at URI with Username and the password; the
	// trunk's calls then come to that registration, whatever AcceptFrom says.
	Register bool `yaml:"register,omitempty" json:"register,omitempty"`
	// RegisterExpires is how long a registration is asked for. 1m-24h, default 10m.
	RegisterExpires Duration `yaml:"register_expires,omitempty" json:"register_expires,omitempty"`
	// NumberFormat is how the trunk writes E.164 numbers: "plus" +49301234567,
	// "digits" 49301234567 (default), "national" 0301234567 as dialled in Country.
	NumberFormat string `yaml:"number_format,omitempty" json:"number_format,omitempty"`
	// Country is the ISO 3166 code of NumberFormat national, in lower case.
	Country string `yaml:"country,omitempty" json:"country,omitempty"`
	// FromUser is the user part of From on every call, for carriers that want their
	// account there; the caller's number is then in the Identity header alone.
	FromUser string `yaml:"from_user,omitempty" json:"from_user,omitempty"`
	// Identity is the header with the caller's number: "pai" P-Asserted-Identity (RFC
	// 3325, default), "ppi" P-Preferred-Identity, "rpid" Remote-Party-ID, "none".
	Identity string `yaml:"identity,omitempty" json:"identity,omitempty"`
	// Diversion tells which number of ours was called when a call from outside goes
	// out again: "diversion" (RFC 5806), "history" History-Info (RFC 7044), "none"
	// (default).
	Diversion string `yaml:"diversion,omitempty" json:"diversion,omitempty"`
	// Headers are added to every INVITE.
	Headers []TrunkHeader `yaml:"headers,omitempty" json:"headers,omitempty"`
	// KeepHeaders says whether X- headers and User-to-User of the caller go out on the
	// trunk: "all" (default) or "none".
	KeepHeaders string `yaml:"keep_headers,omitempty" json:"keep_headers,omitempty"`
	// Codecs are those to offer and to take, best first: opus, g722, pcmu, pcma. Default all.
	Codecs []string `yaml:"codecs,omitempty" json:"codecs,omitempty"`
	// CAFile is a file of PEM certificates that the trunk's TLS certificate must lead
	// to. Default: those of the system.
	CAFile string `yaml:"ca_file,omitempty" json:"ca_file,omitempty"`
	// Redirects follows 3xx to the same number at other hosts of this trunk: those of
	// URI, Backups and AcceptFrom. Any other redirection is refused.
	Redirects bool `yaml:"redirects,omitempty" json:"redirects,omitempty"`
}

// TrunkHeader is a header that is the same on every INVITE.
type TrunkHeader struct {
	Name  string `yaml:"name" json:"name"`
	Value string `yaml:"value" json:"value"`
}

// The formats of numbers on trunks.
const (
	FormatDigits   = "digits"
	FormatPlus     = "plus"
	FormatNational = "national"
)

// Number writes E.164 digits as the trunk wants them. What is no such number, as a
// short code, stays as it is.
func (t TrunkSIP) Number(digits string) string {
	if !isNumber(digits) || len(digits) < 7 {
		return digits
	}
	switch t.NumberFormat {
	case FormatPlus:
		return "+" + digits
	case FormatNational:
		here := countries[t.Country]
		if national, ok := strings.CutPrefix(digits, here.code); ok {
			return here.trunk + national
		}
		return here.international + digits
	}
	return digits
}

// Digits reads a number as the trunk writes it: E.164 digits, or what it was.
func (t TrunkSIP) Digits(number string) string {
	if t.NumberFormat != FormatNational {
		return number
	}
	if digits := (Dialling{Country: t.Country}).normalise(number); digits != "" {
		return digits
	}
	return number
}

// ownHeaders are those that a trunk's rule must not touch: they are what makes the
// INVITE.
var ownHeaders = []string{
	"via", "v", "from", "f", "to", "t", "call-id", "i", "cseq", "contact", "m", "max-forwards", "route", "record-route",
	"content-length", "l", "content-type", "c", "authorization", "proxy-authorization", "supported", "k", "require", "allow",
	"session-expires", "x", "min-se", "replaces",
}

func checkTrunkSIP(m *mistakes, at string, t Trunk) {
	for i, uri := range t.Backups {
		if !isURI(uri) {
			m.add(fmt.Sprintf("%s.backups[%d]", at, i), "%q is not a SIP URI such as sip:carrier.example:5060", uri)
		}
	}
	if t.Register && t.Username == "" {
		m.add(at+".username", "missing: register needs it")
	}
	if d := time.Duration(t.RegisterExpires); d != 0 && (d < time.Minute || d > 24*time.Hour) {
		m.add(at+".register_expires", "%v is outside 1m..24h", d)
	}
	checkWord(m, at+".number_format", t.NumberFormat, FormatDigits, FormatPlus, FormatNational)
	checkWord(m, at+".identity", t.Identity, "pai", "ppi", "rpid", "none")
	checkWord(m, at+".diversion", t.Diversion, "diversion", "history", "none")
	checkWord(m, at+".keep_headers", t.KeepHeaders, "all", "none")
	if _, known := countries[t.Country]; !known && (t.Country != "" || t.NumberFormat == FormatNational) {
		m.add(at+".country", "%q is not a country code that we know, such as us, gb or de", t.Country)
	}
	if strings.ContainsAny(t.FromUser, " @<>\"\r\n;") {
		m.add(at+".from_user", "%q cannot be the user part of a SIP URI", t.FromUser)
	}
	for i, h := range t.Headers {
		where := fmt.Sprintf("%s.headers[%d]", at, i)
		if h.Name == "" || strings.ContainsAny(h.Name, " \t\r\n:\"") || slices.Contains(ownHeaders, strings.ToLower(h.Name)) {
			m.add(where+".name", "%q cannot be set", h.Name)
		}
		if h.Value == "" || strings.ContainsAny(h.Value, "\r\n") {
			m.add(where+".value", "%q is not one line", h.Value)
		}
	}
	for i, c := range t.Codecs {
		checkWord(m, fmt.Sprintf("%s.codecs[%d]", at, i), c, "opus", "g722", "pcmu", "pcma")
	}
}

// checkWord wants one of words, or nothing.
func checkWord(m *mistakes, at, word string, words ...string) {
	if word != "" && !slices.Contains(words, word) {
		m.add(at, "%q is not one of %s", word, strings.Join(words, ", "))
	}
}
