package sipedge

import (
	"errors"
	"fmt"
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
	// maxContacts bounds the registrations of one user.
	maxContacts = 20
)

// register serves REGISTER (RFC 3261 section 10.3). It runs on the connection's
// read loop and does no I/O but the answer.
func (e *Edge) register(tx *sip.ServerTx, req *sip.Request) {
	user, ok := e.authenticate(tx)
	if !ok {
		return
	}
	if aor := req.To().Address.User; unescape(aor) != user.Name {
		tx.Reply(403, "Not Your Address")
		return
	}
	adds, drops, err := e.contacts(tx, req, user)
	if err != nil {
		e.refuseRegister(tx, err)
		return
	}
	ch, err := e.bindings.update(user, adds, drops, maxContacts)
	if err != nil {
		e.refuseRegister(tx, err)
		return
	}
	e.report(ch)
	for _, b := range adds {
		e.returned(b)
	}
	res := tx.NewResponse(200, "OK")
	for _, b := range e.bindings.of(user) {
		left := max(1, int(time.Until(b.expires)/time.Second))
		res.AppendHeader(sip.NewHeader("Contact", fmt.Sprintf("<%s>%s;expires=%d", b.uri.String(), b.params, left)))
	}
	res.AppendHeader(sip.NewHeader("Date", time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")))
	tx.Respond(res)
}

var (
	errBrief   = errors.New("registration shorter than the least")
	errStar    = errors.New("contact * without Expires 0")
	errContact = errors.New("malformed contact")
)

func (e *Edge) refuseRegister(tx *sip.ServerTx, err error) {
	switch {
	case errors.Is(err, errBrief):
		tx.Reply(423, "", sip.NewHeader("Min-Expires", strconv.Itoa(minExpires)))
	case errors.Is(err, errOrder):
		tx.Reply(500, "CSeq Out Of Order", sip.NewHeader("Retry-After", "1"))
	case errors.Is(err, errTooMany):
		tx.Reply(403, "Too Many Registrations")
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
	for _, h := range req.GetHeaders("Contact") {
		if strings.TrimSpace(h.Value()) == "*" {
			if common != 0 {
				return nil, nil, errStar
			}
			return nil, e.all(user), nil
		}
		c, ok := h.(*sip.ContactHeader)
		if !ok {
			return nil, nil, errContact
		}
		b, expires, err := e.binding(tx, req, user, c, common)
		if err != nil {
			return nil, nil, err
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
func (e *Edge) all(user core.UserID) []*binding {
	var list []*binding
	for _, b := range e.bindings.of(user) {
		b.callID = "" // "*" is not subject to the order of one Call-ID
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
		user: user, uri: c.Address, flow: tx.Flow(), callID: callIDOf(req), cseq: req.CSeq().SeqNo,
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
	return b, expires, nil
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
	for _, l := range e.clients.find(func(c client) bool { return c.flow == f }) {
		l.strand.post(l.socketClosed)
	}
}

// expire drops registrations past their time, once a second until stop closes.
func (e *Edge) expire(stop <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case now := <-tick.C:
			e.report(change{gone: e.bindings.removeIf(func(b *binding) bool { return now.After(b.expires) })})
		}
	}
}
