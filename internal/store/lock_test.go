package store

import (
	"path/filepath"
	"testing"

	"github.com/offhook/offhook/internal/core"
)

func TestLock(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	for range 2 { // a released folder can be taken again
		release, err := Lock(folder)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Lock(folder); core.KindOf(err) != core.Conflict {
			t.Errorf("second lock: %v, want a conflict", err)
		}
		if err := release(); err != nil {
			t.Error(err)
		}
	}
}
