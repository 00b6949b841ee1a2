package store_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/store"
)

// withSample runs test with a store of every kind that a file has filled.
func withSample(t *testing.T, test func(t sub, s *store.Store)) {
	t.Helper()
	opened(t, func(t sub, s *store.Store) {
		if err := s.ApplyFile(t.Context(), sample(), realm); err != nil {
			t.Fatal(err)
		}
		test(t, s)
	})
}

func wantKind(t sub, what string, err error, want core.Kind) {
	t.Helper()
	if err == nil || core.KindOf(err) != want {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestCallControlOfTheFile(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		r := sample()
		r.Schedules = []route.Schedule{{Name: "office", TimeZone: "Europe/Berlin", Weekly: []route.Hours{{Days: []string{"mon"}, Open: route.Open{From: "09:00", To: "17:00"}}}}}
		r.Callers = []route.CallerRule{{Name: "z", From: []string{"1*"}, Block: true}, {Name: "a", From: []string{"2*"}, Block: true}}
		r.Limits = route.Limits{Prefixes: []string{"1"}, User: &route.Limit{Calls: 3}}
		r.Dialling, r.Parking = route.Dialling{Country: "us"}, route.Parking{First: 70, Last: 79}
		if err := s.ApplyFile(t.Context(), r, realm); err != nil {
			t.Fatal(err)
		}
		got, err := s.Resources(t.Context())
		if err != nil || !reflect.DeepEqual(got.Schedules, r.Schedules) || !reflect.DeepEqual(got.Callers, r.Callers) ||
			!reflect.DeepEqual(got.Limits, r.Limits) || got.Dialling != r.Dialling || got.Parking != r.Parking {
			t.Errorf("got %+v, %v", got, err)
		}
		if names, err := s.FromFile(t.Context(), route.KindSettings); err != nil || len(names) != 3 {
			t.Errorf("settings of the file: %v, %v", names, err)
		}
	})
}

func TestCreateReplaceDelete(t *testing.T) {
	withSample(t, func(t sub, s *store.Store) {
		ctx := t.Context()
		group := route.Group{Name: "night", Endpoints: []route.Endpoint{{User: "sales"}}}
		if err := s.Create(ctx, route.KindGroups, "night", group); err != nil {
			t.Fatal(err)
		}
		wantKind(t, "create twice", s.Create(ctx, route.KindGroups, "night", group), core.Conflict)
		wantKind(t, "create over the file's", s.Create(ctx, route.KindGroups, "front-desk", group), core.Conflict)
		group.Strategy = route.Sequential
		if err := s.Replace(ctx, route.KindGroups, "night", group); err != nil {
			t.Fatal(err)
		}
		wantKind(t, "replace the file's", s.Replace(ctx, route.KindGroups, "front-desk", group), core.Conflict)
		wantKind(t, "replace nothing", s.Replace(ctx, route.KindGroups, "x", group), core.NotFound)
		r, err := s.Resources(ctx)
		if err != nil || len(r.Groups) != 2 || r.Groups[1].Strategy != route.Sequential {
			t.Errorf("groups: %+v, %v", r.Groups, err)
		}
		if names, err := s.FromFile(ctx, route.KindGroups); err != nil || !slices.Equal(names, []string{"front-desk"}) {
			t.Errorf("of the file: %v, %v", names, err)
		}
		if err := s.Create(ctx, route.KindNumbers, "1", route.Number{Number: "1", Group: "night"}); err != nil {
			t.Fatal(err)
		}
		err = s.Delete(ctx, route.KindGroups, "night")
		wantKind(t, "delete what a number leads to", err, core.Conflict)
		if m, ok := errors.AsType[route.MisfitError](err); !ok || m.Kind != "numbers" || m.Name != "1" || m.Field != "group" {
			t.Errorf("mistake %+v of %v", m, err)
		}
		if err := errors.Join(s.Delete(ctx, route.KindNumbers, "1"), s.Delete(ctx, route.KindGroups, "night")); err != nil {
			t.Error(err)
		}
		wantKind(t, "delete twice", s.Delete(ctx, route.KindGroups, "night"), core.NotFound)
		wantKind(t, "delete the file's", s.Delete(ctx, route.KindGroups, "front-desk"), core.Conflict)
	})
}

func TestMisfitsChangeNothing(t *testing.T) {
	withSample(t, func(t sub, s *store.Store) {
		err := s.Create(t.Context(), route.KindGroups, "g", route.Group{Name: "g", Strategy: "loud", Endpoints: []route.Endpoint{{User: "nobody"}}})
		wantKind(t, "wrong group", err, core.Invalid)
		for _, want := range []string{"groups g strategy: ", `groups g endpoints[0].user: no user "nobody"`} {
			if !strings.Contains(fmt.Sprint(err), want) {
				t.Errorf("%v does not say %q", err, want)
			}
		}
		if r, err := s.Resources(t.Context()); err != nil || len(r.Groups) != 1 {
			t.Errorf("groups: %+v, %v", r.Groups, err)
		}
	})
}

// digestFor returns the digest secrets of a user for a realm, NotFound for another one.
func digestFor(ctx context.Context, s *store.Store, user core.UserID, realm string) (md5Hex, sha256Hex string, err error) {
	is, md5Hex, sha256Hex, err := s.DigestOf(ctx, user)
	if err == nil && is != realm {
		return "", "", &core.Error{Kind: core.NotFound}
	}
	return md5Hex, sha256Hex, err
}

