package voice

import (
	"cmp"

	"github.com/offhook/offhook/internal/core"
)

// The statuses of a leg, as applications know them.
const (
	statusStarted      = "started"
	statusRinging      = "ringing"
	statusAnswered     = "answered"
	statusHuman        = "human"
	statusMachine      = "machine"
	statusDisconnected = "disconnected"
	statusCompleted    = "completed"
	statusBusy         = "busy"
	statusCancelled    = "cancelled"
	statusFailed       = "failed"
	statusRejected     = "rejected"
	statusTimeout      = "timeout"
	statusUnanswered   = "unanswered"
)

// filterStatuses are those that GET /v1/calls can be asked for.
func filterStatuses() []string {
	return []string{
		statusStarted, statusRinging, statusAnswered, statusMachine, statusCompleted, statusBusy,
		statusCancelled, statusFailed, statusRejected, statusTimeout, statusUnanswered,
	}
}

// Status returns the status of a leg after a change, "" if the change leaves it as
// it was.
func Status(change core.LegChange) string {
	switch change.Kind {
	case core.ChangeBegan:
		return statusStarted
	case core.ChangeRinging:
		return statusRinging
	case core.ChangeAnswered:
		return statusAnswered
	case core.ChangeMachine:
		return statusMachine
	case core.ChangeEnded:
		status, _ := outcome(change)
		return status
	default:
		return ""
	}
}

// The details of how a leg failed.
const (
	detailInvalid     = "invalid_number"
	detailRestricted  = "restricted"
	detailDeclined    = "declined"
	detailNoRoute     = "cannot_route"
	detailOutOfOrder  = "number_out_of_service"
	detailInternal    = "internal_error"
	detailTimeout     = "timeout"
	detailUnavailable = "unavailable"
)

// outcome says how a leg ended. Legs that were offered to us are completed, answered
// or not: applications clean up only on that.
func outcome(c core.LegChange) (status, detail string) {
	switch {
	case c.Direction == core.Inbound || c.Answered:
		return statusCompleted, ""
	case c.Reason == core.ReasonTimeout:
		return statusTimeout, ""
	case c.ByUs && c.Cause == core.CauseNormal,
		c.Reason == core.ReasonElsewhere, c.Reason == core.ReasonCallerGone, c.Reason == core.ReasonDeclinedElsewhere:
		return statusCancelled, ""
	case c.Code >= 300 && !c.ByUs:
		return ofCode(c.Code)
	}
	return ofCause(c.Cause)
}

// sipCode is the final response that a leg had at its end, 0 if none. What we took
// back is answered with 487 (RFC 3261 section 9.2), which is told before it comes.
func sipCode(c core.LegChange, status string) int {
	switch {
	case c.Edge == core.EdgeBrowser || c.Edge == core.EdgeSocket:
		return c.Code
	case c.Answered:
		return cmp.Or(c.Code, 200)
	case status == statusTimeout && c.Code == 408: // there was no answer to the INVITE at all
		return c.Code
	case status == statusCancelled, status == statusTimeout, c.Direction == core.Inbound && !c.ByUs:
		return 487
	}
	return c.Code
}

// ofCode says what a final SIP response means.
func ofCode(code int) (status, detail string) {
	switch code {
	case 486, 600:
		return statusBusy, ""
	case 487:
		return statusCancelled, ""
	case 603, 607:
		return statusRejected, detailDeclined
	case 403, 401, 407:
		return statusRejected, detailRestricted
	case 484, 414, 416:
		return statusRejected, detailInvalid
	case 480:
		return statusUnanswered, detailUnavailable
	case 408, 504:
		return statusUnanswered, detailTimeout
	case 404, 410, 604:
		return statusFailed, detailOutOfOrder
	case 502, 503:
		return statusFailed, detailNoRoute
	}
	return statusFailed, detailInternal
}

// ofCause says what a cause means where no SIP response says more.
func ofCause(cause core.Cause) (status, detail string) {
	switch cause {
	case core.CauseNormal, core.CauseElsewhere:
		return statusCancelled, ""
	case core.CauseBusy:
		return statusBusy, ""
	case core.CauseRejected:
		return statusRejected, detailDeclined
	case core.CauseNotAllowed:
		return statusRejected, detailRestricted
	case core.CauseInvalidNumber:
		return statusRejected, detailInvalid
	case core.CauseNoAnswer, core.CauseUnreachable:
		return statusUnanswered, detailUnavailable
	case core.CauseNoResponse:
		return statusUnanswered, detailTimeout
	case core.CauseUnallocated:
		return statusFailed, detailOutOfOrder
	case core.CauseNoRoute, core.CauseOutOfOrder, core.CauseNoCircuit, core.CauseNoResource:
		return statusFailed, detailNoRoute
	case core.CauseNetworkOrder, core.CauseTempFailure, core.CauseIncompatible, core.CauseRecoveryOnTimer, core.CauseInterworking:
	}
	return statusFailed, detailInternal
}
