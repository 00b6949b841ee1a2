//go:build e2e

package harness

import (
	"math"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
)

// Bar is what speech must be like to be heard well.
type Bar struct {
	Corr float64 // likeness of the spectra, of 1, at least
	Lost float64 // share that arrived as nothing, at most
	Gain float64 // dB louder or softer, at most; 0 does not matter
}

func (b Bar) met(c meter.Comparison) bool {
	return c.Corr >= b.Corr && c.Lost <= b.Lost && (b.Gain == 0 || math.Abs(c.Gain) <= b.Gain)
}

const (
	// speechBlock is the piece of speech that is judged at a time: what a machine
	// that stands still does to one piece says nothing of the others.
	speechBlock = 2 * phone.Rate
	// speechSlack is by how many samples a piece may be earlier or later than the
	// whole: what a jitter buffer does about such a moment.
	speechSlack = phone.Rate / 2
)

// AwaitSpeech lets from say words, again and again, until to has heard each two
// seconds of them well at least once. A fault of the exchange spoils some piece each
// time; a busy machine spoils another one each time.
func AwaitSpeech(t testing.TB, from, to *phone.Call, words []int16, bar Bar, within time.Duration) {
	t.Helper()
	AwaitPieces(t, words, bar, within, func() []int16 { return hearOnce(t, from, to, words) })
}

// AwaitPieces is AwaitSpeech for who speaks in another way: hear lets words be said
// once, and returns what is heard of them.
func AwaitPieces(t testing.TB, words []int16, bar Bar, within time.Duration, hear func() []int16) {
	t.Helper()
	best := make([]meter.Comparison, (len(words)+speechBlock-1)/speechBlock)
	good := make([]bool, len(best))
	deadline := time.Now().Add(within)
	for try, left := 1, len(best); left > 0; try++ {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d pieces of speech were never heard well in %d tries: want %+v, best %+v", left, len(best), try-1, bar, best)
		}
		left = 0
		for i, got := range pieces(words, hear()) {
			if good[i] = good[i] || bar.met(got); !good[i] {
				left++
			}
			if got.Corr > best[i].Corr {
				best[i] = got
			}
		}
		t.Logf("try %d: %d of %d pieces heard well, likeness of each so far %.4f", try, len(best)-left, len(best), likenesses(best))
	}
}

// hearOnce says words once and returns what is heard meanwhile.
func hearOnce(t testing.TB, from, to *phone.Call, words []int16) []int16 {
	t.Helper()
	begin, said := time.Now(), make(chan struct{}, 1)
	play, left := phone.Recording(words, false), len(words)
	from.Say(func(pcm []int16) {
		play(pcm)
		if before := left; before > 0 {
			if left -= len(pcm); left <= 0 {
				said <- struct{}{}
			}
		}
	})
	testkit.Receive(t, said, 30*time.Second, "the end of the words")
	time.Sleep(time.Second) // on their way
	return to.Heard(time.Since(begin) + time.Second/2)
}

// pieces compares each piece of words with its place in heard.
func pieces(words, heard []int16) (list []meter.Comparison) {
	whole := meter.Compare(words, heard, phone.Rate).Delay
	for begin := 0; begin < len(words); begin += speechBlock {
		at := max(0, min(begin, len(words)-speechBlock)) // the last one whole, too
		piece := words[at:min(at+speechBlock, len(words))]
		from := min(max(0, at+whole-speechSlack), len(heard))
		to := min(from+len(piece)+2*speechSlack, len(heard))
		list = append(list, meter.Compare(piece, heard[from:to], phone.Rate))
	}
	return list
}

func likenesses(list []meter.Comparison) (all []float64) {
	for _, c := range list {
		all = append(all, c.Corr)
	}
	return all
}
