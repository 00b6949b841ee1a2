package voice

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/offhook/offhook/internal/core"
)

// Conversations are calls that live, as far as legs of the application are in them,
// and members are those legs. They are made and left by calls only; nothing is kept
// of them when they are over, and no events.

// conversationRoutes are their paths.
func (a *API) conversationRoutes(handle func(string, methods)) {
	get := func(f endpointFunc) methods { return methods{http.MethodGet: f} }
	handle("/v1/conversations", get(a.listConversations))
	handle("/v1/conversations/{id}", get(a.getConversation))
	handle("/v1/conversations/{id}/members", get(a.listMembers))
	handle("/v1/conversations/{id}/members/{member}", get(a.getMember))
	handle("/v1/conversations/{id}/events", get(a.listEvents))
	handle("/v1/conversations/{id}/events/{event}", get(func(http.ResponseWriter, *request) error { return noConversation() }))
}

func noConversation() *failure {
	return problem(http.StatusNotFound, "https://developer.vonage.com/api/conversation#conversation:error:not-found",
		"Not found.", "Conversation does not exist, or you do not have access.")
}

// living returns the legs of an application that choose takes, by when they began.
func (l *legs) living(app string, choose func(leg) bool) []leg {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []leg
	for _, it := range l.of {
		if it.App == app && choose(it) {
			out = append(out, it)
		}
	}
	slices.SortFunc(out, func(a, b leg) int {
		return cmp.Or(a.begun.Compare(b.begun), strings.Compare(string(a.Leg), string(b.Leg)))
	})
	return out
}

func (a *API) listConversations(w http.ResponseWriter, r *request) error {
	return a.writeConversations(w, r, func(leg) bool { return true })
}

// userConversations serves GET /v1/users/{id}/conversations.
func (a *API) userConversations(w http.ResponseWriter, r *request) error {
	u, err := a.user(r)
	if err != nil {
		return err
	}
	id := core.UserID{App: r.app.ID, Name: u.Name}
	return a.writeConversations(w, r, func(it leg) bool { return it.From.User == id || it.To.User == id })
}

func (a *API) writeConversations(w http.ResponseWriter, r *request, choose func(leg) bool) error {
	var calls []core.CallID
	first := make(map[core.CallID]leg)
	for _, it := range a.legs.living(r.app.ID, choose) {
		if _, seen := first[it.Call]; !seen {
			first[it.Call] = it
			calls = append(calls, it.Call)
		}
	}
	list := jsonList(calls, func(id core.CallID) string { return a.conversationBody(r, first[id]).json() })
	writeJSON(w, http.StatusOK, a.wholeList(r, "conversations", list, len(calls)))
	return nil
}

func (a *API) conversationBody(r *request, it leg) params {
	var p params
	id := conversation(it.Call)
	p.text("id", id)
	p.text("name", "NAM-"+string(it.Call))
	p.text("state", "ACTIVE")
	p.raw("timestamp", `{"created":`+quote(stamp(it.begun))+`}`)
	p.object("_links", link("self", a.ownBase(r.Request)+"/v1/conversations/"+id))
	return p
}

// members returns the legs in the conversation of the path.
func (a *API) members(r *request) ([]leg, error) {
	call := callID(r.PathValue("id"))
	list := a.legs.living(r.app.ID, func(it leg) bool { return it.Call == call })
	if len(list) == 0 {
		return nil, noConversation()
	}
	return list, nil
}

func (a *API) getConversation(w http.ResponseWriter, r *request) error {
	list, err := a.members(r)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, a.conversationBody(r, list[0]).json())
	return nil
}

func (a *API) listMembers(w http.ResponseWriter, r *request) error {
	list, err := a.members(r)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, a.wholeList(r, "members", jsonList(list, func(it leg) string { return memberBody(it).json() }), len(list)))
	return nil
}

func (a *API) getMember(w http.ResponseWriter, r *request) error {
	list, err := a.members(r)
	if err != nil {
		return err
	}
	for _, it := range list {
		if memberID(it) == r.PathValue("member") {
			writeJSON(w, http.StatusOK, memberBody(it).json())
			return nil
		}
	}
	return noConversation()
}

func memberID(it leg) string { return "MEM-" + string(it.Leg) }

func memberBody(it leg) params {
	var p, channel params
	p.text("id", memberID(it))
	p.text("conversation_id", conversation(it.Call))
	p.text("state", "JOINED")
	party := it.From
	if it.Direction == core.Outbound {
		party = it.To
	}
	p.text("name", partyText(party))
	channel.text("type", endpointType(party, it.Edge))
	channel.text("leg_id", string(it.Leg))
	p.object("channel", channel)
	return p
}

func (a *API) listEvents(w http.ResponseWriter, r *request) error {
	if _, err := a.members(r); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, a.wholeList(r, "events", "[]", 0))
	return nil
}
