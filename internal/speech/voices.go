package speech

import (
	"strconv"
	"strings"
)

// Voices maps what applications ask for to voices of an engine. Keys are a legacy
// name ("Amy"), a language with a style ("de-DE/2"), a language ("de-DE", "de") or
// "default".
type Voices map[string]string

// find returns the voice that is listed for wanted, the most exact key first.
func (v Voices) find(wanted Voice) (string, bool) {
	language := wanted.Language
	if language == "" {
		language = defaultLanguage
	}
	primary, _, _ := strings.Cut(language, "-")
	keys := []string{language + "/" + strconv.Itoa(wanted.Style), language, primary, "default"}
	if wanted.Name != "" {
		keys = append([]string{wanted.Name}, keys...)
	}
	for _, key := range keys {
		for name, voice := range v {
			if strings.EqualFold(name, key) {
				return voice, true
			}
		}
	}
	return "", false
}

// defaultLanguage is spoken where none is named.
const defaultLanguage = "en-US"
