package route

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/offhook/offhook/internal/core"
)

// TestWithUser changes users one by one and wants what a Directory made of all of them
// would be.
func TestWithUser(t *testing.T) {
	d, err := NewDirectory(Resources{
		Users:   []User{{Name: "anna", Number: "4930555"}, {Name: "bob", Number: "4930555"}},
		Numbers: []Number{{Number: "100", User: "anna"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	first := d
	for _, u := range []User{
		{Name: "carl", Number: "4930556"},
		{Name: "dora"},
		{Name: "carl", Number: "4930556", DisplayName: "Carl"},
		{Name: "anna", Number: "4930557"}, // from now on 4930555 is bob's
		{Name: "emil", Number: "4930556", DoNotDisturb: true},
		{App: "x", Name: "carl", Number: "4930558"},
	} {
		next, misfits := d.WithUser(u)
		if len(misfits) > 0 {
			t.Fatalf("%+v: %v", u, misfits)
		}
		want, err := NewDirectory(next.Resources())
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(next.users, want.users) || !reflect.DeepEqual(next.byPhone, want.byPhone) {
			t.Errorf("after %+v: %+v, %+v, made anew %+v, %+v", u, next.users, next.byPhone, want.users, want.byPhone)
		}
		d = next
	}
	if n := len(d.Resources().Users); n != 6 {
		t.Errorf("%d users in the end", n)
	}
	if _, known := first.User(core.UserID{Name: "carl"}); known || len(first.Resources().Users) != 2 || first.Resources().Users[0].Number != "4930555" {
		t.Errorf("the first directory changed: %+v", first.Resources())
	}
}

// TestWithUserTwice derives two Directories from one: neither may show in the other.
func TestWithUserTwice(t *testing.T) {
	d, err := NewDirectory(Resources{})
	if err != nil {
		t.Fatal(err)
	}
	d, _ = d.WithUser(User{Name: "anna"})
	one, _ := d.WithUser(User{Name: "one"})
	two, _ := d.WithUser(User{Name: "two"})
	three, _ := one.WithUser(User{Name: "three"})
	_ = append(one.Resources().Users, User{Name: "four"})
	if name := three.Resources().Users[2].Name; name != "three" {
		t.Errorf("the third user is %q", name)
	}
	if a, b := one.Resources().Users[1].Name, two.Resources().Users[1].Name; a != "one" || b != "two" {
		t.Errorf("%q and %q", a, b)
	}
}

func TestWithUserMistakes(t *testing.T) {
	d, err := NewDirectory(Resources{Users: []User{{Name: "anna"}, {Name: "bob"}}, Dialling: Dialling{Country: "gb"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		user User
		want MisfitError
	}{
		{User{Name: "Carl"}, MisfitError{"users", "Carl", "name", `"Carl" is not 1 to 64 of a-z 0-9 . _ -`}},
		{User{Name: "999"}, MisfitError{"users", "999", "name", `"999" is an emergency number`}},
		{User{Name: "bob", Role: "root"}, MisfitError{"users", "bob", "role", `"root" is not admin, which only users of the house can be`}},
		{User{Name: "bob", Number: "+49"}, MisfitError{"users", "bob", "number", `"+49" is not 1 to 15 digits without +`}},
	} {
		got, misfits := d.WithUser(tc.user)
		if got != nil || len(misfits) != 1 || misfits[0] != tc.want {
			t.Errorf("%+v: %+v, want %+v", tc.user, misfits, tc.want)
		}
	}
}

// BenchmarkWithUser adds users to ten thousand, one after the other.
func BenchmarkWithUser(b *testing.B) {
	var r Resources
	for i := range 10_000 {
		r.Users = append(r.Users, User{Name: fmt.Sprintf("u%d", i), Number: fmt.Sprintf("1299555%05d", i)})
	}
	d, err := NewDirectory(r)
	if err != nil {
		b.Fatal(err)
	}
	added := 0
	for b.Loop() {
		next, misfits := d.WithUser(User{Name: fmt.Sprintf("n%d", added)})
		if misfits != nil {
			b.Fatal(misfits)
		}
		d, added = next, added+1
	}
}

// BenchmarkNewDirectory checks ten thousand users, each with a number.
func BenchmarkNewDirectory(b *testing.B) {
	var r Resources
	for i := range 10_000 {
		name := fmt.Sprintf("u%d", i)
		r.Users = append(r.Users, User{Name: name})
		r.Numbers = append(r.Numbers, Number{Number: fmt.Sprintf("1299555%05d", i), User: name})
	}
	for b.Loop() {
		if _, err := NewDirectory(r); err != nil {
			b.Fatal(err)
		}
	}
}
