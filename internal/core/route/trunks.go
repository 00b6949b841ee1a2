package route

import (
	"cmp"
	"slices"
	"strings"

	"github.com/offhook/offhook/internal/core"
)

// attempts returns the trunks that carry digits in the order to try them: those
// that answer first; of these the longest prefix, then the lowest priority, then
// by weight.
func (d *Directory) attempts(req Request, digits string) []string {
	var carriers []carrier
	for _, t := range d.res.Trunks {
		if length, ok := longestPrefix(t.Prefixes, digits); ok {
			carriers = append(carriers, carrier{t, length, req.Down != nil && req.Down(t.Name)})
		}
	}
	slices.SortStableFunc(carriers, carrier.compare)
	var order []string
	for len(carriers) > 0 {
		n := 1 // how many are equal to the first
		for n < len(carriers) && carriers[0].compare(carriers[n]) == 0 {
			n++
		}
		i := draw(req.Random, carriers[:n])
		order = append(order, carriers[i].Name)
		carriers = slices.Delete(carriers, i, i+1)
	}
	return order
}

// carrier is a trunk that carries a number.
type carrier struct {
	Trunk
	prefix int // length of the prefix that matched
	down   bool
}

// compare orders carriers but for their weight.
func (c carrier) compare(o carrier) int {
	if c.down != o.down {
		if c.down {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(o.prefix, c.prefix), cmp.Compare(c.Priority, o.Priority))
}

// draw returns the index of one of equal carriers, each as likely as its weight.
func draw(random func(int) int, equal []carrier) int {
	if random == nil || len(equal) == 1 {
		return 0
	}
	sum := 0
	for _, c := range equal {
		sum += max(1, c.Weight)
	}
	left := random(sum)
	for i, c := range equal {
		if left -= max(1, c.Weight); left < 0 {
			return i
		}
	}
	return len(equal) - 1
}

// longestPrefix returns the length of the longest of prefixes that digits begin
// with. No prefixes at all, and "*", match everything with length 0.
func longestPrefix(prefixes []string, digits string) (length int, ok bool) {
	ok = len(prefixes) == 0
	for _, p := range prefixes {
		p = strings.TrimSuffix(p, "*")
		if strings.HasPrefix(digits, p) {
			length, ok = max(length, len(p)), true
		}
	}
	return length, ok
}

// FailsOver reports whether a call that ended on one trunk with this cause, and
// this SIP status or 0, may succeed on the next: the trunk failed, not the callee.
// That is every 5xx, no answer to our signalling, and no way to the trunk. 486,
// 480, 404 or 603 are the callee's, and asking again would ring a phone twice.
func FailsOver(cause core.Cause, code int) bool {
	lost := []core.Cause{
		core.CauseNoRoute, core.CauseNoResponse, core.CauseOutOfOrder, core.CauseNoCircuit,
		core.CauseNetworkOrder, core.CauseTempFailure, core.CauseNoResource, core.CauseRecoveryOnTimer,
	}
	return code >= 500 && code <= 599 || (code == 0 || code == 408) && slices.Contains(lost, cause)
}
