package route

import (
	"cmp"
	"fmt"
	"strings"
)

// pattern matches numbers of 1 to 15 digits; see Number.Number.
type pattern struct {
	digits []digitSet
	rest   bool // any further digits
	fixed  int  // positions that allow one digit only
}

// digitSet has bit n set if digit n is allowed.
type digitSet uint16

const anyDigit digitSet = 1<<10 - 1

// parsePattern reads a number or pattern.
func parsePattern(text string) (pattern, error) {
	wrong := fmt.Errorf("%q is neither 1 to 15 digits without + nor a pattern such as 1299555*, 1299555xx or 12995551[0-4]x", text)
	var p pattern
	left, rest := strings.CutSuffix(text, "*")
	p.rest = rest
	for left != "" {
		set, n := parseDigit(left)
		if n == 0 {
			return pattern{}, wrong
		}
		if set&(set-1) == 0 {
			p.fixed++
		}
		p.digits = append(p.digits, set)
		left = left[n:]
	}
	if len(p.digits) == 0 || len(p.digits) > 15 {
		return pattern{}, wrong
	}
	return p, nil
}

// parseDigit reads the first position of text and its length; 0 is a mistake.
func parseDigit(text string) (digitSet, int) {
	switch c := text[0]; {
	case c >= '0' && c <= '9':
		return 1 << (c - '0'), 1
	case c == 'x':
		return anyDigit, 1
	case c != '[':
		return 0, 0
	}
	inside, _, closed := strings.Cut(text[1:], "]")
	set := parseSet(inside)
	if !closed || set == 0 {
		return 0, 0
	}
	return set, len(inside) + 2
}

// parseSet reads what stands between brackets: digits and ranges "0-4". 0 is a
// mistake.
func parseSet(text string) digitSet {
	var set digitSet
	for i := 0; i < len(text); i++ {
		first, last := text[i], text[i]
		if i+2 < len(text) && text[i+1] == '-' {
			last = text[i+2]
			i += 2
		}
		if first < '0' || last > '9' || first > last {
			return 0
		}
		for d := first; d <= last; d++ {
			set |= 1 << (d - '0')
		}
	}
	return set
}

// exact reports whether p is one number.
func (p pattern) exact() bool { return !p.rest && p.fixed == len(p.digits) }

// matches reports whether digits, a number, is one of p's.
func (p pattern) matches(digits string) bool {
	if len(digits) < len(p.digits) || len(digits) > len(p.digits) && !p.rest {
		return false
	}
	for i, set := range p.digits {
		if set&(1<<(digits[i]-'0')) == 0 {
			return false
		}
	}
	return true
}

// compare puts the better match of two that match first: the one that fixes more
// digits, then the longer.
func (p pattern) compare(o pattern) int {
	return cmp.Or(cmp.Compare(o.fixed, p.fixed), cmp.Compare(len(o.digits), len(p.digits)))
}
