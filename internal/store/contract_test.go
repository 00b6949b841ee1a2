package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
	"github.com/offhook/offhook/internal/store"
	"github.com/offhook/offhook/internal/store/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// openers are the databases that the contract is checked with: each makes an
// empty store and returns how to open it, again and again.
var openers = map[string]func(t *testing.T) func(key store.Key) (*store.Store, error){
	"sqlite": func(t *testing.T) func(store.Key) (*store.Store, error) {
		t.Helper()
		url := "sqlite:" + filepath.Join(t.TempDir(), "data folder", "offhook?.db")
		return func(key store.Key) (*store.Store, error) { return sqlite.Open(t.Context(), url, key) }
	},
}

// sub is the subtest of one kind of store.
type sub struct{ *testing.T }

// contract runs test with an empty store of every kind.
func contract(t *testing.T, test func(t sub, open func(store.Key) (*store.Store, error))) {
	t.Helper()
	for name, opener := range openers {
		t.Run(name, func(t *testing.T) { test(sub{t}, opener(t)) })
	}
}

// opened runs test with an open store of every kind.
func opened(t *testing.T, test func(t sub, s *store.Store)) {
	t.Helper()
	contract(t, func(t sub, open func(store.Key) (*store.Store, error)) {
		test(t, mustOpen(t, open, store.NewKey()))
	})
}

func mustOpen(t testing.TB, open func(store.Key) (*store.Store, error), key store.Key) *store.Store {
	t.Helper()
	s, err := open(key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

const realm = "offhook.example"

const appID = "11111111-2222-3333-4444-555555555555"

func sample() store.Resources {
	return store.Resources{
		Users: []store.User{
			{User: route.User{Name: "sales", DisplayName: "Sales", Number: "12995558888", DeclineAll: true}, Password: "correct horse"},
			{User: route.User{Name: "support"}, Password: "battery staple"},
			{User: route.User{Name: "token-only"}},
		},
		Groups:  []route.Group{{Name: "front-desk", RingTimeout: route.Duration(29 * time.Second), Endpoints: []route.Endpoint{{User: "sales"}, {Phone: "12995551111"}}}},
		Numbers: []route.Number{{Number: "12995558888", Group: "front-desk"}, {Number: "12995557777", User: "sales"}},
		Trunks: []store.Trunk{
			{Trunk: route.Trunk{Name: "zulu", URI: "sip:127.0.0.1:5080", CallsPerSecond: 2.5}, Password: "trunk secret"},
			{Trunk: route.Trunk{Name: "alpha", URI: "sip:127.0.0.1:5081"}},
		},
		Accounts: []store.Account{{Account: route.Account{Key: "abcd1234", Name: "The firm"}, Secret: "anything16chars00", SignatureSecret: "signed"}},
		Applications: []route.Application{{
			ID: appID, Account: "abcd1234", Users: map[string]string{"alice": "sales"},
			Answer: route.Webhook{URL: "http://localhost:8000/answer", Timeout: route.Duration(2 * time.Second)},
		}},
	}
}

func TestApplyFileKeepsEverything(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		if err := s.ApplyFile(t.Context(), sample(), realm); err != nil {
			t.Fatal(err)
		}
		got, err := s.Resources(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := route.Resources{Groups: sample().Groups, Numbers: sample().Numbers, Applications: sample().Applications}
		for _, a := range sample().Accounts {
			want.Accounts = append(want.Accounts, a.Account)
		}
		for _, u := range sample().Users {
			want.Users = append(want.Users, u.User)
		}
		for _, tr := range sample().Trunks {
			want.Trunks = append(want.Trunks, tr.Trunk)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("Resources, in the order of the file:\n got %+v\nwant %+v", got, want)
		}
		if _, err := route.NewDirectory(got); err != nil {
			t.Error(err)
		}
		app, err := s.Application(t.Context(), appID)
		if err != nil || !reflect.DeepEqual(app, sample().Applications[0]) {
			t.Errorf("Application = %+v %v", app, err)
		}
		account, secret, signature, err := s.Account(t.Context(), "abcd1234")
		if err != nil || account != sample().Accounts[0].Account || secret.Reveal() != "anything16chars00" || signature.Reveal() != "signed" {
			t.Errorf("Account = %+v %q %q %v", account, secret.Reveal(), signature.Reveal(), err)
		}
		for name, want := range map[string]core.Secret{"zulu": "trunk secret", "alpha": ""} {
			if got, err := s.TrunkPassword(t.Context(), name); err != nil || got.Reveal() != want.Reveal() {
				t.Errorf("TrunkPassword(%s) = %q, %v", name, got.Reveal(), err)
			}
		}
	})
}

func TestCredentials(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		if err := s.ApplyFile(t.Context(), sample(), realm); err != nil {
			t.Fatal(err)
		}
		md5Hex, sha256Hex, err := digestFor(t.Context(), s, core.UserID{Name: "sales"}, realm)
		// printf 'sales:offhook.example:correct horse' | md5sum; ... | sha256sum
		const wantMD5, wantSHA256 = "2333f4147475cd3ee6b0a37f728bc076", "c1e37190c9a02aeebff92b5e54158b7db7775eddeb1e23eff7bfd62ddbd62ec2"
		if err != nil || md5Hex != wantMD5 || sha256Hex != wantSHA256 {
			t.Errorf("Digest = %q %q %v", md5Hex, sha256Hex, err)
		}
		unknown := map[string]error{}
		_, _, unknown["user without password"] = digestFor(t.Context(), s, core.UserID{Name: "token-only"}, realm)
		_, _, unknown["other realm"] = digestFor(t.Context(), s, core.UserID{Name: "sales"}, "else")
		_, _, unknown["user of an application"] = digestFor(t.Context(), s, core.UserID{App: "app", Name: "sales"}, realm)
		_, unknown["application"] = s.Application(t.Context(), "none")
		_, _, _, unknown["account"] = s.Account(t.Context(), "none")
		_, unknown["trunk"] = s.TrunkPassword(t.Context(), "none")
		_, unknown["leg"] = s.CDR(t.Context(), "none")
		for what, err := range unknown {
			if core.KindOf(err) != core.NotFound {
				t.Errorf("%s: %v, want not found", what, err)
			}
		}
		var each []string
		err = s.EachDigest(t.Context(), func(user core.UserID, realm, m, h string) {
			each = append(each, fmt.Sprint(user, " ", realm, " ", len(m), " ", len(h)))
		})
		if want := []string{"account/abcd1234 offhook.example 32 64", "sales offhook.example 32 64", "support offhook.example 32 64"}; err != nil || !reflect.DeepEqual(each, want) {
			t.Errorf("EachDigest = %v, %v, want %v", each, err, want)
		}
		for name, want := range map[string]bool{"sales": true, "token-only": true, "nobody": false} {
			if got, err := s.UserExists(t.Context(), core.UserID{Name: name}); err != nil || got != want {
				t.Errorf("UserExists(%s) = %v, %v", name, got, err)
			}
		}
	})
}

