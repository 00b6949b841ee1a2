package route

import (
	"fmt"
	"slices"

	"github.com/offhook/offhook/internal/core"
)

// CallerRule treats certain callers from outside apart. Of several rules that
// match the first holds, and it holds whatever the schedule says.
type CallerRule struct {
	Name string `yaml:"name" json:"name"`
	// From are the callers: numbers and patterns as Number.Number has them, or
	// "anonymous" for who shows none.
	From []string `yaml:"from" json:"from"`
	// Numbers are those of ours that the rule is for, as written in the numbers'
	// resources; none is all.
	Numbers []string `yaml:"numbers,omitempty" json:"numbers,omitempty"`
	// Block refuses the call. Else To is where it goes.
	Block bool         `yaml:"block,omitempty" json:"block,omitempty"`
	To    *Destination `yaml:"to,omitempty" json:"to,omitempty"`
}

// anonymous stands for callers without a number.
const anonymous = "anonymous"

// callerRule is a CallerRule made ready.
type callerRule struct {
	CallerRule
	patterns  []pattern
	anonymous bool
}

// matches reports whether the rule is for calls from caller, "" if it shows no
// number, to the resource number.
func (r callerRule) matches(caller, number string) bool {
	if len(r.Numbers) > 0 && !slices.Contains(r.Numbers, number) {
		return false
	}
	if caller == "" {
		return r.anonymous
	}
	return slices.ContainsFunc(r.patterns, func(p pattern) bool { return p.matches(caller) })
}

// ruleFor returns the rule for a caller from outside.
func (d *Directory) ruleFor(from core.Party, number string) (callerRule, bool) {
	caller := d.normalise(from.Number)
	for _, r := range d.rules {
		if r.matches(caller, number) {
			return r, true
		}
	}
	return callerRule{}, false
}

func (d *Directory) checkCallerRule(m *mistakes, at string, r CallerRule) {
	out := callerRule{CallerRule: r}
	d.checkName(m, at, r.Name, slices.ContainsFunc(d.rules, func(o callerRule) bool { return o.Name == r.Name }))
	if len(r.From) == 0 {
		m.add(at+".from", "none")
	}
	for i, text := range r.From {
		if text == anonymous {
			out.anonymous = true
			continue
		}
		p, err := parsePattern(text)
		if err != nil {
			m.add(fmt.Sprintf("%s.from[%d]", at, i), "%v", err)
		}
		out.patterns = append(out.patterns, p)
	}
	for i, n := range r.Numbers {
		if !slices.ContainsFunc(d.res.Numbers, func(o Number) bool { return o.Number == n }) {
			m.add(fmt.Sprintf("%s.numbers[%d]", at, i), "no number %q", n)
		}
	}
	if r.Block == (r.To != nil) {
		m.add(at, "needs exactly one of block, to")
	}
	d.checkDestination(m, at+".to", r.To)
	d.rules = append(d.rules, out)
}
