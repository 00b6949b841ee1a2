package sdp

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
)

// Limits of what Parse accepts; a description of a browser with video is about
// 8 KB and has three sections.
const (
	maxBody     = 64 << 10
	maxSections = 32
)

// Parse reads a description.
func Parse(body []byte) (*Description, error) {
	if len(body) > maxBody {
		return nil, invalid("Parse", "%d bytes are more than %d", len(body), maxBody)
	}
	var d Description
	first := true
	for line := range bytes.Lines(body) {
		text := strings.TrimRight(string(line), "\r\n \t")
		if text == "" {
			continue
		}
		if len(text) < 2 || text[1] != '=' {
			return nil, invalid("Parse", "%.40q is not of the form x=value", text)
		}
		if first && text != "v=0" {
			return nil, invalid("Parse", "begins with %.40q, not with v=0", text)
		}
		first = false
		if err := d.parseLine(text[0], strings.TrimSpace(text[2:])); err != nil {
			return nil, err
		}
	}
	if first {
		return nil, invalid("Parse", "empty")
	}
	return &d, nil
}

// parseLine adds one line to d. Types that offer and answer do not need are
// skipped.
func (d *Description) parseLine(kind byte, value string) error {
	switch kind {
	case 'o':
		d.parseOrigin(value)
	case 'c':
		return d.parseConn(value)
	case 'm':
		return d.parseMedia(value)
	case 'a':
		d.parseAttr(value)
	}
	return nil
}

// parseOrigin takes what it can: user agents write all kinds of session ids, and
// nothing of ours depends on them.
func (d *Description) parseOrigin(value string) {
	f := strings.Fields(value)
	if len(f) < 6 {
		return
	}
	d.Session, _ = strconv.ParseUint(f[1], 10, 64)
	d.Version, _ = strconv.ParseUint(f[2], 10, 64)
	if a, err := netip.ParseAddr(f[5]); err == nil && a.Zone() == "" {
		d.Origin = a.Unmap()
	}
}

func (d *Description) parseConn(value string) error {
	f := strings.Fields(value)
	if len(f) < 3 || !strings.EqualFold(f[0], "IN") {
		return invalid("Parse", "connection %.60q", value)
	}
	host, _, _ := strings.Cut(f[2], "/") // TTL and count of multicast addresses
	if host == "" {
		return invalid("Parse", "connection %.60q", value)
	}
	conn := Conn{Host: host}
	if a, err := netip.ParseAddr(host); err == nil && a.Zone() == "" {
		conn = connTo(a)
	}
	if n := len(d.Sections); n > 0 {
		d.Sections[n-1].Conn = conn
	} else {
		d.Conn = conn
	}
	return nil
}

func (d *Description) parseMedia(value string) error {
	if len(d.Sections) == maxSections {
		return invalid("Parse", "more than %d media sections", maxSections)
	}
	f := strings.Fields(value)
	if len(f) < 4 {
		return invalid("Parse", "media %.60q", value)
	}
	number, _, _ := strings.Cut(f[1], "/")
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return invalid("Parse", "media port %.20q", f[1])
	}
	d.Sections = append(d.Sections, Section{
		Kind: strings.ToLower(f[0]), Port: uint16(port), Proto: f[2], Formats: f[3:],
	})
	return nil
}

func (d *Description) parseAttr(value string) {
	key, rest, _ := strings.Cut(value, ":")
	a := Attr{Key: strings.ToLower(strings.TrimSpace(key)), Value: strings.TrimSpace(rest)}
	if a.Key == "" {
		return
	}
	if n := len(d.Sections); n > 0 {
		d.Sections[n-1].Attrs = append(d.Sections[n-1].Attrs, a)
	} else {
		d.Attrs = append(d.Attrs, a)
	}
}