func TestApplyFileAgain(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		if err := s.ApplyFile(t.Context(), sample(), realm); err != nil {
			t.Fatal(err)
		}
		next := sample()
		next.Users[0].Password = "new horse"
		next.Users = next.Users[:2] // token-only is gone
		next.Numbers = nil
		if err := s.ApplyFile(t.Context(), next, realm); err != nil {
			t.Fatal(err)
		}
		for name, password := range map[string]core.Secret{"sales": "new horse", "support": "battery staple"} {
			_, want := store.HA1(name, realm, password)
			if _, got, err := digestFor(t.Context(), s, core.UserID{Name: name}, realm); err != nil || got != want {
				t.Errorf("Digest(%s) = %q, %v, want that of %q", name, got, err, password.Reveal())
			}
		}
		r, err := s.Resources(t.Context())
		if err != nil || len(r.Users) != 2 || len(r.Numbers) != 0 || len(r.Groups) != 1 {
			t.Errorf("Resources = %+v, %v", r, err)
		}
		if err := s.ApplyFile(t.Context(), store.Resources{}, realm); err != nil {
			t.Fatal(err)
		}
		if r, err := s.Resources(t.Context()); err != nil || !reflect.DeepEqual(r, route.Resources{}) {
			t.Errorf("after an empty file: %+v, %v", r, err)
		}
	})
}

func TestApplyFileIsAllOrNothing(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		if err := s.ApplyFile(t.Context(), sample(), realm); err != nil {
			t.Fatal(err)
		}
		double := store.Resources{Numbers: []route.Number{{Number: "1", User: "sales"}, {Number: "1", User: "support"}}}
		if err := s.ApplyFile(t.Context(), double, realm); core.KindOf(err) != core.Conflict || !strings.Contains(err.Error(), `number "1"`) {
			t.Errorf("error = %v, want a conflict about number 1", err)
		}
		if r, err := s.Resources(t.Context()); err != nil || len(r.Users) != 3 || len(r.Numbers) != 2 {
			t.Errorf("a failed apply changed the store: %+v, %v", r, err)
		}
	})
}

func TestReopen(t *testing.T) {
	contract(t, func(t sub, open func(store.Key) (*store.Store, error)) {
		key := store.NewKey()
		for range 3 { // migrations must be idempotent
			s, err := open(key)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.ApplyFile(t.Context(), sample(), realm); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := open(store.NewKey()); err == nil || !strings.Contains(err.Error(), "another node key") {
			t.Errorf("another key: %v", err)
		}
	})
}

func TestTwoProcessesOpenAtOnce(t *testing.T) {
	contract(t, func(t sub, open func(store.Key) (*store.Store, error)) {
		key := store.NewKey()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				s, err := open(key)
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Ping(context.Background()); err != nil {
					t.Error(err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

// Two programs on one database: a command line next to the server.
func TestWritersWaitForEachOther(t *testing.T) {
	contract(t, func(t sub, open func(store.Key) (*store.Store, error)) {
		key := store.NewKey()
		stores := []*store.Store{mustOpen(t, open, key), mustOpen(t, open, key)}
		var wg sync.WaitGroup
		for i := range 6 {
			s, ctx := stores[i%2], t.Context()
			wg.Go(func() {
				for j := range 20 {
					leg := core.LegID(fmt.Sprint(i, "-", j))
					_, err1 := s.Append(ctx, []core.LegEntry{entry(leg, 1, core.ChangeBegan, 0)})
					_, err2 := s.CloseUnfinished(ctx, at(9)) // reads first, then writes
					if err := errors.Join(err1, err2, s.ApplyFile(ctx, sample(), realm)); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		if records, err := stores[0].CDRs(t.Context(), core.CDRQuery{Limit: 1000}); err != nil || len(records) != 120 {
			t.Errorf("%d records, %v, want 120", len(records), err)
		}
	})
}
