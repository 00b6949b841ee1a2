package voice

import (
	"net/http"

	"github.com/offhook/offhook/internal/core"
)

// userSessions serves GET /v1/users/{id}/sessions: the browsers of a user that are
// connected now.
func (a *API) userSessions(w http.ResponseWriter, r *request) error {
	u, err := a.user(r)
	if err != nil {
		return err
	}
	sessions, err := a.cfg.Sessions.Sessions(r.Context(), core.UserID{App: r.app.ID, Name: u.Name})
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, a.wholeList(r, "sessions", jsonList(sessions, func(s Session) string {
		var p, user params
		p.text("id", s.ID)
		user.text("id", u.ID)
		user.text("name", u.Name)
		p.raw("_embedded", `{"user":`+user.json()+`}`)
		p.raw("properties", "{}")
		p.object("_links", link("self", a.ownBase(r.Request)+"/v1/sessions/"+s.ID))
		return p.json()
	}), len(sessions)))
	return nil
}

// endSession serves DELETE /v1/sessions/{id}. One that is not there is gone as
// wanted: applications wait for ever for any other answer.
func (a *API) endSession(w http.ResponseWriter, r *request) error {
	if err := a.cfg.Sessions.End(r.Context(), r.app.ID, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// wholeList shows a list that is one page.
func (a *API) wholeList(r *request, name, list string, n int) string {
	here := a.ownBase(r.Request) + r.URL.Path
	var p, embedded params
	p.number("page_size", int64(max(n, 1)))
	embedded.raw(name, list)
	p.object("_embedded", embedded)
	p.object("_links", append(link("first", here), link("self", here)...))
	return p.json()
}
