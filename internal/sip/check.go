package sip

import (
	"slices"
	"strings"
)

// refusal is the answer to a request that must not reach a handler.
type refusal struct {
	code   int
	reason string // "" takes the usual phrase
	header Header // nil if none
}

// check applies the rules of RFC 3261 section 8.2 that hold for every request,
// and those of section 18.3 that the parser leaves out. It returns nil for a
// request that may be served.
func (s *Stack) check(req *Request) *refusal {
	if r := checkHeaders(req); r != nil {
		return r // first: whatever follows may look at these headers
	}
	if !strings.EqualFold(req.SipVersion, "SIP/2.0") {
		return &refusal{code: 505}
	}
	// The parser raises the method of the request line, not that of CSeq.
	if method := strings.TrimSpace(string(req.CSeq().MethodName)); !strings.EqualFold(method, string(req.Method)) {
		return &refusal{code: 400, reason: "CSeq Method Mismatch"}
	}
	if !known(req.Method) {
		return &refusal{code: 501}
	}
	switch req.Recipient.Scheme {
	case "sip", "sips", "tel":
	default:
		return &refusal{code: 416}
	}
	if req.Method == ACK || req.Method == CANCEL {
		useSession(req, req.Method)
		return nil // hop by hop, and never to be refused for extensions
	}
	if unknown := s.unknownExtensions(req); len(unknown) > 0 {
		return &refusal{code: 420, header: NewHeader("Unsupported", strings.Join(unknown, ", "))}
	}
	if mf := req.MaxForwards(); s.cfg.RefuseNoHops && mf != nil && mf.Val() == 0 && req.Method != OPTIONS {
		return &refusal{code: 483}
	}
	if req.Method == INVITE || req.Method == UPDATE {
		if r := checkTimer(req); r != nil {
			return r
		}
	}
	if r := useSession(req, req.Method); r != nil {
		return r
	}
	if _, err := ParseRoutes(req, recordRoute); err != nil {
		return &refusal{code: 400, reason: "Malformed Record-Route"}
	}
	return checkAccept(req)
}

// checkHeaders wants the mandatory headers once, and other single ones at most once.
func checkHeaders(req *Request) *refusal {
	var from, to, callID, cseq, single int
	for _, h := range req.Headers() {
		switch h.(type) {
		case *FromHeader:
			from++
		case *ToHeader:
			to++
		case *CallIDHeader:
			callID++
		case *CSeqHeader:
			cseq++
		}
	}
	for _, name := range [...]string{"Content-Length", "Content-Type", "Max-Forwards"} {
		single = max(single, countHeader(req, name))
	}
	switch {
	case from == 0 || to == 0 || callID == 0 || cseq == 0 || !usable(req.Via()):
		return &refusal{code: 400, reason: "Missing Header"}
	case from > 1 || to > 1 || callID > 1 || cseq > 1 || single > 1:
		return &refusal{code: 400, reason: "Repeated Header"}
	}
	return nil
}

func usable(via *ViaHeader) bool {
	return via != nil && via.Host != "" && strings.EqualFold(via.ProtocolName, "SIP")
}

// countHeader counts a header that the parser gives its long name.
func countHeader(req *Request, name string) int {
	n := 0
	for _, h := range req.Headers() {
		if h.Name() == name {
			n++
		}
	}
	return n
}

// checkAccept refuses an INVITE whose sender accepts no session description (RFC 3261
// section 20.1).
func checkAccept(req *Request) *refusal {
	if req.Method != INVITE {
		return nil
	}
	accept := Tokens(req, "Accept")
	if len(accept) > 0 && !slices.ContainsFunc(accept, func(v string) bool {
		m := mediaType(v)
		return m == SDP || m == "*/*" || m == "application/*"
	}) {
		return &refusal{code: 406}
	}
	return nil
}

// mediaType returns the type of a Content-Type or Accept value in lower case.
func mediaType(v string) string {
	v, _, _ = strings.Cut(v, ";")
	return strings.ToLower(strings.TrimSpace(v))
}

func (s *Stack) unknownExtensions(req *Request) []string {
	return slices.DeleteFunc(Tokens(req, "Require"), func(tag string) bool {
		return slices.ContainsFunc(s.extensions, func(ok string) bool { return strings.EqualFold(ok, tag) })
	})
}

// methods are those of the Allow header. SUBSCRIBE is understood, not offered.
const methods = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, REFER, NOTIFY, REGISTER"

// inDialogMethods are the Allow header inside a dialog.
const inDialogMethods = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, REFER, NOTIFY"

// ownExtensions are the option tags that the stack itself implements.
var ownExtensions = []string{tag100rel, tagTimer}

func known(m Method) bool {
	switch m {
	case INVITE, ACK, CANCEL, BYE, REGISTER, OPTIONS, SUBSCRIBE, NOTIFY, REFER, INFO, MESSAGE, PRACK, UPDATE, PUBLISH:
		return true
	}
	return false
}
