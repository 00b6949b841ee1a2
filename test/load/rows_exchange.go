package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// exchange measures E1 by the exchange's own benchmark, which needs no server.
func (b *bench) exchange() error {
	for run := range b.runs {
		out, err := exec.CommandContext(context.Background(), "go", "test", "-run", "-", "-bench", "^BenchmarkApply$", "-cpu", "1",
			"-benchtime", b.window.String(), "github.com/offhook/offhook/internal/core/exchange").CombinedOutput() //nolint:gosec // our own words
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		rate, err := benchMetric(string(out), "events/s")
		if err != nil {
			return err
		}
		b.report.add("E1", rate, 0)
		b.logf("E1 run %d: %.0f events/s", run+1, rate)
	}
	return nil
}

// benchMetric reads the figure before a unit from what a benchmark prints.
func benchMetric(out, unit string) (float64, error) {
	fields := strings.Fields(out)
	for i, f := range fields {
		if f == unit && i > 0 {
			return strconv.ParseFloat(fields[i-1], 64)
		}
	}
	return 0, fmt.Errorf("no %s in %q", unit, out)
}
