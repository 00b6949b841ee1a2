package record

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/media/meter"
)

// patience bounds what a test waits for; it is long, as machines of tests are busy.
const patience = 20 * time.Second

// studio is a media server that a test speaks for: it gives every attached path
// frames of the sound that its row names.
type studio struct {
	mu    sync.Mutex
	paths map[core.LegID]media.Path
	rows  map[core.LegID]core.Hear
	sent  map[core.LegID]int // samples
}

func newStudio() *studio {
	return &studio{paths: map[core.LegID]media.Path{}, rows: map[core.LegID]core.Hear{}, sent: map[core.LegID]int{}}
}

func (s *studio) Attach(leg core.LegID, p media.Path) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths[leg] = p
}

func (s *studio) Detach(leg core.LegID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.paths, leg)
}

func (s *studio) Do(row core.Hear) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[row.Leg] = row
}

// legs returns how many channels hear.
func (s *studio) legs() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.paths)
}

// play sends n frames to all: a sine of 400 Hz for who hears leg "a", of 1000 Hz
// for "b", their sum for both, silence for nobody.
func (s *studio) play(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := media.Packet{Buf: make([]byte, media.HeaderRoom+640+media.TailRoom), Len: 640}
	for range n {
		for leg, path := range s.paths {
			for i := range 320 {
				at, v := float64(s.sent[leg]+i)/rate, 0.0
				for _, from := range s.rows[leg].From {
					v += 6000 * math.Sin(2*math.Pi*at*map[core.LegID]float64{"a": 400, "b": 1000}[from])
				}
				k.Payload()[2*i], k.Payload()[2*i+1] = byte(int16(v)), byte(uint16(int16(v))>>8)
			}
			k.Timestamp = uint32(s.sent[leg])
			path.Send(&k)
			s.sent[leg] += 320
		}
	}
}

// index is an Index in memory.
type index struct {
	mu   sync.Mutex
	rows map[string]core.Recording
}

func (x *index) PutRecording(_ context.Context, r core.Recording) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.rows[r.File] = r
	return nil
}

func (x *index) Recording(_ context.Context, app, file string) (core.Recording, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if r, ok := x.rows[file]; ok && r.App == app && !r.Ended.IsZero() {
		return r, nil
	}
	return core.Recording{}, &core.Error{Op: "test", Kind: core.NotFound}
}

func (x *index) list(fits func(core.Recording) bool) (list []core.Recording) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range x.rows {
		if fits(r) {
			list = append(list, r)
		}
	}
	return list
}

func (x *index) UnfinishedRecordings(context.Context) ([]core.Recording, error) {
	return x.list(func(r core.Recording) bool { return r.Ended.IsZero() }), nil
}

func (x *index) OldRecordings(_ context.Context, before time.Time, limit int) ([]core.Recording, error) {
	old := x.list(func(r core.Recording) bool { return !r.Ended.IsZero() && r.Begun.Before(before) })
	return old[:min(limit, len(old))], nil
}

func (x *index) RemoveRecording(_ context.Context, file string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.rows, file)
	return nil
}

// world is a Recorder with everything around it.
type world struct {
	*Recorder

	studio *studio
	index  *index
	folder string
	events chan core.Event
	told   chan core.Recording
	texts  chan core.Recording
}

func (w *world) Post(ev core.Event) error { w.events <- ev; return nil }

func (w *world) Recorded(r core.Recording) { w.told <- r }

func (w *world) Transcribed(r core.Recording) { w.texts <- r }

func newWorld(t *testing.T, change func(*Config)) *world {
	t.Helper()
	w := &world{
		studio: newStudio(), index: &index{rows: map[string]core.Recording{}}, folder: filepath.Join(t.TempDir(), "recordings"),
		events: make(chan core.Event, 64), told: make(chan core.Recording, 64), texts: make(chan core.Recording, 64),
	}
	cfg := Config{Media: w.studio, Post: w, Index: w.index, Blobs: Folder(w.folder), Listener: w}
	if change != nil {
		change(&cfg)
	}
	w.Recorder = New(cfg)
	t.Cleanup(w.Close)
	return w
}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	panic("unreachable")
}

// until waits for a condition.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: ", what)
		}
	}
}

// content fetches a recording as its application does.
func (w *world) content(t *testing.T, r core.Recording) []byte {
	t.Helper()
	from, meta, err := w.Open(t.Context(), r.App, r.File)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = from.Close() }()
	data, err := io.ReadAll(from)
	if err != nil || int64(len(data)) != r.Size || meta.Size != r.Size || meta.ContentType != r.ContentType {
		t.Fatalf("%d bytes, %+v, %v", len(data), meta, err)
	}
	return data
}

