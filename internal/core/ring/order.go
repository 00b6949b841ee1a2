package ring

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/offhook/offhook/internal/core/route"
)

// Memory is what groups remember from one call to the next: whose turn it is,
// and who talked when. The zero Memory is empty.
type Memory struct {
	turns map[string]int      // calls of a round_robin group, by its key
	taken map[taker]time.Time // when they last began or ended to talk
}

// taker is an endpoint of a group.
type taker struct{ group, endpoint string }

// Takers are the endpoints that took a call, one for each of the groups around
// them that asks who did so last.
type Takers []taker

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

// takers returns who took the call of the endpoint n.
func takers(n *Node) (all Takers) {
	for ; n.parent != nil; n = n.parent {
		if n.parent.group.Strategy == route.LeastRecent {
			all = append(all, taker{n.parent.group.Group, nameOf(n.Branch)})
		}
	}
	return all
}

// Talked notes that takers talk at now. It is called when their conversation
// begins and when it ends: who has just hung up after an hour is not the one who
// has rested for longest.
func (m *Memory) Talked(who Takers, now time.Time) {
	for _, t := range who {
		if m.taken == nil {
			m.taken = make(map[taker]time.Time)
		}
		m.taken[t] = now
	}
	if len(m.taken) > maxTaken {
		m.forget()
	}
}

// maxTaken bounds who is remembered: an application may let ever new numbers ring by
// least_recent.
const maxTaken = 16 << 10

// forget drops the half that has rested for longest. They ring first all the same, as
// those who never talked do.
func (m *Memory) forget() {
	times := slices.SortedFunc(maps.Values(m.taken), time.Time.Compare)
	middle := times[len(times)/2]
	maps.DeleteFunc(m.taken, func(_ taker, at time.Time) bool { return !at.After(middle) })
}

// nameOf names a branch whatever its place in the list.
func nameOf(b route.Branch) string {
	if b.Group != nil {
		return "group " + b.Group.Group
	}
	return cmp.Or(b.Target.Number, b.Target.URI, "user "+b.Target.User.String())
}
