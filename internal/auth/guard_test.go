package auth

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// fail lets user fail n times from source.
func fail(a *Auth, source netip.Addr, user string, n int) {
	for range n {
		a.Failed(source, user)
	}
}

func TestLockOut(t *testing.T) {
	ipv6 := netip.MustParseAddr("2001:db8:1:2::3")
	many := func(a *Auth, users, times int) {
		for i := range users {
			fail(a, home, fmt.Sprint("user", i), times)
		}
	}
	everywhere := func(a *Auth, n int) {
		for i := range n {
			a.Failed(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), "sales") //nolint:gosec // wraps on purpose
		}
	}
	for _, tc := range []struct {
		name   string
		before func(*Auth)
		source netip.Addr
		user   string
		want   bool
	}{
		{"nothing happened", func(*Auth) {}, home, "sales", false},
		{"one short of a source", func(a *Auth) { fail(a, home, "sales", sourceLimit-1) }, home, "sales", false},
		{"source, same user", func(a *Auth) { fail(a, home, "sales", sourceLimit) }, home, "sales", true},
		{"source, other user", func(a *Auth) { fail(a, home, "sales", sourceLimit) }, home, "support", true},
		{"source, many users", func(a *Auth) { many(a, sourceLimit, 1) }, home, "fresh", true},
		{"other source, same user", func(a *Auth) { fail(a, home, "sales", sourceLimit) }, abroad, "sales", false},
		{"user, guessed from everywhere", func(a *Auth) { everywhere(a, userLimit) }, home, "sales", true},
		{"other user", func(a *Auth) { everywhere(a, userLimit) }, home, "support", false},
		{"tokens have no user", func(a *Auth) { everywhere(a, userLimit) }, home, "", false},
		{"user's own place while guessed elsewhere", func(a *Auth) { a.Succeeded(home, "sales"); everywhere(a, userLimit) }, home, "sales", false},
		{"broken phone in the same office", func(a *Auth) { a.Succeeded(home, "sales"); fail(a, home, "broken", 500) }, home, "sales", false},
		{"broken phone itself", func(a *Auth) { a.Succeeded(home, "sales"); fail(a, home, "broken", 500) }, home, "broken", true},
		{"known place that guesses", func(a *Auth) { a.Succeeded(home, "sales"); fail(a, home, "sales", sourceLimit) }, home, "sales", true},
		{"a success does not wipe the slate", func(a *Auth) { fail(a, home, "sales", sourceLimit); a.Succeeded(home, "mine") }, home, "sales", true},
		{"next address of the same IPv6 customer", func(a *Auth) { fail(a, ipv6, "sales", sourceLimit) }, netip.MustParseAddr("2001:db8:1:2:ffff::1"), "sales", true},
		{"next IPv6 customer", func(a *Auth) { fail(a, ipv6, "sales", sourceLimit) }, netip.MustParseAddr("2001:db8:1:3::3"), "sales", false},
		{"IPv4 in IPv6 form", func(a *Auth) { fail(a, home, "sales", sourceLimit) }, netip.AddrFrom16(home.As16()), "sales", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := newAuth(t, &house{})
			tc.before(a)
			if got := a.Blocked(tc.source, tc.user); got != tc.want {
				t.Errorf("Blocked = %v, want %v", got, tc.want)
			}
		})
	}
}

func TestLockOutExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuth(t, &house{})
		fail(a, home, "sales", sourceLimit)
		time.Sleep(lockFor - time.Second)
		if !a.Blocked(home, "sales") {
			t.Error("free too early")
		}
		time.Sleep(2 * time.Second)
		if a.Blocked(home, "sales") {
			t.Error("locked for ever")
		}
		fail(a, home, "sales", 1)
		if a.Blocked(home, "sales") {
			t.Error("one failure after the lock locks again")
		}
	})
}

func TestFailuresDoNotLiftTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuth(t, &house{})
		fail(a, home, "sales", sourceLimit-1)
		time.Sleep(failureWindow - time.Minute)
		fail(a, home, "sales", 1) // locked from here on
		time.Sleep(2 * time.Minute)
		fail(a, home, "sales", 1)
		if !a.Blocked(home, "sales") {
			t.Error("a failure after the window has ended lifts the lock")
		}
	})
}

// A phone with an old password tries twice a minute: never enough in a window.
func TestSlowFailuresDoNotLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuth(t, &house{})
		for range 500 {
			a.Failed(home, "old-phone")
			time.Sleep(30 * time.Second)
		}
		if a.Blocked(home, "sales") {
			t.Error("a forgotten phone locked its office out")
		}
	})
}

func TestGuardMemoryIsBounded(t *testing.T) {
	g := newGuard()
	for i := range 3 * guardSize {
		source := netip.AddrFrom4([4]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)}) //nolint:gosec // an address made of i
		g.fail(source, fmt.Sprint("user", i), time.Now())
		g.succeed(source, "user", time.Now())
	}
	g.fail(home, strings.Repeat("x", 1<<20), time.Now())
	for p := range g.failed.items {
		if len(p.user) > maxGuardedName {
			t.Errorf("%d bytes of a name are remembered", len(p.user))
		}
	}
	if g.failed.get(newParty(netip.Addr{}, strings.Repeat("x", 1<<20))) == nil {
		t.Error("a long name is not counted")
	}
	if g.failed.order.Len() != guardSize || len(g.failed.items) != guardSize || len(g.known.items) != guardSize {
		t.Errorf("%d and %d remembered, want %d", len(g.failed.items), len(g.known.items), guardSize)
	}
}

func TestLockedOutIsNotHeard(t *testing.T) {
	a := newAuth(t, &house{})
	fail(a, home, "sales", sourceLimit)
	if _, err := a.Password(home, "sales", "correct horse"); core.KindOf(err) != core.Unavailable {
		t.Errorf("Password = %v, want unavailable", err)
	}
	if _, err := a.Token(t.Context(), home, "anything"); core.KindOf(err) != core.Unavailable {
		t.Errorf("Token = %v, want unavailable", err)
	}
}
