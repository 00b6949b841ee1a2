package store_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/store"
)

// at is second s of the test's day.
func at(s int) time.Time { return time.Unix(1_800_000_000+int64(s), 0) }

// entry is change seq of a leg at second s. Ends have cause 16.
func entry(leg core.LegID, seq int, kind core.ChangeKind, s int) core.LegEntry {
	e := core.LegEntry{At: at(s), Seq: seq, LegChange: core.LegChange{
		Kind: kind, Leg: leg, Call: "call-" + core.CallID(leg), Edge: core.EdgeSIP, Direction: core.Inbound,
		From: core.Party{Trunk: "carrier", Number: "15550100", Name: `O'Brien "the" caller`},
		To:   core.Party{User: core.UserID{App: "app", Name: "alice"}, Number: "12995558888"},
	}}
	if kind == core.ChangeEnded {
		e.Cause, e.Reason, e.Code = core.CauseNormal, core.ReasonCallerGone, 487
	}
	if kind == core.ChangeBridged {
		e.Peer = "peer"
	}
	return e
}

func mustAppend(t testing.TB, s *store.Store, wantIgnored int, entries ...core.LegEntry) {
	t.Helper()
	if ignored, err := s.Append(t.Context(), entries); err != nil || ignored != wantIgnored {
		t.Fatalf("Append = %d ignored, %v, want %d", ignored, err, wantIgnored)
	}
}

func TestLegOfACallAnswered(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		entries := []core.LegEntry{
			entry("a", 1, core.ChangeBegan, 0), entry("a", 2, core.ChangeRinging, 1), entry("a", 3, core.ChangeAnswered, 4),
			entry("a", 4, core.ChangeBridged, 4), entry("a", 5, core.ChangeEnded, 64),
		}
		mustAppend(t, s, 0, entries[:2]...)
		mustAppend(t, s, 0, entries[2:]...)

		got, err := s.LegEvents(t.Context(), "a")
		if err != nil || !reflect.DeepEqual(got, entries) {
			t.Errorf("LegEvents, %v:\n got %+v\nwant %+v", err, got, entries)
		}
		want := core.CDR{
			Leg: "a", Call: "call-a", Edge: core.EdgeSIP, Direction: core.Inbound, From: entries[0].From, To: entries[0].To,
			Begun: at(0), Answered: at(4), Ended: at(64), Talk: time.Minute,
			Cause: core.CauseNormal, Reason: core.ReasonCallerGone, Code: 487,
		}
		if got, err := s.CDR(t.Context(), "a"); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("CDR, %v:\n got %+v\nwant %+v", err, got, want)
		}
	})
}

// TestDiagnosisStaysInTheRecord: of several silences the last, whatever follows.
func TestDiagnosisStaysInTheRecord(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		silent := func(seq int, why core.Silence) core.LegEntry {
			e := entry("a", seq, core.ChangeSilent, seq)
			e.Silence, e.Diagnosis = why, "because of "+string(why)
			return e
		}
		entries := []core.LegEntry{entry("a", 1, core.ChangeBegan, 0), silent(2, core.SilenceNoRTP), silent(3, core.SilenceBlocked), entry("a", 4, core.ChangeHeard, 4), entry("a", 5, core.ChangeEnded, 5)}
		for _, e := range entries {
			mustAppend(t, s, 0, e)
		}
		if r, err := s.CDR(t.Context(), "a"); err != nil || r.Silence != core.SilenceBlocked || r.Diagnosis != "because of source_blocked" {
			t.Errorf("%q, %q, %v", r.Silence, r.Diagnosis, err)
		}
		if got, err := s.LegEvents(t.Context(), "a"); err != nil || !reflect.DeepEqual(got, entries) {
			t.Errorf("LegEvents, %v:\n got %+v\nwant %+v", err, got, entries)
		}
	})
}

