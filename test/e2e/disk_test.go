//go:build e2e

package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/testkit"
	"github.com/offhook/offhook/test/e2e/harness"
)

// smallDisk mounts a file system of its own, of 24 MiB, until the test is over.
func smallDisk(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=24m"); err != nil {
		t.Fatalf("mount: %v (end-to-end tests need root)", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", folder, err)
		}
	})
	return folder
}

// fill writes a file until nothing more fits.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for part := make([]byte, 64<<10); err == nil; {
		_, err = f.Write(part) // to the last page
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("fill: %v", err)
	}
}

// TestDiskInTrouble fills the disk, and later locks the database, while calls come and
// go. Calls do not suffer, /readyz says what is wrong and the log once, and afterwards
// nothing is missing in the records.
func TestDiskInTrouble(t *testing.T) {
	s := newShopWith(t, harness.Fields{Folder: smallDisk(t)})
	calls := 0
	takeCalls := func() {
		t.Helper()
		for range 3 {
			c := s.call(t, shopNumber)
			hearsNow(t, c, 700)
			c.HangUp()
			calls++
		}
		s.AwaitMetric("offhook_legs", 0, soon)
	}
	trouble := func(what string, begin func() (end func()), says string, logs string) {
		t.Helper()
		begun, over := len(s.Log().Lines("msg=trouble ", logs)), len(s.Log().Lines("trouble is over", logs))
		end := begin()
		takeCalls()
		testkit.Eventually(t, 30*time.Second, what+": /readyz says "+says, func() bool {
			text, ready := s.Ready()
			return !ready && strings.Contains(text, says)
		})
		takeCalls()
		end()
		testkit.Eventually(t, 30*time.Second, what+" is over", func() bool { _, ready := s.Ready(); return ready })
		// Now and then a write succeeds on a full disk, into a page that is there.
		testkit.Eventually(t, 30*time.Second, what+": the log tells of its begin and its end", func() bool {
			b, o := len(s.Log().Lines("msg=trouble ", logs))-begun, len(s.Log().Lines("trouble is over", logs))-over
			return b >= 1 && b <= 3 && o == b
		})
		testkit.Eventually(t, 30*time.Second, what+": every leg is in the database", func() bool { return len(s.Legs()) == 2*calls })
		for _, l := range s.AwaitLegs(t, 30*time.Second) {
			if wrong := l.Whole(); wrong != "" || l.Interrupted {
				t.Errorf("%s: leg %s: %s, events %v", what, l.ID, wrong, l.Events)
			}
		}
	}
	takeCalls()
	filler := filepath.Join(s.Folder, "filler")
	trouble("a full disk", func() func() {
		fill(t, filler)
		return func() {
			if err := os.Remove(filler); err != nil {
				t.Error(err)
			}
		}
	}, "the disk is full", "changes of legs cannot be written down")
	trouble("a locked database", s.LockDatabase, "changes of legs wait in the journal", "changes of legs wait in the journal")
}
