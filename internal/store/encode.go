package store

import (
	"encoding/json"
	"strings"

	"github.com/offhook/offhook/internal/core"
)

// party is a core.Party as stored: clean text, users as core.UserID.String.
type party struct {
	User   string `json:"user,omitempty"`
	Trunk  string `json:"trunk,omitempty"`
	Number string `json:"number,omitempty"`
	Name   string `json:"name,omitempty"`
}

func toParty(p core.Party) party {
	return party{User: clean(p.User.String()), Trunk: clean(p.Trunk), Number: clean(p.Number), Name: clean(p.Name)}
}

func (p party) party() core.Party {
	return core.Party{User: core.ParseUserID(p.User), Trunk: p.Trunk, Number: p.Number, Name: p.Name}
}

// clean makes text from the network storable: PostgreSQL takes neither invalid
// UTF-8 nor NUL.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// encodeQuality writes how the audio of a leg fared, "" if it had none.
func encodeQuality(q core.Quality) string {
	if q == (core.Quality{}) {
		return ""
	}
	text, err := json.Marshal(q)
	if err != nil {
		return "" // a number that JSON does not have: worth no leg's record
	}
	return string(text)
}

// decodeQuality is the inverse of encodeQuality. What another version wrote and we
// cannot read is not known.
func decodeQuality(text string) core.Quality {
	var q core.Quality
	if text != "" && json.Unmarshal([]byte(text), &q) != nil {
		return core.Quality{}
	}
	return q
}

// parseWord is the inverse of the String methods of core's small enumerations.
// An unknown word, of a newer program, gives the zero value.
func parseWord[T interface {
	~uint8
	String() string
}](word string) T {
	for v := range 256 {
		if T(v).String() == word {
			return T(v)
		}
	}
	return 0
}

// encodeHeaders writes headers as a JSON list, "" if there are none.
func encodeHeaders(headers []core.Header) (string, error) {
	if len(headers) == 0 {
		return "", nil
	}
	out := make([]core.Header, len(headers))
	for i, h := range headers {
		out[i] = core.Header{Name: clean(h.Name), Value: clean(h.Value)}
	}
	text, err := json.Marshal(out)
	return string(text), err
}

// decodeHeaders is the inverse of encodeHeaders.
func decodeHeaders(text string) ([]core.Header, error) {
	if text == "" {
		return nil, nil
	}
	var headers []core.Header
	err := json.Unmarshal([]byte(text), &headers)
	return headers, err
}