func TestOneTerminalRowForEachLeg(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		mustAppend(t, s, 0, entry("a", 1, core.ChangeBegan, 0), entry("a", 2, core.ChangeEnded, 5))
		// Given again after a failed commit, ended by two, begun twice, changed after its end.
		mustAppend(t, s, 2, entry("a", 1, core.ChangeBegan, 0), entry("a", 2, core.ChangeEnded, 5))
		second := entry("a", 3, core.ChangeEnded, 9)
		second.Cause = core.CauseTempFailure
		mustAppend(t, s, 2, second, entry("a", 4, core.ChangeBegan, 9))
		if closed, err := s.CloseUnfinished(t.Context(), at(20)); err != nil || len(closed) != 0 {
			t.Errorf("CloseUnfinished = %+v, %v", closed, err)
		}
		got, err := s.LegEvents(t.Context(), "a")
		if err != nil || len(got) != 2 || got[1].Cause != core.CauseNormal {
			t.Errorf("log = %+v, %v", got, err)
		}
		r, err := s.CDR(t.Context(), "a")
		if err != nil || r.Cause != core.CauseNormal || !r.Ended.Equal(at(5)) || r.Talk != 0 || !r.Answered.IsZero() {
			t.Errorf("record = %+v, %v", r, err)
		}
	})
}

func TestEntriesGivenAgain(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		began, rang, answered, ended := entry("a", 1, core.ChangeBegan, 0), entry("a", 2, core.ChangeRinging, 1),
			entry("a", 3, core.ChangeAnswered, 2), entry("a", 4, core.ChangeEnded, 9)
		mustAppend(t, s, 0, began, rang)
		mustAppend(t, s, 2, began, rang, answered) // as after a commit whose answer got lost
		mustAppend(t, s, 3, answered, ended, entry("a", 5, core.ChangeEnded, 10), entry("a", 6, core.ChangeHeld, 11))
		got, err := s.LegEvents(t.Context(), "a")
		if want := []core.LegEntry{began, rang, answered, ended}; err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("LegEvents, %v:\n got %+v\nwant %+v", err, got, want)
		}
		if r, err := s.CDR(t.Context(), "a"); err != nil || r.Talk != 7*time.Second {
			t.Errorf("record = %+v, %v", r, err)
		}
	})
}

// A party that moves to another call and changes its name is read back as it was
// at each entry, though unchanged parties are written once.
func TestHistoryKeepsEveryScene(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		var want []core.LegEntry
		for seq, kind := range []core.ChangeKind{core.ChangeBegan, core.ChangeAnswered, core.ChangeMoved, core.ChangeParked, core.ChangeBridged} {
			e := entry("a", seq+1, kind, seq)
			if seq >= 2 {
				e.Call, e.To = "another", core.Party{Number: "1700"}
			}
			if kind == core.ChangeParked {
				e.Slot = "71"
			}
			want = append(want, e)
		}
		mustAppend(t, s, 0, want[:4]...)
		mustAppend(t, s, 0, want[4:]...)
		if got, err := s.LegEvents(t.Context(), "a"); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("LegEvents, %v:\n got %+v\nwant %+v", err, got, want)
		}
		if r, err := s.CDR(t.Context(), "a"); err != nil || r.Call != "another" || r.To.User.Name != "alice" {
			t.Errorf("record = %+v, %v; want the last call and the first party", r, err)
		}
	})
}

// Somebody presses hold a thousand times.
func TestLongHistoryKeepsItsEnd(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		mustAppend(t, s, 0, entry("a", 1, core.ChangeBegan, 0))
		for i := range 1000 {
			mustAppend(t, s, 0, entry("a", 2+i, core.ChangeHeld, i))
		}
		mustAppend(t, s, 0, entry("a", 1002, core.ChangeEnded, 1000))
		got, err := s.LegEvents(t.Context(), "a")
		if err != nil || len(got) < 30 || len(got) > 300 {
			t.Fatalf("%d entries, %v; want some hundred at most", len(got), err)
		}
		if last := got[len(got)-1]; last.Kind != core.ChangeEnded || last.Seq != 1002 || got[0].Kind != core.ChangeBegan {
			t.Errorf("from %+v to %+v, want begin and end", got[0], last)
		}
	})
}

