package config

import (
	"fmt"
	"strconv"
	"strings"
)

// PortRange is a range of ports with both ends in it, written "16384-32767".
type PortRange struct{ First, Last uint16 }

// Count returns how many ports r has, 0 if it is upside down.
func (r PortRange) Count() int { return max(0, int(r.Last)-int(r.First)+1) }

// String returns "first-last".
func (r PortRange) String() string { return fmt.Sprintf("%d-%d", r.First, r.Last) }

// MarshalText implements encoding.TextMarshaler.
func (r PortRange) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *PortRange) UnmarshalText(text []byte) error {
	from, to, ok := strings.Cut(string(text), "-")
	first, err1 := strconv.ParseUint(strings.TrimSpace(from), 10, 16)
	last, err2 := strconv.ParseUint(strings.TrimSpace(to), 10, 16)
	if !ok || err1 != nil || err2 != nil {
		return fmt.Errorf("%q is not a range of ports such as 16384-32767", text)
	}
	*r = PortRange{uint16(first), uint16(last)}
	return nil
}
