package sounds

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/offhook/offhook/internal/media/file"
)

// fileLife is how long a file is believed to be as it was.
const fileLife = time.Second

var errNoFile = errors.New("is no file")

// folder is the folder of sounds.
type folder string

// get returns a file. Nothing leads out of the folder, links included.
func (f folder) get(name string, old mark, decode func(io.Reader) (*file.PCM, error)) (answer, error) {
	root, err := os.OpenRoot(string(f))
	if err != nil {
		return answer{}, fmt.Errorf("the folder of sounds: %w", err)
	}
	defer func() { _ = root.Close() }()
	info, err := root.Stat(name)
	if err != nil {
		return answer{}, reason(err, string(f))
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait for ever
		return answer{}, fmt.Errorf("%w in %s", errNoFile, f)
	}
	a := answer{life: fileLife, mark: mark{
		tag: strconv.FormatInt(info.Size(), 10), modified: info.ModTime().Format(time.RFC3339Nano),
	}}
	if a.mark == old {
		return a, nil
	}
	r, err := root.Open(name)
	if err != nil {
		return answer{}, reason(err, string(f))
	}
	defer r.Close()
	a.pcm, err = decode(r)
	return a, err
}

// reason says what is wrong with a file without the words of the system call.
func reason(err error, folder string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w in %s", fs.ErrNotExist, folder)
	}
	return err
}
