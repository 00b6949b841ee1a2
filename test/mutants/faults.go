package main

// faults is what may go wrong in one line, and which tests must notice.
var faults = []fault{
	// A hunt.
	{name: "no CANCEL to losers", file: "core/ring/hunt.go", right: "		if e.state != waiting {\n", wrong: "		if e.state == won {\n", killer: "TestApply", killers: "core/exchange"},
	{name: "two winners", file: "core/ring/hunt.go", right: "	if e == nil || e.state == waiting || !e.live() {\n		return nil, false", wrong: "	if e == nil || e.state == waiting {\n		return nil, false", killer: "TestStrategies"},
	{name: "loser wins in the same millisecond", file: "core/exchange/exchange.go", right: "l != nil && l.state != ending && !l.virtual {", wrong: "l != nil && !l.virtual {", killer: "TestSimulator"},
	{name: "ring order reversed", file: "core/ring/order.go", right: "		order[i] = i\n", wrong: "		order[i] = len(order) - 1 - i\n", killer: "TestStrategies"},
	{name: "round robin stands still", file: "core/ring/order.go", right: "	m.turns[group]++\n", wrong: "	m.turns[group] = 1\n", killer: "TestMemory"},
	{name: "least recent forgets", file: "core/ring/order.go", right: "		m.taken[t] = now\n", wrong: "		m.taken[t] = time.Time{}\n", killer: "TestMemory"},
	{name: "least recent forgets who talked until now", file: "core/exchange/leg.go", right: "	x.memory.Talked(l.took, x.now)\n", wrong: "", killer: "TestGroups"},
	{name: "weights ignored", file: "core/ring/order.go", right: "return max(1, b.Weight)", wrong: "return max(1, 0*b.Weight)", killer: "TestWeights"},
	{name: "delay ignored", file: "core/ring/tree.go", right: "		kid.startAt = now.Add(kid.Branch.Delay)\n", wrong: "		kid.startAt = now\n", killer: "TestStrategies"},
	{name: "step time-out ignored", file: "core/ring/tree.go", right: "	return n.Branch.Timeout\n", wrong: "	return n.parent.group.Timeout\n", killer: "TestStrategies"},
	{name: "confirm ignored", file: "core/ring/hunt.go", right: "	e.state = confirming\n	return true\n", wrong: "	return false\n", killer: "TestGroups", killers: "core/exchange"},
	{name: "any key confirms", file: "core/exchange/connect.go", right: "c.hunt.Confirms(l.Leg).Key == key", wrong: "c.hunt.Confirms(l.Leg).Key != 0", killer: "TestGroups"},
	{name: "confirm waits for ever", file: "core/exchange/connect.go", right: "	x.startTimer(l, core.TimerConfirm, l.call.hunt.Confirms(l.Leg).Timeout)\n", wrong: "", killer: "TestRandomRun"},
	{name: "prompt is given once", file: "core/exchange/call.go", right: "		x.askToConfirm(l)\n", wrong: "", killer: "TestGroups"},
	{name: "ring time-out ends who listens to the prompt", file: "core/ring/tree.go", right: "		if !e.live() || e.state == confirming {\n", wrong: "		if !e.live() {\n", killer: "TestStrategies"},
	{name: "busy user rings", file: "core/exchange/hunt.go", right: "node.SkipsBusy() && x.lines[target.User] > 0", wrong: "node.SkipsBusy() && x.lines[target.User] > 1", killer: "TestGroups"},
	{name: "line is never free again", file: "core/exchange/leg.go", right: "	x.stopTimers(l)\n	x.leaveLine(l)\n", wrong: "	x.stopTimers(l)\n", killer: "TestSimulator"},
	{name: "early media of a group is passed on", file: "core/exchange/hunt.go", right: "c.connect.Dial.Group != \"\" || !c.hunt.Single()", wrong: "!c.hunt.Single()", killer: "TestGroups"},
	{name: "early media of the first of several is passed on", file: "core/exchange/hunt.go", right: "c.connect.Dial.Group != \"\" || !c.hunt.Single()", wrong: "c.connect.Dial.Group != \"\"", killer: "TestApply"},
	{name: "own phone rings", file: "core/exchange/hunt.go", right: "	if contact.ID != c.caller.contact {\n", wrong: "	if contact.ID != \"\" {\n", killer: "TestApply"},
	{name: "answered elsewhere told as caller gone", file: "core/exchange/connect.go", right: "	x.endAll(losers, core.CauseElsewhere, core.ReasonElsewhere)", wrong: "	x.endAll(losers, core.CauseElsewhere, core.ReasonCallerGone)", killer: "TestApply"},
	{name: "hunt goes on without its caller", file: "core/exchange/call.go", right: "		x.release(c, core.CauseNormal, core.ReasonCallerGone)\n", wrong: "", killer: "TestApply"},
	{name: "answer waits for the media for ever", file: "core/exchange/connect.go", right: "		x.startTimer(c.caller, core.TimerAnswer, answerTime)\n", wrong: "", killer: "TestApply"},
	{name: "caller id rule ignored", file: "core/exchange/hunt.go", right: "x.dir.Caller(c.caller.self(), cand.Target, cand.CallerID)", wrong: "x.dir.Caller(c.caller.self(), cand.Target, \"\")", killer: "TestCallerID"},
	{name: "fall-through ignored", file: "core/exchange/hunt.go", right: "	if to == nil || c.diverts >= maxDiverts {\n", wrong: "	if to != nil || c.diverts >= maxDiverts {\n", killer: "TestGroups|TestApply"},

	// Trunks and limits.
	{name: "fail-over on busy", file: "core/route/trunks.go", right: "	return code >= 500 && code <= 599", wrong: "	return code >= 400 && code <= 599", killer: "TestFailsOver"},
	{name: "no fail-over", file: "core/ring/tree.go", right: "&& n.entries[n.attempt].failsOver() {", wrong: "&& n.expired {", killer: "TestStrategies"},
	{name: "silent trunk keeps the call", file: "core/ring/tree.go", right: "!e.launched.Add(slowTrunk).After(now)", wrong: "e.launched.After(now)", killer: "TestStrategies"},
	{name: "pace off by one", file: "core/ring/pace.go", right: "	if n := len(p.sent); n >= burst {\n", wrong: "	if n := len(p.sent); n > burst {\n", killer: "TestPacer"},
	{name: "caller that gave up leaves its number in the queue", file: "core/exchange/hunt.go", right: "	x.unqueueAll(c)\n", wrong: "", killer: "TestPacing"},
	{name: "limit off by one", file: "core/route/meter.go", right: "u.live >= limit.Calls", wrong: "u.live > limit.Calls", killer: "TestMeterCallsAtOnce"},
	{name: "minutes of others forgotten", file: "core/exchange/leg.go", right: "	x.silent(l)\n", wrong: "", killer: "TestMinutesUnderAnyOrder"},
	{name: "each call has all minutes", file: "core/route/meter.go", right: "max(1, len(u.talking))", wrong: "max(1, 0*len(u.talking))", killer: "TestMinutesAreUsedUp", killers: "core/exchange"},
	{name: "limit never freed", file: "core/exchange/leg.go", right: "	x.meter.End(x.now, l.Leg)\n", wrong: "", killer: "TestSimulator"},
	{name: "limit not asked", file: "core/exchange/hunt.go", right: "cand.Target.Trunk); r != nil {", wrong: "cand.Target.Trunk); r != nil && by.IsZero() {", killer: "TestGroups"},
	{name: "holiday ignored", file: "core/route/schedule.go", right: "	if s.holidays[date] || s.holidays[local.Format(yearlyForm)] {\n", wrong: "	if s.holidays[date] && s.holidays[local.Format(yearlyForm)] {\n", killer: "TestSchedule"},
	{name: "time zone ignored", file: "core/route/schedule.go", right: "	zone, err := time.LoadLocation(s.TimeZone)\n", wrong: "	_, err := time.LoadLocation(s.TimeZone)\n	zone := time.UTC\n", killer: "TestSchedule"},

	// Legs.
	{name: "second terminal event", file: "core/exchange/leg.go", right: "	delete(x.legs, l.Leg)\n", wrong: "", killer: "TestRandomRun"},
	{name: "ended twice", file: "core/exchange/leg.go", right: "	if l.state == ending {\n		return\n	}\n	l.state, l.cause", wrong: "	l.state, l.cause", killer: "TestRandomRun"},
	{name: "timer not stopped", file: "core/exchange/leg.go", right: "	x.stopTimers(l)\n	x.leaveLine(l)\n", wrong: "	x.leaveLine(l)\n", killer: "TestApply"},
	{name: "edge that never reports keeps the leg", file: "core/exchange/leg.go", right: "	x.startTimer(l, core.TimerDrain, drainTime)\n", wrong: "", killer: "TestRandomRun"},
	{name: "draining node takes calls", file: "core/exchange/offer.go", right: "	case x.draining:\n", wrong: "	case x.draining && plan.Dial == nil:\n", killer: "TestApply"},
	{name: "late timer counts", file: "engine/timers.go", right: "	if t.running[ev.id] != ev.timer {\n", wrong: "	if t.running[ev.id] == nil {\n", killer: "TestTimers"},

	// Who hears whom.
	{name: "hold without music", file: "core/call/call.go", right: "	if m.talking && held && !present {\n", wrong: "	if m.talking && held && present {\n", killer: "TestRows"},
	{name: "muted and heard", file: "core/call/call.go", right: "		if !other.muted {\n", wrong: "		if !other.muted || other.talking {\n", killer: "TestRows"},
	{name: "whisper is heard by all", file: "core/call/call.go", right: "m.mode == core.Whisper && m.target == other.leg", wrong: "m.mode == core.Whisper", killer: "TestRows"},
	{name: "who left is still heard", file: "core/exchange/call.go", right: "		x.rearm(c)\n	}\n	x.hear(c)\n", wrong: "		x.rearm(c)\n	}\n", killer: "TestMoves|TestSimulator"},

	// Between calls.
	{name: "trunk transfers with the rights of the house", file: "core/exchange/transfer.go", right: "	plan := x.plan(l.self(), to)\n", wrong: "	plan := x.plan(other.self(), to)\n", killer: "TestMoves"},
	{name: "anybody's leg is replaced", file: "core/exchange/transfer.go", right: "	case !sameParty(l, place):\n", wrong: "	case !sameParty(l, l):\n", killer: "TestMoves"},
	{name: "transfer that failed loses the call", file: "core/exchange/transfer.go", right: "	x.join(c, c.caller, l)\n", wrong: "	x.join(c, c.caller)\n	_ = l\n", killer: "TestMoves"},
	{name: "who transferred stays", file: "core/exchange/transfer.go", right: "		x.transferring(c, 200, true)\n		c.referrer = nil\n		x.end(", wrong: "		x.transferring(c, 200, true)\n		x.end(", killer: "TestRandomRun"},
	{name: "two calls in one slot", file: "core/exchange/park.go", right: "	case x.slots[slot] != nil:\n", wrong: "	case x.slots[slot] == l:\n", killer: "TestMoves"},
	{name: "parked call never returns", file: "core/exchange/park.go", right: "	x.startTimer(l, core.TimerPark, verb.Timeout)\n", wrong: "", killer: "TestMoves"},
	{name: "pickup leaves the others ringing", file: "core/exchange/parties.go", right: "	x.endAll(ringing, core.CauseElsewhere, core.ReasonElsewhere)\n", wrong: "	_ = ringing\n", killer: "TestMoves"},
	{name: "supervisor outlives the call", file: "core/exchange/leg.go", right: "		if o.watches && o != l {\n", wrong: "		if o.watches && o == l {\n", killer: "TestMoves"},

	{name: "supervisor who left stays in the rows", file: "core/exchange/call.go", right: "		x.hear(c) // nobody hears it any more\n", wrong: "", killer: "TestMoves"},
	{name: "supervisor who was rung joins", file: "core/exchange/parties.go", right: "	case coach.mode == 0:\n", wrong: "	case coach.mode != 9:\n", killer: "TestMoves"},
	{name: "order of who hears whom ignored", file: "core/call/call.go", right: "		if p.from == other.leg {\n", wrong: "		if p.from == other.leg && p.hears {\n", killer: "TestSetHear", killers: "core/exchange"},
	{name: "leg of another call is moved", file: "core/exchange/ask.go", right: "l == nil || l.call.id != req.Call {", wrong: "l == nil {", killer: "TestWithin"},
	{name: "page of calls begins with the last one again", file: "core/exchange/snapshot.go", right: "c.seq > req.After", wrong: "c.seq >= req.After", killer: "TestSnapshotPages"},
	{name: "answered leg ends with the status of another", file: "core/exchange/leg.go", right: "		code = 0 // its INVITE was answered long ago\n", wrong: "", killer: "TestMoves"},
	{name: "transfer is not told how it went", file: "core/exchange/transfer.go", right: "	x.transferring(c, cmp.Or(o.Code, 480), true)\n", wrong: "	_ = cmp.Or(o.Code, 480)\n", killer: "TestSimulator"},
	{name: "row is not ordered", file: "core/exchange/call.go", right: "	x.publish(l, kind)\n	x.hear(l.call)\n", wrong: "	x.publish(l, kind)\n", killer: "TestRandomRun"},

	// The wire.
	{name: "late 200 is not ended", file: "sipedge/to_core.go", right: "		d.Bye(sip.NewHeader(\"Reason\", reasonOf(l.why.Cause, l.why.Reason)))\n", wrong: "		_ = d\n", killer: "TestEndMeets200OnTheStrand", killers: "sipedge"},
	{name: "redirection is passed on", file: "sipedge/to_core.go", right: "	case code < 400:\n", wrong: "	case code < 300:\n", killer: "TestRedirectionIsNotFollowed", killers: "sipedge"},
}
