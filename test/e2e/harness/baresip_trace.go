//go:build e2e

package harness

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/testkit"
)

// traceMark begins each SIP message in what baresip prints.
const traceMark = "\x1b[36;1m#\n"

// Find returns the SIP messages that the phone sent or received, over whatever
// transport, that begin with start, such as "CANCEL ", and hold all of words.
func (b *Baresip) Find(start string, words ...string) []string {
	var found []string
next:
	for _, m := range strings.Split(b.Log().String(), traceMark)[1:] {
		_, message, _ := strings.Cut(m, "\n") // the first line is "UDP from -> to"
		message, _, _ = strings.Cut(message, "\x1b[;m")
		if !strings.HasPrefix(message, start) {
			continue
		}
		for _, word := range words {
			if !strings.Contains(message, word) {
				continue next
			}
		}
		found = append(found, message)
	}
	return found
}

// AwaitTone waits until the phone has heard a tone for a second in the call that
// it dialled or accepted last.
func (b *Baresip) AwaitTone(freq float64, within time.Duration) {
	b.t.Helper()
	testkit.Eventually(b.t, within, fmt.Sprintf("%s hears %.0f Hz", b.name, freq), func() bool {
		rate, pcm := b.HeardSoFar()
		return HasTone(pcm, rate, freq, time.Second)
	})
}

// recordings returns the files of what was heard, one for each call, oldest first.
func (b *Baresip) recordings() []string {
	names, _ := filepath.Glob(filepath.Join(b.rec, "dump-*-dec.wav"))
	return names
}

// HeardSoFar reads a recording that still grows: its header does not know the
// length yet.
func (b *Baresip) HeardSoFar() (rate int, pcm []int16) {
	names := b.recordings()
	if len(names) <= b.old {
		return 8000, nil
	}
	raw, err := os.ReadFile(names[len(names)-1])
	if err != nil {
		b.t.Fatal(err)
	}
	head, data, found := strings.Cut(string(raw), "data")
	if !found || len(head) < 28 || len(data) < 4 {
		return 8000, nil
	}
	channels := int(binary.LittleEndian.Uint16(raw[22:]))
	rate = int(binary.LittleEndian.Uint32(raw[24:]))
	for data = data[4:]; len(data) >= 2*channels; data = data[2*channels:] {
		pcm = append(pcm, int16(binary.LittleEndian.Uint16([]byte(data[:2])))) // the left channel
	}
	return rate, pcm
}
