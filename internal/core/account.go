package core

import "time"

// AccountApp is the App of the UserID of an account: who logs in by SIP with the
// account's key and secret. No application has this identifier.
const AccountApp = "account"

// AppUser is a user of an application. The application makes it, or it is made
// when a token of the application names it first.
type AppUser struct {
	ID          string // USR- and a UUID
	App         string
	Name        string // as in tokens; 1 to 128 bytes
	DisplayName string // for people, "" is Name
	ImageURL    string
	Properties  string // JSON object, "" is none
	Created     time.Time
}

// AppUserQuery selects users of an application, the oldest first.
type AppUserQuery struct {
	App string
	// Name, if set, is the only one wanted.
	Name string
	// After is the ID of the last user of the page before, "" for the first page.
	After string
	// Limit is how many at most, 1 to 1000.
	Limit int
	// Desc turns the order.
	Desc bool
}

// AppLegQuery selects call detail records of an application by the time their
// legs began, the oldest first.
type AppLegQuery struct {
	App string
	// Status, Call, Since and Until narrow it down where they are set: CDR.Status,
	// CDR.Call, and when the leg began, both inclusive.
	Status       string
	Call         CallID
	Since, Until time.Time
	// Limit is how many at most, 1 to 1000, Offset how many are left out before.
	Limit, Offset int
	// Desc turns the order.
	Desc bool
}
