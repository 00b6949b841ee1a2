package voice

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/offhook/offhook/internal/core"
)

// Extensions serves what applications may do of /api/v1 with tokens of their own,
// PUT hear and supervise of their own calls, and leaves the rest, and every other
// token, to next.
func (a *API) Extensions(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("PUT /api/v1/calls/{call}/hear", a.serve(methods{http.MethodPut: a.hear}))
	mux.Handle("PUT /api/v1/calls/{call}/supervise", a.serve(methods{http.MethodPut: a.supervise}))
	mux.Handle("/", next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ofApplication(r.Header.Get("Authorization")) {
			mux.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ofApplication says whether a token claims to be an application's own. Whether it
// is, is checked by who serves it.
func ofApplication(authorization string) bool {
	parts := strings.Split(authorization, ".")
	if len(parts) != 3 {
		return false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return false
	}
	var claims struct {
		App     string `json:"application_id"`
		Subject string `json:"sub"`
	}
	return json.Unmarshal(payload, &claims) == nil && claims.App != "" && claims.Subject == ""
}

// call is the call in the path, as applications or as we name it, if a leg of the
// application is in it.
func (a *API) call(r *request) (core.CallID, error) {
	id := callID(r.PathValue("call"))
	if !a.legs.inCall(r.app.ID, id) {
		return "", notFound()
	}
	return id, nil
}

// maxPairs bounds the pairs of one request.
const maxPairs = 100

// hear serves PUT /api/v1/calls/{call}/hear.
func (a *API) hear(w http.ResponseWriter, r *request) error {
	body, err := r.body(w)
	if err != nil {
		return err
	}
	id, err := a.call(r)
	if err != nil {
		return err
	}
	order := core.SetHear{Call: id}
	pairs, _ := body.list("pairs")
	if len(pairs) == 0 || len(pairs) > maxPairs {
		return &mistake{name: "pairs", reason: "must be a list of 1 to 100 pairs"}
	}
	for _, text := range pairs {
		o := newObject(text, "pairs", body.wrong)
		order.Pairs = append(order.Pairs, core.HearPair{
			From: core.LegID(o.needText(64, "from")), To: core.LegID(o.needText(64, "to")), Hears: o.truth("hears", false),
		})
		if !o.has("hears") {
			o.fail("hears", "is required")
		}
	}
	if err := body.err(); err != nil {
		return err
	}
	if err := a.order(r, order); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// supervise serves PUT /api/v1/calls/{call}/supervise: a leg of the application that
// has nothing else to do, or who is rung for it, hears a call of the application and
// is heard as the mode says.
func (a *API) supervise(w http.ResponseWriter, r *request) error {
	body, err := r.body(w)
	if err != nil {
		return err
	}
	id, err := a.call(r)
	if err != nil {
		return err
	}
	modes := map[string]core.SuperviseMode{"monitor": core.Monitor, "whisper": core.Whisper, "barge": core.Barge}
	order := core.SuperviseCall{
		Call: id, Leg: core.LegID(body.text("leg")), To: body.text("to"), Target: core.LegID(body.text("target")),
		Mode: modes[body.word("mode", "", "monitor", "whisper", "barge")],
	}
	switch {
	case (order.Leg == "") == (order.To == ""):
		body.fail("leg", "or to is required, and not both")
	case order.To != "" && order.Target == "":
		body.fail("target", "is required with to")
	}
	if order.Mode == 0 {
		body.fail("mode", "must be one of monitor, whisper, barge")
	}
	if err := body.err(); err != nil {
		return err
	}
	reply, err := a.ask(r, core.OfApp{App: r.app.ID, Do: order})
	if err != nil {
		return err
	}
	var p params
	p.text("call", string(reply.Call))
	writeJSON(w, http.StatusOK, p.json())
	return nil
}
