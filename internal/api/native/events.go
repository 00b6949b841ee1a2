package native

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/offhook/offhook/internal/core"
)

// Events are the changes of all legs as they happen; package events has them.
type Events interface {
	// Subscribe returns a channel that may lag behind by so many entries, and what ends
	// it. The channel is closed if the reader is slower than that, and when the node
	// stops.
	Subscribe(buffer int) (entries <-chan core.LegEntry, end func())
}

const (
	// maxStreams bounds the event streams that are open at once.
	maxStreams = 64
	// streamBuffer is how many events a stream may lag behind.
	streamBuffer = 4096
	// heartbeat is how often a quiet stream shows that it lives.
	heartbeat = 15 * time.Second
	// streamWrite bounds the writing of one event.
	streamWrite = 10 * time.Second
)

// Event is a change of a leg.
type Event struct {
	At        time.Time   `json:"at"`
	Kind      string      `json:"kind" doc:"began, ringing, answered, bridged, held, resumed, confirming, moved, parked, silent, heard, human, machine, beep, no_beep, closed, ended, ..."`
	Leg       core.LegID  `json:"leg"`
	Seq       int         `json:"seq" doc:"Counts the changes of the leg, from 1."`
	Call      core.CallID `json:"call"`
	App       string      `json:"app,omitempty" doc:"The application whose leg it is."`
	Edge      string      `json:"edge"`
	Direction string      `json:"direction"`
	From      Party       `json:"from"`
	To        Party       `json:"to"`
	Peer      core.LegID  `json:"peer,omitempty" doc:"Whom it talks with, of bridged."`
	Slot      string      `json:"slot,omitempty" doc:"Of parked."`
	Cause     int         `json:"cause,omitempty" doc:"Q.850, of ended."`
	Reason    string      `json:"reason,omitempty" doc:"Why we ended it, where the cause does not say."`
	Code      int         `json:"code,omitempty" doc:"SIP status that ended an unanswered leg."`
	Diagnosis string      `json:"diagnosis,omitempty" doc:"Of silent: why nothing is heard of the party."`
}

type eventsIn struct {
	Call  string `query:"call" maxLength:"64" doc:"Only changes in this call."`
	Leg   string `query:"leg" maxLength:"64" doc:"Only changes of this leg."`
	App   string `query:"app" maxLength:"64" doc:"Only legs of this application."`
	Limit int    `query:"limit" minimum:"0" maximum:"1000000" default:"0" doc:"End after so many events; 0 is never."`
}

// events registers the stream of events.
func (a *API) events(h huma.API) {
	op := operation("stream-events", http.MethodGet, "/api/v1/events", "Follow what happens to legs, as server-sent events", http.StatusServiceUnavailable)
	op.Description = "Each event is one `data:` line of JSON. A quiet stream sends a comment every 15 s. " +
		"A client that cannot keep up, and all clients when the node stops, see the stream end; what was missed is in the records."
	op.Responses = map[string]*huma.Response{"200": {
		Description: "Events until the client goes",
		Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{
			Type: huma.TypeString, Description: "Each event is the line data: followed by an object like the schema Event.",
		}}},
	}}
	h.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Event](), true, "Event")
	huma.Register(h, op, func(ctx context.Context, in *eventsIn) (*huma.StreamResponse, error) {
		if a.streams.Add(1) > maxStreams {
			a.streams.Add(-1)
			return nil, a.problem(ctx, &core.Error{Op: "native", Kind: core.Unavailable, Err: errors.New("too many event streams")})
		}
		entries, end := a.cfg.Events.Subscribe(streamBuffer)
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			defer a.streams.Add(-1)
			defer end()
			if err := a.stream(ctx, *in, entries); err != nil {
				a.cfg.Log.Debug("event stream ended", "error", err)
			}
		}}, nil
	})
}

// stream writes events until the client, or what is subscribed to, goes.
func (a *API) stream(ctx huma.Context, in eventsIn, entries <-chan core.LegEntry) error {
	ctx.SetHeader("Content-Type", "text/event-stream")
	out, err := newStream(ctx.BodyWriter())
	if err != nil {
		return err
	}
	if err := out.write([]byte(": offhook\n\n")); err != nil { // the client knows now that it follows
		return err
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for sent := 0; in.Limit == 0 || sent < in.Limit; {
		select {
		case e, open := <-entries:
			if !open {
				return nil
			}
			if !in.wants(e) {
				continue
			}
			text, err := json.Marshal(toEvent(e))
			if err != nil {
				return err
			}
			if err := out.write(append(append([]byte("data: "), text...), '\n', '\n')); err != nil {
				return err
			}
			sent++
		case <-beat.C:
			if err := out.write([]byte(":\n\n")); err != nil {
				return err
			}
		case <-ctx.Context().Done():
			return nil
		case <-a.over:
			return nil
		}
	}
	return nil
}

// stream is a response that is sent piece by piece.
type stream struct {
	w       io.Writer
	control *http.ResponseController
}

func newStream(w io.Writer) (stream, error) {
	response, ok := w.(http.ResponseWriter)
	if !ok {
		return stream{}, errors.New("native: no response to stream into")
	}
	return stream{w, http.NewResponseController(response)}, nil
}

// write sends a piece at once. The server bounds whole responses; here each piece is.
func (s stream) write(piece []byte) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(streamWrite)); err != nil {
		return err
	}
	if _, err := s.w.Write(piece); err != nil {
		return err
	}
	return s.control.Flush()
}

// wants reports whether a client asked for a change.
func (in eventsIn) wants(e core.LegEntry) bool {
	return (in.Call == "" || in.Call == string(e.Call)) && (in.Leg == "" || in.Leg == string(e.Leg)) && (in.App == "" || in.App == e.App)
}

func toEvent(e core.LegEntry) Event {
	out := Event{
		At: e.At.UTC(), Kind: e.Kind.String(), Leg: e.Leg, Seq: e.Seq, Call: e.Call, App: e.App, Edge: e.Edge.String(), Direction: e.Direction.String(),
		From: toParty(e.From), To: toParty(e.To), Peer: e.Peer, Slot: e.Slot, Diagnosis: e.Diagnosis,
	}
	if e.Kind == core.ChangeEnded {
		out.Cause, out.Reason, out.Code = int(e.Cause), e.Reason.String(), e.Code
	}
	return out
}
