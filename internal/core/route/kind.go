package route

import (
	"slices"
	"strconv"
	"strings"

	"github.com/offhook/offhook/internal/core"
)

// Kind names a kind of resource, as the keys of Resources do.
type Kind string

// The kinds of resources. Of KindSettings there is one each, with the names
// SettingDialling, SettingLimits and SettingParking.
const (
	KindUsers     Kind = "users"
	KindTrunks    Kind = "trunks"
	KindGroups    Kind = "groups"
	KindNumbers   Kind = "numbers"
	KindSchedules Kind = "schedules"
	KindCallers   Kind = "callers"
	KindSettings  Kind = "settings"

	KindAccounts     Kind = "accounts"
	KindApplications Kind = "applications"
)

// The names of settings.
const (
	SettingDialling = "dialling"
	SettingLimits   = "limits"
	SettingParking  = "parking"
)

// Edit creates a resource, or replaces the one of its kind and name.
type Edit struct {
	Kind Kind
	Name string
	Body any // a User, Trunk and so on, as the Kind says
	// Secret is the password of a user or a trunk, or the secret of an account, and
	// Signature the signature secret of an account. "" leaves what there is.
	Secret, Signature core.Secret
}

// MisfitError is one thing that is wrong with resources.
type MisfitError struct {
	// Kind and Name are the resource, "groups" and "front-desk"; for a setting Kind
	// is its name and Name is "".
	Kind, Name string
	// Field is where in it, such as "endpoints[0].user"; "" is the resource itself.
	Field   string
	Message string
}

// Error implements error.
func (m MisfitError) Error() string {
	where := slices.DeleteFunc([]string{m.Kind, m.Name, m.Field}, func(part string) bool { return part == "" })
	return strings.Join(where, " ") + ": " + m.Message
}

// Misfits returns the mistakes that NewDirectory found in r, with the names of
// the resources in place of their numbers.
func Misfits(r Resources, err error) []MisfitError {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var all []MisfitError
	for _, e := range joined.Unwrap() {
		place, message, _ := strings.Cut(e.Error(), ": ")
		m := MisfitError{Message: message}
		m.Kind, m.Field, _ = strings.Cut(place, ".")
		if kind, number, counted := strings.Cut(m.Kind, "["); counted {
			m.Kind = kind
			m.Name = r.nameOf(Kind(kind), strings.TrimSuffix(number, "]"))
		}
		all = append(all, m)
	}
	return all
}

// nameOf returns the name of a kind's resource by its number.
func (r Resources) nameOf(kind Kind, number string) string {
	i, err := strconv.Atoi(number)
	if err != nil {
		return number
	}
	switch kind {
	case KindUsers:
		return r.Users[i].ID().String()
	case KindTrunks:
		return r.Trunks[i].Name
	case KindGroups:
		return r.Groups[i].Name
	case KindNumbers:
		return r.Numbers[i].Number
	case KindSchedules:
		return r.Schedules[i].Name
	case KindCallers:
		return r.Callers[i].Name
	case KindAccounts:
		return r.Accounts[i].Key
	case KindApplications:
		return r.Applications[i].ID
	case KindSettings:
	}
	return number
}