func TestEndWithoutBegin(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		mustAppend(t, s, 0, entry("a", 7, core.ChangeEnded, 5))
		r, err := s.CDR(t.Context(), "a")
		if err != nil || !r.Begun.Equal(at(5)) || !r.Ended.Equal(at(5)) || r.Cause != core.CauseNormal {
			t.Errorf("record = %+v, %v", r, err)
		}
	})
}

func TestCloseUnfinished(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		mustAppend(t, s, 0,
			entry("ringing", 1, core.ChangeBegan, 0), entry("ringing", 2, core.ChangeRinging, 1),
			entry("talking", 1, core.ChangeBegan, 0), entry("talking", 2, core.ChangeAnswered, 3), entry("talking", 3, core.ChangeBridged, 4),
			entry("over", 1, core.ChangeBegan, 0), entry("over", 2, core.ChangeEnded, 2),
		)
		for round, want := range []int{2, 0} {
			if closed, err := s.CloseUnfinished(t.Context(), at(3600)); err != nil || len(closed) != want {
				t.Fatalf("round %d: CloseUnfinished = %+v, %v, want %d", round, closed, err, want)
			}
		}
		for leg, want := range map[core.LegID]struct {
			rows        int
			talk        time.Duration
			cause       core.Cause
			interrupted bool
		}{
			"ringing": {3, 0, core.CauseTempFailure, true},
			"talking": {4, time.Second, core.CauseTempFailure, true}, // answered at 3, last heard of at 4
			"over":    {2, 0, core.CauseNormal, false},
		} {
			events, err := s.LegEvents(t.Context(), leg)
			if err != nil || len(events) != want.rows {
				t.Fatalf("%s: %d rows, %v, want %d", leg, len(events), err, want.rows)
			}
			last := events[len(events)-1]
			if last.Kind != core.ChangeEnded || last.Cause != want.cause || last.Seq != want.rows || last.Peer != "" {
				t.Errorf("%s: last row %+v", leg, last)
			}
			r, err := s.CDR(t.Context(), leg)
			if err != nil || r.Talk != want.talk || r.Cause != want.cause || r.Interrupted != want.interrupted || r.Ended.IsZero() {
				t.Errorf("%s: record %+v, %v", leg, r, err)
			}
		}
	})
}

func TestTextFromTheNetwork(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		e := entry("a", 1, core.ChangeBegan, 0)
		e.From.Name = "\x00Robert'); DROP TABLE cdrs;--\xff\xfe \u202e"
		mustAppend(t, s, 0, e)
		r, err := s.CDR(t.Context(), "a")
		if want := "Robert'); DROP TABLE cdrs;--\uFFFD \u202e"; err != nil || r.From.Name != want {
			t.Errorf("name = %q, %v, want %q", r.From.Name, err, want)
		}
	})
}

func TestNewestRecordsComeFirst(t *testing.T) {
	opened(t, func(t sub, s *store.Store) {
		for i := range 5 {
			mustAppend(t, s, 0, entry(core.LegID(fmt.Sprint("leg", i)), 1, core.ChangeBegan, i))
		}
		got, err := s.CDRs(t.Context(), core.CDRQuery{Limit: 2})
		if err != nil || len(got) != 2 || got[0].Leg != "leg4" || got[1].Leg != "leg3" {
			t.Errorf("2 of 5 are %+v, %v", got, err)
		}
		if got, err := s.CDRs(t.Context(), core.CDRQuery{Limit: -1}); err != nil || len(got) != 1 {
			t.Errorf("limit -1 gives %d, %v", len(got), err)
		}
	})
}
