package sip

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	typeNAPTR = dnsmessage.Type(35) // RFC 3403
	// naptrWait is how long a name server may take for NAPTR records, each of two times:
	// some do not answer for types that they do not know, and SRV records do as well.
	naptrWait = 500 * time.Millisecond
)

// DNS is a Resolver that also knows NAPTR records, which that of the standard library
// does not.
type DNS struct {
	*net.Resolver
	server string // asked for NAPTR records, "" for nobody
}

// NewDNS returns a resolver that asks the name server at an address, else what the
// system asks.
func NewDNS(server netip.AddrPort) *DNS {
	if !server.IsValid() {
		return &DNS{net.DefaultResolver, systemServer("/etc/resolv.conf")}
	}
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.String())
	}
	return &DNS{&net.Resolver{PreferGo: true, Dial: dial}, server.String()}
}

// systemServer returns the first name server of a resolv.conf(5), "" if there is none.
func systemServer(file string) string {
	text, err := os.ReadFile(file) //nolint:gosec // the system's own
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "nameserver" {
			return net.JoinHostPort(fields[1], "53")
		}
	}
	return ""
}

// naptr is one record: which service a name has where.
type naptr struct {
	order, preference uint16
	flags, service    string
	replacement       string
}

// errNotNAPTR is an answer that cannot be read.
var errNotNAPTR = errors.New("sip: malformed NAPTR answer")

// lookupNAPTR returns the records of a name in the order in which they are to be tried
// (RFC 3403 section 4.1).
func (d *DNS) lookupNAPTR(ctx context.Context, name string) ([]naptr, error) {
	if d.server == "" {
		return nil, nil
	}
	question, err := dnsmessage.NewName(strings.TrimSuffix(name, ".") + ".")
	if err != nil {
		return nil, fmt.Errorf("sip: NAPTR of %.60q: %w", name, err)
	}
	query := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: uint16(rand.Uint32()), RecursionDesired: true}, //nolint:gosec // a forger must hit our port, too
		Questions: []dnsmessage.Question{{Name: question, Type: typeNAPTR, Class: dnsmessage.ClassINET}},
	}
	packed, err := query.Pack()
	if err != nil {
		return nil, err
	}
	for range 2 {
		var list []naptr
		if list, err = d.ask(ctx, packed, query.ID); err == nil {
			return list, nil
		}
	}
	return nil, err
}

// ask sends a query and reads the answer to it.
func (d *DNS) ask(ctx context.Context, query []byte, id uint16) ([]naptr, error) {
	ctx, cancel := context.WithTimeout(ctx, naptrWait)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "udp", d.server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline) // a socket of ours
	}
	if _, err := conn.Write(query); err != nil {
		return nil, err
	}
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return nil, err
		}
		if n > 2 && binary.BigEndian.Uint16(buf) == id {
			return readNAPTR(buf[:n])
		}
	}
}

// readNAPTR reads the records of an answer.
func readNAPTR(answer []byte) (list []naptr, err error) {
	var p dnsmessage.Parser
	if _, err := p.Start(answer); err != nil {
		return nil, err
	}
	if err := p.SkipAllQuestions(); err != nil {
		return nil, err
	}
	for {
		h, err := p.AnswerHeader()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			break
		}
		if err != nil {
			return nil, err
		}
		if h.Type != typeNAPTR {
			if err := p.SkipAnswer(); err != nil {
				return nil, err
			}
			continue
		}
		body, err := p.UnknownResource()
		if err != nil {
			return nil, err
		}
		r, ok := parseNAPTR(body.Data)
		if !ok {
			return nil, errNotNAPTR
		}
		list = append(list, r)
	}
	slices.SortStableFunc(list, func(a, b naptr) int {
		return int(a.order)<<16 + int(a.preference) - int(b.order)<<16 - int(b.preference)
	})
	return list, nil
}

// parseNAPTR reads the data of one record; its name is not compressed (RFC 3597
// section 4).
func parseNAPTR(data []byte) (r naptr, ok bool) {
	if len(data) < 4 {
		return r, false
	}
	r.order, r.preference = binary.BigEndian.Uint16(data), binary.BigEndian.Uint16(data[2:])
	rest := data[4:]
	text := func() string {
		if len(rest) == 0 || len(rest) < 1+int(rest[0]) {
			rest, ok = nil, false
			return ""
		}
		s := string(rest[1 : 1+rest[0]])
		rest = rest[1+rest[0]:]
		return s
	}
	ok = true
	r.flags, r.service = strings.ToLower(text()), strings.ToUpper(text())
	text() // the regular expression, which SIP does not use
	var labels []string
	for label := text(); label != ""; label = text() {
		labels = append(labels, label)
	}
	r.replacement = strings.Join(labels, ".")
	return r, ok
}
