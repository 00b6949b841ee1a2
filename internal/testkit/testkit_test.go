package testkit

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// fake is a testing.TB that remembers how it failed.
type fake struct {
	testing.TB
	cleanups []func()
	failed   string
}

func (f *fake) Helper()             {}
func (f *fake) Failed() bool        { return f.failed != "" }
func (f *fake) Cleanup(run func())  { f.cleanups = append(f.cleanups, run) }
func (f *fake) Logf(string, ...any) {}
func (f *fake) Error(args ...any)   { f.failed = fmt.Sprint(args...) }
func (f *fake) Fatalf(s string, a ...any) {
	f.failed = fmt.Sprintf(s, a...)
	panic(f)
}

// run calls do as a test of f and returns how it failed, "" if it did not.
func (f *fake) run(do func()) string {
	defer func() {
		if r := recover(); r != nil && r != any(f) {
			panic(r)
		}
	}()
	do()
	for _, c := range f.cleanups {
		c()
	}
	return f.failed
}

func TestEventuallyNamesWhatItWaitedFor(t *testing.T) {
	f := &fake{}
	f.run(func() { Eventually(f, 20*time.Millisecond, "the moon", func() bool { return false }) })
	if !strings.Contains(f.failed, "the moon") {
		t.Errorf("failed with %q", f.failed)
	}
	calls := 0
	Eventually(t, time.Minute, "three calls", func() bool { calls++; return calls == 3 })
}

func TestReceive(t *testing.T) {
	ch := make(chan int, 1)
	ch <- 7
	if got := Receive(t, ch, time.Minute, "seven"); got != 7 {
		t.Errorf("got %d", got)
	}
	f := &fake{}
	f.run(func() { Receive(f, ch, 10*time.Millisecond, "eight") })
	if !strings.Contains(f.failed, "eight") {
		t.Errorf("failed with %q", f.failed)
	}
	close(ch)
	f = &fake{}
	if f.run(func() { Receive(f, ch, time.Minute, "nine") }); !strings.Contains(f.failed, "closed") {
		t.Errorf("failed with %q", f.failed)
	}
}

func TestCheckLeaksFindsOne(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	f := &fake{}
	failed := f.run(func() {
		CheckLeaks(f)
		go func() { <-stop }()
	})
	if !strings.Contains(failed, "TestCheckLeaksFindsOne") {
		t.Errorf("failed with %q", failed)
	}
}

func TestLogLines(t *testing.T) {
	l, log := NewLog(t)
	log.Info("up", "leg", "a")
	log.Debug("up", "leg", "b")
	if got := l.Lines("msg=up", "leg=b"); len(got) != 1 || !strings.Contains(got[0], "level=DEBUG") {
		t.Errorf("got %q from %s", got, l)
	}
}
