package events

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// fill sets every field of v, to another value each.
func fill(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("%d \"å\\\u2028\x01", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n)) //nolint:gosec // small
	case reflect.Float64:
		v.SetFloat(float64(*n) / 4)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(t, v.Index(0), n)
		fill(t, v.Index(1), n)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1_800_000_000, 123_456_789).UTC()))
			return
		}
		for _, field := range v.Fields() {
			fill(t, field, n)
		}
	default:
		t.Fatalf("a field is a %s: teach appendLine and this test", v.Kind())
	}
}

// checkLine writes an entry and reads it again.
func checkLine(t *testing.T, e core.LegEntry) {
	t.Helper()
	b, err := appendLine([]byte("before\n"), &e)
	if err != nil {
		t.Fatal(err)
	}
	text := b[len("before\n"):]
	var got core.LegEntry
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if !reflect.DeepEqual(got, e) {
		t.Errorf("wrote %+v\nread %+v\nby %s", e, got, text)
	}
}

// TestLineHasEveryField: all together, each field of a change alone, and none.
func TestLineHasEveryField(t *testing.T) {
	var all core.LegEntry
	n := 0
	fill(t, reflect.ValueOf(&all).Elem(), &n)
	checkLine(t, all)
	change := reflect.ValueOf(all.LegChange)
	for i := range change.NumField() {
		one := core.LegEntry{At: all.At}
		reflect.ValueOf(&one.LegChange).Elem().Field(i).Set(change.Field(i))
		checkLine(t, one)
	}
	checkLine(t, core.LegEntry{At: all.At, LegChange: core.LegChange{From: core.Party{Name: "only a name"}, To: core.Party{User: core.UserID{App: "only an app"}}}})
	checkLine(t, core.LegEntry{At: all.At})
}

func TestLineSaysWhatItCannotWrite(t *testing.T) {
	if _, err := appendLine(nil, &core.LegEntry{LegChange: core.LegChange{Quality: core.Quality{MOS: math.NaN()}}}); err == nil {
		t.Error("no error for what is no number")
	}
}

// BenchmarkLine is a change such as every leg has a few of.
func BenchmarkLine(b *testing.B) {
	e := core.LegEntry{At: time.Unix(1_800_000_000, 123_456_789).UTC(), Seq: 2, LegChange: core.LegChange{
		Kind: core.ChangeRinging, Leg: "0b1d9a8e-0000-4000-8000-123412341234", Call: "0b1d9a8e-0000-4000-8000-123412341235",
		Edge: core.EdgeSIP, Direction: core.Outbound, From: core.Party{User: core.UserID{Name: "alice"}, Number: "12995550100"}, To: core.Party{User: core.UserID{Name: "bob"}},
	}}
	var buf []byte
	var err error
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = appendLine(buf[:0], &e); err != nil {
			b.Fatal(err)
		}
	}
}
