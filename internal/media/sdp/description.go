package sdp

import (
	"net/netip"
	"strconv"
	"strings"
)

// Description is a session description: the lines that offer and answer need.
// Time, bandwidth, k= and repeat lines are dropped on reading; times are
// written as "t=0 0".
type Description struct {
	Session uint64 // o= session id: stays for the whole dialog
	Version uint64 // o= version: one more for every changed description
	// Origin is the address in o=. It names us and is never sent to.
	Origin   netip.Addr
	Conn     Conn // session-level c=, zero if absent
	Attrs    []Attr
	Sections []Section
}

// Section is one m= section.
type Section struct {
	Kind    string // "audio", "video", "image", "application", lower case
	Port    uint16 // 0 is a refused or removed stream (RFC 3264 section 6)
	Proto   string // "RTP/AVP", as sent
	Formats []string
	Conn    Conn // c= of the section, zero if absent
	Attrs   []Attr
}

// Conn is a c= line.
type Conn struct {
	Host string // as sent, without TTL; "" if there was no line
	Addr netip.Addr
}

// Attr is one a= line: "a=Key" or "a=Key:Value".
type Attr struct{ Key, Value string }

// Attr returns the value of the first attribute named key.
func (s *Section) Attr(key string) (value string, ok bool) { return find(s.Attrs, key) }

// Attr returns the value of the first session-level attribute named key.
func (d *Description) Attr(key string) (value string, ok bool) { return find(d.Attrs, key) }

func find(attrs []Attr, key string) (string, bool) {
	for _, a := range attrs {
		if a.Key == key {
			return a.Value, true
		}
	}
	return "", false
}

// inherited returns a section's attribute, or the session's where the section
// has none.
func (d *Description) inherited(s *Section, key string) (string, bool) {
	if v, ok := s.Attr(key); ok {
		return v, true
	}
	return d.Attr(key)
}

// conn returns the connection that is valid for s (RFC 8866 section 5.7).
func (d *Description) conn(s *Section) Conn {
	if s.Conn.Host != "" {
		return s.Conn
	}
	return d.Conn
}

// Marshal writes d in the order of RFC 8866 section 5.
func (d *Description) Marshal() []byte {
	var b strings.Builder
	line := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
		b.WriteString("\r\n")
	}
	attrs := func(list []Attr) {
		for _, a := range list {
			if a.Value == "" {
				line("a=", a.Key)
			} else {
				line("a=", a.Key, ":", a.Value)
			}
		}
	}
	line("v=0")
	line("o=- ", strconv.FormatUint(d.Session, 10), " ", strconv.FormatUint(d.Version, 10), " ", address(d.Origin))
	line("s=-")
	if d.Conn.Host != "" {
		line("c=", d.Conn.String())
	}
	line("t=0 0")
	attrs(d.Attrs)
	for _, s := range d.Sections {
		line("m=", s.Kind, " ", strconv.Itoa(int(s.Port)), " ", s.Proto, " ", strings.Join(s.Formats, " "))
		if s.Conn.Host != "" {
			line("c=", s.Conn.String())
		}
		attrs(s.Attrs)
	}
	return []byte(b.String())
}

// String returns the value of the c= line.
func (c Conn) String() string {
	if c.Addr.IsValid() {
		return address(c.Addr)
	}
	return "IN IP4 " + c.Host
}

func connTo(a netip.Addr) Conn { return Conn{Host: a.Unmap().String(), Addr: a.Unmap()} }

// address writes "IN IP4 192.0.2.1". The zero address is written as 0.0.0.0.
func address(a netip.Addr) string {
	a = a.Unmap()
	switch {
	case !a.IsValid():
		return "IN IP4 0.0.0.0"
	case a.Is6():
		return "IN IP6 " + a.String()
	}
	return "IN IP4 " + a.String()
}
