package main

import (
	"context"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/api/voice"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/rtcedge"
)

// appDriver is the Voice API, and tells browsers what applications do with their
// legs.
type appDriver struct {
	*voice.API
	browsers *rtcedge.Edge
}

// Changed implements engine.AppDriver.
func (d appDriver) Changed(now time.Time, change core.LegChange) {
	d.API.Changed(now, change)
	if change.Kind == core.ChangeMoved && change.Edge == core.EdgeBrowser {
		d.browsers.Moved(change.Leg, change.Call)
	}
}

// sessionPrefix makes the identifier of a session of that of a device.
const sessionPrefix = "SES-"

// sessions are the browsers of applications' users.
type sessions struct{ node *node } // whose edge is made after the Voice API

// Sessions implements voice.Sessions.
func (s sessions) Sessions(_ context.Context, user core.UserID) ([]voice.Session, error) {
	var all []voice.Session
	for _, d := range s.node.rtcE.Sessions(user) {
		all = append(all, voice.Session{ID: sessionPrefix + string(d.Device), User: d.User, Since: d.Since})
	}
	return all, nil
}

// End implements voice.Sessions.
func (s sessions) End(_ context.Context, app, id string) error {
	if device, ok := strings.CutPrefix(id, sessionPrefix); ok {
		s.node.rtcE.EndSession(app, core.ContactID(device))
	}
	return nil
}
