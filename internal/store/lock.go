package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/offhook/offhook/internal/core"
)

// Lock takes folder for this process until release is called or the process
// ends, however it ends. A second server on the same store would take the calls
// of the first for the remains of a crash (CloseUnfinished); it gets Conflict.
// Programs that only read, or mint tokens, need no lock.
func Lock(folder string) (release func() error, err error) {
	const op = "store.Lock"
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	path := filepath.Join(folder, "node.lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator's own path
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // descriptors are small
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = &core.Error{Op: op, Kind: core.Conflict, Err: fmt.Errorf("another offhook is running with %s", folder)}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}
