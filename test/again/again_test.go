package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// project is a module whose tests have the tag e2e, but for one.
var project = map[string]string{
	"go.mod": "module example.com/p\n\ngo 1.26\n",
	"fine/a_test.go": `//go:build e2e

package fine

import "testing"

func TestFine(t *testing.T) { t.Log("nobody reads this") }
`,
	// What fails once does so where no file tells that it has run.
	"once/a_test.go": `//go:build e2e

package once

import (
	"os"
	"testing"
)

func TestBefore(*testing.T) {}

func TestOnce(t *testing.T) {
	t.Run("inner", func(t *testing.T) {
		if _, err := os.Stat("ran"); err != nil {
			os.WriteFile("ran", nil, 0o600)
			t.Error("nobody answers")
		}
	})
	t.Run("fine", func(t *testing.T) { t.Log("nobody reads this") })
}
`,
	"twice/a_test.go": `//go:build e2e

package twice

import "testing"

func TestTwice(t *testing.T) { t.Error("wrong") }
`,
	"panics/a_test.go": `//go:build e2e

package panics

import "testing"

func TestPanics(t *testing.T) { panic("wrong") }

func TestNeverRan(t *testing.T) {}
`,
	"races/a_test.go": `//go:build e2e

package races

import "testing"

func TestRaces(t *testing.T) {
	n, done := 0, make(chan struct{})
	go func() { n++; close(done) }()
	n++
	<-done
}
`,
	"many/a_test.go": `//go:build e2e

package many

import "testing"

func Test1(t *testing.T) { t.Fail() }
func Test2(t *testing.T) { t.Fail() }
func Test3(t *testing.T) { t.Fail() }
func Test4(t *testing.T) { t.Fail() }
func Test5(t *testing.T) { t.Fail() }
func Test6(t *testing.T) { t.Fail() }
func Test7(t *testing.T) { t.Fail() }
func Test8(t *testing.T) { t.Fail() }
func Test9(t *testing.T) { t.Fail() }
`,
	"builds/a_test.go": `//go:build e2e

package builds

import "testing"

func TestBuilds(t *testing.T) { undefined() }
`,
}

// TestMain lets the test binary be the command.
func TestMain(m *testing.M) {
	if os.Getenv("AGAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestWhatRunsAgain(t *testing.T) {
	dir := t.TempDir()
	for name, text := range project {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		packages string
		passes   bool
		says     []string
	}{
		{"./fine", true, []string{"ok "}},
		{"./fine ./once", true, []string{"nobody answers", "--- FAIL: TestOnce/inner", "again: TestOnce of example.com/p/once failed after", "passed alone"}},
		{"./twice", false, []string{"again: TestTwice of example.com/p/twice failed after", "FAILED AGAIN"}},
		{"./panics", false, []string{"panic: wrong", "no second runs: not run to the end: example.com/p/panics"}},
		{"-race ./races", false, []string{"WARNING: DATA RACE", "no second runs: the race detector found something"}},
		{"./many", false, []string{"no second runs: 9 tests failed"}},
		{"./builds", false, []string{"undefined: undefined", "not run to the end: example.com/p/builds"}},
	} {
		_ = os.Remove(filepath.Join(dir, "once", "ran")) // there is none at first
		cmd := exec.CommandContext(t.Context(), self, append([]string{"-tags", "e2e", "-count=1"}, strings.Fields(c.packages)...)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "AGAIN=1", "CGO_ENABLED=1", "GOFLAGS=", "GOWORK=off")
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if passes := cmd.Run() == nil; passes != c.passes {
			t.Errorf("%s: passes is %v", c.packages, passes)
		}
		for _, words := range c.says {
			if !strings.Contains(out.String(), words) {
				t.Errorf("%s: not said: %q\n%s", c.packages, words, out.String())
			}
		}
		if s := out.String(); strings.Contains(s, "nobody reads") || strings.Contains(s, "=== RUN") || strings.Contains(s, "--- PASS") {
			t.Errorf("%s: too many words\n%s", c.packages, s)
		}
	}
}
