package store_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/store"
)

func TestRecordings(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		begun := time.UnixMicro(1_700_000_000_123_456)
		r := core.Recording{
			File: "f1", Kind: core.RecordedCall, ID: "r1", App: "app", Leg: "l1", Call: "c1", Hook: core.Hook{URL: "http://x.test/", Method: "POST"},
			Begun: begun, Channels: 2, ContentType: "audio/wav", Transcribe: &core.Transcription{Language: "de-DE", Hook: core.Hook{URL: "http://y.test/"}},
		}
		old := core.Recording{File: "f0", Kind: core.RecordedSpeech, App: "app", Begun: begun.Add(-time.Hour), Ended: begun, Size: 5, Channels: 1, ContentType: "audio/wav"}
		for _, it := range []core.Recording{r, old} {
			if err := s.PutRecording(t.Context(), it); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Recording(t.Context(), "app", "f1"); core.KindOf(err) != core.NotFound {
			t.Errorf("one that is being made: %v", err)
		}
		if list, err := s.UnfinishedRecordings(t.Context()); err != nil || !reflect.DeepEqual(list, []core.Recording{r}) {
			t.Errorf("unfinished %+v, %v", list, err)
		}
		r.Ended, r.Size = begun.Add(time.Minute), 12345
		if err := s.PutRecording(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Recording(t.Context(), "app", "f1"); err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("%+v, %v, want %+v", got, err, r)
		}
		if _, err := s.Recording(t.Context(), "other", "f1"); core.KindOf(err) != core.NotFound {
			t.Errorf("of another application: %v", err)
		}
		if list, err := s.OldRecordings(t.Context(), begun, 10); err != nil || !reflect.DeepEqual(list, []core.Recording{old}) {
			t.Errorf("old %+v, %v", list, err)
		}
		for range 2 {
			if err := s.RemoveRecording(t.Context(), "f0"); err != nil {
				t.Error(err)
			}
		}
		if list, err := s.OldRecordings(t.Context(), begun.Add(time.Second), 10); err != nil || len(list) != 1 || list[0].File != "f1" {
			t.Errorf("left %+v, %v", list, err)
		}
	})
}
