package speech

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// maxOutput bounds what a program may print, in bytes: five minutes of 48 kHz.
const maxOutput = 5 * 60 * 48000 * 2

var errOutput = fmt.Errorf("prints more than %d MB", maxOutput>>20)

// runProgram runs a program of this machine without a shell, gives it text and
// returns what it prints. It is killed when ctx ends.
func runProgram(ctx context.Context, text, program string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	out, complaint := limited{stop: cancel}, limited{stop: cancel}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin = strings.NewReader(text)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	cmd.WaitDelay = time.Second // a grandchild may hold the pipes
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LANG=C.UTF-8"}
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case err != nil && complaint.buf.Len() > 0:
		err = errors.Join(err, errors.New(firstLine(complaint.buf.String())))
	}
	if err != nil {
		return nil, fmt.Errorf("speech: %s: %w", filepath.Base(program), err)
	}
	return out.buf.Bytes(), nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line[:min(len(line), 200)]
}

// limited is a buffer that takes no more than maxOutput; more ends the program.
type limited struct {
	buf  bytes.Buffer // not embedded: its ReadFrom knows no limit
	stop context.CancelCauseFunc
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	if l.buf.Len()+len(p) > maxOutput {
		l.stop(errOutput)
		return 0, errOutput
	}
	return l.buf.Write(p)
}
