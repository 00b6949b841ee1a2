package route

import (
	"testing"
	"time"
	_ "time/tzdata" // the same zones on every machine
)

// office is open on workdays in Berlin, closed on holidays, with hours of its
// own on two days, and shut for a week.
func office() Schedule {
	return Schedule{
		Name: "office", TimeZone: "Europe/Berlin",
		Weekly: []Hours{
			{Days: []string{"mon-fri"}, Open: Open{"09:00", "12:00"}},
			{Days: []string{"mon-thu"}, Open: Open{"13:00", "17:30"}},
			{Days: []string{"sat"}, Open: Open{"22:00", "02:00"}},
			{Days: []string{"sun"}, Open: Open{"02:30", "03:30"}},
		},
		Holidays: []string{"12-25", "2026-10-30"},
		Dates: []Dates{
			{First: "2026-12-23", Last: "2026-12-24", Open: []Open{{"10:00", "11:00"}}},
			{First: "2026-08-03", Last: "2026-08-09"},
		},
	}
}

func TestScheduleOpen(t *testing.T) {
	d, err := NewDirectory(Resources{Schedules: []Schedule{office()}})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		at   string
		open bool
	}{
		{"Monday before nine", "2026-11-23T08:59:59+01:00", false},
		{"Monday at nine", "2026-11-23T09:00:00+01:00", true},
		{"Monday at noon", "2026-11-23T12:00:00+01:00", false},
		{"Monday afternoon", "2026-11-23T17:29:59+01:00", true},
		{"Monday evening", "2026-11-23T17:30:00+01:00", false},
		{"Friday afternoon", "2026-11-27T14:00:00+01:00", false},
		{"the same instant said in another zone", "2026-11-23T03:00:00-05:00", true},
		{"nine in London is ten in Berlin", "2026-11-23T09:00:00Z", true},
		{"eight UTC in winter is nine", "2026-11-23T08:00:00Z", true},
		{"seven UTC in winter is eight", "2026-11-23T07:00:00Z", false},
		{"seven UTC in summer is nine", "2026-07-06T07:00:00Z", true},
		{"the Friday before the clocks go forward, nine is 8 UTC", "2026-03-27T07:59:59Z", false},
		{"the Monday after the clocks go forward, nine is 7 UTC", "2026-03-30T07:00:00Z", true},
		{"the Friday before the clocks go back, nine is 7 UTC", "2026-10-23T07:00:00Z", true},
		{"the Monday after the clocks go back, nine is 8 UTC", "2026-10-26T07:59:59Z", false},
		{"and open at 8 UTC", "2026-10-26T08:00:00Z", true},
		{"Saturday night", "2026-11-28T23:00:00+01:00", true},
		{"Sunday after midnight still is Saturday's", "2026-11-29T01:59:59+01:00", true},
		{"Sunday at two", "2026-11-29T02:00:00+01:00", false},
		{"Sunday 02:45", "2026-11-29T02:45:00+01:00", true},
		{"Sunday without 02:30 to 03:00: 01:59 CET is before", "2026-03-29T00:59:59Z", true}, // Saturday's span
		{"03:00 CEST follows 01:59 CET and is open to 03:30", "2026-03-29T01:00:00Z", true},
		{"03:30 CEST", "2026-03-29T01:30:00Z", false},
		{"02:30 CEST, the first of two", "2026-10-25T00:30:00Z", true},
		{"02:30 CET, the second of two", "2026-10-25T01:30:00Z", true},
		{"02:10 CET, between them", "2026-10-25T01:10:00Z", false},
		{"holiday of every year", "2026-12-25T10:00:00+01:00", false},
		{"holiday of every year, next year", "2028-12-25T10:00:00+01:00", false},
		{"holiday of one year", "2026-10-30T10:00:00+01:00", false},
		{"the same day a year later", "2028-10-30T10:00:00+01:00", true},
		{"holiday here, not yet there", "2026-12-25T00:30:00+01:00", false},
		{"day with hours of its own", "2026-12-24T10:30:00+01:00", true},
		{"usual hours on that day", "2026-12-24T09:30:00+01:00", false},
		{"last day of the range", "2026-08-09T23:59:00+02:00", false},
		{"holiday week", "2026-08-05T10:00:00+02:00", false},
		{"after it", "2026-08-10T10:00:00+02:00", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, tt.at)
			if err != nil {
				t.Fatal(err)
			}
			if got := d.Open("office", at); got != tt.open {
				t.Errorf("open %v at %v", got, at)
			}
		})
	}
}

// TestScheduleOverride opens and closes by hand.
func TestScheduleOverride(t *testing.T) {
	noon := time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC) // Monday 10:30 in Berlin
	night := noon.Add(12 * time.Hour)
	tests := []struct {
		name     string
		override Override
		at       time.Time
		open     bool
	}{
		{"closed by day", Override{Schedule: "office"}, noon, false},
		{"opened by night", Override{Schedule: "office", Open: true}, night, true},
		{"closed until later", Override{Schedule: "office", Until: noon.Add(time.Second)}, noon, false},
		{"closed until now", Override{Schedule: "office", Until: noon}, noon, true},
		{"opened until midnight, asked after", Override{Schedule: "office", Open: true, Until: noon.Add(time.Hour)}, night, false},
		{"of another schedule", Override{Schedule: "shop"}, noon, true},
	}
	for _, tt := range tests {
		d, err := NewDirectory(Resources{Schedules: []Schedule{office()}, Overrides: []Override{tt.override}})
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Open("office", tt.at); got != tt.open {
			t.Errorf("%s: open %v", tt.name, got)
		}
	}
}

// TestScheduleSkippedMidnight has a zone whose clocks jump from 00:00 to 01:00.
func TestScheduleSkippedMidnight(t *testing.T) {
	d, err := NewDirectory(Resources{Schedules: []Schedule{{
		Name: "bar", TimeZone: "Africa/Cairo", Weekly: []Hours{{Days: []string{"thu"}, Open: Open{"20:00", "02:00"}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	friday := time.Date(2026, 4, 23, 22, 30, 0, 0, time.UTC) // 01:30 on Friday the 24th, in summer time
	if !d.Open("bar", friday) {
		t.Error("Thursday's span ends at a midnight that was not there")
	}
	if d.Open("bar", friday.Add(30*time.Minute)) {
		t.Error("open after two")
	}
}
