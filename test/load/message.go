package main

import (
	"fmt"
	"strconv"
	"strings"
)

// message is the part of a SIP message that a phone of the generator looks at.
// It is parsed leniently on purpose by code of our own: a fault that the
// server's parser and writer share would not show otherwise.
type message struct {
	method     string // of a request, "" for a response
	status     int    // of a response, 0 for a request
	vias       []string
	from, to   string
	callID     string
	cseq       int
	cseqMethod string
	contact    string // URI without brackets and parameters
	challenge  string // WWW- or Proxy-Authenticate, the first one
	proxy      bool   // challenge is Proxy-Authenticate
	reason     string
	body       string
}

// parseMessage reads a datagram. ok is false for what is no SIP message.
func parseMessage(datagram []byte) (m message, ok bool) {
	head, body, found := strings.Cut(string(datagram), "\r\n\r\n")
	if !found {
		return m, false // keep-alives, and garbage
	}
	m.body = body
	start, rest, _ := strings.Cut(head, "\r\n")
	if code, isResponse := strings.CutPrefix(start, "SIP/2.0 "); isResponse {
		code, _, _ = strings.Cut(code, " ")
		m.status, _ = strconv.Atoi(code)
	} else {
		m.method, _, _ = strings.Cut(start, " ")
	}
	for line := range strings.SplitSeq(rest, "\r\n") {
		if name, value, found := strings.Cut(line, ":"); found {
			m.header(strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value))
		}
	}
	return m, m.callID != "" && m.cseqMethod != "" && len(m.vias) > 0 && (m.status != 0 || m.method != "")
}

func (m *message) header(name, value string) {
	switch name {
	case "via", "v":
		m.vias = append(m.vias, value)
	case "from", "f":
		m.from = value
	case "to", "t":
		m.to = value
	case "call-id", "i":
		m.callID = value
	case "cseq":
		number, method, _ := strings.Cut(value, " ")
		m.cseq, _ = strconv.Atoi(number)
		m.cseqMethod = strings.TrimSpace(method)
	case "contact", "m":
		m.contact = uriIn(value)
	case "www-authenticate", "proxy-authenticate":
		if m.challenge == "" {
			m.challenge, m.proxy = value, name[0] == 'p'
		}
	case "reason":
		m.reason = value
	}
}

// branch returns the branch of the topmost Via, which names the transaction.
func (m *message) branch() string {
	_, after, _ := strings.Cut(m.vias[0], "branch=")
	branch, _, _ := strings.Cut(after, ";")
	return branch
}

// toTag returns the tag of the called side, "" without one.
func (m *message) toTag() string {
	_, tag, _ := strings.Cut(m.to, ";tag=")
	tag, _, _ = strings.Cut(tag, ";")
	return tag
}

// uriIn returns the URI of a name-addr or addr-spec header.
func uriIn(value string) string {
	if _, after, found := strings.Cut(value, "<"); found {
		uri, _, _ := strings.Cut(after, ">")
		return uri
	}
	uri, _, _ := strings.Cut(value, ";")
	return uri
}

// userOf returns the user part of a SIP URI.
func userOf(uri string) string {
	_, after, _ := strings.Cut(uri, ":")
	user, _, _ := strings.Cut(after, "@")
	return user
}

// request is a request to be written.
type request struct {
	method, uri, via, branch string // via is transport, address and parameters
	from, to, callID         string
	cseq                     int
	headers                  string // further header lines, each with its CRLF
	body                     string // SDP
}

func (r request) bytes() []byte {
	b := make([]byte, 0, 600+len(r.headers)+len(r.body))
	b = fmt.Appendf(b, "%s %s SIP/2.0\r\nVia: SIP/2.0/%s;branch=%s\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n",
		r.method, r.uri, r.via, r.branch, r.from, r.to, r.callID, r.cseq, r.method)
	return appendEnd(b, r.headers, r.body)
}

// response answers m. tag is put into To unless it has one.
func response(m *message, status, tag, headers, body string) []byte {
	b := make([]byte, 0, 600+len(headers)+len(body))
	b = fmt.Appendf(b, "SIP/2.0 %s\r\n", status)
	for _, via := range m.vias {
		b = fmt.Appendf(b, "Via: %s\r\n", via)
	}
	to := m.to
	if tag != "" && m.toTag() == "" {
		to += ";tag=" + tag
	}
	b = fmt.Appendf(b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n", m.from, to, m.callID, m.cseq, m.cseqMethod)
	return appendEnd(b, headers, body)
}

func appendEnd(b []byte, headers, body string) []byte {
	b = append(b, headers...)
	if body != "" {
		b = append(b, "Content-Type: application/sdp\r\n"...)
	}
	return fmt.Appendf(b, "Content-Length: %d\r\n\r\n%s", len(body), body)
}
