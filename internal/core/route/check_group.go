package route

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func (d *Directory) checkGroup(m *mistakes, at string, g Group) {
	strategies := []Strategy{"", Simultaneous, Sequential, RoundRobin, Random, LeastRecent}
	if !slices.Contains(strategies, g.Strategy) {
		m.add(at+".strategy", "%q is none of simultaneous, sequential, round_robin, random, least_recent", g.Strategy)
	}
	checkDuration(m, at+".ring_timeout", g.RingTimeout, time.Second)
	checkDuration(m, at+".step_timeout", g.StepTimeout, time.Second)
	if g.CallerHears != "" {
		if _, err := parseWaiting(g.CallerHears); err != nil {
			m.add(at+".caller_hears", "%v", err)
		}
	}
	checkConfirm(m, at+".confirm", g.Confirm)
	if len(g.Endpoints) == 0 {
		m.add(at+".endpoints", "none")
	}
	for j, e := range g.Endpoints {
		d.checkEndpoint(m, fmt.Sprintf("%s.endpoints[%d]", at, j), e)
	}
	d.checkDestination(m, at+".no_answer", g.NoAnswer)
	d.checkDestination(m, at+".busy", g.Busy)
	d.checkDestination(m, at+".unreachable", g.Unreachable)
	d.checkDestination(m, at+".failed", g.Failed)
}

// maxConfirmTimeout is longer than anybody listens to one prompt.
const maxConfirmTimeout = 60 * time.Second

func checkConfirm(m *mistakes, at string, c *Confirm) {
	if c == nil {
		return
	}
	if c.Key != "" && (len(c.Key) != 1 || !strings.Contains("0123456789*#", c.Key)) {
		m.add(at+".key", "%q is not one of 0-9 * #", c.Key)
	}
	if c.Prompt != "" {
		if _, err := parseAnnouncement(c.Prompt); err != nil {
			m.add(at+".prompt", "%v", err)
		}
	}
	if t := time.Duration(c.Timeout); t != 0 && (t < time.Second || t > maxConfirmTimeout) {
		m.add(at+".timeout", "%v is outside 1s..%v", t, maxConfirmTimeout)
	}
}

func (d *Directory) checkEndpoint(m *mistakes, at string, e Endpoint) {
	checkDuration(m, at+".delay", e.Delay, 0)
	checkDuration(m, at+".timeout", e.Timeout, time.Second)
	checkRange(m, at+".weight", e.Weight, 100)
	if words := []string{"", callerIDCaller, callerIDDialled, callerIDTrunk}; !slices.Contains(words, e.CallerID) && !isNumber(e.CallerID) {
		m.add(at+".caller_id", "%q is neither 1 to 15 digits nor one of caller, dialled, trunk", e.CallerID)
	}
	if countSet(e.Phone, e.User, e.SIP, e.Group) != 1 {
		m.add(at, "needs exactly one of phone, user, sip, group")
		return
	}
	switch {
	case e.Group != "":
		if _, ok := d.groups[e.Group]; !ok {
			m.add(at+".group", "no group %q", e.Group)
		}
	case e.User != "":
		d.checkHouseUser(m, at+".user", e.User)
	case e.SIP != "":
		if !isURI(e.SIP) {
			m.add(at+".sip", "%q is not a SIP URI such as sip:bob@10.0.0.7", e.SIP)
		}
	default:
		if _, own := d.number(d.normalise(e.Phone)); own {
			// It would leave by the trunk, come back and ring the group again, for ever.
			m.add(at+".phone", "%q is one of our own numbers", e.Phone)
		}
		d.checkPhone(m, at+".phone", e.Phone)
	}
}

// checkCircles refuses groups and numbers that lead to themselves: a call would
// go round for ever.
func (d *Directory) checkCircles(m *mistakes) {
	const open, done = 1, 2
	state := make(map[string]int)
	var visit func(node string) (circle bool)
	visit = func(node string) bool {
		switch state[node] {
		case open:
			return true
		case done:
			return false
		}
		state[node] = open
		circle := slices.ContainsFunc(d.leadsTo(node), visit)
		state[node] = done
		return circle
	}
	for i, g := range d.res.Groups {
		if visit(groupNode + g.Name) {
			m.add(fmt.Sprintf("groups[%d]", i), "%q leads back to itself", g.Name)
		}
	}
	for i, n := range d.res.Numbers {
		if visit(numberNode + n.Number) {
			m.add(fmt.Sprintf("numbers[%d]", i), "%q leads back to itself", n.Number)
		}
	}
}

// The kinds of nodes of the graph of what leads where.
const groupNode, numberNode = "group ", "number "

// leadsTo returns the groups and numbers that a call may come to next.
func (d *Directory) leadsTo(node string) (next []string) {
	var to []*Destination
	if name, ok := strings.CutPrefix(node, groupNode); ok {
		g := d.groups[name]
		for _, e := range g.Endpoints {
			if e.Group != "" {
				next = append(next, groupNode+e.Group)
			}
		}
		to = []*Destination{g.NoAnswer, g.Busy, g.Unreachable, g.Failed}
	} else {
		text := strings.TrimPrefix(node, numberNode)
		n, exact := d.numbers[text]
		if !exact { // patterns are few, exact numbers may be ten thousand
			n = d.res.Numbers[slices.IndexFunc(d.res.Numbers, func(n Number) bool { return n.Number == text })]
		}
		first := n.Destination()
		to = []*Destination{&first, n.Closed}
	}
	for _, t := range to {
		switch {
		case t == nil:
		case t.Group != "":
			next = append(next, groupNode+t.Group)
		case t.Phone != "":
			if n, ok := d.number(d.normalise(t.Phone)); ok {
				next = append(next, numberNode+n.Number)
			}
		}
	}
	return next
}
