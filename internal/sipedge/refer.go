package sipedge

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// referral is a REFER whose outcome the far end awaits (RFC 3515).
type referral struct {
	dialog *sip.Dialog
	id     uint32 // CSeq of the REFER, which tells several apart
}

// refer answers a REFER inside a call. Only a user of the house may send whom it
// talks with elsewhere: a trunk's REFER could place a call at our cost. It runs
// on the dialog's strand; the NOTIFYs follow the answer.
func (l *leg) refer(d *sip.Dialog, req *sip.Request) int {
	if l.user.IsZero() {
		return 603
	}
	if len(sip.HeaderValues(req, "Refer-To")) != 1 {
		return 400 // RFC 3515 section 2.4.2
	}
	to, replaces, code := l.edge.referTo(sip.HeaderValue(req, "Refer-To"))
	if code != 0 {
		return code
	}
	r := &referral{dialog: d, id: req.CSeq().SeqNo}
	l.strand.post(func() {
		if l.stage != stageAnswered || l.referral != nil {
			r.notify(491, true) // one at a time
			return
		}
		l.referral = r
		l.log.Info("transfer asked", "to", to, "replaces", string(replaces))
		l.edge.post(core.TransferAsked{Leg: l.id, To: to, Replaces: replaces})
	})
	return 202
}

// referTo reads whom a REFER names: a number or user, or the far end of another
// dialog of ours. code is the refusal of one that cannot be served.
func (e *Edge) referTo(value string) (to string, replaces core.LegID, code int) {
	text, headers, _ := strings.Cut(addrSpec(value), "?")
	uri, err := sip.ParseURI(text)
	if err != nil || userOf(uri) == "" {
		return "", "", 400
	}
	if method, ok := sip.Param(uri.UriParams, "method"); ok && !strings.EqualFold(method, "INVITE") {
		return "", "", 403
	}
	for header := range strings.SplitSeq(headers, "&") {
		name, escaped, _ := strings.Cut(header, "=")
		if !strings.EqualFold(name, "Replaces") {
			continue // other headers of a stranger are not ours to send
		}
		dialog, err := url.PathUnescape(escaped)
		if err != nil {
			return "", "", 400
		}
		if replaces, code = e.replaced(dialog); code != 0 {
			return "", "", code
		}
	}
	return userOf(uri), replaces, 0
}

// transferProgress tells the transferor how it goes.
func (l *leg) transferProgress(cmd core.TransferProgress) {
	if l.referral == nil {
		return
	}
	l.referral.notify(cmd.Code, cmd.Final)
	if cmd.Final {
		l.referral = nil
	}
}

// notify sends the state of a transfer as the status line of a response (RFC
// 3515 section 2.4.4).
func (r *referral) notify(code int, final bool) {
	state := "active;expires=180"
	if final {
		state = "terminated;reason=noresource"
	}
	r.dialog.Request(sip.NOTIFY, "message/sipfrag;version=2.0", fmt.Appendf(nil, "SIP/2.0 %d %s\r\n", code, sip.Phrase(code)), nil,
		sip.NewHeader("Event", "refer;id="+strconv.FormatUint(uint64(r.id), 10)), sip.NewHeader("Subscription-State", state))
}
