package core

// Cause is a release reason as a Q.850 cause number (ITU-T Q.850; carried in
// SIP as Reason: Q.850;cause=N, RFC 3326). Valid values are 1 to 127.
type Cause uint8

// The causes we give or understand. An edge maps SIP codes to these and back.
const (
	CauseUnallocated     Cause = 1   // number does not exist; SIP 404
	CauseNoRoute         Cause = 3   // no way to the destination
	CauseNormal          Cause = 16  // normal clearing: hang up, cancel
	CauseBusy            Cause = 17  // SIP 486
	CauseNoResponse      Cause = 18  // no answer to our signalling; SIP 408
	CauseNoAnswer        Cause = 19  // rang and nobody answered; SIP 480
	CauseUnreachable     Cause = 20  // subscriber absent: no live registration; SIP 480
	CauseRejected        Cause = 21  // declined; SIP 603
	CauseElsewhere       Cause = 26  // non-selected user clearing: answered elsewhere
	CauseOutOfOrder      Cause = 27  // destination out of order; SIP 502
	CauseInvalidNumber   Cause = 28  // SIP 484
	CauseNoCircuit       Cause = 34  // no channel free; SIP 503
	CauseNetworkOrder    Cause = 38  // network out of order
	CauseTempFailure     Cause = 41  // temporary failure: crash, shutdown; SIP 503
	CauseNoResource      Cause = 47  // resource unavailable; SIP 503
	CauseNotAllowed      Cause = 57  // bearer capability not authorised; SIP 403
	CauseIncompatible    Cause = 88  // no codec in common; SIP 488
	CauseRecoveryOnTimer Cause = 102 // a timer of ours ended it, e.g. no ACK, no media; SIP 504
	CauseInterworking    Cause = 127 // anything else
)

// Reason says why a leg is ended, where the cause alone does not tell the far
// end enough. The SIP edge writes it into the Reason header (RFC 3326), the
// browser edge into the "ended" event.
type Reason uint8

const (
	// ReasonNone adds nothing to the cause.
	ReasonNone Reason = iota
	// ReasonElsewhere is "Call completed elsewhere": SIP;cause=200.
	ReasonElsewhere
	// ReasonCallerGone is a caller who gave up: SIP;cause=487.
	ReasonCallerGone
	// ReasonTimeout is a ring time-out: SIP;cause=408.
	ReasonTimeout
	// ReasonDeclinedElsewhere is a decline by another device of the same user: SIP;cause=603.
	ReasonDeclinedElsewhere
	// ReasonNoMedia is a leg whose media path did not come up in time.
	ReasonNoMedia
	// ReasonShutdown is the node's drain limit.
	ReasonShutdown
	// ReasonLimit is a conversation that used up its talk time or its payer's minutes.
	ReasonLimit
)

// String returns the word used in logs, records and the browser protocol.
func (r Reason) String() string {
	switch r {
	case ReasonNone:
		return "none"
	case ReasonElsewhere:
		return "answered_elsewhere"
	case ReasonCallerGone:
		return "caller_gone"
	case ReasonTimeout:
		return "timeout"
	case ReasonDeclinedElsewhere:
		return "declined_elsewhere"
	case ReasonNoMedia:
		return "no_media"
	case ReasonShutdown:
		return "shutdown"
	case ReasonLimit:
		return "limit"
	}
	return "none"
}
