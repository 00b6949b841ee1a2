package voice

import (
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/webhook"
)

// CutOff tells an application how a leg ended that lived when the program was
// killed. It talked for longer than the log proves, which is what is told, and ended
// at the latest when it was found.
func (a *API) CutOff(record core.CDR) {
	it := leg{
		LegChange: core.LegChange{
			Kind: core.ChangeEnded, Leg: record.Leg, Call: record.Call, App: record.App, Edge: record.Edge,
			Direction: record.Direction, From: record.From, To: record.To, Hook: record.Hook,
			Cause: record.Cause, Reason: record.Reason, Answered: !record.Answered.IsZero(), ByUs: true,
		},
		headers: record.Headers, begun: record.Begun, answered: record.Answered, talked: record.Talk,
	}
	a.outbox.put(outgoing{leg: it.Leg, do: tell, job: func() []webhook.Job { return a.changed(record.Ended, it) }})
}
