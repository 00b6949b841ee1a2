package voice

import (
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/webhook"
)

// Recorded tells an application that a recording can be fetched. It returns at
// once, on any goroutine.
func (a *API) Recorded(r core.Recording) {
	if r.Kind == core.RecordedCall {
		a.tellOfFile(r, a.recordedBody(time.Now(), r))
	}
}

// Transcribed tells an application that the text of a recording can be fetched, as
// Recorded does.
func (a *API) Transcribed(text core.Recording) {
	var p params
	p.text("conversation_uuid", conversation(text.Call))
	p.text("type", "record")
	p.text("recording_uuid", string(text.ID))
	p.text("status", "transcribed")
	p.text("transcription_url", a.fileURL(text.File))
	a.tellOfFile(text, p)
}

// tellOfFile sends the webhook of a file. Its queue is that of the recording: the
// leg's has ended.
func (a *API) tellOfFile(r core.Recording, body params) {
	a.outbox.put(outgoing{leg: r.Leg, do: tell, job: func() []webhook.Job {
		app, ok := a.cfg.Apps.App(r.App)
		if !ok {
			return nil
		}
		jobs := event(app, r.Leg, r.Hook, body)
		for i := range jobs {
			jobs[i].Queue = "recording " + string(r.ID)
		}
		return jobs
	}})
}

// recordedBody is what is told of a recording.
func (a *API) recordedBody(now time.Time, r core.Recording) params {
	var p params
	p.text("start_time", second(r.Begun))
	p.text("end_time", second(r.Ended))
	p.text("recording_url", a.fileURL(r.File))
	p.text("recording_uuid", string(r.ID))
	p.number("size", r.Size)
	p.text("conversation_uuid", conversation(r.Call))
	p.time("timestamp", now)
	if r.Channels > 1 {
		p.number("channels", int64(r.Channels))
	}
	return p
}

// second writes a time as events of recordings have it.
func second(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05Z") }