func rows(from ...[]core.LegID) (channels []core.Hear) {
	for _, f := range from {
		channels = append(channels, core.Hear{From: f})
	}
	return channels
}

func TestRecordingsOfEveryKind(t *testing.T) {
	both, a, b := []core.LegID{"a", "b"}, []core.LegID{"a"}, []core.LegID{"b"}
	many := make([][]core.LegID, 32)
	many[7], many[31] = a, b
	for _, c := range []struct {
		name     string
		format   core.RecordFormat
		channels []core.Hear
		kind     string
		freqs    map[int]float64 // channel to what is heard there
	}{
		{"WAV mono", core.RecordWAV, rows(both), "audio/wav", nil},
		{"WAV stereo split", core.RecordWAV, rows(a, b), "audio/wav", map[int]float64{0: 400, 1: 1000}},
		{"WAV with 32 channels", core.RecordWAV, rows(many...), "audio/wav", map[int]float64{7: 400, 31: 1000}},
		{"Ogg stereo", core.RecordOgg, rows(a, b), "audio/ogg", nil},
		{"Ogg with three channels is WAV", core.RecordOgg, rows(a, b, nil), "audio/wav", map[int]float64{0: 400, 1: 1000}},
		{"MP3 is WAV", core.RecordMP3, rows(a), "audio/wav", map[int]float64{0: 400}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			before := time.Now()
			w.Do(core.Record{ID: "r1", App: "app", Leg: "a", Call: "c", Hook: core.Hook{URL: "http://x.test"}, Format: c.format, Channels: c.channels})
			w.studio.play(100)
			w.Do(core.StopRecord{ID: "r1"})
			if ev := receive(t, w.events); ev != (core.RecordEnded{ID: "r1", Leg: "a"}) {
				t.Fatalf("%#v", ev)
			}
			got := receive(t, w.told)
			if got.ID != "r1" || got.File == "r1" || got.App != "app" || got.Leg != "a" || got.Call != "c" || got.Hook.URL != "http://x.test" ||
				got.ContentType != c.kind || got.Channels != len(c.channels) || got.Begun.Before(before) || got.Ended.Sub(got.Begun) != 2*time.Second {
				t.Errorf("told of %+v", got)
			}
			data := w.content(t, got)
			if c.kind == "audio/wav" && binary.LittleEndian.Uint16(data[20:]) != 1 {
				t.Errorf("the coding is %#x, want plain PCM, which all readers know", data[20:22])
			}
			channels, err := w.channels(got)
			if err != nil {
				t.Fatal(err)
			}
			for i, pcm := range channels {
				want, heard := c.freqs[i], meter.Level(pcm.Samples)
				switch {
				case c.freqs == nil:
					if heard < -24 || len(pcm.Samples) < 31000 || len(pcm.Samples) > 33000 {
						t.Errorf("channel %d: %d samples at %.0f dBFS", i, len(pcm.Samples), heard)
					}
				case want == 0:
					if heard > -80 || len(pcm.Samples) != 32000 {
						t.Errorf("channel %d: %d samples at %.0f dBFS, want silence", i, len(pcm.Samples), heard)
					}
				case len(pcm.Samples) != 32000 || meter.Purity(pcm.Samples, rate, want) < 0.98:
					t.Errorf("channel %d: %d samples, %.2f of them %v Hz", i, len(pcm.Samples), meter.Purity(pcm.Samples, rate, want), want)
				}
			}
			if n := w.studio.legs(); n != 0 {
				t.Errorf("%d channels still hear", n)
			}
			if _, _, err := w.Open(t.Context(), "other", got.File); core.KindOf(err) != core.NotFound {
				t.Errorf("another application gets it: %v", err)
			}
		})
	}
}

func TestChannelsHearOthersOnTheWay(t *testing.T) {
	w := newWorld(t, nil)
	w.Do(core.Record{ID: "r1", App: "app", Format: core.RecordWAV, Channels: rows([]core.LegID{"a"})})
	w.studio.play(50)
	w.Do(core.SetRecord{ID: "r1", Channels: rows([]core.LegID{"b"})})
	w.studio.play(50)
	w.Do(core.StopRecord{ID: "r1"})
	channels, err := w.channels(receive(t, w.told))
	if err != nil {
		t.Fatal(err)
	}
	pcm := channels[0].Samples
	if first, second := meter.Purity(pcm[:16000], rate, 400), meter.Purity(pcm[16000:], rate, 1000); first < 0.98 || second < 0.98 {
		t.Errorf("%.2f, %.2f", first, second)
	}
}

