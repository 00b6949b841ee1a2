package ring

import (
	"cmp"
	"slices"
	"time"

	"github.com/offhook/offhook/internal/core/route"
)

// Memory is what groups remember from one call to the next: whose turn it is,
// and who took a call when. The zero Memory is empty.
type Memory struct {
	turns map[string]int // calls of a round_robin group, by its key
	taken map[taker]time.Time
}

// taker is an endpoint of a group.
type taker struct{ group, endpoint string }

// order returns the indexes of d's branches in the order they ring. dice returns a
// number below its argument.
func (m *Memory) order(d *route.Dial, dice func(int) int) []int {
	order := make([]int, len(d.Branches))
	for i := range order {
		order[i] = i
	}
	switch d.Strategy {
	case route.Simultaneous, route.Sequential: // as configured
	case route.RoundRobin:
		if first := m.turn(d.Group); len(order) > 0 {
			first %= len(order)
			order = append(order[first:], order[:first]...)
		}
	case route.Random:
		shuffle(order, d.Branches, dice)
	case route.LeastRecent:
		slices.SortStableFunc(order, func(a, b int) int {
			return m.took(d, a).Compare(m.took(d, b))
		})
	}
	return order
}

// turn counts a call of a round_robin group and returns how many were before.
func (m *Memory) turn(group string) int {
	if m.turns == nil {
		m.turns = make(map[string]int)
	}
	m.turns[group]++
	return m.turns[group] - 1
}

// shuffle draws one branch after the other, each with the chance of its weight.
func shuffle(order []int, branches []route.Branch, dice func(int) int) {
	for at := range order {
		total := 0
		for _, i := range order[at:] {
			total += weight(branches[i])
		}
		drawn := dice(total)
		for j := at; ; j++ {
			if drawn -= weight(branches[order[j]]); drawn < 0 {
				order[at], order[j] = order[j], order[at]
				break
			}
		}
	}
}

func weight(b route.Branch) int { return max(1, b.Weight) }

func (m *Memory) took(d *route.Dial, branch int) time.Time {
	return m.taken[taker{d.Group, nameOf(d.Branches[branch])}]
}

// won notes that the endpoint n took a call, in every group around it that asks.
func (m *Memory) won(n *Node, now time.Time) {
	for ; n.parent != nil; n = n.parent {
		if n.parent.group.Strategy != route.LeastRecent {
			continue
		}
		if m.taken == nil {
			m.taken = make(map[taker]time.Time)
		}
		m.taken[taker{n.parent.group.Group, nameOf(n.Branch)}] = now
	}
}

// nameOf names a branch whatever its place in the list.
func nameOf(b route.Branch) string {
	if b.Group != nil {
		return "group " + b.Group.Group
	}
	return cmp.Or(b.Target.Number, b.Target.URI, "user "+b.Target.User.String())
}
