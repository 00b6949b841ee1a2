package rtcedge

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/offhook/offhook/internal/core"
)

// login reads until a client has proved who it is and has its hello. It returns
// nil if the socket is over.
func (e *Edge) login(ctx context.Context, s *socket) *device {
	limit := time.AfterFunc(e.Limits.LoginWithin, func() { s.drop(closeLoginTime) })
	defer limit.Stop()
	for range e.Limits.LoginTries {
		frame, err := s.read(ctx)
		if err != nil {
			return nil
		}
		arrived := time.Now()
		req, err := decodeRequest(frame)
		if errors.Is(err, errNoObject) {
			s.drop(closeNotObject)
			return nil
		}
		var d *device
		if err == nil {
			d, err = e.first(ctx, s, req)
		}
		if err == nil {
			return d
		}
		if !sleepUntil(ctx, arrived.Add(e.Limits.FailAfter)) {
			return nil
		}
		s.send(failureOf(req.ID, err))
	}
	s.drop(closeRefused)
	return nil
}

// first carries out the first message of a socket.
func (e *Edge) first(ctx context.Context, s *socket, req request) (*device, error) {
	if req.Type != "login" && req.Type != "resume" {
		return nil, refuse(core.Unauthorized, "log in first")
	}
	if req.Protocol != protocolVersion {
		return nil, invalid("this server speaks protocol 1")
	}
	if req.Type == "resume" {
		return e.resume(s, req)
	}
	return e.enter(ctx, s, req)
}

// enter makes a new device for a client with good credentials.
func (e *Edge) enter(ctx context.Context, s *socket, req request) (*device, error) {
	if err := checkLabel(req.Label); err != nil {
		return nil, err
	}
	user, err := e.authenticate(ctx, s, req)
	if err != nil {
		return nil, err
	}
	d := newDevice(e, user, req.Label)
	if !e.add(d) {
		return nil, refuse(core.Unavailable, "too many devices of this user")
	}
	d.take(s, req.ID, false)
	e.Log.Info("browser logged in", "device", d.id, "user", user.String(), "source", s.source)
	return d, nil
}

// authenticate gives every wrong credential the same answer.
func (e *Edge) authenticate(ctx context.Context, s *socket, req request) (core.UserID, error) {
	var user core.UserID
	var err error
	switch {
	case req.Token != "":
		user, err = e.Auth.Token(ctx, s.source, req.Token)
	case req.User != "" && req.Password != "":
		user, err = e.Auth.Password(s.source, req.User, req.Password)
	default:
		return core.UserID{}, invalid("login needs a token, or user and password")
	}
	if err == nil {
		return user, nil
	}
	e.Log.Info("browser login failed", "source", s.source, "error", err)
	switch core.KindOf(err) {
	case core.Unavailable:
		return core.UserID{}, refuse(core.Unavailable, "too many failures, try later")
	case core.Internal:
		return core.UserID{}, err
	default:
		return core.UserID{}, refuse(core.Unauthorized, "login failed")
	}
}

// resume gives a device that lost its socket a new one. A token of another
// device, a used one and an unknown device are the same to the client.
func (e *Edge) resume(s *socket, req request) (*device, error) {
	d := e.device(core.ContactID(req.Device))
	if d == nil || !d.resume(s, req.ID, req.Token.Reveal()) {
		e.Log.Info("browser resume refused", "source", s.source, "device", req.Device)
		return nil, refuse(core.Unauthorized, "resume failed")
	}
	e.Log.Info("browser resumed", "device", d.id, "user", d.user.String(), "source", s.source)
	return d, nil
}

// sameSecret compares without telling by its time how much was right.
func sameSecret(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

func checkLabel(label string) error {
	if len(label) > 64 || !utf8.ValidString(label) {
		return invalid("label is longer than 64 bytes")
	}
	return nil
}

// sleepUntil waits; false if ctx ended first.
func sleepUntil(ctx context.Context, t time.Time) bool {
	wait := time.NewTimer(time.Until(t))
	defer wait.Stop()
	select {
	case <-wait.C:
		return true
	case <-ctx.Done():
		return false
	}
}
