package media

import (
	"slices"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/core"
)

const (
	// dialEvery is from the beginning of a key that we send to that of the next: 100 ms
	// each of the key and of silence.
	dialEvery = 200 * time.Millisecond
	// dialPause is what a p in between stands for.
	dialPause = 500 * time.Millisecond
	// maxDigits is how many keys may wait for a leg.
	maxDigits = 1000
)

// dial is a string of keys on its way to the party of a leg.
type dial struct {
	leg    core.LegID
	digits string
	due    time.Time // when the first of digits is
}

// SendDigits sends keys to the party of leg, 0-9 * # and p for a pause of 500 ms,
// behind those that it is still being sent: as telephone-events, by SIP INFO if it
// wants that, else as tones. Each lasts 100 ms, with as much silence behind it. Keys
// that are none are left out; so are all for a leg that has no audio.
func (s *Server) SendDigits(leg core.LegID, digits string) {
	s.keyboard.dial(s, leg, digits)
}

func (b *keyboard) dial(s *Server, leg core.LegID, digits string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := slices.IndexFunc(b.dials, func(d *dial) bool { return d.leg == leg })
	if at < 0 {
		at, b.dials = len(b.dials), append(b.dials, &dial{leg: leg, due: time.Now()})
	}
	d := b.dials[at]
	d.digits += digits[:min(len(digits), maxDigits-len(d.digits))]
	b.startLocked(s)
}

// dialledLocked returns the keys of dials that are due. A dial without digits lives on
// until the time of its last key is over, so that what is added keeps its distance.
func (b *keyboard) dialledLocked(now time.Time) (keys []keyPress) {
	b.dials = slices.DeleteFunc(b.dials, func(d *dial) bool {
		for !now.Before(d.due) {
			if d.digits == "" {
				return true
			}
			key := d.digits[0]
			d.digits = d.digits[1:]
			switch {
			case key == 'p':
				d.due = d.due.Add(dialPause)
			case strings.IndexByte("0123456789*#", key) >= 0:
				keys = append(keys, keyPress{leg: d.leg, key: key, form: formOurs})
				d.due = now.Add(dialEvery)
			}
		}
		return false
	})
	return keys
}
