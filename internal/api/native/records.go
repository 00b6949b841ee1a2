package native

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/offhook/offhook/internal/core"
)

// Party is who was at one end of a leg.
type Party struct {
	User   string `json:"user,omitempty"`
	Trunk  string `json:"trunk,omitempty"`
	Number string `json:"number,omitempty"`
	Name   string `json:"name,omitempty" doc:"As shown; made up by whom it names."`
}

// Record is a call detail record, one of each leg.
type Record struct {
	Leg       core.LegID  `json:"leg"`
	Call      core.CallID `json:"call"`
	Edge      string      `json:"edge" enum:"sip,browser,websocket,loop,none"`
	Direction string      `json:"direction" enum:"inbound,outbound,"`
	From      Party       `json:"from"`
	To        Party       `json:"to"`
	Begun     time.Time   `json:"begun"`
	Answered  *time.Time  `json:"answered,omitempty"`
	Ended     *time.Time  `json:"ended,omitempty" doc:"Left out while the leg lives."`
	Talk      float64     `json:"talk_seconds" minimum:"0"`
	Cause     int         `json:"cause" minimum:"0" maximum:"127" doc:"Q.850; 0 while the leg lives."`
	Reason    string      `json:"reason" doc:"Why we ended it, where the cause does not say."`
	Code      int         `json:"code,omitempty" doc:"SIP status that ended an unanswered leg."`
	Cut       bool        `json:"interrupted,omitempty" doc:"The program was killed while the leg lived."`

	Silence   core.Silence `json:"silence,omitempty" doc:"Why its party was not heard when it was silent last: no_rtp, stopped, source_blocked, wrong_payload_type, malformed, srtp_failed, no_ice, no_dtls, no_consent."`
	Diagnosis string       `json:"diagnosis,omitempty" doc:"The same for people, with addresses and counts."`
	Quality   *Quality     `json:"quality,omitempty" doc:"How its audio fared; after its end."`
}

type (
	recordsIn struct {
		Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		Cursor string `query:"cursor" maxLength:"200" doc:"The field next of the page before."`
		User   string `query:"user" maxLength:"200" doc:"Only legs to or from this user."`
	}
	recordsOut struct {
		Body struct {
			Items []Record `json:"items" nullable:"false" doc:"The newest first."`
			Next  string   `json:"next,omitempty" doc:"Cursor of the next page; left out on the last."`
		}
	}
	byLeg struct {
		Leg core.LegID `path:"leg" maxLength:"64"`
	}
)

// records registers what reads call detail records.
func (a *API) records(h huma.API) {
	huma.Register(h, operation("list-cdrs", http.MethodGet, "/api/v1/cdrs", "Read call detail records, page by page", http.StatusUnprocessableEntity), a.listRecords)
	huma.Register(h, operation("get-cdr", http.MethodGet, "/api/v1/cdrs/{leg}", "Read the record of one leg", http.StatusNotFound),
		func(ctx context.Context, in *byLeg) (*oneOf[Record], error) {
			r, err := a.cfg.Store.CDR(ctx, in.Leg)
			if err != nil {
				return nil, a.problem(ctx, err)
			}
			return &oneOf[Record]{toRecord(r)}, nil
		})
}

func (a *API) listRecords(ctx context.Context, in *recordsIn) (*recordsOut, error) {
	q := core.CDRQuery{Limit: in.Limit + 1, User: core.ParseUserID(in.User)} // one more says whether there is a next page
	if in.Cursor != "" {
		var err error
		if q.BeforeTime, q.BeforeLeg, err = parseCursor(in.Cursor); err != nil {
			return nil, huma.Error422UnprocessableEntity("validation failed", &huma.ErrorDetail{Location: "query.cursor", Message: err.Error()})
		}
	}
	q.Limit = min(q.Limit, 1000)
	page, err := a.cfg.Store.CDRs(ctx, q)
	if err != nil {
		return nil, a.problem(ctx, err)
	}
	out := &recordsOut{}
	if full := len(page) == q.Limit; full && len(page) > 1 {
		page = page[:len(page)-1]
		last := page[len(page)-1]
		out.Body.Next = formatCursor(last.Begun, last.Leg)
	}
	out.Body.Items = make([]Record, len(page))
	for i, r := range page {
		out.Body.Items[i] = toRecord(r)
	}
	return out, nil
}

// formatCursor names a place between two records.
func formatCursor(begun time.Time, leg core.LegID) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d:%s", begun.UnixMicro(), leg))
}

func parseCursor(text string) (time.Time, core.LegID, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	at, leg, ok := strings.Cut(string(raw), ":")
	us, numberErr := strconv.ParseInt(at, 10, 64)
	if err != nil || !ok || numberErr != nil {
		return time.Time{}, "", fmt.Errorf("not a cursor of ours")
	}
	return time.UnixMicro(us), core.LegID(leg), nil
}

func toRecord(r core.CDR) Record {
	return Record{
		Leg: r.Leg, Call: r.Call, Edge: r.Edge.String(), Direction: r.Direction.String(), From: toParty(r.From), To: toParty(r.To),
		Begun: r.Begun.UTC(), Answered: orNil(r.Answered), Ended: orNil(r.Ended), Talk: r.Talk.Seconds(),
		Cause: int(r.Cause), Reason: r.Reason.String(), Code: r.Code, Cut: r.Interrupted,
		Silence: r.Silence, Diagnosis: r.Diagnosis, Quality: toQuality(r.Quality),
	}
}

func toParty(p core.Party) Party {
	return Party{User: p.User.String(), Trunk: p.Trunk, Number: p.Number, Name: p.Name}
}

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