func TestSetPassword(t *testing.T) {
	withSample(t, func(t sub, s *store.Store) {
		ctx := t.Context()
		wantKind(t, "user of the file", s.SetPassword(ctx, "sales", "x", realm), core.Conflict)
		wantKind(t, "unknown user", s.SetPassword(ctx, "x", "x", realm), core.NotFound)
		wantKind(t, "trunk of the file", s.SetTrunkPassword(ctx, "zulu", "x"), core.Conflict)
		if err := s.Create(ctx, route.KindUsers, "new", route.User{Name: "new"}); err != nil {
			t.Fatal(err)
		}
		_, _, err := digestFor(ctx, s, core.UserID{Name: "new"}, realm)
		wantKind(t, "no password yet", err, core.NotFound)
		for _, password := range []core.Secret{"one", "two"} {
			if err := s.SetPassword(ctx, "new", password, realm); err != nil {
				t.Fatal(err)
			}
			wantMD5, wantSHA := store.HA1("new", realm, password)
			md5, sha, err := digestFor(ctx, s, core.UserID{Name: "new"}, realm)
			if err != nil || md5 != wantMD5 || sha != wantSHA {
				t.Errorf("digest %s %s, %v", md5, sha, err)
			}
		}
		// A changed resource keeps its password.
		if err := s.Replace(ctx, route.KindUsers, "new", route.User{Name: "new", DisplayName: "New"}); err != nil {
			t.Fatal(err)
		}
		_, want := store.HA1("new", realm, "two")
		if _, got, err := digestFor(ctx, s, core.UserID{Name: "new"}, realm); err != nil || got != want {
			t.Errorf("after: %q, %v", got, err)
		}
		if err := s.SetPassword(ctx, "new", "", realm); err != nil {
			t.Fatal(err)
		}
		_, _, err = digestFor(ctx, s, core.UserID{Name: "new"}, realm)
		wantKind(t, "password taken away", err, core.NotFound)
		if err := s.Create(ctx, route.KindTrunks, "t", route.Trunk{Name: "t", URI: "sip:t"}); err != nil {
			t.Fatal(err)
		}
		if err := s.SetTrunkPassword(ctx, "t", "secret"); err != nil {
			t.Fatal(err)
		}
		if got, err := s.TrunkPassword(ctx, "t"); err != nil || got.Reveal() != "secret" {
			t.Errorf("trunk password %q, %v", got.Reveal(), err)
		}
	})
}

// TestSwitches turns what people turn by hand, of the file's resources too, and
// wants it kept over the next start.
func TestSwitches(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		ctx := t.Context()
		r := sample()
		r.Schedules = []route.Schedule{{Name: "office", TimeZone: "UTC"}}
		override := route.Override{Schedule: "office", Open: true, Until: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
		wantKind(t, "no schedule", s.SetOverride(ctx, override), core.NotFound)
		wantKind(t, "no user", s.SetDoNotDisturb(ctx, core.UserID{Name: "x"}, true), core.NotFound)
		if err := s.ApplyFile(ctx, r, realm); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.SetOverride(ctx, override), s.SetDoNotDisturb(ctx, core.UserID{Name: "sales"}, true), s.ApplyFile(ctx, r, realm)); err != nil {
			t.Fatal(err)
		}
		got, err := s.Resources(ctx)
		if err != nil || !slices.Equal(got.Overrides, []route.Override{override}) || !got.Users[0].DoNotDisturb || got.Users[1].DoNotDisturb {
			t.Errorf("%+v, %v", got, err)
		}
		if err := errors.Join(s.ClearOverride(ctx, "office"), s.ClearOverride(ctx, "office"), s.SetDoNotDisturb(ctx, core.UserID{Name: "sales"}, false)); err != nil {
			t.Fatal(err)
		}
		wantKind(t, "clear of no schedule", s.ClearOverride(ctx, "x"), core.NotFound)
		if got, err := s.Resources(ctx); err != nil || len(got.Overrides) != 0 || got.Users[0].DoNotDisturb {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// TestCDRPages reads records page by page, several of one microsecond among them.
func TestCDRPages(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		var want []core.LegID
		for i := range 10 {
			leg := core.LegID(fmt.Sprintf("leg-%d", i))
			if _, err := s.Append(t.Context(), []core.LegEntry{entry(leg, 1, core.ChangeBegan, 9-i/3)}); err != nil {
				t.Fatal(err)
			}
			want = append(want, leg)
		}
		var got []core.LegID
		q := core.CDRQuery{Limit: 4}
		for {
			page, err := s.CDRs(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, r := range page {
				got = append(got, r.Leg)
			}
			q.BeforeTime, q.BeforeLeg = page[len(page)-1].Begun, page[len(page)-1].Leg
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if page, err := s.CDRs(t.Context(), core.CDRQuery{Limit: 9, User: core.UserID{Name: "stranger"}}); err != nil || len(page) != 0 {
			t.Errorf("records of a stranger: %v, %v", page, err)
		}
	})
}

// TestRecordFollowsItsLeg wants a living leg's record in the call that it moved to.
func TestRecordFollowsItsLeg(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		began, moved := entry("leg", 1, core.ChangeBegan, 0), entry("leg", 2, core.ChangeMoved, 1)
		moved.Call = "another"
		if _, err := s.Append(t.Context(), []core.LegEntry{began, moved}); err != nil {
			t.Fatal(err)
		}
		if r, err := s.CDR(t.Context(), "leg"); err != nil || r.Call != "another" || !r.Ended.IsZero() {
			t.Errorf("%+v, %v", r, err)
		}
	})
}