func TestChannelsStayTogether(t *testing.T) {
	tr := new(track)
	frame := func(level int16) []int16 { return slices.Repeat([]int16{level}, 320) }
	got := func(n int) []int16 { dst := make([]int16, n*320); tr.take(dst); return dst }
	tr.heard(0, frame(1))
	tr.heard(320, frame(2))
	tr.heard(3*320, frame(4)) // the third is lost
	if pcm := got(5); pcm[0] != 1 || pcm[320] != 2 || pcm[640] != 0 || pcm[960] != 4 || pcm[1280] != 0 {
		t.Errorf("levels %d %d %d %d %d", pcm[0], pcm[320], pcm[640], pcm[960], pcm[1280])
	}
	tr.heard(4*320, frame(5)) // was taken as silence meanwhile
	tr.heard(5*320, frame(6))
	if pcm := got(1); pcm[0] != 6 || pcm[319] != 6 {
		t.Errorf("behind what came too late: %d", pcm[0])
	}
}

// What channels shall hear changes while recordings end by themselves.
func TestChangesCrossTheEnd(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.MaxTime = 20 * time.Millisecond })
	for range 5 {
		w.Do(core.Record{ID: "r1", App: "app", Format: core.RecordWAV, Channels: rows(nil, nil)})
		w.studio.play(2)
		for ended := false; !ended; {
			w.Do(core.SetRecord{ID: "r1", Channels: rows([]core.LegID{"a"}, []core.LegID{"b"})})
			select {
			case <-w.events:
				ended = true
			default:
			}
		}
		receive(t, w.told)
	}
	if n := w.studio.legs(); n != 0 {
		t.Errorf("%d channels still hear", n)
	}
}

func TestRecordingsEndByThemselves(t *testing.T) {
	for name, c := range map[string]struct {
		order core.Record
		from  []core.LegID
		most  time.Duration
		want  time.Duration
	}{
		"on silence":                 {core.Record{EndOnSilence: 3 * time.Second}, nil, time.Hour, 3 * time.Second},
		"at its time":                {core.Record{MaxTime: 4 * time.Second, EndOnSilence: 10 * time.Second}, []core.LegID{"a"}, time.Hour, 4 * time.Second},
		"at the recorder's own time": {core.Record{}, []core.LegID{"a"}, 5 * time.Second, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(cfg *Config) { cfg.MaxTime = c.most })
			c.order.ID, c.order.Format, c.order.Channels = "r1", core.RecordWAV, rows(c.from)
			w.Do(c.order)
			w.studio.play(400) // 8 s
			if ev := receive(t, w.events); ev != (core.RecordEnded{ID: "r1"}) {
				t.Fatalf("%#v", ev)
			}
			got := receive(t, w.told)
			if d := got.Ended.Sub(got.Begun); d < c.want || d > c.want+500*time.Millisecond {
				t.Errorf("it lasts %v, want %v", d, c.want)
			}
			w.Do(core.StopRecord{ID: "r1"}) // crosses its end
			if len(w.events) > 0 {
				t.Error("it ends twice")
			}
		})
	}
}

// slowBlobs waits before each write, or fails it.
type slowBlobs struct {
	Blobs

	gate chan struct{}
	fail atomic.Bool
}

type slowBlob struct {
	Blob

	b *slowBlobs
}

func (s *slowBlobs) Create(name string) (Blob, error) {
	b, err := s.Blobs.Create(name)
	return slowBlob{b, s}, err
}

func (s slowBlob) Write(p []byte) (int, error) {
	<-s.b.gate
	if s.b.fail.Load() {
		return 0, errors.New("no space left on device")
	}
	return s.Blob.Write(p)
}

func TestASlowDiskHoldsUpNobody(t *testing.T) {
	slow := &slowBlobs{gate: make(chan struct{})}
	w := newWorld(t, func(cfg *Config) { slow.Blobs = cfg.Blobs; cfg.Blobs = slow })
	w.Do(core.Record{ID: "r1", App: "app", Format: core.RecordWAV, Channels: rows([]core.LegID{"a"})})
	w.studio.play(1000) // 20 s, and the disk has taken nothing: returns all the same
	close(slow.gate)
	w.studio.mu.Lock()
	it := w.find("r1")
	w.studio.mu.Unlock()
	until(t, "the disk catches up", func() bool { return it.tracks[0].length() == 0 })
	w.studio.play(50)
	w.Do(core.StopRecord{ID: "r1"})
	got := receive(t, w.told)
	if n := w.Stats().Dropped; n < 450 || n > 550 {
		t.Errorf("%d frames are counted as dropped, of about 500", n)
	}
	channels, err := w.channels(got)
	if err != nil {
		t.Fatal(err)
	}
	if l := channels[0].Duration(); l < 20*time.Second || l > 21*time.Second {
		t.Errorf("it lasts %v: what was dropped is no silence", l)
	}
}

