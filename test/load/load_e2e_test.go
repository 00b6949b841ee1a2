//go:build e2e

package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestQuick runs every row, briefly, against the built server: calls must be
// answered once and ended everywhere, and leave nothing behind. Speed is not
// judged.
func TestQuick(t *testing.T) {
	server, err := filepath.Abs("../../bin/offhook")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run([]string{"-quick", "-server", server}, strings.NewReader(""), &out); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	for _, row := range rows() {
		if row.id != "-" && !strings.Contains(out.String(), "| "+row.id+" |") {
			t.Errorf("row %s was not measured:\n%s", row.id, out.String())
		}
	}
}
