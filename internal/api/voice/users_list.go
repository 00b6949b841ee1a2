package voice

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/offhook/offhook/internal/core"
)

// A cursor is "n" or "p" and the identifier of a user: the page behind it or before
// it. Clients pass it on as it is.

// cursor is where a page of users begins.
type cursor struct {
	user string // "" is the first page
	back bool   // the page before
}

func (c cursor) String() string {
	if c.user == "" {
		return ""
	}
	mark := "n"
	if c.back {
		mark = "p"
	}
	return base64.RawURLEncoding.EncodeToString([]byte(mark + c.user))
}

func parseCursor(text string) (cursor, error) {
	if text == "" {
		return cursor{}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) < 2 || raw[0] != 'n' && raw[0] != 'p' {
		return cursor{}, &mistake{name: "cursor", reason: "is not one of ours"}
	}
	return cursor{user: string(raw[1:]), back: raw[0] == 'p'}, nil
}

// userPage is a page of users, in the order asked for.
type userPage struct {
	users      []core.AppUser
	next, prev cursor
}

// listUsers serves GET /v1/users. Its older forms answer 404 where nobody has the
// name.
func (a *API) listUsers(w http.ResponseWriter, r *request) error {
	query := r.URL.Query()
	size, err := queryInt(query, "page_size", 10, 1, 100)
	if err != nil {
		return err
	}
	desc, err := queryDesc(query)
	if err != nil {
		return err
	}
	at, err := parseCursor(query.Get("cursor"))
	if err != nil {
		return err
	}
	page, err := a.userPage(r.Context(), core.AppUserQuery{App: r.app.ID, Name: query.Get("name"), Limit: size, Desc: desc}, at)
	if err != nil {
		return err
	}
	if query.Get("name") != "" && len(page.users) == 0 && !strings.HasPrefix(r.URL.Path, "/v1/") {
		return noUser()
	}
	writeJSON(w, http.StatusOK, a.usersBody(r, page, size))
	return nil
}

// userPage reads a page, and whether there are others around it.
func (a *API) userPage(ctx context.Context, q core.AppUserQuery, at cursor) (userPage, error) {
	size := q.Limit
	q.After, q.Limit = at.user, size+1 // one more tells whether there is another page
	if at.back {
		q.Desc = !q.Desc
	}
	users, err := a.cfg.Users.AppUsers(ctx, q)
	if err != nil {
		return userPage{}, err
	}
	more := len(users) > size
	page := userPage{users: users[:min(size, len(users))]}
	if at.back {
		slices.Reverse(page.users)
	}
	if len(page.users) == 0 {
		return page, nil
	}
	first, last := page.users[0].ID, page.users[len(page.users)-1].ID
	if more || at.back {
		page.next = cursor{user: last}
	}
	if at.user != "" && (more || !at.back) {
		page.prev = cursor{user: first, back: true}
	}
	return page, nil
}

// usersBody shows a page of users.
func (a *API) usersBody(r *request, page userPage, size int) string {
	href := func(c cursor) string {
		q := url.Values{"page_size": {strconv.Itoa(size)}}
		for _, name := range []string{"order", "name"} {
			if v := r.URL.Query().Get(name); v != "" {
				q.Set(name, v)
			}
		}
		if c.user != "" {
			q.Set("cursor", c.String())
		}
		return a.ownBase(r.Request) + r.URL.Path + "?" + q.Encode()
	}
	self, _ := parseCursor(r.URL.Query().Get("cursor")) // listUsers has checked it
	links := append(link("first", href(cursor{})), link("self", href(self))...)
	if page.next.user != "" {
		links = append(links, link("next", href(page.next))...)
	}
	if page.prev.user != "" {
		links = append(links, link("prev", href(page.prev))...)
	}
	var p, embedded params
	p.number("page_size", int64(size))
	embedded.raw("users", jsonList(page.users, func(u core.AppUser) string { return a.userBody(r, u) }))
	p.object("_embedded", embedded)
	p.object("_links", links)
	return p.json()
}
