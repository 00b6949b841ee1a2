package demo

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// traced makes a ladder entry of a SIP message that lane sent or got. What does
// not belong to a call, and 100 Trying, is left out.
func traced(lane string, t sip.Trace) (entry, bool) {
	head, _, _ := bytes.Cut(t.Data, []byte("\r\n\r\n"))
	lines := strings.Split(string(head), "\r\n")
	first := lines[0]
	header := func(name string) string {
		for _, line := range lines[1:] {
			if k, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.TrimSpace(k), name) {
				return strings.TrimSpace(v)
			}
		}
		return ""
	}
	_, method, _ := strings.Cut(header("CSeq"), " ")
	switch method {
	case "INVITE", "ACK", "BYE", "CANCEL", "INFO", "UPDATE", "PRACK":
	default:
		return entry{}, false
	}
	e := entry{At: time.Now().UnixMilli(), Call: short(header("Call-ID")), From: "offhook", To: lane}
	if t.Out {
		e.From, e.To = e.To, e.From
	}
	if response, ok := strings.CutPrefix(first, "SIP/2.0 "); ok {
		e.Kind, e.Label = "response", response
		if method != "INVITE" {
			e.Note = method
		}
		return e, !strings.HasPrefix(response, "100 ")
	}
	e.Kind, e.Label = "request", method
	if method == "INVITE" {
		e.Note = userPart(first)
	} else {
		e.Note = header("Reason")
	}
	return e, true
}

// userPart returns the user of the URI in a request line.
func userPart(requestLine string) string {
	fields := strings.Fields(requestLine)
	if len(fields) < 2 {
		return ""
	}
	_, rest, _ := strings.Cut(fields[1], ":")
	user, _, ok := strings.Cut(rest, "@")
	if !ok {
		return ""
	}
	return user
}

// observed makes a ladder entry of what a browser's leg did.
func observed(leg core.LegEntry) (entry, bool) {
	if leg.Edge != core.EdgeBrowser {
		return entry{}, false
	}
	e := entry{At: leg.At.UnixMilli(), Call: short(string(leg.Leg)), From: "browser", To: "offhook", Kind: "event"}
	called := leg.Direction == core.Outbound
	switch leg.Kind {
	case core.ChangeBegan:
		e.Label, e.Note = "call", leg.To.Number
		if called {
			e.Label, e.Note = "incoming", leg.To.User.String()
			e.From, e.To = e.To, e.From
		}
	case core.ChangeRinging:
		e.Label = "ringing"
	case core.ChangeAnswered:
		e.Label = "accept"
		if !called {
			e.Label = "answered"
			e.From, e.To = e.To, e.From
		}
	case core.ChangeEnded:
		e.Label = "ended"
		e.Note = strings.ReplaceAll(leg.Reason.String(), "_", " ")
		if leg.Reason == core.ReasonNone {
			e.Note = ""
		}
		e.From, e.To = e.To, e.From
	default:
		return entry{}, false
	}
	return e, true
}

// short makes a short word of a long id.
func short(id string) string {
	if id == "" {
		return ""
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // never fails
	return fmt.Sprintf("%04x", h.Sum32()&0xFFFF)
}
