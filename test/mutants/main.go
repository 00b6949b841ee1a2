// Command mutants plants faults of one line in the call control, one after the
// other, and runs the test that must notice. A fault that no test notices shows
// that something is not proved. It changes no file: the compiler reads the faulty
// line from an overlay.
//
//	go run ./test/mutants          all faults
//	go run ./test/mutants confirm  those whose name contains the word
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// fault is one line that is wrong.
type fault struct {
	name    string
	file    string // below internal/
	right   string // occurs once in file
	wrong   string
	killer  string // pattern of tests that must fail
	killers string // package of killer below internal/; "" is that of file
}

// limit is how long one test may take; a fault that lets it run for ever is noticed too.
const limit = 3 * time.Minute

func main() {
	word := ""
	if len(os.Args) > 1 {
		word = os.Args[1]
	}
	survivors, planted := 0, 0
	for _, f := range faults {
		if !strings.Contains(f.name, word) {
			continue
		}
		planted++
		verdict, err := plant(f)
		if err != nil {
			fmt.Fprintf(os.Stderr, "mutants: %s: %v\n", f.name, err)
			os.Exit(2)
		}
		if verdict == "" {
			survivors++
			verdict = "SURVIVED " + f.killer
		}
		fmt.Printf("%-52s %-32s %s\n", f.name, f.file, verdict)
	}
	fmt.Printf("%d faults planted, %d survived\n", planted, survivors)
	if survivors > 0 || planted == 0 {
		os.Exit(1)
	}
}

// plant runs the test against one fault and returns the first test that failed,
// "" if none did.
func plant(f fault) (killedBy string, err error) {
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a left-over in the temporary directory harms nobody
	overlay, err := overlayFor(f, dir)
	if err != nil {
		return "", err
	}
	pkg := f.killers
	if pkg == "" {
		pkg = filepath.Dir(f.file)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	out, err := exec.CommandContext(ctx, "go", "test", "-count=1", "-overlay", overlay, "-run", f.killer, "./internal/"+pkg).CombinedOutput()
	switch {
	case err == nil && bytes.Contains(out, []byte("no tests to run")):
		return "", fmt.Errorf("no test is called %s", f.killer)
	case err == nil:
		return "", nil
	case bytes.Contains(out, []byte("[build failed]")) || bytes.Contains(out, []byte("[setup failed]")):
		return "", fmt.Errorf("the fault does not compile:\n%s", out)
	}
	return firstFailure(out), nil
}

// overlayFor writes the faulty file and the overlay that names it.
func overlayFor(f fault, dir string) (string, error) {
	path, err := filepath.Abs(filepath.Join("internal", f.file))
	if err != nil {
		return "", err
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(source), f.right); n != 1 {
		return "", fmt.Errorf("%q occurs %d times in %s", f.right, n, f.file)
	}
	faulty := filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(faulty, []byte(strings.Replace(string(source), f.right, f.wrong, 1)), 0o600); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {path: faulty}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

// firstFailure returns the deepest name of the first test that failed.
func firstFailure(out []byte) string {
	name := "a panic or time-out"
	for line := range strings.Lines(string(out)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "--- FAIL: "); ok {
			test, _, _ := strings.Cut(rest, " (")
			if name == "a panic or time-out" || strings.HasPrefix(test, name+"/") {
				name = test
			}
		}
	}
	return name
}
