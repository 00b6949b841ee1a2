package route

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Application returns the application with this identifier.
func (d *Directory) Application(id string) (Application, bool) {
	if d == nil {
		return Application{}, false
	}
	a, ok := d.applications[id]
	return a, ok
}

// Account returns the account with this key.
func (d *Directory) Account(key string) (Account, bool) {
	if d == nil {
		return Account{}, false
	}
	a, ok := d.accounts[key]
	return a, ok
}

// OfAccount reports whether an application is known and belongs to an account.
func (d *Directory) OfAccount(app, key string) bool {
	a, ok := d.Application(app)
	return ok && key != "" && a.Account == key
}

func (d *Directory) checkAccount(m *mistakes, at string, a Account) {
	if !isAccountKey(a.Key) {
		m.add(at+".key", "%q is not 1 to 64 of a-z A-Z 0-9 _ -", a.Key)
	}
	if _, double := d.accounts[a.Key]; double {
		m.add(at+".key", "%q is there twice", a.Key)
	}
	if len(a.Name) > maxDisplayName {
		m.add(at+".name", "longer than %d bytes", maxDisplayName)
	}
	d.accounts[a.Key] = a
}

func (d *Directory) checkApplication(m *mistakes, at string, a Application) {
	if !isUUID(a.ID) {
		m.add(at+".id", "%q is not a UUID in lower case", a.ID)
	}
	if _, double := d.applications[a.ID]; double {
		m.add(at+".id", "%q is there twice", a.ID)
	}
	if len(a.Name) > maxDisplayName {
		m.add(at+".name", "longer than %d bytes", maxDisplayName)
	}
	if _, ok := d.accounts[a.Account]; !ok && a.Account != "" {
		m.add(at+".account", "no account %q", a.Account)
	}
	if err := checkPublicKey(a.PublicKey); err != nil && a.PublicKey != "" {
		m.add(at+".public_key", "%v", err)
	}
	for _, name := range slices.Sorted(maps.Keys(a.Users)) {
		d.checkHouseUser(m, at+".users."+name, a.Users[name])
	}
	checkWebhook(m, at+".answer", a.Answer)
	checkWebhook(m, at+".event", a.Event)
	checkWebhook(m, at+".fallback", a.Fallback)
	checkRate(m, at+".calls_per_second", a.CallsPerSecond)
	if !(a.RequestsPerSecond >= 0 && a.RequestsPerSecond <= 10_000) { // not NaN either
		m.add(at+".requests_per_second", "%v is outside 0..10000", a.RequestsPerSecond)
	}
	checkRange(m, at+".members", a.Members, 1000)
	checkLimit(m, at+".limits", a.Limits)
	d.applications[a.ID] = a
}

// checkWebhook checks a URL that may be left out with all that belongs to it.
func checkWebhook(m *mistakes, at string, w Webhook) {
	if w.URL == "" {
		if w != (Webhook{}) {
			m.add(at+".url", "is missing")
		}
		return
	}
	if !isWebURL(w.URL) {
		m.add(at+".url", "%q is not an http or https URL of at most %d bytes", w.URL, maxWebURL)
	}
	if w.Method != "" && w.Method != "GET" && w.Method != "POST" {
		m.add(at+".method", "%q is neither GET nor POST", w.Method)
	}
	if t := time.Duration(w.ConnectTimeout); t != 0 && (t < 300*time.Millisecond || t > time.Second) {
		m.add(at+".connection_timeout", "%v is outside 300ms..1s", t)
	}
	if t := time.Duration(w.Timeout); t != 0 && (t < time.Second || t > 10*time.Second) {
		m.add(at+".socket_timeout", "%v is outside 1s..10s", t)
	}
}

const (
	// maxDisplayName bounds names for people, in bytes.
	maxDisplayName = 128
	// minKeyBits is the shortest RSA key that an application may sign with.
	minKeyBits = 2048
	// maxWebURL bounds URLs of webhooks, in bytes.
	maxWebURL = 2048
)

// isAccountKey reports whether s may be the key of an account.
func isAccountKey(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}

// checkPublicKey checks the PEM text of an application's key.
func checkPublicKey(text string) error {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return errors.New("no PEM text")
	}
	if strings.Contains(block.Type, "PRIVATE") {
		return errors.New("this is a private key: give the public one, and make a new pair if others could read this")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return errors.New("no public key in PEM (PKIX) form")
	}
	if k, ok := key.(*rsa.PublicKey); !ok || k.N.BitLen() < minKeyBits {
		return fmt.Errorf("not an RSA key of at least %d bits", minKeyBits)
	}
	return nil
}

// isUUID reports whether s has the form of a UUID in lower case.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdef", rune(c)) {
			return false
		}
	}
	return true
}

// isWebURL reports whether s is an http or https URL that we may be told to call.
func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= maxWebURL && u.Hostname() != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// checkDestinationApp checks that a number leads to an application that is there.
func (d *Directory) checkDestinationApp(m *mistakes, at, id string) {
	if _, ok := d.applications[id]; !ok {
		m.add(at, "no application %q", id)
	}
}
