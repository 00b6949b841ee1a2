package sipedge

import (
	"errors"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/sip"
)

// at is a registration of alice at a host.
func at(t *testing.T, host string, cseq uint32) *binding {
	t.Helper()
	uri, err := sip.ParseURI("sip:alice@" + host)
	if err != nil {
		t.Fatal(err)
	}
	return &binding{user: core.UserID{Name: "alice"}, uri: uri, callID: host, cseq: cseq}
}

// A user has no more registrations than allowed, whatever one REGISTER adds and drops.
func TestRegistrationsOfAUserAreBounded(t *testing.T) {
	const limit = 3
	alice := core.UserID{Name: "alice"}
	for _, c := range []struct {
		name        string
		adds, drops []string
		want        error
		left        int
	}{
		{"one more", []string{"d"}, nil, errTooMany, limit},
		{"a refresh", []string{"a"}, nil, nil, limit},
		{"one in place of another", []string{"d"}, []string{"a"}, nil, limit},
		{"dropping strangers makes no room", []string{"d"}, []string{"x", "y"}, errTooMany, limit},
		{"nor does dropping one twice", []string{"d", "e"}, []string{"a", "a"}, errTooMany, limit},
		{"all but one", nil, []string{"a", "b"}, nil, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := newBindings()
			var all []*binding
			for _, host := range []string{"a", "b", "c"} {
				all = append(all, at(t, host, 1))
			}
			if _, err := table.update(alice, all, nil, limit); err != nil {
				t.Fatal(err)
			}
			var adds, drops []*binding
			for _, host := range c.adds {
				adds = append(adds, at(t, host, 2))
			}
			for _, host := range c.drops {
				drops = append(drops, at(t, host, 2))
			}
			_, err := table.update(alice, adds, drops, limit)
			if left := len(table.of(alice)); !errors.Is(err, c.want) || left != c.left {
				t.Errorf("%v and %d registrations, want %v and %d", err, left, c.want, c.left)
			}
		})
	}
}

// How long a registrar keeps us registered, which nobody believes beyond a day.
func TestGranted(t *testing.T) {
	for expires, want := range map[string]string{
		"60": "1m0s", "": "10m0s", "soon": "10m0s", "-1": "10m0s", "86400": "24h0m0s", "9300000000": "24h0m0s",
	} {
		res := new(sip.Response)
		res.AppendHeader(sip.NewHeader("Expires", expires))
		if got := granted(res, "us", 10*time.Minute); got.String() != want {
			t.Errorf("Expires %q: %v, want %s", expires, got, want)
		}
	}
}
