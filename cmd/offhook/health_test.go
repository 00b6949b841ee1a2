package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestProbe tries a folder that is there, gone and there again.
func TestProbe(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	var p probes
	again := func() error {
		p.last = time.Time{} // as if a second was over
		return p.check(folder)
	}
	if err := again(); err == nil || !strings.HasSuffix(err.Error(), "it is gone") || strings.Contains(err.Error(), folder) {
		t.Errorf("no folder: %v", err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	p.last = time.Now().Add(time.Hour)
	if err := p.check(folder); err == nil {
		t.Error("tried again at once")
	}
	if err := again(); err != nil {
		t.Errorf("a folder: %v", err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestExplainFolder(t *testing.T) {
	for fault, want := range map[syscall.Errno]string{
		syscall.ENOSPC: "disk is full", syscall.EDQUOT: "quota", syscall.EROFS: "read-only", syscall.EACCES: "no permission",
		syscall.EMFILE: "LimitNOFILE", syscall.EIO: "input/output error",
	} {
		err := explainFolder(&fs.PathError{Op: "open", Path: "/secret/place", Err: fault})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v is told as %v", fault, err)
		}
	}
	if err := explainFolder(nil); err != nil {
		t.Error(err)
	}
}
