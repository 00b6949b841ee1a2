package voice

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/offhook/offhook/internal/core"
)

// userErrors is where the errors of users are documented.
const userErrors = "https://developer.vonage.com/api/conversation#user:error:"

// userRoutes are the paths of users and of what they have.
func (a *API) userRoutes(handle func(string, methods)) {
	for _, v := range []string{"/v0.3", "/v1"} {
		handle(v+"/users", methods{http.MethodGet: a.listUsers, http.MethodPost: a.createUser})
		handle(v+"/users/{id}", methods{
			http.MethodGet: a.getUser, http.MethodPatch: a.changeUser, http.MethodDelete: a.deleteUser,
		})
		handle(v+"/sessions/{id}", methods{http.MethodDelete: a.endSession})
	}
	handle("/v1/users/{id}/sessions", methods{http.MethodGet: a.userSessions})
	handle("/v1/users/{id}/conversations", methods{http.MethodGet: a.userConversations})
	a.conversationRoutes(handle)
}

func noUser() *failure {
	return problem(http.StatusNotFound, userErrors+"not-found", "Not found.", "User does not exist, or you do not have access.")
}

// user finds the user in the path.
func (a *API) user(r *request) (core.AppUser, error) {
	u, err := a.cfg.Users.AppUser(r.Context(), r.app.ID, r.PathValue("id"))
	if err != nil && core.KindOf(err) == core.NotFound {
		return u, noUser()
	}
	return u, err
}

// getUser serves GET /v1/users/{id}. The identifier may be the name.
func (a *API) getUser(w http.ResponseWriter, r *request) error {
	u, err := a.user(r)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, a.userBody(r, u))
	return nil
}

// userBody shows a user.
func (a *API) userBody(r *request, u core.AppUser) string {
	var p params
	p.text("id", u.ID)
	p.text("name", u.Name)
	p.text("display_name", u.DisplayName)
	if u.ImageURL != "" {
		p.text("image_url", u.ImageURL)
	}
	properties := u.Properties
	if properties == "" {
		properties = "{}"
	}
	p.raw("properties", properties)
	p.raw("channels", "{}")
	p.object("_links", link("self", a.ownBase(r.Request)+"/v1/users/"+url.PathEscape(u.ID)))
	return p.json()
}

// readUser reads the fields of a user that are given.
func readUser(o object, u core.AppUser) core.AppUser {
	for _, f := range []struct {
		name  string
		limit int
		to    *string
	}{{"name", 128, &u.Name}, {"displayName", maxName, &u.DisplayName}, {"imageUrl", maxURL, &u.ImageURL}} {
		if o.has(f.name) {
			*f.to = o.text(f.name)
		}
		if len(*f.to) > f.limit {
			o.fail(f.name, "is longer than "+strconv.Itoa(f.limit)+" characters")
		}
	}
	if o.has("properties") {
		u.Properties = o.payload("properties", 16<<10)
	}
	return u
}

// createUser serves POST /v1/users.
func (a *API) createUser(w http.ResponseWriter, r *request) error {
	body, err := r.body(w)
	if err != nil {
		return err
	}
	u := readUser(body, core.AppUser{App: r.app.ID})
	if u.Name == "" {
		u.Name = "NAM-" + string(newLegID())
	}
	if err := body.err(); err != nil {
		return err
	}
	u, err = a.cfg.Users.CreateAppUser(r.Context(), u)
	if err != nil {
		return userFailure(err)
	}
	writeJSON(w, http.StatusCreated, a.userBody(r, u))
	return nil
}

// userFailure says that a name is taken, or a user gone.
func userFailure(err error) error {
	switch core.KindOf(err) {
	case core.Conflict:
		return problem(http.StatusConflict, userErrors+"duplicate-name", "Bad request.", "The name is taken.")
	case core.NotFound:
		return noUser()
	default:
		return err
	}
}

// changeUser serves PATCH /v1/users/{id}.
func (a *API) changeUser(w http.ResponseWriter, r *request) error {
	body, err := r.body(w)
	if err != nil {
		return err
	}
	u, err := a.user(r)
	if err != nil {
		return err
	}
	u = readUser(body, u)
	if u.Name == "" {
		body.fail("name", "is required")
	}
	if err := body.err(); err != nil {
		return err
	}
	if err := a.cfg.Users.ReplaceAppUser(r.Context(), u); err != nil {
		return userFailure(err)
	}
	writeJSON(w, http.StatusOK, a.userBody(r, u))
	return nil
}

// deleteUser serves DELETE /v1/users/{id}.
func (a *API) deleteUser(w http.ResponseWriter, r *request) error {
	u, err := a.user(r)
	if err != nil {
		return err
	}
	if err := a.cfg.Users.DeleteAppUser(r.Context(), r.app.ID, u.ID); err != nil {
		return userFailure(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
