package sip

import (
	"fmt"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
)

// The message types of the parser, so that users of this package need one import.
type (
	// Message is a Request or a Response.
	Message = sipmsg.Message
	// Request is a SIP request. One delivered by the stack has passed its checks:
	// Via, From, To, Call-ID and CSeq are there.
	Request = sipmsg.Request
	// Response is a SIP response.
	Response = sipmsg.Response
	// Method is a request method in capitals.
	Method = sipmsg.RequestMethod
	// Uri is a SIP, SIPS or foreign URI.
	Uri = sipmsg.Uri //nolint:revive // the parser's spelling
	// Params are the parameters of a header or URI in the order of the wire.
	Params = sipmsg.HeaderParams
	// Header is one header field.
	Header = sipmsg.Header
	// ContactHeader is one Contact value.
	ContactHeader = sipmsg.ContactHeader
	// ViaHeader is one Via value.
	ViaHeader = sipmsg.ViaHeader
	// FromHeader is the From header.
	FromHeader = sipmsg.FromHeader
	// ToHeader is the To header.
	ToHeader = sipmsg.ToHeader
	// CSeqHeader is the CSeq header.
	CSeqHeader = sipmsg.CSeqHeader
	// CallIDHeader is the Call-ID header.
	CallIDHeader = sipmsg.CallIDHeader
	// ContentTypeHeader is the Content-Type header.
	ContentTypeHeader = sipmsg.ContentTypeHeader
)

// The methods this package knows; a request with another one is answered 501.
const (
	INVITE    = sipmsg.INVITE
	ACK       = sipmsg.ACK
	CANCEL    = sipmsg.CANCEL
	BYE       = sipmsg.BYE
	REGISTER  = sipmsg.REGISTER
	OPTIONS   = sipmsg.OPTIONS
	SUBSCRIBE = sipmsg.SUBSCRIBE
	NOTIFY    = sipmsg.NOTIFY
	REFER     = sipmsg.REFER
	INFO      = sipmsg.INFO
	MESSAGE   = sipmsg.MESSAGE
	PRACK     = sipmsg.PRACK
	UPDATE    = sipmsg.UPDATE
	PUBLISH   = sipmsg.PUBLISH
)

// SDP is the Content-Type of session descriptions.
const SDP = "application/sdp"

// Address is a display name and a URI, as in From and To.
type Address struct {
	Name string // display name without quotes, "" if none
	URI  Uri
}

// NewHeader returns a header with exactly this spelling and value.
func NewHeader(name, value string) Header { return sipmsg.NewHeader(name, value) }

// NewRequest returns a request without any header.
func NewRequest(method Method, uri Uri) *Request { return sipmsg.NewRequest(method, uri) }

// ParseURI parses a URI such as "sip:bob@example.com:5070;transport=tcp".
func ParseURI(s string) (Uri, error) {
	var u Uri
	if err := sipmsg.ParseUri(s, &u); err != nil {
		return Uri{}, fmt.Errorf("sip: URI %q: %w", s, err)
	}
	return u, nil
}

// Param returns the value of the parameter name. Names are compared without
// regard to case or surrounding blanks (RFC 3261 section 7.3.1); the value comes
// without blanks and quotes.
func Param(params Params, name string) (string, bool) {
	for _, kv := range params {
		if strings.EqualFold(strings.TrimSpace(kv.K), name) {
			return unquote(strings.TrimSpace(kv.V)), true
		}
	}
	return "", false
}

// Tag returns the tag of a From or To header's parameters, "" if there is none.
func Tag(params Params) string {
	tag, _ := Param(params, "tag")
	return tag
}

func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// compact maps long header names, as we spell them, to their one-letter forms (RFC
// 3261 section 7.3.3 and the IANA registry), for the headers that the parser leaves
// as they came.
func compact(name string) string {
	switch name {
	case "Supported":
		return "k"
	case "Event":
		return "o"
	case "Refer-To":
		return "r"
	case "Referred-By":
		return "b"
	case "Session-Expires":
		return "x"
	case "Allow-Events":
		return "u"
	case "Subject":
		return "s"
	case "Content-Encoding":
		return "e"
	}
	return ""
}

// headerLister is what Request and Response share beyond Message.
type headerLister interface{ Headers() []Header }

// HeaderValues returns the values of all headers of that name, long or compact
// spelling, in the order of the wire. Comma lists are not split.
func HeaderValues(m Message, name string) []string {
	var values []string
	eachHeader(m, name, func(v string) bool {
		values = append(values, v)
		return true
	})
	return values
}

// HeaderValue returns the first value of HeaderValues, "" if there is none.
func HeaderValue(m Message, name string) string {
	value := ""
	eachHeader(m, name, func(v string) bool {
		value = v
		return false
	})
	return value
}

// eachHeader calls fn with the values of HeaderValues until it returns false.
func eachHeader(m Message, name string, fn func(value string) bool) {
	lister, ok := m.(headerLister)
	if !ok {
		return
	}
	short := compact(name)
	for _, h := range lister.Headers() {
		n := h.Name()
		if (strings.EqualFold(n, name) || (short != "" && strings.EqualFold(n, short))) && !fn(h.Value()) {
			return
		}
	}
}

// Tokens returns the members of a comma list header such as Supported, Require or
// Allow, over all its lines, without blanks.
func Tokens(m Message, name string) []string {
	var tokens []string
	for _, v := range HeaderValues(m, name) {
		for t := range strings.SplitSeq(v, ",") {
			if t = strings.TrimSpace(t); t != "" {
				tokens = append(tokens, t)
			}
		}
	}
	return tokens
}

// HasToken reports whether a comma list header has that member, in any case.
func HasToken(m Message, header, token string) bool {
	found := false
	eachHeader(m, header, func(value string) bool {
		for t := range strings.SplitSeq(value, ",") {
			found = found || strings.EqualFold(strings.TrimSpace(t), token)
		}
		return !found
	})
	return found
}

type (
	maxForwardsHeader   = sipmsg.MaxForwardsHeader
	contentLengthHeader = sipmsg.ContentLengthHeader
	sipParam            = sipmsg.HeaderKV
)

func newResponse(code int, reason string) *Response { return sipmsg.NewResponse(code, reason) }

// EscapeUser makes text the user part of a URI (RFC 3261 section 25.1).
func EscapeUser(text string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9', strings.IndexByte("-_.!~*'()&=+$,;?/", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// escapeName makes a display name safe inside quotes. Escapes already there stay.
func escapeName(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '\\' && i+1 < len(name) && (name[i+1] == '"' || name[i+1] == '\\'):
			b.WriteString(name[i : i+2])
			i++
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c == 0x7f:
			b.WriteByte(' ')
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
