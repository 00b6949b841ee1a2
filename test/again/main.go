// Command again runs go test for tests that meet a busy machine, by real phones,
// browsers and sockets in real time: a test that failed runs ONCE more, alone, after
// everything else. One that fails twice fails the build.
//
//	go run ./test/again -tags e2e -count=1 -parallel 8 ./test/e2e/... ./test/load/...
//
// It says plainly which tests it ran again and how both runs went. It gives no
// second chance after a data race, which is a fault however rarely it shows, nor to
// packages that did not run to their end (a panic, a time-out, a build that fails),
// nor to anybody when more failed than a busy machine explains.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"time"
)

const (
	// most is how many tests may run again: more failures than this have a reason.
	most = 8
	// limit is how long a test may take alone, allOfThem how long all second runs
	// together.
	limit, allOfThem = 5 * time.Minute, 20 * time.Minute
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if !passes(ctx, os.Args[1:]) {
		stop()
		os.Exit(1)
	}
}

// passes runs go test with args, and what failed once more.
func passes(ctx context.Context, args []string) bool {
	first, err := run(ctx, args...)
	if err == nil {
		return true
	}
	if why := first.hopeless(); why != "" {
		say("no second runs: %s", why)
		return false
	}
	say("%d failed; each runs once more, alone", len(first.failed))
	ctx, cancel := context.WithTimeout(ctx, allOfThem)
	defer cancel()
	flags := slices.DeleteFunc(slices.Clone(args), func(a string) bool { return strings.HasPrefix(a, ".") })
	var results []string
	passed := true
	for _, t := range first.failed {
		alone := append(slices.Clone(flags), "-timeout", limit.String(), "-run", "^"+t.name+"$", t.pkg)
		second, err := run(ctx, alone...)
		verdict := "passed alone"
		switch {
		case err != nil:
			verdict, passed = "FAILED AGAIN", false
		case !slices.ContainsFunc(second.passed, func(x test) bool { return x.name == t.name }):
			verdict, passed = "DID NOT RUN AGAIN", false
		}
		results = append(results, fmt.Sprintf("%s of %s failed after %.1f s, %s", t.name, t.pkg, t.seconds, verdict))
	}
	for _, r := range results {
		say("%s", r)
	}
	return passed
}

func say(format string, args ...any) { fmt.Printf("again: "+format+"\n", args...) }

// run runs go test and prints what it prints without -v: the output of tests that
// fail, and a line for each package.
func run(ctx context.Context, args ...string) (report, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return report{}, err
	}
	if err := cmd.Start(); err != nil {
		return report{}, err
	}
	r := newReport(os.Stdout)
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		r.line(line)
		if err != nil {
			break
		}
	}
	return *r, cmd.Wait()
}

// hopeless says why failures are not those of a busy machine, "" if they may be.
func (r *report) hopeless() string {
	switch {
	case len(r.broken) > 0:
		return "not run to the end: " + strings.Join(r.broken, ", ")
	case len(r.failed) == 0:
		return "no test failed, something else did"
	case r.raced:
		return "the race detector found something"
	case len(r.failed) > most:
		return fmt.Sprintf("%d tests failed, more than %d", len(r.failed), most)
	}
	return ""
}
