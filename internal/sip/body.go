package sip

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// Bounds of a body with parts. ISUP, location and a session description are three.
const (
	maxParts = 16
	maxDepth = 3
)

// useSession leaves of a message of an INVITE's making what it says about the session:
// its body is a session description then, or there is none. Others may stand beside
// it in a multipart body (RFC 5621), and a response may carry anything at all. It
// returns a refusal for a request whose body must be understood and is not.
func useSession(m Message, method Method) *refusal {
	switch method {
	case INVITE, ACK, PRACK, UPDATE:
	default:
		return nil
	}
	if len(m.Body()) == 0 {
		return nil
	}
	if e := strings.TrimSpace(HeaderValue(m, "Content-Encoding")); e != "" && !strings.EqualFold(e, "identity") {
		m.SetBody(nil)
		return &refusal{code: 415, header: NewHeader("Accept-Encoding", "identity")}
	}
	kind := HeaderValue(m, "Content-Type")
	if mediaType(kind) == SDP {
		return nil
	}
	session := sessionIn(kind, m.Body(), maxDepth)
	m.SetBody(session)
	if session == nil && !optional(HeaderValue(m, "Content-Disposition")) {
		return &refusal{code: 415, header: NewHeader("Accept", accepted)}
	}
	return nil
}

// accepted are the bodies that requests of an INVITE's making may have.
const accepted = SDP + ", multipart/mixed, multipart/alternative, multipart/related"

// optional reports whether a body may be left unread (RFC 3204 section 2).
func optional(disposition string) bool {
	_, params, err := mime.ParseMediaType(disposition)
	return err == nil && strings.EqualFold(params["handling"], "optional")
}

// sessionIn finds the session description of a body of that type, nil if there is none.
func sessionIn(kind string, body []byte, depth int) []byte {
	t, params, err := mime.ParseMediaType(kind)
	switch {
	case err != nil || depth == 0:
		return nil
	case t == SDP:
		return body
	case !strings.HasPrefix(t, "multipart/") || params["boundary"] == "":
		return nil
	}
	r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for range maxParts {
		part, err := r.NextRawPart()
		if err != nil {
			return nil
		}
		content, err := io.ReadAll(part) // no more than body
		if err != nil {
			return nil
		}
		if session := sessionIn(part.Header.Get("Content-Type"), content, depth-1); session != nil {
			return session
		}
	}
	return nil
}
