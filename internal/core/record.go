package core

import "time"

// CDR is a call detail record: the history of one leg in one row.
type CDR struct {
	Leg       LegID
	Call      CallID // the call it was in at the end
	Edge      Edge
	Direction Direction
	From, To  Party
	Begun     time.Time
	Answered  time.Time     // zero if it never was
	Ended     time.Time     // zero while it lives
	Talk      time.Duration // from Answered to Ended
	Cause     Cause
	Reason    Reason
	Code      int // SIP status that ended an unanswered leg, 0 if none
	// Interrupted marks a leg that was alive when the program was killed: Ended
	// is the next start, and Talk is what the log proves, the real time is longer.
	Interrupted bool
	// Silence and Diagnosis say why the leg was not heard when it was silent last,
	// SilenceNone if it never was.
	Silence   Silence
	Diagnosis string
	// Quality is how its audio fared; zero while it lives, and if it had none.
	Quality Quality

	// Of a leg of an application: whose it is, where that is told, what it may see of
	// the INVITE, and the application's word for how far the leg came.
	App     string
	Hook    Hook
	Headers []Header
	Status  string
}

// CDRQuery selects call detail records, the newest first.
type CDRQuery struct {
	// Limit is how many at most, 1 to 1000.
	Limit int
	// BeforeTime and BeforeLeg are Begun and Leg of the last record of the page
	// before; the zero Time is the first page.
	BeforeTime time.Time
	BeforeLeg  LegID
	// User, if not zero, is who called or was called.
	User UserID
}
