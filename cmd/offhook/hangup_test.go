package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/testkit"
)

func TestHangupEndsNothing(t *testing.T) {
	said, log := testkit.NewLog(t)
	stop := surviveHangups(log)
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 10*time.Second, "a line in the log", func() bool {
		return strings.Contains(said.String(), "SIGHUP changes nothing")
	})
	stop()
}
