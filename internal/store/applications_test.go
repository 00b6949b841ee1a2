package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/store"
)

const otherApp = "99999999-2222-3333-4444-555555555555"

// words is a dialect's words for how far a leg came.
func words(c core.LegChange) string {
	switch c.Kind { //nolint:exhaustive // the others are no news
	case core.ChangeBegan:
		return "started"
	case core.ChangeRinging:
		return "ringing"
	case core.ChangeAnswered:
		return "answered"
	case core.ChangeEnded:
		if c.Answered {
			return "completed"
		}
		return "failed"
	}
	return ""
}

// appEntry is an entry of a leg of an application.
func appEntry(app string, leg core.LegID, seq int, kind core.ChangeKind, second int) core.LegEntry {
	e := entry(leg, seq, kind, second)
	e.App, e.Hook = app, core.Hook{URL: "http://app.test/event?x=1", Method: "GET"}
	if kind == core.ChangeBegan {
		e.Headers = []core.Header{{Name: "X-OpenTok-SessionId", Value: "1_\x00äöü"}, {Name: "User-to-User", Value: "ab"}}
	}
	return e
}

func TestLegsOfAnApplication(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		s.SetStatus(words)
		mustAppend(t, s, 0,
			appEntry(appID, "new", 1, core.ChangeBegan, 30),
			appEntry(appID, "rings", 1, core.ChangeBegan, 20), appEntry(appID, "rings", 2, core.ChangeRinging, 21),
			appEntry(appID, "talks", 1, core.ChangeBegan, 10), appEntry(appID, "talks", 2, core.ChangeAnswered, 11),
			appEntry(otherApp, "others", 1, core.ChangeBegan, 10), entry("house", 1, core.ChangeBegan, 10),
		)
		mustAppend(t, s, 0, appEntry(appID, "talks", 3, core.ChangeHeld, 12)) // no news of its status
		over := appEntry(appID, "over", 2, core.ChangeEnded, 6)
		over.Answered, over.Call = true, "moved"
		mustAppend(t, s, 0, appEntry(appID, "over", 1, core.ChangeBegan, 5), over)

		r, err := s.AppLeg(t.Context(), appID, "talks")
		if err != nil || r.App != appID || r.Status != "answered" || r.Hook != (core.Hook{URL: "http://app.test/event?x=1", Method: "GET"}) ||
			!slices.Equal(r.Headers, []core.Header{{Name: "X-OpenTok-SessionId", Value: "1_äöü"}, {Name: "User-to-User", Value: "ab"}}) {
			t.Errorf("AppLeg = %+v, %v", r, err)
		}
		for _, leg := range []core.LegID{"others", "house", "none"} {
			if r, err := s.AppLeg(t.Context(), appID, leg); core.KindOf(err) != core.NotFound {
				t.Errorf("AppLeg(%s) = %+v, %v", leg, r, err)
			}
		}
		if r, err := s.AppLeg(t.Context(), "", "house"); core.KindOf(err) != core.NotFound {
			t.Errorf("a leg of the house is given to nobody: %+v, %v", r, err)
		}
		for _, tt := range []struct {
			name  string
			q     core.AppLegQuery
			want  string
			total int
		}{
			{"all", core.AppLegQuery{}, "over talks rings new", 4},
			{"newest first", core.AppLegQuery{Desc: true}, "new rings talks over", 4},
			{"second page", core.AppLegQuery{Limit: 2, Offset: 1}, "talks rings", 4},
			{"behind the last page", core.AppLegQuery{Offset: 9}, "", 4},
			{"ringing", core.AppLegQuery{Status: "ringing"}, "rings", 1},
			{"completed", core.AppLegQuery{Status: "completed"}, "over", 1},
			{"call", core.AppLegQuery{Call: "moved"}, "over", 1},
			{"since", core.AppLegQuery{Since: at(20)}, "rings new", 2},
			{"until", core.AppLegQuery{Until: at(10)}, "over talks", 2},
			{"nobody's", core.AppLegQuery{App: "x"}, "", 0},
		} {
			if tt.q.App == "" {
				tt.q.App = appID
			}
			if tt.q.Limit == 0 {
				tt.q.Limit = 100
			}
			page, total, err := s.AppLegs(t.Context(), tt.q)
			var legs []string
			for _, r := range page {
				legs = append(legs, string(r.Leg))
			}
			if got := strings.Join(legs, " "); err != nil || got != tt.want || total != tt.total {
				t.Errorf("%s: %s of %d, %v, want %s of %d", tt.name, got, total, err, tt.want, tt.total)
			}
		}
		if page, _, err := s.AppLegs(t.Context(), core.AppLegQuery{Limit: 10}); err != nil || len(page) != 0 {
			t.Errorf("legs of the house: %+v, %v", page, err)
		}
	})
}

