package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// test is a test function that ended.
type test struct {
	pkg, name string
	seconds   float64
}

// report is what go test -json said.
type report struct {
	failed, passed []test   // test functions; what fails inside one counts as it
	broken         []string // packages that did not run to their end
	raced          bool     // the race detector spoke

	out   io.Writer
	said  map[string][]string // what tests printed that did not pass so far, by package and name
	ended map[string]bool     // packages whose tests all ran
}

func newReport(out io.Writer) *report {
	return &report{out: out, said: make(map[string][]string), ended: make(map[string]bool)}
}

// event is a line of go test -json (go doc test2json).
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

// line takes one line. What is no event, as the compiler's words, is printed.
func (r *report) line(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil {
		r.print(string(line))
		return
	}
	r.raced = r.raced || strings.HasPrefix(e.Output, "WARNING: DATA RACE")
	if e.Test == "" {
		r.ofPackage(e)
		return
	}
	key := e.Package + " " + e.Test
	inner := strings.Contains(e.Test, "/")
	switch {
	case e.Action == "output":
		r.said[key] = append(r.said[key], e.Output)
	case e.Action == "pass" || e.Action == "skip":
		delete(r.said, key)
		if e.Action == "pass" && !inner {
			r.passed = append(r.passed, test{e.Package, e.Test, e.Elapsed})
		}
	case e.Action == "fail" && !inner:
		r.failed = append(r.failed, test{e.Package, e.Test, e.Elapsed})
		r.tell(func(k string) bool { return k == key || strings.HasPrefix(k, key+"/") })
	}
}

// tell prints what some tests said.
func (r *report) tell(which func(key string) bool) {
	for _, key := range slices.Sorted(maps.Keys(r.said)) {
		if which(key) {
			r.print(r.said[key]...)
			delete(r.said, key)
		}
	}
}

// ofPackage takes an event of a package. Its test binary says PASS or FAIL once all
// tests ran; one that panics or is killed does not.
func (r *report) ofPackage(e event) {
	switch e.Action {
	case "output", "build-output":
		if e.Output == "PASS\n" || e.Output == "FAIL\n" {
			r.ended[e.Package] = true
			return
		}
		r.print(e.Output)
	case "fail":
		if r.ended[e.Package] {
			return
		}
		r.broken = append(r.broken, e.Package)
		r.tell(func(k string) bool { return strings.HasPrefix(k, e.Package+" ") }) // whoever was at it
	}
}

// print leaves out what go test prints with -v only.
func (r *report) print(lines ...string) {
	for _, line := range lines {
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !slices.Contains([]string{"===", "---"}, word) || strings.Contains(line, "--- FAIL") {
			_, _ = fmt.Fprint(r.out, line) // nobody is left to tell
		}
	}
}
