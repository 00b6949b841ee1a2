// Command load measures what offhook costs and how fast it is: it starts
// bin/offhook, acts as its phones over plain UDP on other loopback addresses, and
// compares each figure with a UDP relay that carries as many packets.
//
//	go run ./test/load                    every row, three runs of 10 s each
//	go run ./test/load -rows S1,M1 -runs 1
//	go run ./test/load -quick             is everything right? about a minute
//
// It fails if a call failed, was answered twice, was not cancelled, or left
// something behind. It never fails on speed.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	only := flags.String("rows", "all", "rows to measure, by commas, such as R1,S1")
	quick := flags.Bool("quick", false, "few calls and one short run of each: a check that nothing is wrong")
	runs := flags.Int("runs", 3, "runs of each row; the figure is their median")
	seconds := flags.Duration("window", 10*time.Second, "length of what counts in each run")
	binary := flags.String("server", "bin/offhook", "the program to measure")
	page := flags.String("o", "", "page whose table is replaced, such as docs/benchmarks.md")
	sessions := flags.Int("relay", 0, "serve as the control process with that many sessions")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *sessions > 0 {
		return serveRelay(*sessions, in, out)
	}
	if *quick {
		*runs, *seconds = 1, 2*time.Second
	}
	program, err := filepath.Abs(*binary)
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "offhook-load-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp) //nolint:errcheck // a temporary folder
	b := &bench{binary: program, temp: temp, quick: *quick, runs: *runs, window: *seconds, report: newReport()}
	if err := b.measure(strings.Split(*only, ",")); err != nil {
		return err
	}
	fmt.Fprint(out, b.report.table(), "\n", b.report.notes()) //nolint:errcheck // a closed terminal is no reason to stop
	if *page != "" {
		if err := b.report.publish(*page, program, "go run ./test/load "+strings.Join(args, " ")); err != nil {
			return err
		}
	}
	if n := len(b.report.faults); n > 0 {
		return fmt.Errorf("%d faults", n)
	}
	return nil
}

// measure runs the families of the rows. One that cannot be measured does not
// keep the others from it.
func (b *bench) measure(rows []string) error {
	chosen := slices.DeleteFunc(families(), func(f family) bool { return !f.wants(rows) })
	for _, f := range chosen {
		if err := f.run(b); err != nil {
			b.logf("%s: %v", f.rows, err)
			b.report.fault(f.rows, err.Error())
		}
	}
	if len(chosen) == 0 {
		return fmt.Errorf("no such row: %v", rows)
	}
	return nil
}
