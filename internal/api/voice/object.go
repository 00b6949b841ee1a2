package voice

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// object is a JSON object of an application, read with the tolerance that its
// writers are used to: names in camel, snake and kebab case, numbers and booleans
// as strings, a text where a list of one is expected, null and unknown names as if
// they were not there.
//
// The first mistake is kept in the mistakes that all objects of one text share;
// every read after it returns zero values.
type object struct {
	at     string // where it stands, for people: "[2].endpoint[0]"
	fields map[string]json.RawMessage
	wrong  *mistakes
}

// mistakes keeps what is wrong with a text.
type mistakes struct {
	// strict refuses numbers out of range; else the nearest in range is taken, for
	// a call that goes on is worth more than an option.
	strict bool
	first  *mistake
}

// mistake is what is wrong with a field.
type mistake struct {
	name, reason string
	reserved     bool // it is none of the application's: there will be such a thing
}

// Error implements error.
func (m *mistake) Error() string { return m.name + ": " + m.reason }

// maxDepth bounds how deep values may be nested. What applications send needs 6.
const maxDepth = 32

// errDepth refuses what is nested deeper.
var errDepth = fmt.Errorf("nested deeper than %d levels", maxDepth)

// checkDepth refuses text whose brackets nest too deep, before anything decodes it.
func checkDepth(text []byte) error {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return errDepth
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// newObject reads text, which must be a JSON object.
func newObject(text []byte, at string, wrong *mistakes) object {
	o := object{at: at, wrong: wrong}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil || raw == nil {
		o.fail("", "must be an object")
		return o
	}
	o.fields = make(map[string]json.RawMessage, len(raw))
	for name, value := range raw {
		if isNull(value) {
			continue
		}
		// Of two spellings of one name the plainer one wins, whatever the order.
		if _, twice := o.fields[fold(name)]; !twice || fold(name) == name {
			o.fields[fold(name)] = value
		}
	}
	return o
}

// fold makes one of the ways to write a name.
func fold(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

func isNull(value json.RawMessage) bool { return bytes.Equal(bytes.TrimSpace(value), []byte("null")) }

func isEmptyList(value json.RawMessage) bool {
	var values []json.RawMessage
	return json.Unmarshal(value, &values) == nil && len(values) == 0
}

// fail notes a mistake in a field, or in the object itself.
func (o object) fail(name, reason string) {
	if o.wrong.first != nil {
		return
	}
	at := o.at
	if o.wrong.strict {
		at, name = snake(at), snake(name)
	}
	if name != "" && at != "" {
		at += "."
	}
	o.wrong.first = &mistake{name: at + name, reason: reason}
}

// notAvailable notes a word that is reserved for what is not there yet.
func (o object) notAvailable(name, word string) {
	if o.wrong.first == nil {
		o.fail(name, word+" is not available")
		o.wrong.first.reserved = true
	}
}

// snake writes a name as requests have it.
func snake(name string) string {
	var out strings.Builder
	for _, r := range name {
		if r >= 'A' && r <= 'Z' {
			out.WriteByte('_')
			r += 'a' - 'A'
		}
		out.WriteRune(r)
	}
	return out.String()
}

// failed reports whether something is wrong already.
func (o object) failed() bool { return o.wrong.first != nil }

// get returns the first of names that is there.
func (o object) get(names ...string) (json.RawMessage, bool) {
	for _, name := range names {
		if value, ok := o.fields[fold(name)]; ok {
			return value, true
		}
	}
	return nil, false
}

// has reports whether the field is there.
func (o object) has(names ...string) bool {
	_, ok := o.get(names...)
	return ok
}

// text reads a text, or a number as text; "" if it is not there.
func (o object) text(names ...string) string {
	value, ok := o.get(names...)
	if !ok {
		return ""
	}
	s, err := asText(value)
	if err != nil {
		o.fail(names[0], "must be a string")
	}
	return s
}

// needText reads a text that must be there, 1 to limit bytes long.
func (o object) needText(limit int, names ...string) string {
	s := o.text(names...)
	switch {
	case s == "":
		o.fail(names[0], "is required")
	case len(s) > limit:
		o.fail(names[0], fmt.Sprintf("is longer than %d characters", limit))
	}
	return s
}

func asText(value json.RawMessage) (string, error) {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s, nil
	}
	var n json.Number
	if err := json.Unmarshal(value, &n); err != nil {
		return "", err
	}
	return n.String(), nil
}

// word reads one of words, in any case; the first is the default.
func (o object) word(name string, words ...string) string {
	s := o.text(name)
	if s == "" {
		return words[0]
	}
	for _, w := range words {
		if strings.EqualFold(s, w) {
			return w
		}
	}
	o.fail(name, "must be one of "+strings.TrimPrefix(strings.Join(words, ", "), ", ")) // "" is none
	return words[0]
}

// number reads a number from low to high, whatever unit that is.
func (o object) number(name string, byDefault, low, high float64) float64 {
	value, ok := o.get(name)
	if !ok {
		return byDefault
	}
	s, err := asText(value)
	if err == nil && s == "" {
		return byDefault
	}
	var n float64
	if err == nil {
		n, err = strconv.ParseFloat(strings.TrimSpace(s), 64)
	}
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange) || math.IsNaN(n):
		o.fail(name, "must be a number")
		return byDefault
	case o.wrong.strict && (n < low || n > high):
		o.fail(name, fmt.Sprintf("must be between %v and %v", low, high))
	}
	return min(max(n, low), high)
}