// A group of the house that nobody answered may lead to an application.
func TestLegIsLedToAnApplication(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		s.SetStatus(words)
		mustAppend(t, s, 0, entry("a", 1, core.ChangeBegan, 1))
		ringing := appEntry(appID, "a", 2, core.ChangeRinging, 2)
		mustAppend(t, s, 0, ringing)
		answered := appEntry(otherApp, "a", 3, core.ChangeAnswered, 3) // never: and changes nothing
		mustAppend(t, s, 0, answered)
		if r, err := s.AppLeg(t.Context(), appID, "a"); err != nil || r.Hook != ringing.Hook || r.Status != "answered" {
			t.Errorf("AppLeg = %+v, %v", r, err)
		}
		mustAppend(t, s, 0, entry("b", 1, core.ChangeBegan, 1), appEntry(appID, "b", 2, core.ChangeRinging, 2))
		if r, err := s.AppLeg(t.Context(), appID, "b"); err != nil || r.Hook != ringing.Hook || r.Status != "ringing" {
			t.Errorf("in one chapter: %+v, %v", r, err)
		}
	})
}

// Who was told that a leg began is told of its end, also after a crash.
func TestCloseUnfinishedLegsOfApplications(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		s.SetStatus(words)
		mustAppend(t, s, 0,
			appEntry(appID, "talks", 1, core.ChangeBegan, 10), appEntry(appID, "talks", 2, core.ChangeAnswered, 11),
			appEntry(appID, "rings", 1, core.ChangeBegan, 20),
			entry("house", 1, core.ChangeBegan, 10),
		)
		closed, err := s.CloseUnfinished(t.Context(), at(100))
		if err != nil || len(closed) != 3 {
			t.Fatalf("CloseUnfinished = %+v, %v", closed, err)
		}
		for _, r := range closed {
			want := map[core.LegID]string{"talks": "completed", "rings": "failed"}[r.Leg]
			if r.Status != want || !r.Ended.Equal(at(100)) || (r.App != "") != (want != "") || r.App != "" && r.Hook.URL == "" {
				t.Errorf("%+v, want status %q", r, want)
			}
		}
	})
}