func TestAFullDiskEndsTheRecordingOnly(t *testing.T) {
	full := &slowBlobs{gate: make(chan struct{})}
	close(full.gate)
	w := newWorld(t, func(cfg *Config) { full.Blobs = cfg.Blobs; cfg.Blobs = full })
	w.Do(core.Record{ID: "r1", App: "app", Leg: "a", Format: core.RecordWAV, Channels: rows([]core.LegID{"a"})})
	w.studio.play(200)
	until(t, "it is written", func() bool { return w.find("r1").tracks[0].length() == 0 })
	full.fail.Store(true)
	w.studio.play(50)
	if ev := receive(t, w.events); ev != (core.RecordEnded{ID: "r1", Leg: "a"}) {
		t.Fatalf("%#v", ev)
	}
	got := receive(t, w.told) // what is there can be fetched
	if got.Size < 100_000 || w.Stats().Failed != 1 {
		t.Errorf("%+v, %+v", got, w.Stats())
	}
	w.content(t, got)
}

func TestNothingToRecordOn(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.Blobs = Folder("/dev/null/recordings") })
	w.Do(core.Record{ID: "r1", Format: core.RecordWAV, Channels: rows(nil)})
	if ev := receive(t, w.events); ev != (core.RecordEnded{ID: "r1"}) {
		t.Errorf("%#v", ev)
	}
	w.Do(core.Record{ID: "r2", Format: core.RecordWAV, Channels: make([]core.Hear, maxChannels+1)})
	if ev := receive(t, w.events); ev != (core.RecordEnded{ID: "r2"}) {
		t.Errorf("%#v", ev)
	}
}

func TestWhatAKilledProgramLeftCanBeFetched(t *testing.T) {
	w := newWorld(t, nil)
	w.Do(core.Record{ID: "r1", App: "app", Format: core.RecordWAV, Channels: rows([]core.LegID{"a"})})
	w.studio.play(250)
	until(t, "it is written", func() bool { return w.find("r1").tracks[0].length() == 0 })
	left, err := w.index.UnfinishedRecordings(t.Context())
	if err != nil || len(left) != 1 {
		t.Fatal(left, err)
	}
	data, err := os.ReadFile(filepath.Join(w.folder, FileName(left[0]))) // as it is now
	if err != nil {
		t.Fatal(err)
	}
	next := newWorld(t, nil)
	if err := os.MkdirAll(next.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(next.folder, FileName(left[0])), data, 0o600); err != nil {
		t.Fatal(err)
	}
	next.index.rows[left[0].File] = left[0]
	next.index.rows["empty"] = core.Recording{File: "empty", App: "app", ContentType: typeWAV, Channels: 1}
	if err := next.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := receive(t, next.told)
	if d := got.Ended.Sub(got.Begun); got.ID != "r1" || d < 4*time.Second || d > 6*time.Second {
		t.Errorf("%+v lasts %v", got, d)
	}
	pcm, err := file.Decode(readerOf(t, next, got))
	if err != nil || meter.Purity(pcm.Samples, pcm.Rate, 400) < 0.98 {
		t.Errorf("%v, %v", pcm.Duration(), err)
	}
	if left, _ := next.index.UnfinishedRecordings(t.Context()); len(left) != 0 {
		t.Errorf("left %+v", left)
	}
}

func readerOf(t *testing.T, w *world, r core.Recording) io.Reader {
	t.Helper()
	from, _, err := w.Open(t.Context(), r.App, r.File)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = from.Close() })
	return from
}

func TestOldRecordingsAreDeleted(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.Keep = time.Hour })
	for range 2 * sweepBatch {
		if _, err := w.Keep(t.Context(), "app", "a", file.PCM{Rate: rate, Samples: make([]int16, 160)}); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	if err := w.sweepOnce(t.Context(), now.Add(50*time.Minute)); err != nil || len(w.index.rows) != 2*sweepBatch {
		t.Errorf("after 50 minutes there are %d, %v", len(w.index.rows), err)
	}
	if err := w.sweepOnce(t.Context(), now.Add(70*time.Minute)); err != nil || len(w.index.rows) != 0 {
		t.Errorf("after 70 minutes there are %d, %v", len(w.index.rows), err)
	}
	if files, err := os.ReadDir(w.folder); err != nil || len(files) != 0 {
		t.Errorf("%d files, %v", len(files), err)
	}
}