// integer is number without a fraction.
func (o object) integer(name string, byDefault, low, high int) int {
	n := o.number(name, float64(byDefault), float64(low), float64(high))
	if n != math.Trunc(n) {
		o.fail(name, "must be an integer")
	}
	return int(n)
}

// truth reads a boolean.
func (o object) truth(name string, byDefault bool) bool {
	value, ok := o.get(name)
	if !ok {
		return byDefault
	}
	var b bool
	if json.Unmarshal(value, &b) == nil {
		return b
	}
	if s, err := asText(value); err == nil {
		if b, err = strconv.ParseBool(strings.ToLower(s)); err == nil {
			return b
		}
	}
	o.fail(name, "must be true or false")
	return byDefault
}

// object reads an object in a field. An empty list is one, too: PHP writes all empty
// arrays like that.
func (o object) object(names ...string) (object, bool) {
	value, ok := o.get(names...)
	if !ok {
		return object{}, false
	}
	if isEmptyList(value) {
		return object{at: o.path(names[0]), wrong: o.wrong}, true
	}
	return newObject(value, o.path(names[0]), o.wrong), true
}

// section is object for one that may as well be empty.
func (o object) section(name string) object {
	if s, ok := o.object(name); ok {
		return s
	}
	return object{at: o.path(name), wrong: o.wrong}
}

// list reads a list; what is none is a list of one.
func (o object) list(names ...string) ([]json.RawMessage, bool) {
	value, ok := o.get(names...)
	if !ok {
		return nil, false
	}
	var values []json.RawMessage
	if json.Unmarshal(value, &values) != nil {
		return []json.RawMessage{value}, true
	}
	return values, true
}

// texts reads a list of at most limit texts.
func (o object) texts(limit int, names ...string) ([]string, bool) {
	values, ok := o.list(names...)
	if !ok {
		return nil, false
	}
	if len(values) > limit {
		o.fail(names[0], fmt.Sprintf("has more than %d entries", limit))
		return nil, true
	}
	texts := make([]string, len(values))
	for i, value := range values {
		var err error
		if texts[i], err = asText(value); err != nil {
			o.fail(names[0], "must be a list of strings")
		}
	}
	return texts, true
}

// path names a field for people.
func (o object) path(name string) string {
	if o.at == "" {
		return name
	}
	return o.at + "." + name
}
