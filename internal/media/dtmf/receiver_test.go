package dtmf

import "testing"

func TestOneKeyForEachPress(t *testing.T) {
	for _, c := range []struct {
		name    string
		packets [][2]uint32 // event code and timestamp
		want    string
	}{
		{"a press and its repetitions", [][2]uint32{{5, 100}, {5, 100}, {5, 100}}, "5"},
		{"the same key twice", [][2]uint32{{5, 100}, {5, 900}}, "55"},
		{"late packets of the press before", [][2]uint32{{1, 100}, {2, 900}, {1, 100}}, "12"},
		{"every key", [][2]uint32{{9, 1}, {10, 2}, {11, 3}, {12, 4}, {15, 5}}, "9*#AD"},
		{"a flash is no key", [][2]uint32{{16, 100}}, ""},
		{"timestamps wrap", [][2]uint32{{1, 0xfffffff0}, {2, 100}}, "12"},
	} {
		var r Receiver
		got := ""
		for _, p := range c.packets {
			if key, ok := r.Key([]byte{byte(p[0]), 10, 0, 160}, p[1]); ok {
				got += string(key)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzKey(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4}, uint32(1))
	f.Fuzz(func(t *testing.T, payload []byte, timestamp uint32) {
		var r Receiver
		if _, ok := r.Key(payload, timestamp); ok {
			if _, again := r.Key(payload, timestamp); again {
				t.Error("one press counts twice")
			}
		}
	})
}
