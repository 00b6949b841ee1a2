package guard

import "testing"

func TestWindow(t *testing.T) {
	var w Window
	for i, c := range []struct {
		seq  uint16
		want bool
	}{
		{65534, true},
		{65534, false},
		{65535, true},
		{1, true},
		{0, true},
		{0, false},
		{100, true},
		{99, true},
		{99, false},
		{37, true},
		{36, false},
		{1, false},
		{300, true},
		{237, true},
		{300, false},
		{33000, true},
	} {
		if got := w.Take(c.seq); got != c.want {
			t.Errorf("step %d: Take(%d) is %v", i, c.seq, got)
		}
	}
}

func TestSourcesAreLimited(t *testing.T) {
	var s Sources
	for ssrc := range uint32(MaxSources) {
		more, ok := s.Admit(ssrc)
		if !ok {
			t.Fatalf("source %d is refused", ssrc)
		}
		s = more
	}
	if _, ok := s.Admit(MaxSources); ok {
		t.Error("one more is admitted")
	}
	if again, ok := s.Admit(3); !ok || len(again) != MaxSources {
		t.Error("a known one is not")
	}
}
