//go:build e2e

package harness

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/testkit"
)

// Process is a program that a test started.
type Process struct {
	t    testing.TB
	name string
	cmd  *exec.Cmd
	log  *testkit.Log
	done chan struct{} // closed when it ended
	err  error         // how, once done is closed
	stop func()
}

// Start runs cmd as name, the word for it in logs. The test's cleanup kills it.
func Start(t testing.TB, name string, cmd *exec.Cmd) *Process {
	t.Helper()
	log, _ := testkit.NewLog(quietly{t})
	file, err := os.OpenFile(filepath.Join(Artifacts(t), name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	out := io.MultiWriter(log, file)
	cmd.Stdout, cmd.Stderr = out, out
	// Pdeathsig covers a test binary that is killed before its cleanups run.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = 2 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v (make setup installs what is missing)", name, err)
	}
	p := &Process{t: t, name: name, cmd: cmd, log: log, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	p.stop = sync.OnceFunc(func() {
		p.Kill()
		file.Close()
	})
	t.Cleanup(p.stop)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s printed (all of it is in %s):\n%s", name, file.Name(), tail(log.String(), 40))
		}
	})
	return p
}

// quietly is a test that keeps logs to itself: Start prints the end of them.
type quietly struct{ testing.TB }

// Logf implements testing.TB.
func (quietly) Logf(string, ...any) {}

func tail(s string, lines int) string {
	all := strings.SplitAfter(s, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "")
}

// Log returns what the program printed so far.
func (p *Process) Log() *testkit.Log { return p.log }

// Signal sends s to the program, not to its children.
func (p *Process) Signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !p.Ended() {
		p.t.Fatalf("%s: %v: %v", p.name, s, err)
	}
}

// Kill kills the program and its children with SIGKILL and waits for the end.
func (p *Process) Kill() {
	if !p.Ended() {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // it may end by itself meanwhile
	}
	<-p.done
}

// Ended reports whether the program ended.
func (p *Process) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Wait waits for the end of the program and returns how it ended, as exec.Cmd.Wait.
func (p *Process) Wait(within time.Duration) error {
	p.t.Helper()
	select {
	case <-p.done:
		return p.err
	case <-time.After(within):
		p.t.Fatalf("%s still runs after %v", p.name, within)
		return nil
	}
}

// WaitFor waits until the program printed a line with all of words and returns
// the first such line.
func (p *Process) WaitFor(within time.Duration, words ...string) string {
	p.t.Helper()
	var lines []string
	testkit.Eventually(p.t, within, p.name+" prints "+strings.Join(words, " "), func() bool {
		lines = p.log.Lines(words...)
		return len(lines) > 0
	})
	return lines[0]
}

// Artifacts returns the folder for what the test leaves for people: logs, WAV
// files, screenshots.
func Artifacts(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(Root(t), "artifacts", strings.ReplaceAll(t.Name(), "/", "_"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Root returns the root of the repository.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("not inside the repository")
		}
		dir = filepath.Dir(dir)
	}
}

// background is the context of programs: their test's cleanup ends them, later
// than t.Context() does, so that cleanups can still talk to them.
func background() context.Context { return context.Background() }
