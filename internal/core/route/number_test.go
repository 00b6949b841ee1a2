package route

import (
	"slices"
	"testing"

	"github.com/offhook/offhook/internal/core"
)

func TestPattern(t *testing.T) {
	tests := []struct {
		text    string
		yes, no []string
	}{
		{"12995558888", []string{"12995558888"}, []string{"1299555888", "129955588880", "12995558889"}},
		{"1299555*", []string{"1299555", "12995551", "129955512345"}, []string{"129955", "1299556"}},
		{"1299555xx", []string{"129955500", "129955599"}, []string{"12995550", "1299555000"}},
		{"12[0-4]x", []string{"1200", "1249"}, []string{"1250", "120"}},
		{"1[35-79]", []string{"13", "15", "16", "17", "19"}, []string{"14", "18", "12"}},
		{"x*", []string{"0", "123456789012345"}, nil},
	}
	for _, tt := range tests {
		p, err := parsePattern(tt.text)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, s := range tt.yes {
			if !p.matches(s) {
				t.Errorf("%s does not match %s", tt.text, s)
			}
		}
		for _, s := range tt.no {
			if p.matches(s) {
				t.Errorf("%s matches %s", tt.text, s)
			}
		}
	}
	for _, text := range []string{"", "*", "+1", "1*2", "1[", "1[]", "1]", "1[4-2]", "1[a]", "1[-]", "1[1-]", "1X", "1 2", "1234567890123456"} {
		if _, err := parsePattern(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// FuzzPattern wants no crash, and that a pattern without wildcards matches itself alone.
func FuzzPattern(f *testing.F) {
	f.Add("12[0-4]x*", "1200")
	f.Add("1[", "1")
	f.Fuzz(func(t *testing.T, text, digits string) {
		p, err := parsePattern(text)
		if err != nil || !isNumber(digits) {
			return
		}
		if p.exact() && p.matches(digits) != (text == digits) {
			t.Errorf("%q against %q", text, digits)
		}
	})
}

// TestBestNumber says which of several numbers that match is taken.
func TestBestNumber(t *testing.T) {
	d, err := NewDirectory(Resources{
		Users: []User{{Name: "any"}, {Name: "block"}, {Name: "part"}, {Name: "one"}},
		Numbers: []Number{
			{Number: "1299*", User: "any"},
			{Number: "1299555xxxx", User: "block"},
			{Number: "129955512[0-4]x", User: "part"},
			{Number: "12995551234", User: "one"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for dialled, want := range map[string]string{
		"12995551234": "one", "12995551239": "part", "12995551250": "block", "129955512500": "any", "12991": "any", "1298": "",
	} {
		plan := d.Plan(Request{From: core.Party{Trunk: "t"}, Dialled: dialled})
		if plan.To.User.Name != want {
			t.Errorf("%s reaches %+v, want %q", dialled, plan.To, want)
		}
		if want != "" && plan.To.Number != dialled {
			t.Errorf("%s is shown as %q", dialled, plan.To.Number)
		}
	}
}

func TestDialling(t *testing.T) {
	de, us, gb := Dialling{Country: "de", Area: "30"}, Dialling{Country: "us", Area: "212"}, Dialling{Country: "gb"}
	tests := []struct {
		name    string
		here    Dialling
		dialled string
		want    string
	}{
		{"no country", Dialling{}, "0301234567", "0301234567"},
		{"German national", de, "030 123 45 67", "49301234567"},
		{"German international", de, "0044 20 7946 0000", "442079460000"},
		{"German to the US", de, "001 299 555 1234", "12995551234"},
		{"German E.164", de, "+49 30 1234567", "49301234567"},
		{"German E.164 without +", de, "49301234567", "49301234567"},
		{"German local", de, "1234567", "49301234567"},
		{"German area that begins like 011", de, "0112345678", "49112345678"},
		{"German service code", de, "115", "115"},
		{"US national", us, "(299) 555-1234", "12995551234"},
		{"US with 1", us, "1-299-555-1234", "12995551234"},
		{"US international", us, "011 44 20 7946 0000", "442079460000"},
		{"US local", us, "555-1234", "12125551234"},
		{"US service code", us, "611", "611"},
		{"US E.164 of abroad without +", us, "442079460000", "442079460000"},
		{"British national", gb, "020 7946 0000", "442079460000"},
		{"British without area stays", gb, "79460000", "79460000"},
		{"Danish", Dialling{Country: "dk"}, "12 34 56 78", "4512345678"},
		{"Danish E.164", Dialling{Country: "dk"}, "4512345678", "4512345678"},
		{"Hungarian", Dialling{Country: "hu"}, "06 1 234 5678", "3612345678"},
		{"Australian international", Dialling{Country: "au"}, "0011 1 299 555 1234", "12995551234"},
		{"Singaporean international", Dialling{Country: "sg"}, "001 1 299 555 1234", "12995551234"},
		{"no number", de, "030-CALL", ""},
		{"nothing", de, "", ""},
		{"nothing but separators", us, " - ", ""},
		{"too long", us, "011123456789012345678", ""},
	}
	for _, tt := range tests {
		if got := tt.here.normalise(tt.dialled); got != tt.want {
			t.Errorf("%s: %q became %q, want %q", tt.name, tt.dialled, got, tt.want)
		}
	}
}

// TestEmergencyForms refuses help lines however they are written.
func TestEmergencyForms(t *testing.T) {
	d, err := NewDirectory(Resources{
		Users: []User{{Name: "a"}}, Trunks: []Trunk{{Name: "t", URI: "sip:t"}}, Dialling: Dialling{Country: "de", Area: "30"},
		Limits: Limits{Prefixes: []string{"*"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, dialled := range []string{"112", "+112", "0112", "49112", "+49112", "0049112", "1 1 0", "911", "00112"} {
		plan := d.Plan(Request{From: core.Party{User: core.UserID{Name: "a"}}, Dialled: dialled})
		if plan.Refusal == nil || plan.Refusal.Sound.Name != core.PromptNotAllowed {
			t.Errorf("%s: %+v", dialled, plan)
		}
	}
}

// TestAttempts says over which trunks a number goes, in order.
func TestAttempts(t *testing.T) {
	d, err := NewDirectory(Resources{Trunks: []Trunk{
		{Name: "backup", URI: "sip:b", Priority: 9},
		{Name: "main", URI: "sip:m", Weight: 3},
		{Name: "twin", URI: "sip:t"},
		{Name: "german", URI: "sip:g", Prefixes: []string{"49", "4930"}},
		{Name: "french", URI: "sip:f", Prefixes: []string{"33"}, Priority: 5},
	}})
	if err != nil {
		t.Fatal(err)
	}
	down := func(names ...string) func(string) bool {
		return func(name string) bool { return slices.Contains(names, name) }
	}
	fixed := func(v int) func(int) int { return func(n int) int { return min(v, n-1) } }
	tests := []struct {
		name   string
		digits string
		down   func(string) bool
		random func(int) int
		want   []string
	}{
		{"in order", "1299", nil, nil, []string{"main", "twin", "backup"}},
		{"a prefix goes first", "4930", nil, nil, []string{"german", "main", "twin", "backup"}},
		{"a prefix goes before a priority", "331", nil, nil, []string{"french", "main", "twin", "backup"}},
		{"three of four to the heavier", "1", nil, fixed(2), []string{"main", "twin", "backup"}},
		{"one of four to the lighter", "1", nil, fixed(3), []string{"twin", "main", "backup"}},
		{"dead ones last", "49", down("german", "main"), nil, []string{"twin", "backup", "german", "main"}},
		{"all dead are tried all the same", "1", down("main", "twin", "backup"), nil, []string{"main", "twin", "backup"}},
	}
	for _, tt := range tests {
		if got := d.attempts(Request{Down: tt.down, Random: tt.random}, tt.digits); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestFailsOver(t *testing.T) {
	tests := []struct {
		name  string
		cause core.Cause
		code  int
		want  bool
	}{
		{"503", core.CauseTempFailure, 503, true},
		{"500", core.CauseInterworking, 500, true},
		{"408", core.CauseNoResponse, 408, true},
		{"no answer to the INVITE", core.CauseNoResponse, 0, true},
		{"no way there", core.CauseNoRoute, 0, true},
		{"486", core.CauseBusy, 486, false},
		{"480", core.CauseNoAnswer, 480, false},
		{"404", core.CauseUnallocated, 404, false},
		{"603", core.CauseRejected, 603, false},
		{"600", core.CauseBusy, 600, false},
		{"cancelled by us", core.CauseNormal, 487, false},
		{"no codec", core.CauseIncompatible, 488, false},
	}
	for _, tt := range tests {
		if got := FailsOver(tt.cause, tt.code); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
