package speech

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/media/file"
)

// disk keeps what was spoken in files of a folder, so that the next start finds
// it. Trouble with it costs nothing but time.
type disk struct {
	folder string
	limit  int64
	log    *slog.Logger

	mu    sync.Mutex // guards bytes, and that one goroutine clears up
	bytes int64
}

// openDisk counts what is there. A nil disk keeps nothing.
func openDisk(folder string, limit int64, log *slog.Logger) *disk {
	if folder == "" || limit <= 0 {
		return nil
	}
	d := &disk{folder: folder, limit: limit, log: log}
	for _, f := range d.files() {
		d.bytes += f.Size()
	}
	return d
}

// files returns what is in the folder, the file not used for longest first.
func (d *disk) files() []fs.FileInfo {
	entries, err := os.ReadDir(d.folder)
	if err != nil {
		return nil // there is none yet
	}
	var list []fs.FileInfo
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() && strings.HasSuffix(info.Name(), ".wav") {
			list = append(list, info)
		}
	}
	slices.SortFunc(list, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), strings.Compare(a.Name(), b.Name()))
	})
	return list
}

func (d *disk) path(key spokenKey) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", key.engine, key.voice, key.language, key.text))
	return filepath.Join(d.folder, hex.EncodeToString(sum[:16])+".wav")
}

// read returns what is kept, nil if there is nothing that can be read.
func (d *disk) read(key spokenKey) *file.PCM {
	if d == nil {
		return nil
	}
	path := d.path(key)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	rate, samples, err := file.DecodeWAV(bytes.NewReader(data))
	if err != nil || rate != joinedRate || len(samples) == 0 {
		return nil
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // else it may be dropped a little early
	return &file.PCM{Rate: rate, Samples: samples}
}

// write keeps a text's sound and drops others for it.
func (d *disk) write(key spokenKey, pcm *file.PCM) {
	if d == nil {
		return
	}
	if err := d.put(d.path(key), pcm); err != nil {
		d.log.Warn("speech cannot be kept on the disk", "folder", d.folder, "error", err)
	}
}

func (d *disk) put(path string, pcm *file.PCM) error {
	var wav bytes.Buffer
	if err := file.EncodeWAV(&wav, pcm.Rate, 1, pcm.Samples); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := os.MkdirAll(d.folder, 0o700); err != nil {
		return err
	}
	if err := replaceFile(path, wav.Bytes()); err != nil {
		return err
	}
	if d.bytes += int64(wav.Len()); d.bytes <= d.limit {
		return nil
	}
	return d.shrinkLocked(path)
}

// shrinkLocked counts anew and drops the oldest files until a tenth is free.
func (d *disk) shrinkLocked(newest string) error {
	list := d.files()
	d.bytes = 0
	for _, f := range list {
		d.bytes += f.Size()
	}
	var errs []error
	for _, f := range list {
		path := filepath.Join(d.folder, f.Name())
		if d.bytes <= d.limit*9/10 || path == newest {
			break
		}
		if err := os.Remove(path); err != nil {
			errs = append(errs, err)
			continue
		}
		d.bytes -= f.Size()
	}
	return errors.Join(errs...)
}

// replaceFile writes a file so that nobody sees half of it.
func replaceFile(path string, data []byte) error {
	temp := path + ".part"
	if err := os.WriteFile(temp, data, 0o600); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return os.Rename(temp, path)
}
