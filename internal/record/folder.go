package record

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Blobs keeps files by name. A Folder is one.
type Blobs interface {
	// Create makes a file; its writer is one goroutine.
	Create(name string) (Blob, error)
	// Open opens a file for reading; an error is fs.ErrNotExist if there is none.
	Open(name string) (io.ReadSeekCloser, int64, error)
	// Remove deletes a file; one that is not there is no error.
	Remove(name string) error
}

// Blob is a file that is being written.
type Blob interface {
	io.WriteSeeker
	// Close brings everything to the disk.
	Close() error
}

// Folder keeps files in a folder of this machine.
type Folder string

// Create implements Blobs.
func (f Folder) Create(name string) (Blob, error) {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	root, err := os.OpenRoot(string(f))
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	defer func() { _ = root.Close() }()
	file, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return synced{file}, nil
}

// synced is a file that is on the disk when it is closed.
type synced struct{ *os.File }

// Close implements Blob.
func (s synced) Close() error { return errors.Join(s.Sync(), s.File.Close()) }

// Open implements Blobs.
func (f Folder) Open(name string) (io.ReadSeekCloser, int64, error) {
	root, err := os.OpenRoot(string(f))
	if err != nil {
		return nil, 0, fmt.Errorf("record: %w", err)
	}
	defer func() { _ = root.Close() }()
	file, err := root.Open(name)
	if err != nil {
		return nil, 0, fmt.Errorf("record: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

// Remove implements Blobs.
func (f Folder) Remove(name string) error {
	root, err := os.OpenRoot(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	defer func() { _ = root.Close() }()
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("record: %w", err)
	}
	return nil
}
