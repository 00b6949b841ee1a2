package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// record is what is kept of a durable job: the request as it goes over the wire,
// so that it is the same again.
type record struct {
	ID        int64         `json:"id,omitempty"`
	App       string        `json:"app,omitempty"`
	Queue     string        `json:"queue,omitempty"`
	Last      bool          `json:"last,omitempty"`
	Overtaken bool          `json:"overtaken,omitempty"`
	URL       string        `json:"url,omitempty"`
	Method    string        `json:"method,omitempty"`
	Body      string        `json:"body,omitempty"`
	Token     string        `json:"token,omitempty"`
	Connect   time.Duration `json:"connect,omitempty"`
	Timeout   time.Duration `json:"timeout,omitempty"`
	Foreign   bool          `json:"foreign,omitempty"`
}

func recordOf(j *job) record {
	r := j.request
	return record{
		ID: j.id, App: j.App, Queue: j.Queue, Last: j.Last, Overtaken: j.Overtaken, URL: r.URL, Method: r.Method,
		Body: string(r.Body), Token: r.Token, Connect: r.ConnectTimeout, Timeout: r.Timeout, Foreign: r.Foreign,
	}
}

// job returns the job of a record, which is in the store.
func (r record) job() *job {
	t := Target{URL: r.URL, Method: r.Method, ConnectTimeout: r.Connect, Timeout: r.Timeout, Foreign: r.Foreign}
	j := newJob(Job{Queue: r.Queue, App: r.App, Target: t, Body: []byte(r.Body), Durable: true, Last: r.Last, Overtaken: r.Overtaken})
	j.request = request{Target: t, Body: j.Body, Token: r.Token}
	j.id, j.stored = r.ID, true
	return j
}

// entry is the record as the store keeps it.
func (r record) entry() core.OutboxEntry {
	body, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and numbers
	}
	return core.OutboxEntry{ID: r.ID, Body: string(body)}
}

// line is one line of the journal: a job, or those that are settled.
type line struct {
	record
	Settled []int64 `json:"settled,omitempty"`
}

// journal is two files that are written in turn. Each turn empties the older.
type journal struct {
	files   [2]*os.File
	current int
	size    int64 // of the current file
	buf     bytes.Buffer
}

func openJournal(folder string) (j *journal, err error) {
	j = &journal{}
	for i, name := range [len(j.files)]string{"webhooks-1.journal", "webhooks-2.journal"} {
		j.files[i], err = os.OpenFile(filepath.Join(folder, name), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator's own folder
		if err != nil {
			return nil, errors.Join(err, j.close())
		}
	}
	return j, nil
}

// read returns the lines of both files.
func (j *journal) read(log *slog.Logger) []line {
	var lines []line
	for _, f := range j.files {
		for dec := json.NewDecoder(f); ; {
			var l line
			err := dec.Decode(&l)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil { // the write during which the process was killed
				log.Warn("the end of a journal is not whole", "file", f.Name(), "error", err)
				break
			}
			lines = append(lines, l)
		}
	}
	return lines
}

// write adds jobs and notes which others are settled.
func (j *journal) write(jobs []*job, settled []int64) error {
	j.buf.Reset()
	enc := json.NewEncoder(&j.buf)
	enc.SetEscapeHTML(false)
	var errs []error
	for _, job := range jobs {
		if job.prepare() != nil {
			continue // its attempt will tell
		}
		errs = append(errs, enc.Encode(recordOf(job)))
	}
	if len(settled) > 0 {
		errs = append(errs, enc.Encode(line{Settled: settled}))
	}
	f := j.files[j.current]
	n, err := f.WriteAt(j.buf.Bytes(), j.size)
	if err != nil { // the next one must not follow half a line
		return fmt.Errorf("webhook: journal: %w", errors.Join(err, f.Truncate(j.size)))
	}
	j.size += int64(n)
	return errors.Join(errs...)
}

// turn empties the other file and goes on in it, if there is anything in this one.
func (j *journal) turn() error {
	if j.size == 0 {
		return nil
	}
	other := 1 - j.current
	if err := j.files[other].Truncate(0); err != nil {
		return err
	}
	j.current, j.size = other, 0
	return nil
}

// empty empties both files.
func (j *journal) empty() error {
	j.size = 0
	return errors.Join(j.files[0].Truncate(0), j.files[1].Truncate(0))
}

func (j *journal) close() error {
	var errs []error
	for _, f := range j.files {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
