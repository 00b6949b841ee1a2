package main

import (
	"fmt"
	"net/http"
	"time"
)

// voiceRate is in calls a second.
const voiceRate = 20.0

// voicePackets is how many messages a call of an application brings to the server:
// the callee's 180, 200 and 200 to BYE, the request, and five webhooks' answers.
const voicePackets = 9

// voice measures V1, V2 and V3: an application places calls, is asked what to do
// when each is answered, and is told of every change.
func (b *bench) voice() error {
	site, err := b.openAppSite(60, func(*http.Request) any {
		return []any{map[string]any{"action": "wait", "timeout": 1}}
	})
	if err != nil {
		return err
	}
	defer site.house.app.close()
	defer site.close()
	for run := range b.runs {
		name := fmt.Sprintf("V run %d", run+1)
		before, err := site.holdings()
		if err != nil {
			return err
		}
		if err := b.voiceRun(site, name); err != nil {
			return err
		}
		if err := site.checkLeaks(b, name, before); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) voiceRun(site *site, name string) error {
	book := newLedger()
	site.callees.onInvite(func(m *message, at time.Time) dialog {
		c := site.callees.ring(book, m)
		book.note(c.record, func(r *record) { r.invited = at })
		c.answer = describe(discard(site.callees), pcmuType)
		c.pickUp()
		return c
	})
	failed := make(chan error, 1)
	begin := func(i int) {
		user := site.house.callees[i%len(site.house.callees)].user
		r := book.add(pair{appNumber, user})
		book.note(r, func(r *record) { r.dialled = time.Now() })
		go func() {
			if _, err := site.house.app.create(site.url, user, map[string]any{
				"answer_url": []string{site.house.app.url + "/answer"},
			}); err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		}()
	}
	openLoop(voiceRate, 2*time.Second, begin)
	hooks, placed := site.house.app.hooks.Load(), 0
	used, err := during(site.process, func() { openLoop(voiceRate, b.window, func(i int) { placed++; begin(i) }) })
	if err != nil {
		return err
	}
	hooks = site.house.app.hooks.Load() - hooks
	site.settle(b, name)
	site.house.app.rest()
	select {
	case err := <-failed:
		return err
	default:
	}
	control, err := signallingFloor(voiceRate*voicePackets, b.window/2)
	if err != nil {
		return err
	}
	setup := book.between(func(r *record) time.Time { return r.dialled }, func(r *record) time.Time { return r.invited })
	cost, told := milliseconds(used, placed), float64(hooks)/float64(max(1, placed))
	b.report.add("V1", setup.at(0.5), control.there.at(0.5))
	b.report.add("V1 p99", setup.at(0.99), control.there.at(0.99))
	b.report.add("V2", told, 0)
	b.report.add("V3", cost, control.packet*voicePackets)
	b.logf("%s: %.2f ms a call, %.1f webhooks a call, request to INVITE p50 %.2f ms, p99 %.2f ms", name, cost, told, setup.at(0.5), setup.at(0.99))
	return nil
}
