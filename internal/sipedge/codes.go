package sipedge

import (
	"strconv"

	"github.com/offhook/offhook/internal/core"
)

// causeOf maps a final SIP status of a callee to a Q.850 cause (RFC 3398
// section 8.2.6.1, Q.850 to SIP in reverse).
func causeOf(code int) core.Cause {
	switch code {
	case 401, 402, 403, 405, 407:
		return core.CauseRejected
	case 404, 604:
		return core.CauseUnallocated
	case 408:
		return core.CauseNoResponse
	case 410:
		return core.CauseUnallocated
	case 480:
		return core.CauseNoAnswer
	case 484, 414, 416:
		return core.CauseInvalidNumber
	case 486, 600:
		return core.CauseBusy
	case 487:
		return core.CauseNormal
	case 488, 606:
		return core.CauseIncompatible
	case 502:
		return core.CauseNetworkOrder
	case 503, 500:
		return core.CauseTempFailure
	case 504:
		return core.CauseRecoveryOnTimer
	case 603, 607, 608:
		return core.CauseRejected
	}
	switch code / 100 {
	case 3:
		return core.CauseNoRoute // a redirection we never follow
	case 5:
		return core.CauseTempFailure
	}
	return core.CauseInterworking
}

// statusOf maps the end of an unanswered incoming leg to its final response.
// A code given by the exchange (the callee's own) wins over the cause's.
func statusOf(end core.End) int {
	if end.Code < 400 || end.Code > 699 {
		return codeOf(end.Cause)
	}
	return end.Code
}

func codeOf(cause core.Cause) int {
	switch cause {
	case core.CauseUnallocated, core.CauseNoRoute:
		return 404
	case core.CauseBusy:
		return 486
	case core.CauseNoResponse:
		return 408
	case core.CauseNormal, core.CauseNoAnswer, core.CauseUnreachable, core.CauseElsewhere:
		return 480
	case core.CauseRejected:
		return 603
	case core.CauseInvalidNumber:
		return 484
	case core.CauseOutOfOrder, core.CauseNetworkOrder:
		return 502
	case core.CauseNotAllowed:
		return 403
	case core.CauseIncompatible:
		return 488
	case core.CauseRecoveryOnTimer:
		return 504
	case core.CauseNoCircuit, core.CauseTempFailure, core.CauseNoResource:
		return 503
	case core.CauseInterworking:
		return 500
	}
	return 500
}

// reasonOf returns the Reason header value (RFC 3326) for ending a leg.
func reasonOf(cause core.Cause, reason core.Reason) string {
	switch reason {
	case core.ReasonElsewhere:
		return `SIP;cause=200;text="Call completed elsewhere"`
	case core.ReasonCallerGone:
		return `SIP;cause=487;text="Caller gave up"`
	case core.ReasonTimeout:
		return `SIP;cause=408;text="Ring time-out"`
	case core.ReasonDeclinedElsewhere:
		return `SIP;cause=603;text="Declined elsewhere"`
	case core.ReasonNoMedia:
		return `Q.850;cause=102;text="No media"`
	case core.ReasonShutdown:
		return `Q.850;cause=41;text="Shutting down"`
	case core.ReasonLimit:
		return `Q.850;cause=57;text="Talk time used up"`
	case core.ReasonNone:
	}
	return "Q.850;cause=" + strconv.Itoa(int(cause))
}
