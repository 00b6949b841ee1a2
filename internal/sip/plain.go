package sip

import (
	"bytes"
	"strings"
)

// plain returns data with each Via on a line of its own and without the blanks that the
// grammar allows (RFC 3261 section 25.1), and without escapes in Contacts. The parser
// loses the host of "SIP/2.0/UDP host:5060 ;branch=x" and of a Via without parameters in
// a list, and takes an escaped quote for the end of a display name, which we do not use.
// Nearly every message comes back as it is.
func plain(data []byte) []byte {
	end := bytes.Index(data, []byte("\r\n\r\n"))
	if end < 0 {
		return data
	}
	head := data[:end+2]
	var out []byte
	kept := 0 // of head in out
	for at := 0; at < len(head); {
		next := at + lineEnd(head[at:])
		line := head[at:next]
		if value, ok := valueOf(line, "via", 'v'); ok && !isPlain(value) {
			out, kept = append(out, head[kept:at]...), next
			for via := range splitList(string(value)) {
				out = append(append(append(out, "Via: "...), withoutBlanks(via)...), crlf...)
			}
		}
		if value, ok := valueOf(line, "contact", 'm'); ok && bytes.IndexByte(value, '\\') >= 0 {
			out, kept = append(out, head[kept:at]...), next
			for contact := range splitList(string(value)) {
				out = append(append(append(out, "Contact: "...), withoutEscapes.Replace(contact)...), crlf...)
			}
		}
		at = next
	}
	if kept == 0 {
		return data
	}
	return append(out, data[kept:]...)
}

// lineEnd returns the length of the first line of head with its end and those that
// continue it.
func lineEnd(head []byte) int {
	n := 0
	for {
		i := bytes.IndexByte(head[n:], '\n')
		if i < 0 {
			return len(head)
		}
		if n += i + 1; n == len(head) || head[n] != ' ' && head[n] != '\t' {
			return n
		}
	}
}

// withoutEscapes drops the quoted pairs of a display name, and folding.
var withoutEscapes = strings.NewReplacer(`\"`, "'", `\\`, "", "\r\n", "")

// valueOf returns the value of a line if it is of the header with that name or its
// compact form, both in lower case.
func valueOf(line []byte, long string, compact byte) ([]byte, bool) {
	if first := line[0] | 0x20; first != long[0] && first != compact {
		return nil, false
	}
	name, value, ok := bytes.Cut(line, []byte(":"))
	name = bytes.TrimSpace(name)
	if !ok || !strings.EqualFold(string(name), long) && (len(name) != 1 || name[0]|0x20 != compact) {
		return nil, false
	}
	return bytes.TrimSpace(value), true
}

// isPlain reports whether a Via value is a single one with a single blank.
func isPlain(value []byte) bool {
	blanks := 0
	for _, c := range value {
		switch c {
		case ' ', '\t', '\r', '\n':
			blanks++
		case ',', '"':
			return false
		}
	}
	return blanks == 1
}

// withoutBlanks drops the blanks of a Via beside separators, and makes one of others.
func withoutBlanks(via string) string {
	var b strings.Builder
	const separators = "/;=:"
	quoted, escaped, blank, last := false, false, false, byte('/')
	for i := range len(via) {
		c := via[i]
		switch {
		case quoted:
			escaped, quoted = !escaped && c == '\\', escaped || c != '"'
		case c == ' ', c == '\t', c == '\r', c == '\n':
			blank = true
			continue
		default:
			quoted = c == '"'
			if blank && strings.IndexByte(separators, c) < 0 && strings.IndexByte(separators, last) < 0 {
				b.WriteByte(' ')
			}
		}
		b.WriteByte(c)
		blank, last = false, c
	}
	return b.String()
}
