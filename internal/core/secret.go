package core

import "log/slog"

// Secret is a password or key as people write it. It prints as *** in every
// form that ends in a log, a page or a file; only Reveal gives the text.
type Secret string

// hidden is what a Secret that is set prints as.
const hidden = "***"

// Reveal returns the text.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer: "***", or "" if s is empty.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// GoString implements fmt.GoStringer for %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler, which JSON and YAML encoders
// use.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
