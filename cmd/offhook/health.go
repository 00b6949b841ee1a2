package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// ready says why no call should be sent here. Calls that come all the same are taken:
// what cannot be written down is kept in memory as long as there is room.
func (n *node) ready(ctx context.Context) error {
	select {
	case <-n.draining:
		return errors.New("draining")
	default:
	}
	return errors.Join(
		n.store.Ping(ctx), n.bus.Trouble(), n.journal.Trouble(), n.webhooks.Trouble(), n.folder.check(n.cfg.Store.Folder))
}

// probes tries whether a folder can be written. The zero value is ready to use.
type probes struct {
	mu   sync.Mutex // guards the fields below
	last time.Time
	err  error
}

const (
	// probeEvery is how long the answer of a try holds: anybody may ask.
	probeEvery = time.Second
	// probeSize is what must fit into the folder, in bytes: a page of the database and
	// the journal of some calls.
	probeSize = 64 << 10
	// probeFile is what is written, and removed.
	probeFile = "probe.tmp"
)

// check returns why the folder cannot be written, nil if it can.
func (p *probes) check(folder string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.last) >= probeEvery {
		p.err = explainFolder(writeProbe(filepath.Join(folder, probeFile)))
		p.last = time.Now()
	}
	return p.err
}

func writeProbe(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) //nolint:gosec // the operator's own folder
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, probeSize))
	return errors.Join(err, f.Close(), os.Remove(path))
}

// explainFolder says what an operator can do. Anybody may read it, so it names no path.
func explainFolder(err error) error {
	const what = "the data folder cannot be written: "
	for _, known := range []struct {
		is   error
		says string
	}{
		{syscall.ENOSPC, "the disk is full"},
		{syscall.EDQUOT, "the quota is used up"},
		{syscall.EROFS, "it is read-only"},
		{syscall.EACCES, "no permission"},
		{syscall.ENOENT, "it is gone"},
		{syscall.EMFILE, "too many files and connections are open: raise the limit (ulimit -n, LimitNOFILE)"},
		{syscall.ENFILE, "the machine has too many files open"},
	} {
		if errors.Is(err, known.is) {
			return errors.New(what + known.says)
		}
	}
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		err = at.Err
	}
	if err != nil {
		return fmt.Errorf("%s%w", what, err)
	}
	return nil
}
