package rtcedge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"github.com/offhook/offhook/internal/core"
)

// serve reads requests from s and answers them in order until the socket or the
// device ends.
func (d *device) serve(ctx context.Context, s *socket) {
	for {
		frame, err := s.read(ctx)
		if err != nil {
			d.over(s, err)
			return
		}
		req, err := decodeRequest(frame)
		if errors.Is(err, errNoObject) {
			s.drop(closeNotObject)
			d.lose(s)
			return
		}
		var r reply
		if err == nil {
			r, err = d.handle(ctx, req)
		}
		if err != nil {
			d.edge.logFault(d, req, err)
			s.send(failureOf(req.ID, err))
			continue
		}
		r.Type, r.ID = "reply", req.ID
		s.send(r)
		if req.Type == "logout" {
			s.drop(websocket.StatusNormalClosure)
			return
		}
	}
}

// over decides what the end of a socket means: a client that closed it with 1000
// logged out, any other may come back.
func (d *device) over(s *socket, err error) {
	if websocket.CloseStatus(err) == websocket.StatusNormalClosure && d.holds(s) {
		d.end(core.CauseNormal, core.ReasonNone)
		return
	}
	d.lose(s)
}

// holds reports whether s is still the device's socket.
func (d *device) holds(s *socket) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.socket == s
}

// logFault writes down what the client is not told.
func (e *Edge) logFault(d *device, req request, err error) {
	if core.KindOf(err) == core.Internal {
		e.Log.Error("browser request failed", "device", d.id, "request", req.Type, "leg", req.Leg, "error", err)
	}
}

// handle carries out one request.
func (d *device) handle(ctx context.Context, req request) (reply, error) {
	switch req.Type {
	case "ping":
		return reply{}, nil
	case "call":
		return d.call(req)
	case "media":
		return d.media(ctx, req)
	case "release":
		return d.release(req)
	case "label":
		return d.relabel(req)
	case "logout":
		d.end(core.CauseNormal, core.ReasonNone)
		return reply{}, nil
	case "ringing", "accept", "decline", "hangup", "mute", "digit":
		return d.aboutLeg(req)
	case "login", "resume":
		return reply{}, refuse(core.Conflict, "already logged in")
	default:
		return reply{}, invalid("unknown request type")
	}
}

// aboutLeg carries out the requests that name one live leg.
func (d *device) aboutLeg(req request) (reply, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l, err := d.legLocked(req.Leg)
	if err != nil {
		return reply{}, err
	}
	switch req.Type {
	case "ringing":
		err = d.ringingLocked(l)
	case "accept":
		err = d.acceptLocked(l, req.Path)
	case "decline":
		err = d.declineLocked(l)
	case "hangup":
		err = d.hangupLocked(l)
	case "mute":
		err = d.muteLocked(l, req.Muted)
	case "digit":
		err = d.digitLocked(l, req.Digit)
	}
	return reply{}, err
}

// legLocked returns a live leg of this device. Another device's is unknown here.
func (d *device) legLocked(id core.LegID) (*leg, error) {
	if l := d.legs[id]; l != nil {
		return l, nil
	}
	return nil, refuse(core.NotFound, "no such leg, or it has ended")
}

