package sip

// sips is the scheme of URIs that are to be reached by TLS all the way (RFC 3261
// section 19.1, RFC 5630).
const sips = "sips"

// insecure reports whether a request to a sips URI came by a way without TLS: whoever
// passed it on broke the promise, and we must not act as if it was kept.
func insecure(req *Request, f Flow) bool { return req.Recipient.Scheme == sips && !f.Secure() }

// contactOn is our Contact on a flow. That of a dialog to a sips URI is sips too (RFC
// 3261 sections 8.1.1.8 and 12.1.1), and needs no transport=tls (RFC 5630 section 3.1.4).
func contactOn(f Flow, user string, secure bool) *ContactHeader {
	uri := f.Contact(user)
	if secure {
		uri.Scheme = sips
		if transport, _ := Param(uri.UriParams, "transport"); transport == "tls" {
			uri.UriParams.Remove("transport")
		}
	}
	return &ContactHeader{Address: uri}
}
