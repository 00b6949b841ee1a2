package speech

import (
	"regexp"
	"strings"
	"time"
	"unicode"
)

// readAs rewrites text for the interpretation that a say-as tag names. Engines
// read numbers, ordinals, sums and times well by themselves.
func readAs(how, text string) string {
	switch how {
	case "digits", "characters", "spell-out", "verbatim":
		return apart(text)
	case "telephone":
		return telephone(text)
	case "cardinal", "number":
		return " " + strings.ReplaceAll(strings.ReplaceAll(text, ",", ""), " ", "") + " "
	case "date":
		return date(text)
	}
	return text
}

// apart puts a space between all characters, so that each is read alone.
func apart(text string) string {
	var b strings.Builder
	for _, c := range text {
		if !unicode.IsSpace(c) {
			b.WriteByte(' ')
			b.WriteRune(c)
		}
	}
	return b.String() + " "
}

// telephone reads digit by digit, with a short pause where the groups are.
func telephone(text string) string {
	var b strings.Builder
	gap := false
	for _, c := range text {
		switch {
		case unicode.IsDigit(c), c == '*', c == '#':
			if gap && b.Len() > 0 {
				b.WriteByte(',')
			}
			gap = false
			b.WriteByte(' ')
			b.WriteRune(c)
		case c == '+':
			b.WriteString(" plus")
		default:
			gap = true
		}
	}
	return b.String() + " "
}

var isoDate = regexp.MustCompile(`^\s*(\d{4})-?(\d{2})-?(\d{2})\s*$`)

// date writes a date of ISO 8601 out, as engines read its numbers one by one. Other
// forms stay.
func date(text string) string {
	m := isoDate.FindStringSubmatch(text)
	if m == nil {
		return text
	}
	t, err := time.Parse("20060102", m[1]+m[2]+m[3])
	if err != nil {
		return text
	}
	return " " + t.Format("January 2, 2006") + " "
}
