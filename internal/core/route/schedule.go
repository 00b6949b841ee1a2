package route

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Schedule says when something is open. All of it is in wall-clock time of its
// time zone, so that nine o'clock is nine o'clock on both sides of a DST change.
type Schedule struct {
	Name     string `yaml:"name" json:"name"`
	TimeZone string `yaml:"time_zone" json:"time_zone"` // IANA: "Europe/Berlin"
	// Weekly are the usual opening hours; none is closed.
	Weekly []Hours `yaml:"weekly,omitempty" json:"weekly,omitempty"`
	// Holidays are closed days: "2026-12-24", or "12-25" in every year.
	Holidays []string `yaml:"holidays,omitempty" json:"holidays,omitempty"`
	// Dates are days with hours of their own. They go before Holidays, and those
	// before Weekly; of several ranges the first holds.
	Dates []Dates `yaml:"dates,omitempty" json:"dates,omitempty"`
}

// Hours are opening hours on days of the week.
type Hours struct {
	Days []string `yaml:"days" json:"days"` // mon tue wed thu fri sat sun, or ranges: "mon-fri"
	Open `yaml:",inline"`
}

// Open is a span of a day.
type Open struct {
	From string `yaml:"from" json:"from"` // "09:00"
	// To is when it closes: "17:30", up to "24:00". Before or equal to From it is
	// on the next day: a bar's "20:00" to "02:00".
	To string `yaml:"to" json:"to"`
}

// Dates is a range of days with hours of their own.
type Dates struct {
	First string `yaml:"first" json:"first"`                   // "2026-12-24"
	Last  string `yaml:"last,omitempty" json:"last,omitempty"` // default: First
	Open  []Open `yaml:"open,omitempty" json:"open,omitempty"` // none is closed
}

// Override opens or closes a schedule by hand.
type Override struct {
	Schedule string `json:"schedule"`
	Open     bool   `json:"open"`
	// Until is when the schedule holds again; the zero Time is never.
	Until time.Time `json:"until,omitzero"`
}

// schedule is a Schedule made ready for questions.
type schedule struct {
	zone     *time.Location
	weekly   [7][]span // by time.Weekday
	holidays map[string]bool
	dates    []dates
}

// span is a part of a day in minutes of its wall clock; above minutesPerDay it is
// the next day's.
type span struct{ from, to int }

const minutesPerDay = 24 * 60

type dates struct {
	first, last string // "2026-12-24", which compare as text
	open        []span
}

// dateForm and yearlyForm are how days are written.
const (
	dateForm   = "2006-01-02"
	yearlyForm = "01-02"
)

// open reports whether the schedule is open at now. A span that crosses
// midnight belongs to the day it begins on, with that day's exceptions.
func (s *schedule) open(now time.Time) bool {
	local := now.In(s.zone)
	minute := local.Hour()*60 + local.Minute()
	within := func(minute int) func(span) bool {
		return func(o span) bool { return o.from <= minute && minute < o.to }
	}
	year, month, day := local.Date()
	// Noon is there on every day of every zone; midnight is not.
	yesterday := time.Date(year, month, day-1, 12, 0, 0, 0, s.zone)
	return slices.ContainsFunc(s.on(local), within(minute)) ||
		slices.ContainsFunc(s.on(yesterday), within(minute+minutesPerDay))
}

// on returns the spans that begin on the day of local.
func (s *schedule) on(local time.Time) []span {
	date := local.Format(dateForm)
	for _, d := range s.dates {
		if d.first <= date && date <= d.last {
			return d.open
		}
	}
	if s.holidays[date] || s.holidays[local.Format(yearlyForm)] {
		return nil
	}
	return s.weekly[local.Weekday()]
}

// compile checks s and makes it ready.
func (s Schedule) compile(m *mistakes, at string) *schedule {
	out := &schedule{holidays: make(map[string]bool, len(s.Holidays))}
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil || s.TimeZone == "" || s.TimeZone == "Local" {
		m.add(at+".time_zone", "%q is not a time zone such as Europe/Berlin", s.TimeZone)
		zone = time.UTC
	}
	out.zone = zone
	for i, h := range s.Weekly {
		hours := fmt.Sprintf("%s.weekly[%d]", at, i)
		o := h.compile(m, hours)
		for _, day := range weekdays(m, hours+".days", h.Days) {
			out.weekly[day] = append(out.weekly[day], o)
		}
	}
	for i, day := range s.Holidays {
		if !isDate(day) && !isYearly(day) {
			m.add(fmt.Sprintf("%s.holidays[%d]", at, i), "%q is neither a day such as 2026-12-24 nor one of every year such as 12-25", day)
		}
		out.holidays[day] = true
	}
	for i, d := range s.Dates {
		out.dates = append(out.dates, d.compile(m, fmt.Sprintf("%s.dates[%d]", at, i)))
	}
	return out
}

func (d Dates) compile(m *mistakes, at string) dates {
	out := dates{first: d.First, last: d.Last}
	if d.Last == "" {
		out.last = d.First
	}
	if !isDate(d.First) {
		m.add(at+".first", "%q is not a day such as 2026-12-24", d.First)
	}
	if !isDate(out.last) || out.last < out.first {
		m.add(at+".last", "%q is not a day such as 2026-12-24, or before the first", d.Last)
	}
	for i, o := range d.Open {
		out.open = append(out.open, o.compile(m, fmt.Sprintf("%s.open[%d]", at, i)))
	}
	return out
}

func (o Open) compile(m *mistakes, at string) span {
	from, ok := minutes(o.From)
	if !ok || from == minutesPerDay {
		m.add(at+".from", "%q is not a time such as 09:00", o.From)
	}
	to, ok := minutes(o.To)
	if !ok {
		m.add(at+".to", "%q is not a time such as 17:30", o.To)
	}
	if to <= from {
		to += minutesPerDay
	}
	return span{from, to}
}

// minutes reads "hh:mm" up to 24:00.
func minutes(text string) (int, bool) {
	if text == "24:00" {
		return minutesPerDay, true
	}
	t, err := time.Parse("15:04", text)
	return t.Hour()*60 + t.Minute(), err == nil && len(text) == len("15:04")
}

func isDate(text string) bool {
	_, err := time.Parse(dateForm, text)
	return err == nil
}

// isYearly also takes 29 February: the year before each text is a leap year.
func isYearly(text string) bool { return isDate("2024-" + text) }

// weekdays reads "mon" and "mon-fri"; a range may cross the end of the week.
func weekdays(m *mistakes, at string, days []string) []time.Weekday {
	names := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	var all []time.Weekday
	for i, text := range days {
		first, last, isRange := strings.Cut(text, "-")
		if !isRange {
			last = first
		}
		from, to := slices.Index(names, first), slices.Index(names, last)
		if from < 0 || to < 0 {
			m.add(fmt.Sprintf("%s[%d]", at, i), "%q is neither a day such as mon nor a range such as mon-fri", text)
			continue
		}
		for day := from; ; day = (day + 1) % len(names) {
			all = append(all, time.Weekday(day))
			if day == to {
				break
			}
		}
	}
	if len(days) == 0 {
		m.add(at, "none")
	}
	return all
}
