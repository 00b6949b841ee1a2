package route

import (
	"slices"
	"strings"
)

// emergency lists numbers that reach police, fire or ambulance somewhere in the
// world, without those below 110 that are everybody's first extensions. We refuse to
// dial any of them: a caller who believes help is on the way is worse off than one who
// reaches for another phone.
var emergency = []string{
	"000", "110", "111", "112", "113", "115", "117", "118", "119", "120", "122",
	"190", "191", "192", "193", "911", "995", "997", "998", "999",
}

// Emergency reports whether a dialled string is an emergency number.
func Emergency(dialled string) bool {
	return slices.Contains(emergency, compact(dialled)) || slices.Contains(emergency, Normalise(dialled))
}

// Normalise brings a dialled number to E.164 digits without +: it drops
// separators and a leading + or international prefix (00 and 011; the longer
// first). It returns "" for what is no number: letters, nothing left, or more
// than 15 digits (E.164 section 6). "*" and "#" are no digits here.
func Normalise(dialled string) string {
	digits := compact(dialled)
	switch {
	case strings.HasPrefix(digits, "+"):
		digits = digits[1:]
	case strings.HasPrefix(digits, "011") && len(digits) > 10:
		digits = digits[3:]
	case strings.HasPrefix(digits, "00") && len(digits) > 3:
		digits = digits[2:]
	}
	if !isNumber(digits) {
		return ""
	}
	return digits
}

// compact drops the separators people write into numbers (RFC 3966 section 5.1.1).
func compact(dialled string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -.()/", r) {
			return -1
		}
		return r
	}, dialled)
}

// isNumber reports whether s is 1 to 15 decimal digits.
func isNumber(s string) bool {
	if s == "" || len(s) > 15 {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}
