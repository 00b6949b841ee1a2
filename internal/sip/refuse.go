package sip

import (
	"bytes"
	"strconv"
	"strings"
)

// maxEcho bounds what a refusal repeats of a broken request, so that it is never
// worth forging a source address for it.
const maxEcho = 4096

// refuseRaw answers a request from its bytes, because it could not be parsed or
// lacks what a response is made of. It returns nil if no answer can be built: for
// responses, ACK, anything without Via and CSeq, and noise.
func refuseRaw(data []byte, code int, reason string) []byte {
	head, _, _ := bytes.Cut(data, []byte("\r\n\r\n"))
	lines := unfold(string(head))
	method, _, ok := strings.Cut(strings.TrimLeft(lines[0], " \t"), " ")
	if !ok || strings.EqualFold(method, "ACK") || !looksLikeRequest(lines[0]) {
		return nil
	}
	if code == 400 && foreignScheme(lines[0]) {
		code, reason = 416, ""
	}
	if reason == "" {
		reason = Phrase(code)
	}
	var b strings.Builder
	b.WriteString("SIP/2.0 " + strconv.Itoa(code) + " " + reason)
	seen := map[string]int{}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		name, value = longName(strings.TrimSpace(name)), strings.TrimSpace(value)
		if name == "" || (name != "Via" && seen[name] > 0) {
			continue
		}
		seen[name]++
		if name == "To" && !strings.Contains(strings.ToLower(value), "tag=") {
			value += ";tag=" + newTag()
		}
		b.WriteString("\r\n" + name + ": " + value)
	}
	if seen["Via"] == 0 || seen["CSeq"] == 0 || b.Len() > maxEcho {
		return nil
	}
	b.WriteString("\r\nContent-Length: 0\r\n\r\n")
	return []byte(b.String())
}

// unfold splits a header section into lines and joins folded ones. A stray CR or
// LF becomes a blank. It returns at least one line.
func unfold(head string) []string {
	clean := strings.NewReplacer("\r", " ", "\n", " ")
	var lines []string
	for line := range strings.SplitSeq(head, "\r\n") {
		line = clean.Replace(line)
		if len(lines) > 1 && line != "" && (line[0] == ' ' || line[0] == '\t') {
			lines[len(lines)-1] += line
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// looksLikeRequest is true for "METHOD ... SIP/x" with whatever between.
func looksLikeRequest(line string) bool {
	fields := strings.Fields(line)
	return len(fields) >= 3 && !strings.HasPrefix(strings.ToUpper(fields[0]), "SIP/") &&
		strings.HasPrefix(strings.ToUpper(fields[len(fields)-1]), "SIP/")
}

// foreignScheme is true if the Request-URI is one of another scheme, which the
// parser may be unable to read (RFC 3986 section 3.1 allows + - and dot in it).
func foreignScheme(line string) bool {
	fields := strings.Fields(line)
	scheme, _, ok := strings.Cut(fields[1], ":")
	if !ok || scheme == "" || strings.ContainsFunc(scheme, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.", r)
	}) {
		return false
	}
	switch strings.ToLower(scheme) {
	case "sip", "sips", "tel":
		return false
	}
	return true
}

// longName returns the canonical name of a header that every response repeats,
// "" for any other.
func longName(name string) string {
	switch strings.ToLower(name) {
	case "via", "v":
		return "Via"
	case "from", "f":
		return "From"
	case "to", "t":
		return "To"
	case "call-id", "i":
		return "Call-ID"
	case "cseq":
		return "CSeq"
	}
	return ""
}
