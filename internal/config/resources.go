package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/uuid"

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

// Application is a program that signs tokens for its own users.
type Application struct {
	ID string `yaml:"id"` // UUID
	// PublicKey is RSA in PEM, 2048 bits or more; PublicKeyFile names a file with
	// it, relative to the configuration file. Load fills PublicKey from the file.
	PublicKey     string `yaml:"public_key"`
	PublicKeyFile string `yaml:"public_key_file"`
	// AnswerURL and EventURL are the webhooks of the Voice API, http or https.
	// They are checked, and not called before that API is there.
	AnswerURL string `yaml:"answer_url"`
	EventURL  string `yaml:"event_url"`
	// Users maps names in the application's tokens to users of the house. Other
	// names are the application's own users.
	Users map[string]string `yaml:"users"`
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
	users := make(map[string]bool, len(r.Users))
	for _, u := range r.Users {
		users[u.Name] = true
	}
	seen := make(map[string]bool, len(r.Applications))
	for i, a := range r.Applications {
		at := fmt.Sprintf("resources.applications[%d]", i)
		errs = append(errs, a.validate(at, users))
		if seen[a.ID] {
			errs = append(errs, fmt.Errorf("%s.id: %q is there twice", at, a.ID))
		}
		seen[a.ID] = true
	}
	return errors.Join(errs...)
}

func (a Application) validate(at string, house map[string]bool) error {
	var errs []error
	if id, err := uuid.Parse(a.ID); err != nil || id.String() != a.ID {
		errs = append(errs, fmt.Errorf("%s.id: %q is not a UUID in lower case", at, a.ID))
	}
	// A file that gave no key was reported by readKeys.
	if err := checkPublicKey(a.PublicKey); err != nil && (a.PublicKey != "" || a.PublicKeyFile == "") {
		errs = append(errs, fmt.Errorf("%s.public_key: %w", at, err))
	}
	errs = append(errs, checkURL(at+".answer_url", a.AnswerURL), checkURL(at+".event_url", a.EventURL))
	for name, user := range a.Users {
		if !house[user] {
			errs = append(errs, fmt.Errorf("%s.users.%s: no user %q", at, name, user))
		}
	}
	return errors.Join(errs...)
}

// readKeys fills the public keys that are kept in files beside the
// configuration.
func (r *Resources) readKeys(folder string) error {
	var errs []error
	for i := range r.Applications {
		a := &r.Applications[i]
		at := fmt.Sprintf("resources.applications[%d].public_key_file", i)
		switch {
		case a.PublicKeyFile == "":
			continue
		case a.PublicKey != "":
			errs = append(errs, fmt.Errorf("%s: public_key is there too, use one of them", at))
			continue
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
			errs = append(errs, fmt.Errorf("%s: %w", at, err))
		}
		a.PublicKey = string(text)
	}
	return errors.Join(errs...)
}
