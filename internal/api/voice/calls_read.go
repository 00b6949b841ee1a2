package voice

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// getCall serves GET /v1/calls/{uuid}.
func (a *API) getCall(w http.ResponseWriter, r *request) error {
	it, ok := a.legs.get(r.app.ID, r.leg())
	if ok {
		writeJSON(w, http.StatusOK, liveCallBody(it).json())
		return nil
	}
	cdr, err := a.cfg.Calls.AppLeg(r.Context(), r.app.ID, r.leg())
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, callBody(cdr).json())
	return nil
}

// liveCallBody shows a leg that lives.
func liveCallBody(it leg) params {
	return callBody(core.CDR{
		Leg: it.Leg, Call: it.Call, Edge: it.Edge, Direction: it.Direction, From: it.From, To: it.To,
		Begun: it.begun, Answered: it.answered, Status: it.status,
	})
}

// callBody shows a leg.
func callBody(c core.CDR) params {
	var p params
	p.object("_links", link("self", "/v1/calls/"+string(c.Leg)))
	p.text("uuid", string(c.Leg))
	p.text("conversation_uuid", conversation(c.Call))
	p.object("to", partyBody(c.To, c.Edge))
	p.object("from", partyBody(c.From, c.Edge))
	p.text("status", c.Status)
	p.text("direction", c.Direction.String())
	if c.Ended.IsZero() {
		return p
	}
	p.optionalTime("start_time", c.Answered)
	p.time("end_time", c.Ended)
	p.text("duration", duration(c.Talk))
	p.text("rate", noMoney)
	p.text("price", noMoney)
	p.text("network", "")
	return p
}

// partyBody shows a party as an endpoint.
func partyBody(party core.Party, edge core.Edge) params {
	var p params
	switch {
	case isAppUser(party):
		p.text("type", "app")
		p.text("user", party.User.Name)
	case isSIP(party.Number):
		p.text("type", "sip")
		p.text("uri", party.Number)
	case edge == core.EdgeSocket && isURL(party.Number, "ws", "wss"):
		p.text("type", "websocket")
		p.text("uri", party.Number)
	case party.User.App == "" && party.User.Name != "" && party.Number == "":
		p.text("type", "vbc")
		p.text("extension", party.User.Name)
	default:
		p.text("type", "phone")
		p.text("number", partyText(party))
	}
	return p
}

// link is a member of _links.
func link(name, href string) params {
	var p, l params
	l.text("href", href)
	p.object(name, l)
	return p
}

// listCalls serves GET /v1/calls.
func (a *API) listCalls(w http.ResponseWriter, r *request) error {
	q, err := callQuery(r)
	if err != nil {
		return err
	}
	list, total, err := a.cfg.Calls.AppLegs(r.Context(), q)
	if err != nil {
		return err
	}
	var p, links, embedded params
	p.number("count", int64(total))
	p.number("page_size", int64(q.Limit))
	p.number("record_index", int64(q.Offset))
	page := func(offset int) string { return callsPath(r.URL.Query(), q.Limit, offset) }
	links = append(links, link("self", page(q.Offset))...)
	links = append(links, link("first", page(0))...)
	links = append(links, link("last", page(max(0, (total-1)/q.Limit*q.Limit)))...)
	if q.Offset+len(list) < total && len(list) > 0 {
		// The SDK for Node reads record_index out of this one, as an absolute URL.
		links = append(links, link("next", a.ownBase(r.Request)+page(q.Offset+q.Limit))...)
	}
	if q.Offset > 0 {
		links = append(links, link("prev", page(max(0, q.Offset-q.Limit)))...)
	}
	p.object("_links", links)
	embedded.raw("calls", jsonList(list, func(c core.CDR) string { return callBody(c).json() }))
	p.object("_embedded", embedded)
	writeJSON(w, http.StatusOK, p.json())
	return nil
}

// jsonList writes a list.
func jsonList[T any](list []T, one func(T) string) string {
	out := []byte{'['}
	for i, v := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, one(v)...)
	}
	return string(append(out, ']'))
}

// callsPath is a page of the list with the filters of the request.
func callsPath(query url.Values, size, offset int) string {
	q := make(url.Values)
	for _, name := range []string{"status", "date_start", "date_end", "order", "conversation_uuid"} {
		if v := query.Get(name); v != "" {
			q.Set(name, v)
		}
	}
	q.Set("page_size", strconv.Itoa(size))
	q.Set("record_index", strconv.Itoa(offset))
	return "/v1/calls?" + q.Encode()
}

// callQuery reads which legs are wanted.
func callQuery(r *request) (core.AppLegQuery, error) {
	query := r.URL.Query()
	q := core.AppLegQuery{App: r.app.ID, Status: strings.ToLower(query.Get("status")), Call: callID(query.Get("conversation_uuid"))}
	if q.Status != "" && !slices.Contains(filterStatuses(), q.Status) {
		return q, &mistake{name: "status", reason: "is not a status of a call"}
	}
	var err error
	if q.Limit, err = queryInt(query, "page_size", 10, 1, 100); err != nil {
		return q, err
	}
	if q.Offset, err = queryInt(query, "record_index", 0, 0, 1<<31-1); err != nil {
		return q, err
	}
	if q.Since, err = queryTime(query, "date_start"); err != nil {
		return q, err
	}
	if q.Until, err = queryTime(query, "date_end"); err != nil {
		return q, err
	}
	q.Desc, err = queryDesc(query)
	return q, err
}

func queryDesc(query url.Values) (bool, error) {
	switch query.Get("order") {
	case "", "asc", "ASC":
		return false, nil
	case "desc", "DESC":
		return true, nil
	}
	return false, &mistake{name: "order", reason: "must be asc or desc"}
}

func queryInt(query url.Values, name string, byDefault, low, high int) (int, error) {
	text := query.Get(name)
	if text == "" {
		return byDefault, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, &mistake{name: name, reason: "must be an integer between " + strconv.Itoa(low) + " and " + strconv.Itoa(high)}
	}
	return n, nil
}

func queryTime(query url.Values, name string) (time.Time, error) {
	text := query.Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	if day, rest, ok := strings.Cut(text, "T"); ok {
		text = day + "T" + strings.ReplaceAll(rest, " ", "+") // a plus sign that was not escaped
	}
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05-0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly,
	} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, &mistake{name: name, reason: "must be a time such as 2026-01-31T08:00:00Z"}
}

// ownBase is our address as the client knows it. Where that is the one that we know of
// ourselves, its scheme counts: a proxy may have taken the TLS off.
func (a *API) ownBase(r *http.Request) string {
	base := a.cfg.Base()
	if own, err := url.Parse(base); r.Host == "" || err == nil && strings.EqualFold(own.Host, r.Host) {
		return base
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