func TestAppUsers(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		ctx := t.Context()
		alice, err := s.CreateAppUser(ctx, core.AppUser{App: appID, Name: "alice", DisplayName: "Alice", Properties: `{"a":[1]}`})
		if err != nil || !strings.HasPrefix(alice.ID, "USR-") || alice.Created.IsZero() {
			t.Fatalf("CreateAppUser = %+v, %v", alice, err)
		}
		if _, err := s.CreateAppUser(ctx, core.AppUser{App: appID, Name: "alice"}); core.KindOf(err) != core.Conflict {
			t.Errorf("the same name again: %v", err)
		}
		for _, bad := range []string{"[]", "null", "{"} {
			if _, err := s.CreateAppUser(ctx, core.AppUser{App: appID, Name: "x", Properties: bad}); core.KindOf(err) != core.Invalid {
				t.Errorf("properties %s: %v", bad, err)
			}
		}
		for _, key := range []string{alice.ID, "alice"} {
			if got, err := s.AppUser(ctx, appID, key); err != nil || !reflect.DeepEqual(got, alice) {
				t.Errorf("AppUser(%s) = %+v, %v, want %+v", key, got, err, alice)
			}
			if got, err := s.AppUser(ctx, otherApp, key); core.KindOf(err) != core.NotFound {
				t.Errorf("AppUser(%s) of another = %+v, %v", key, got, err)
			}
		}
		var wg sync.WaitGroup
		for range 4 { // tabs of one browser
			wg.Go(func() {
				if err := s.EnsureAppUser(ctx, core.UserID{App: appID, Name: "bob"}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		bob, err := s.AppUser(ctx, appID, "bob")
		if err != nil {
			t.Fatal(err)
		}
		bob.Name = "alice"
		if err := s.ReplaceAppUser(ctx, bob); core.KindOf(err) != core.Conflict {
			t.Errorf("renamed to another's name: %v", err)
		}
		bob.Name, bob.DisplayName, bob.Properties = "robert", "Bob", ""
		if err := s.ReplaceAppUser(ctx, bob); err != nil {
			t.Error(err)
		}
		if got, err := s.AppUser(ctx, appID, "robert"); err != nil || !reflect.DeepEqual(got, bob) {
			t.Errorf("replaced: %+v, %v, want %+v", got, err, bob)
		}
		if err := s.DeleteAppUser(ctx, otherApp, bob.ID); core.KindOf(err) != core.NotFound {
			t.Errorf("another application deletes it: %v", err)
		}
		if err := s.DeleteAppUser(ctx, appID, bob.ID); err != nil {
			t.Error(err)
		}
		if err := s.ReplaceAppUser(ctx, bob); core.KindOf(err) != core.NotFound {
			t.Errorf("replaced who is gone: %v", err)
		}
	})
}

func TestAppUsersPages(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		for i := range 7 {
			if _, err := s.CreateAppUser(t.Context(), core.AppUser{App: appID, Name: fmt.Sprint("u", i)}); err != nil {
				t.Fatal(err)
			}
		}
		for _, desc := range []bool{false, true} {
			var names []string
			for q := (core.AppUserQuery{App: appID, Limit: 3, Desc: desc}); ; {
				page, err := s.AppUsers(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				for _, u := range page {
					names = append(names, u.Name)
				}
				q.After = page[len(page)-1].ID
			}
			if len(names) != 7 || len(slices.Compact(slices.Sorted(slices.Values(names)))) != 7 {
				t.Errorf("desc %v: %v", desc, names)
			}
		}
		if page, err := s.AppUsers(t.Context(), core.AppUserQuery{App: appID, Name: "u3", Limit: 10}); err != nil || len(page) != 1 {
			t.Errorf("by name: %+v, %v", page, err)
		}
		if page, err := s.AppUsers(t.Context(), core.AppUserQuery{App: otherApp, Limit: 10}); err != nil || len(page) != 0 {
			t.Errorf("of another: %+v, %v", page, err)
		}
	})
}

func TestAccountsByTheAPI(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		ctx := t.Context()
		if err := s.Create(ctx, route.KindAccounts, "k1", route.Account{Key: "k1"}); err != nil {
			t.Fatal(err)
		}
		if err := s.SetAccountSecrets(ctx, "k1", "first secret", "first signature", realm); err != nil {
			t.Fatal(err)
		}
		if err := s.SetAccountSecrets(ctx, "k1", "second secret", "", realm); err != nil {
			t.Fatal(err)
		}
		if _, secret, signature, err := s.Account(ctx, "k1"); err != nil || secret.Reveal() != "second secret" || signature.Reveal() != "first signature" {
			t.Errorf("Account = %q %q %v", secret.Reveal(), signature.Reveal(), err)
		}
		if err := s.Create(ctx, route.KindApplications, appID, route.Application{ID: appID, Account: "k1"}); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(ctx, route.KindAccounts, "k1"); core.KindOf(err) != core.Conflict {
			t.Errorf("deleted an account with applications: %v", err)
		}
		if err := s.SetAccountSecrets(ctx, "none", "x", "x", realm); core.KindOf(err) != core.NotFound {
			t.Errorf("secrets of nobody: %v", err)
		}
		if err := s.ApplyFile(ctx, sample(), realm); core.KindOf(err) != core.Conflict {
			t.Errorf("the same application in the file: %v", err)
		}
	})
}
