package route

import "strings"

// Dialling says how people here write numbers.
type Dialling struct {
	// Country is the ISO 3166 code, in lower case, of whose national forms are
	// understood: "de" reads 030 1234567 as 49301234567. "" is none.
	Country string `yaml:"country,omitempty" json:"country,omitempty"`
	// Area is put before numbers that are too short for a national one, without
	// the trunk prefix: "30". "" leaves them as they are.
	Area string `yaml:"area,omitempty" json:"area,omitempty"`
}

// country is how a country writes numbers (ITU-T E.164 annex, national numbering
// plans).
type country struct {
	code          string // calling code
	international string // what is dialled before a foreign number
	trunk         string // what is dialled before a national number, "" if nothing
	// shortest and longest are the lengths of a national number without the trunk
	// prefix, for countries where it is dialled that way; 0 elsewhere: there
	// digits without any prefix are an E.164 number without its +.
	shortest, longest int
}

// countries are those whose forms we know, by ISO 3166 code.
var countries = map[string]country{
	"ae": {"971", "00", "0", 0, 0}, "ar": {"54", "00", "0", 10, 10}, "at": {"43", "00", "0", 0, 0},
	"au": {"61", "0011", "0", 9, 9}, "be": {"32", "00", "0", 0, 0}, "bg": {"359", "00", "0", 0, 0},
	"br": {"55", "00", "0", 10, 11}, "ca": {"1", "011", "1", 10, 10}, "ch": {"41", "00", "0", 0, 0},
	"cn": {"86", "00", "0", 0, 0}, "cz": {"420", "00", "", 9, 9}, "de": {"49", "00", "0", 0, 0},
	"dk": {"45", "00", "", 8, 8}, "ee": {"372", "00", "", 7, 8}, "es": {"34", "00", "", 9, 9},
	"fi": {"358", "00", "0", 0, 0}, "fr": {"33", "00", "0", 0, 0}, "gb": {"44", "00", "0", 0, 0},
	"gr": {"30", "00", "", 10, 10}, "hk": {"852", "001", "", 8, 8}, "hr": {"385", "00", "0", 0, 0},
	"hu": {"36", "00", "06", 0, 0}, "ie": {"353", "00", "0", 0, 0}, "il": {"972", "00", "0", 0, 0},
	"in": {"91", "00", "0", 10, 10}, "it": {"39", "00", "", 6, 10}, "jp": {"81", "010", "0", 0, 0},
	"kr": {"82", "00", "0", 0, 0}, "lu": {"352", "00", "", 0, 0}, "lv": {"371", "00", "", 8, 8},
	"mx": {"52", "00", "", 10, 10}, "nl": {"31", "00", "0", 0, 0}, "no": {"47", "00", "", 8, 8},
	"nz": {"64", "00", "0", 0, 0}, "pl": {"48", "00", "", 9, 9}, "pt": {"351", "00", "", 9, 9},
	"ro": {"40", "00", "0", 0, 0}, "se": {"46", "00", "0", 0, 0}, "sg": {"65", "001", "", 8, 8},
	"si": {"386", "00", "0", 0, 0}, "sk": {"421", "00", "0", 0, 0}, "tr": {"90", "00", "0", 10, 10},
	"us": {"1", "011", "1", 10, 10}, "za": {"27", "00", "0", 0, 0},
}

// normalise brings a dialled number to E.164 digits without +, by the habits of
// the configured country, as Normalise does without one.
func (c Dialling) normalise(dialled string) string {
	here, known := countries[c.Country]
	digits := compact(dialled)
	if !known || strings.HasPrefix(digits, "+") {
		return Normalise(dialled)
	}
	switch n := len(digits); {
	case n > len(here.international)+3 && strings.HasPrefix(digits, here.international):
		digits = digits[len(here.international):]
	case here.hasTrunk() && n > len(here.trunk)+3 && strings.HasPrefix(digits, here.trunk):
		digits = here.code + digits[len(here.trunk):]
	case n > 0 && n >= here.shortest && n <= here.longest:
		digits = here.code + digits
	case c.Area != "" && n >= minLocal && n <= maxLocal:
		digits = here.code + c.Area + digits
	default:
		return Normalise(dialled)
	}
	if !isNumber(digits) {
		return ""
	}
	return digits
}

// minLocal and maxLocal are the lengths of numbers that Area is put before.
// Shorter ones are service codes and extensions.
const minLocal, maxLocal = 5, 8

// hasTrunk reports whether a trunk prefix tells a national number from an E.164
// one: in North America 1 is both.
func (c country) hasTrunk() bool { return c.trunk != "" && c.trunk != c.code }

// emergency reports whether a dialled string is an emergency number, also with
// the country's own code or trunk prefix before it.
func (c Dialling) emergency(dialled string) bool {
	here := countries[c.Country]
	digits := strings.TrimPrefix(compact(dialled), "+")
	for _, prefix := range []string{"", here.trunk, here.code, here.international + here.code} {
		if rest, ok := strings.CutPrefix(digits, prefix); ok && Emergency(rest) {
			return true
		}
	}
	return Emergency(dialled)
}
