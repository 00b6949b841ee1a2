package sipedge

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// Registration times, in seconds. Browsers ask for 300 or 600, phones for 60 to
// 3600; below the floor a phone costs more than it is worth.
const (
	minExpires     = 30
	maxExpires     = 3600
	defaultExpires = 600
	// maxContacts bounds the registrations of one user, unless Config says so.
	maxContacts = 20
	// maxPath bounds the proxies on the way to a phone.
	maxPath = 8
	// flowTimer is what clients with flows are told, in seconds: they send keep-alives
	// a little more often (RFC 5626 section 4.4).
	flowTimer = 120
)

// register serves REGISTER (RFC 3261 section 10.3). It runs on the connection's
// read loop and does no I/O but the answer.
func (e *Edge) register(tx *sip.ServerTx, req *sip.Request) {
	user, ok := e.authenticate(tx)
	if !ok {
		return
	}
	if userOf(req.To().Address) != user.Name || user.App != "" { // accounts only call
		tx.Reply(403, "Not Your Address")
		return
	}
	adds, drops, err := e.contacts(tx, req, user)
	if err != nil {
		e.refuseRegister(tx, err)
		return
	}
	ch, err := e.bindings.update(user, adds, drops, e.cfg.MaxContacts)
	if err != nil {
		e.refuseRegister(tx, err)
		return
	}
	e.report(ch)
	for _, a := range ch.arrived {
		e.returned(a)
	}
	res := tx.NewResponse(200, "OK")
	for _, b := range e.bindings.of(user) {
		left := max(1, int((time.Until(b.expires)+time.Second-1)/time.Second)) // just granted is what was granted
		res.AppendHeader(sip.NewHeader("Contact", "<"+b.uri.String()+">"+b.params+";expires="+strconv.Itoa(left)))
	}
	for _, v := range sip.HeaderValues(req, "Path") {
		res.AppendHeader(sip.NewHeader("Path", v))
	}
	if slices.ContainsFunc(adds, func(b *binding) bool { return b.regID != "" }) && sip.HasToken(req, "Supported", "outbound") {
		res.AppendHeader(sip.NewHeader("Require", "outbound"))
		res.AppendHeader(sip.NewHeader("Flow-Timer", strconv.Itoa(flowTimer)))
	}
	res.AppendHeader(sip.NewHeader("Date", time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")))
	tx.Respond(res)
}

var (
	errBrief   = errors.New("registration shorter than the least")
	errStar    = errors.New("contact * without Expires 0")
	errContact = errors.New("malformed contact")
	errPath    = errors.New("malformed path")
	// errHop is a flow through a proxy that cannot keep it (RFC 5626 section 6).
	errHop = errors.New("first hop lacks outbound support")
)

func (e *Edge) refuseRegister(tx *sip.ServerTx, err error) {
	switch {
	case errors.Is(err, errBrief):
		tx.Reply(423, "", sip.NewHeader("Min-Expires", strconv.Itoa(minExpires)))
	case errors.Is(err, errOrder):
		tx.Reply(500, "CSeq Out Of Order", sip.NewHeader("Retry-After", "1"))
	case errors.Is(err, errTooMany):
		tx.Reply(403, "Too Many Registrations")
	case errors.Is(err, errHop):
		tx.Reply(439, "")
	case errors.Is(err, errPath):
		tx.Reply(400, "Malformed Path")
	case errors.Is(err, errStar):
		tx.Reply(400, "Contact * Needs Expires 0")
	default:
		tx.Reply(400, "Malformed Contact")
	}
}

// contacts turns the Contact headers of a REGISTER into registrations to add and
// to drop. Both are empty for a query.
func (e *Edge) contacts(tx *sip.ServerTx, req *sip.Request, user core.UserID) (adds, drops []*binding, err error) {
	common := headerExpires(req)
	path, err := pathOf(req)
	if err != nil {
		return nil, nil, err
	}
	list := req.GetHeaders("Contact")
	for _, h := range list {
		if strings.TrimSpace(h.Value()) == "*" {
			if common != 0 || len(list) > 1 {
				return nil, nil, errStar
			}
			return nil, e.all(user, req), nil
		}
		c, ok := h.(*sip.ContactHeader)
		if !ok {
			return nil, nil, errContact
		}
		b, expires, err := e.binding(tx, req, user, c, common)
		if err != nil {
			return nil, nil, err
		}
		if b.path = path; b.regID != "" && !keepsFlow(req, path) {
			return nil, nil, errHop
		}
		if expires == 0 {
			drops = append(drops, b)
		} else {
			adds = append(adds, b)
		}
	}
	return adds, drops, nil
}

// all returns the user's registrations as if they were to be dropped by name.
func (e *Edge) all(user core.UserID, req *sip.Request) []*binding {
	var list []*binding
	for _, b := range e.bindings.of(user) {
		b.callID, b.cseq = callIDOf(req), req.CSeq().SeqNo
		list = append(list, &b)
	}
	return list
}

func (e *Edge) binding(tx *sip.ServerTx, req *sip.Request, user core.UserID, c *sip.ContactHeader, expires int) (*binding, int, error) {
	if v, ok := sip.Param(c.Params, "expires"); ok {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			n = defaultExpires // RFC 3261 section 10.3 step 6: a malformed value counts as none
		}
		expires = n
	}
	if c.Address.Host == "" {
		return nil, 0, errContact
	}
	if expires > 0 && expires < minExpires {
		return nil, 0, errBrief
	}
	expires = min(expires, maxExpires)
	b := &binding{
		user: user, uri: c.Address, flow: e.flowTo(tx, req, c), callID: callIDOf(req), cseq: req.CSeq().SeqNo,
		expires: time.Now().Add(time.Duration(expires) * time.Second), device: sip.HeaderValue(req, "User-Agent"),
	}
	if v, ok := sip.Param(c.Params, "+sip.instance"); ok {
		b.instance = v
		b.params = `;+sip.instance="` + v + `"`
		if id, ok := sip.Param(c.Params, "reg-id"); ok {
			b.regID = id
			b.params += ";reg-id=" + id
		}
	}
	b.q = 1
	if v, ok := sip.Param(c.Params, "q"); ok {
		if q, err := strconv.ParseFloat(v, 64); err == nil && q >= 0 && q <= 1 {
			b.q = q
			b.params += ";q=" + v
		}
	}
	return b, expires, nil
}

// flowTo returns the way to a Contact: the one that its REGISTER came, unless the phone
// asked for calls elsewhere and nothing says that it sits behind a NAT. A trunk's host
// is no such place: calls to the user would go out there as calls of ours.
func (e *Edge) flowTo(tx *sip.ServerTx, req *sip.Request, c *sip.ContactHeader) sip.Flow {
	_, outbound := sip.Param(c.Params, "reg-id")
	if outbound || e.trunks.Load().reach(c.Address) || sip.HeaderValue(req, "Path") != "" {
		return tx.Flow()
	}
	return tx.Flow().Towards(req, c.Address)
}

// pathOf reads the proxies that a REGISTER came through and wants on the way back
// (RFC 3327 section 5.3).
func pathOf(req *sip.Request) ([]sip.Route, error) {
	path, err := sip.ParseRoutes(req, "Path")
	if err != nil || len(path) > maxPath {
		return nil, errPath
	}
	return path, nil
}

// keepsFlow reports whether a client that asks for flows reached us itself, or by a
// proxy that says it keeps its flow.
func keepsFlow(req *sip.Request, path []sip.Route) bool {
	if len(sip.HeaderValues(req, "Via")) == 1 || !sip.HasToken(req, "Supported", "outbound") {
		return true
	}
	if len(path) == 0 {
		return false
	}
	_, ok := sip.Param(path[len(path)-1].URI.UriParams, "ob")
	return ok
}

// headerExpires returns the Expires header in seconds, or the default.
func headerExpires(req *sip.Request) int {
	n, err := strconv.Atoi(strings.TrimSpace(sip.HeaderValue(req, "Expires")))
	if err != nil || n < 0 {
		return defaultExpires
	}
	return n
}

// report tells the exchange what became of registrations.
func (e *Edge) report(ch change) {
	for _, c := range ch.up {
		e.post(core.ContactUp{Contact: c})
	}
	for _, id := range ch.gone {
		e.post(core.ContactGone{ID: id})
	}
}

// flowClosed drops the registrations that came over a connection which ended:
// nobody can be reached there any more (RFC 5626 section 5.3). Legs are told.
func (e *Edge) flowClosed(f sip.Flow) {
	e.registrations.flowClosed(f)
	e.report(change{gone: e.bindings.removeIf(func(b *binding) bool { return b.flow == f })})
	for _, l := range e.clients.on(f) {
		l.strand.post(l.socketClosed)
	}
}

// otherFlow rings the phone down another flow of its registration, because the one
// in use is dead, and reports whether it has one. A flow that a proxy on the way
// called dead (430) is dropped, as a connection that closes is (RFC 5626 section 5.3).
func (l *leg) otherFlow(drop bool) bool {
	if l.contact == "" || l.follows == maxFollows {
		return false
	}
	dead := l.sent.Flow
	if drop {
		l.edge.report(change{gone: l.edge.bindings.removeIf(func(b *binding) bool { return b.id == l.contact && b.flow == dead })})
	}
	b, ok := l.edge.bindings.get(l.contact)
	if !ok || b.flow == dead {
		return false
	}
	l.follows++
	l.log.Info("flow is dead, another is tried", "dead", dead.String(), "flow", b.flow.String())
	l.met(clientAt(&b))
	next := l.sent
	next.Flow, next.RequestURI, next.Route = b.flow, b.uri, b.path
	l.send(next)
	return true
}

// expire drops registrations past their time, once a second until stop closes,
// and goroutines without work.
func (e *Edge) expire(stop <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case now := <-tick.C:
			e.report(change{gone: e.bindings.removeIf(func(b *binding) bool { return now.After(b.expires) })})
			e.crew.thin()
		}
	}
}
