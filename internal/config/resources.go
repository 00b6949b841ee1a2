package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

// Resources is what is applied to the store at start. It replaces what the file
// said before, and nothing else.
type Resources struct {
	Users        []User             `yaml:"users"`
	Groups       []route.Group      `yaml:"groups"`
	Numbers      []route.Number     `yaml:"numbers"`
	Trunks       []Trunk            `yaml:"trunks"`
	Accounts     []Account          `yaml:"accounts"`
	Applications []Application      `yaml:"applications"`
	Schedules    []route.Schedule   `yaml:"schedules"`
	Callers      []route.CallerRule `yaml:"callers"`
	// Dialling, Limits and Parking are what there is one of.
	Dialling route.Dialling `yaml:"dialling"`
	Limits   route.Limits   `yaml:"limits"`
	Parking  route.Parking  `yaml:"parking"`
}

// User is a user with the password for pages and phones. Without a password
// only a token logs the user in.
type User struct {
	route.User `yaml:",inline"`
	Password   core.Secret `yaml:"password"`
}

// Trunk is a trunk with the password that answers its digest challenges.
type Trunk struct {
	route.Trunk `yaml:",inline"`
	Password    core.Secret `yaml:"password"`
}

// Account is an account with its secrets, as clients of hosted platforms have
// them.
type Account struct {
	route.Account `yaml:",inline"`
	// Secret logs in together with the key, by basic authentication and by SIP. 8 to
	// 128 bytes; "" is none.
	Secret core.Secret `yaml:"secret"`
	// SignatureSecret signs the webhooks of its applications, 16 to 128 bytes; without
	// one they are not signed.
	SignatureSecret core.Secret `yaml:"signature_secret"`
}

// Application is a program that steers calls, with short forms of its keys.
type Application struct {
	route.Application `yaml:",inline"`
	// PublicKeyFile names a file with the public key, relative to the configuration
	// file. Load fills PublicKey from it.
	PublicKeyFile string `yaml:"public_key_file"`
	// AnswerURL and EventURL stand for answer.url and event.url, which Load fills.
	AnswerURL string `yaml:"answer_url"`
	EventURL  string `yaml:"event_url"`
}

// Route returns what can be reached, without the secrets.
func (r Resources) Route() route.Resources {
	out := route.Resources{
		Groups: r.Groups, Numbers: r.Numbers, Schedules: r.Schedules, Callers: r.Callers,
		Dialling: r.Dialling, Limits: r.Limits, Parking: r.Parking,
	}
	for _, u := range r.Users {
		out.Users = append(out.Users, u.User)
	}
	for _, t := range r.Trunks {
		out.Trunks = append(out.Trunks, t.Trunk)
	}
	for _, a := range r.Accounts {
		out.Accounts = append(out.Accounts, a.Account)
	}
	for _, a := range r.Applications {
		out.Applications = append(out.Applications, a.Application)
	}
	return out
}

// Validate checks the section, each resource and that they fit each other.
func (r Resources) Validate() error {
	var errs []error
	if _, err := route.NewDirectory(r.Route()); err != nil {
		for _, e := range flatten(err) {
			errs = append(errs, fmt.Errorf("resources.%w", e))
		}
	}
	for i, a := range r.Accounts {
		at := fmt.Sprintf("resources.accounts[%d]", i)
		errs = append(errs,
			checkSecret(at+".secret", a.Secret, minAccountSecret),
			checkSecret(at+".signature_secret", a.SignatureSecret, minSignatureSecret))
	}
	return errors.Join(errs...)
}

const (
	minAccountSecret   = 8
	minSignatureSecret = 16
	maxSecret          = 128
)

// checkSecret checks the length of a secret, which may be left out.
func checkSecret(path string, secret core.Secret, least int) error {
	if n := len(secret); n > 0 && (n < least || n > maxSecret) {
		return fmt.Errorf("%s: not %d to %d characters", path, least, maxSecret)
	}
	return nil
}

// complete puts what is said in short, or kept in files beside the configuration
// in folder, into its place.
func (r *Resources) complete(folder string) error {
	var errs []error
	for i := range r.Applications {
		a, at := &r.Applications[i], fmt.Sprintf("resources.applications[%d]", i)
		errs = append(errs,
			a.readKey(at+".public_key_file", folder),
			unfold(at, "answer", a.AnswerURL, &a.Answer.URL),
			unfold(at, "event", a.EventURL, &a.Event.URL))
	}
	return errors.Join(errs...)
}

// unfold puts the short form of a webhook's URL into its place.
func unfold(at, webhook, short string, long *string) error {
	if short != "" && *long != "" {
		return fmt.Errorf("%s.%s_url: %s.url is there too, use one of them", at, webhook, webhook)
	}
	if short != "" {
		*long = short
	}
	return nil
}

// readKey fills the public key from its file.
func (a *Application) readKey(at, folder string) error {
	switch {
	case a.PublicKeyFile == "":
		return nil
	case a.PublicKey != "":
		return fmt.Errorf("%s: public_key is there too, use one of them", at)
	}
	path := a.PublicKeyFile
	if !filepath.IsAbs(path) {
		path = filepath.Join(folder, path)
	}
	text, err := os.ReadFile(path) //nolint:gosec // the operator's own path
	if err == nil && len(text) == 0 {
		err = fmt.Errorf("%s is empty", path)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	a.PublicKey = string(text)
	return nil
}
