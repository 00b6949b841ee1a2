package voice

import (
	"net/http"

	"github.com/offhook/offhook/internal/core"
)

// startStream serves PUT /v1/calls/{uuid}/stream.
func (a *API) startStream(w http.ResponseWriter, r *request) error {
	body, err := r.body(w)
	if err != nil {
		return err
	}
	sound := body.file()
	if err := body.err(); err != nil {
		return err
	}
	return a.inject(w, r, core.InjectStream, sound, "Stream started")
}

// stopStream serves DELETE /v1/calls/{uuid}/stream.
func (a *API) stopStream(w http.ResponseWriter, r *request) error {
	return a.inject(w, r, core.InjectStream, core.Sound{}, "Stream stopped")
}

// startTalk serves PUT /v1/calls/{uuid}/talk.
func (a *API) startTalk(w http.ResponseWriter, r *request) error {
	body, err := r.body(w)
	if err != nil {
		return err
	}
	sound := body.speech()
	if err := body.err(); err != nil {
		return err
	}
	return a.inject(w, r, core.InjectTalk, sound, "Talk started")
}

// stopTalk serves DELETE /v1/calls/{uuid}/talk.
func (a *API) stopTalk(w http.ResponseWriter, r *request) error {
	return a.inject(w, r, core.InjectTalk, core.Sound{}, "Talk stopped")
}

// ofOwnLeg lets who has a user's token do something with that user's own legs, by
// paths that the tokens of browsers allow; an application with any of its legs.
func ofOwnLeg(a *API, do endpointFunc) endpointFunc {
	return func(w http.ResponseWriter, r *request) error {
		user := core.UserID{App: r.app.ID, Name: r.token.Subject}
		if it, ok := a.legs.get(r.app.ID, r.leg()); user.Name != "" && (!ok || it.From.User != user && it.To.User != user) {
			return notFound()
		}
		return do(w, r)
	}
}

// inject plays a sound to a leg. A leg that has ended takes it as well, unless the
// operator wants otherwise: applications in the field do not expect that a caller
// may hang up meanwhile, and end with the error.
func (a *API) inject(w http.ResponseWriter, r *request, slot core.InjectSlot, sound core.Sound, message string) error {
	err := a.order(r, core.Inject{Leg: r.leg(), Slot: slot, Sound: sound})
	if err != nil && core.KindOf(err) == core.NotFound && a.cfg.Settings.LenientFinishedLeg {
		_, err = a.cfg.Calls.AppLeg(r.Context(), r.app.ID, r.leg())
	}
	if err != nil {
		return err
	}
	writeMessage(w, r.leg(), message)
	return nil
}

func writeMessage(w http.ResponseWriter, leg core.LegID, message string) {
	var p params
	p.text("message", message)
	p.text("uuid", string(leg))
	writeJSON(w, http.StatusOK, p.json())
}

// sendKeys serves PUT /v1/calls/{uuid}/dtmf.
func (a *API) sendKeys(w http.ResponseWriter, r *request) error {
	body, err := r.body(w)
	if err != nil {
		return err
	}
	digits := body.keys("digits")
	if digits == "" {
		body.fail("digits", "is required")
	}
	if err := body.err(); err != nil {
		return err
	}
	if err := a.order(r, core.Key{Leg: r.leg(), Digits: digits}); err != nil {
		return err
	}
	writeMessage(w, r.leg(), "DTMF sent")
	return nil
}

// watchKeys serves PUT /v1/calls/{uuid}/input/dtmf.
func (a *API) watchKeys(w http.ResponseWriter, r *request) error {
	body, err := r.body(w)
	if err != nil {
		return err
	}
	hook := core.Hook{URL: body.needURL("eventUrl"), Method: body.method("eventMethod")}
	if err := body.err(); err != nil {
		return err
	}
	return a.watch(w, r, core.WatchKeys{Leg: r.leg(), On: true, Hook: hook})
}

// unwatchKeys serves DELETE /v1/calls/{uuid}/input/dtmf.
func (a *API) unwatchKeys(w http.ResponseWriter, r *request) error {
	return a.watch(w, r, core.WatchKeys{Leg: r.leg()})
}

func (a *API) watch(w http.ResponseWriter, r *request, do core.WatchKeys) error {
	if err := a.order(r, do); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, "{}")
	return nil
}
