package sip

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
)

// Route is one proxy on the way to a peer: a value of Record-Route, Path or Route.
type Route struct {
	URI Uri
	// loose is a proxy that leaves the Request-URI alone (RFC 3261 section 16.12). Some
	// say ;lr behind the bracket, as a parameter of the header.
	loose bool
	value string // as it came: its parameters go back unchanged (RFC 3261 section 12.1.1)
}

// RouteTo returns the Route of a URI without parameters of the header.
func RouteTo(uri Uri) Route {
	_, loose := Param(uri.UriParams, "lr")
	return Route{URI: uri, loose: loose, value: "<" + uri.String() + ">"}
}

const recordRoute = "Record-Route"

var errRoute = errors.New("sip: malformed route")

// ParseRoutes reads the values of all headers of that name, first hop first for Path,
// last hop first for the Record-Route of a response.
func ParseRoutes(m Message, header string) ([]Route, error) {
	var routes []Route
	for _, line := range HeaderValues(m, header) {
		for value := range splitList(line) {
			r, err := parseRoute(value)
			if err != nil {
				return nil, err
			}
			routes = append(routes, r)
		}
	}
	return routes, nil
}

func parseRoute(value string) (Route, error) {
	if !strings.Contains(value, "<") {
		value = "<" + value + ">" // none of it can be of the header
	}
	r := Route{value: value}
	var params Params
	if _, err := sipmsg.ParseAddressValue(value, &r.URI, &params); err != nil || r.URI.Host == "" {
		return Route{}, fmt.Errorf("%w: %q", errRoute, value)
	}
	_, ofURI := Param(r.URI.UriParams, "lr")
	_, ofHeader := Param(params, "lr")
	r.loose = ofURI || ofHeader
	return r, nil
}

// splitList yields the members of a comma list without blanks. Commas in quotes and
// in angle brackets are no separators.
func splitList(list string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		quoted, escaped, inside, from := false, false, false, 0
		for i := 0; i <= len(list); i++ {
			if i < len(list) && (list[i] != ',' || quoted || inside) {
				switch c := list[i]; {
				case escaped:
					escaped = false
				case quoted:
					escaped, quoted = c == '\\', c != '"'
				case c == '"':
					quoted = !inside
				case c == '<', c == '>':
					inside = c == '<'
				}
				continue
			}
			if value := strings.TrimSpace(list[from:i]); value != "" && !yield(value) {
				return
			}
			from = i + 1
		}
	}
}

// appendRoutes writes a route set, each hop as it came.
func appendRoutes(r *Request, routes []Route) {
	for _, hop := range routes {
		r.AppendHeader(NewHeader("Route", hop.value))
	}
}

// readsText are the headers whose text we want: the parser drops what stands behind
// the URI, and refuses a whole message for one that concerns nobody.
func readsText() sipmsg.ParserOption {
	parsers := maps.Clone(sipmsg.DefaultHeadersParser())
	for _, name := range [...]string{"route", "record-route", "refer-to", "referred-by"} {
		delete(parsers, name)
	}
	return sipmsg.WithHeadersParsers(parsers)
}