// call offers a new leg to the exchange.
func (d *device) call(req request) (reply, error) {
	custom, err := customOf(req.Custom)
	if err != nil {
		return reply{}, err
	}
	// An application may be called without naming anybody.
	if !dialable(req.To) && (req.To != "" || d.user.App == "") {
		return reply{}, invalid("to must be a number or a user's name of 1 to 128 bytes")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.order {
		if l.request == req.ID {
			return reply{Leg: l.id}, nil // asked again after a lost answer
		}
	}
	if d.ended || len(d.order) >= d.edge.Limits.Legs {
		return reply{}, refuse(core.Unavailable, "too many calls")
	}
	p := d.paths[req.Path]
	if err := d.freeLocked(p, req.Path, nil); err != nil {
		return reply{}, err
	}
	l := &leg{
		id: core.LegID(uuid.NewString()), request: req.ID, state: stateCalling,
		from: core.Party{User: d.user}, to: core.Party{Number: req.To},
	}
	d.addLocked(l)
	offered := core.Offered{Leg: l.id, Edge: core.EdgeBrowser, From: l.from, Contact: d.id, To: req.To, Custom: custom}
	if err := d.edge.Post.Post(offered); err != nil {
		delete(d.legs, l.id) // the exchange never knew it: no LegGone
		d.order = d.order[:len(d.order)-1]
		d.edge.unindex(l.id)
		return reply{}, refuse(core.Unavailable, "the server takes no calls now")
	}
	if p != nil {
		if err := d.serveLocked(p, l); err != nil {
			return reply{}, err
		}
	}
	return reply{Leg: l.id}, nil
}

// maxCustom bounds what a client sends along with a call, in bytes.
const maxCustom = 4 << 10

// customOf returns what a client sends along with a call, "" for nothing.
func customOf(raw json.RawMessage) (string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil || b.Bytes()[0] != '{' || b.Len() > maxCustom {
		return "", invalid("custom must be a JSON object of at most 4 KB")
	}
	return b.String(), nil
}

// dialable reports whether a client may dial to at all; the exchange decides
// where it leads.
func dialable(to string) bool {
	return to != "" && len(to) <= 128 && utf8.ValidString(to) && strings.IndexFunc(to, unicode.IsControl) < 0
}

func (d *device) ringingLocked(l *leg) error {
	if !l.incoming || l.taken() {
		return refuse(core.Conflict, "leg does not ring here")
	}
	if !l.alerted {
		l.alerted = true
		d.edge.post(core.LegRinging{Leg: l.id})
	}
	return nil
}

// acceptLocked takes the leg at once: the exchange decides who was first, and
// media may follow.
func (d *device) acceptLocked(l *leg, pathID string) error {
	if !l.incoming || l.taken() {
		return refuse(core.Conflict, "leg does not ring here")
	}
	p := d.paths[pathID]
	if err := d.freeLocked(p, pathID, l); err != nil {
		return err
	}
	l.state = stateConnecting
	d.edge.post(core.LegAccepted{Leg: l.id})
	if p != nil {
		if err := d.serveLocked(p, l); err != nil {
			return err
		}
	}
	d.settleLocked(l) // a path may have been named while it rang
	return nil
}

func (d *device) declineLocked(l *leg) error {
	if !l.incoming || l.taken() {
		return refuse(core.Conflict, "leg does not ring here")
	}
	d.goneLocked(l, core.CauseRejected, core.ReasonNone)
	return nil
}

func (d *device) hangupLocked(l *leg) error {
	if l.incoming && !l.taken() {
		return refuse(core.Conflict, "leg rings: decline it")
	}
	d.goneLocked(l, core.CauseNormal, core.ReasonNone)
	return nil
}

func (d *device) muteLocked(l *leg, muted *bool) error {
	if muted == nil {
		return invalid("muted must be true or false")
	}
	if l.muted != *muted {
		l.muted = *muted
		d.edge.post(core.LegMuted{Leg: l.id, Muted: l.muted})
	}
	return nil
}

func (d *device) digitLocked(l *leg, digit string) error {
	if len(digit) != 1 || !strings.Contains("0123456789*#ABCD", digit) {
		return invalid("digit must be one of 0-9 * # A-D")
	}
	if !l.audible() {
		return refuse(core.Conflict, "leg still rings")
	}
	d.edge.post(core.LegDigit{Leg: l.id, Digit: digit[0]})
	d.edge.Media.Press(l.id, digit[0])
	return nil
}

// relabel changes what people see as the device's name.
func (d *device) relabel(req request) (reply, error) {
	if err := checkLabel(req.Label); err != nil {
		return reply{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.ended {
		d.label = req.Label
		d.announceLocked()
	}
	return reply{}, nil
}
