package sipedge

import (
	"slices"
	"strings"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// dialogKey identifies a dialog of ours (RFC 3261 section 12).
type dialogKey struct{ callID, local, remote string }

func keyOf(d *sip.Dialog) dialogKey { return dialogKey{d.CallID(), d.LocalTag(), d.RemoteTag()} }

// knownDialog is what Replaces must know of a dialog.
type knownDialog struct {
	leg       core.LegID
	ours      bool // we sent its INVITE
	confirmed bool // it had a 2xx
}

// endedDialogs are the last dialogs that ended.
type endedDialogs struct {
	keys [256]dialogKey
	next int
}

func (e *endedDialogs) add(key dialogKey) {
	e.keys[e.next] = key
	e.next = (e.next + 1) % len(e.keys)
}

// known makes a dialog of the leg findable for Replaces. It is early until it is
// made known as confirmed.
func (l *leg) known(d *sip.Dialog, confirmed bool) {
	e, key := l.edge, keyOf(d)
	e.mu.Lock()
	defer e.mu.Unlock()
	old, again := e.dialogs[key]
	if e.legs[l.id] != l || again && old.leg != l.id {
		return
	}
	e.dialogs[key] = knownDialog{leg: l.id, ours: l.in == nil, confirmed: confirmed || old.confirmed}
	if !again {
		l.dialogs = append(l.dialogs, key)
	}
}

// unknownLocked forgets the dialogs of a leg that is gone.
func (e *Edge) unknownLocked(l *leg) {
	for _, key := range l.dialogs {
		delete(e.dialogs, key)
		e.ended.add(key)
	}
}

// replacing returns the leg whose place an INVITE shall take (RFC 3891), "" if it names
// none. code is the refusal of one that cannot be.
func (e *Edge) replacing(req *sip.Request) (leg core.LegID, code int) {
	switch values := sip.HeaderValues(req, "Replaces"); len(values) {
	case 0:
		return "", 0
	case 1:
		return e.replaced(values[0])
	}
	return "", 400
}

// replaced returns the leg that a Replaces value names (RFC 3891 section 3): its to-tag
// is ours, its from-tag the far end's. code is the refusal if there is none, or if its
// dialog is over, is the far end's to give up, or is confirmed where only an early one
// was meant.
func (e *Edge) replaced(value string) (leg core.LegID, code int) {
	key, earlyOnly := parseReplaces(value)
	e.mu.Lock()
	defer e.mu.Unlock()
	d, ok := e.dialogs[key]
	switch {
	case !ok && slices.Contains(e.ended.keys[:], key):
		return "", 603
	case !ok, !d.ours && !d.confirmed:
		return "", 481
	case earlyOnly && d.confirmed:
		return "", 486
	}
	return d.leg, 0
}

func parseReplaces(value string) (key dialogKey, earlyOnly bool) {
	callID, params, _ := strings.Cut(value, ";")
	key.callID = strings.TrimSpace(callID)
	for param := range strings.SplitSeq(params, ";") {
		name, tag, _ := strings.Cut(strings.TrimSpace(param), "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "to-tag":
			key.local = strings.TrimSpace(tag)
		case "from-tag":
			key.remote = strings.TrimSpace(tag)
		case "early-only":
			earlyOnly = true
		}
	}
	return key, earlyOnly
}
