package ring

import (
	"slices"

	"github.com/offhook/offhook/internal/core"
)

// Outcome returns what the caller of a hunt that nobody won is told: a cause
// and a SIP status, 0 if the cause says enough. A single callee's own answer is
// passed on. Of several, what all of them said: all busy is 486, all declined
// 603; anything mixed is 480, for the caller may well reach somebody later.
// Users without any registration say nothing.
func (h *Hunt) Outcome() (core.Cause, int) { return outcome(said(h.entries)) }

// outcome sums up what was said.
func outcome(said []answer) (core.Cause, int) {
	if len(said) == 0 {
		return core.CauseUnreachable, 480
	}
	first := said[0]
	for _, s := range said[1:] {
		if s.cause != first.cause {
			return core.CauseNoAnswer, 480
		}
		if s.code != first.code {
			first.code = 0
		}
	}
	if first.cause == 0 { // stopped without anybody's answer
		return core.CauseNoAnswer, 480
	}
	return first.cause, passable(first.code)
}

// answer is what one endpoint said.
type answer struct {
	cause core.Cause
	code  int
}

// said collects what everybody said, those passed over included.
func said(entries []*entry) (all []answer) {
	for _, e := range entries {
		if !e.superseded {
			all = append(all, answer{e.cause, e.code})
		}
	}
	return all
}

// ours lists final codes that are about our own request, not about the callee:
// passed on they would make the caller authenticate to the callee's server, or
// repeat a request that it never sent.
var ours = []int{400, 401, 402, 405, 407, 413, 414, 416, 420, 421, 422, 423, 481, 482, 483, 487, 491, 493, 494}

// passable returns code if the caller may get it, else 0. A redirection (3xx) is
// never followed nor passed on: it would let a callee send our caller anywhere.
func passable(code int) int {
	if code < 400 || code > 699 || slices.Contains(ours, code) {
		return 0
	}
	return code
}
