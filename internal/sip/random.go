package sip

import (
	"crypto/rand"
	"strings"
)

// magic begins every branch made by the rules of RFC 3261 section 8.1.1.7.
const magic = "z9hG4bK"

// newTag returns a From or To tag: unguessable, because it admits to a dialog.
func newTag() string { return token(13) }

func newBranch() string { return magic + token(16) }

// newCallID returns a Call-ID that says nothing about us. Browser clients refuse
// one that begins like their own, so it is never derived from the peer's.
func newCallID() string { return token(26) }

// token returns n random characters of 5 bits each, lower case as some phones
// compare tags without regard to case.
func token(n int) string { return strings.ToLower(rand.Text()[:n]) }