// scribe hears "hello" in everything.
type scribe struct{ languages chan string }

func (s scribe) Transcribe(_ context.Context, language string, wav []byte) ([]Sentence, error) {
	s.languages <- language
	if len(wav) < 1000 {
		return nil, errors.New("no sound")
	}
	return []Sentence{{Text: "hello", Begin: 100 * time.Millisecond, End: 600 * time.Millisecond, Words: []Word{{"hello", 100 * time.Millisecond, 600 * time.Millisecond, 0.9}}}}, nil
}

func TestTextOfARecording(t *testing.T) {
	s := scribe{make(chan string, 4)}
	w := newWorld(t, func(cfg *Config) { cfg.Transcriber = s })
	w.Do(core.Record{
		ID: "r1", App: "app", Call: "c", Format: core.RecordWAV, Channels: rows([]core.LegID{"a"}, []core.LegID{"b"}),
		Transcribe: &core.Transcription{Language: "de-DE", Hook: core.Hook{URL: "http://text.test"}},
	})
	w.studio.play(100)
	w.Do(core.StopRecord{ID: "r1"})
	receive(t, w.told)
	got := receive(t, w.texts)
	if got.ID != "r1" || got.Call != "c" || got.Hook.URL != "http://text.test" || got.ContentType != "application/json" {
		t.Errorf("told of %+v", got)
	}
	if languages := []string{<-s.languages, <-s.languages}; !slices.Equal(languages, []string{"de-DE", "de-DE"}) {
		t.Errorf("languages %v", languages)
	}
	var doc map[string]any
	data := w.content(t, got)
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	const channel = `{"duration":2000,"transcript":[{"sentence":"hello","raw_sentence":"hello","duration":500,"timestamp":100,"words":[{"word":"hello","start_time":100,"end_time":600,"confidence":0.9}]}]}`
	if want := `{"ver":"1.0.0","request_id":"r1","channels":[` + channel + `,` + channel + `]}`; string(data) != want {
		t.Errorf("text %s", data)
	}
}

// crowd counts those that write down at once, until they are let go.
type crowd struct {
	inside, most atomic.Int32
	let          chan struct{}
}

func (c *crowd) Transcribe(ctx context.Context, _ string, _ []byte) ([]Sentence, error) {
	now := c.inside.Add(1)
	defer c.inside.Add(-1)
	for most := c.most.Load(); now > most && !c.most.CompareAndSwap(most, now); most = c.most.Load() {
	}
	select {
	case <-c.let:
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestFewTextsAreMadeAtOnce(t *testing.T) {
	const all = 5 * maxTexts
	c := &crowd{let: make(chan struct{})}
	w := newWorld(t, func(cfg *Config) { cfg.Transcriber = c })
	for i := range all {
		id := core.RecordingID(fmt.Sprint("r", i))
		w.Do(core.Record{ID: id, App: "app", Format: core.RecordWAV, Channels: rows([]core.LegID{"a"}), Transcribe: &core.Transcription{}})
	}
	w.studio.play(5)
	for i := range all {
		w.Do(core.StopRecord{ID: core.RecordingID(fmt.Sprint("r", i))})
	}
	for range all {
		receive(t, w.told) // the file is there, whatever its text waits for
	}
	for range all - 1 {
		c.let <- struct{}{}
		receive(t, w.texts)
	}
	if most := c.most.Load(); most > maxTexts {
		t.Errorf("%d texts were made at once, want at most %d", most, maxTexts)
	}
	w.Close() // the last one ends with it
}

func TestCloseCompletesFiles(t *testing.T) {
	w := newWorld(t, nil)
	w.Do(core.Record{ID: "r1", App: "app", Format: core.RecordOgg, Channels: rows([]core.LegID{"a"})})
	w.studio.play(50)
	w.Close()
	got := receive(t, w.told)
	if d := got.Ended.Sub(got.Begun); d != time.Second {
		t.Errorf("it lasts %v", d)
	}
	w.Do(core.Record{ID: "r2", Format: core.RecordWAV, Channels: rows(nil)})
	receive(t, w.events)
	if ev := receive(t, w.events); ev != (core.RecordEnded{ID: "r2"}) {
		t.Errorf("after Close %#v", ev)
	}
}
