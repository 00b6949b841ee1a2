package speech

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/media/resample"
)

// joinedRate is the rate of what is put together of several pieces, in Hz.
const joinedRate = 16000

// maxSpeech bounds how long a text may last when it is spoken.
const maxSpeech = 10 * time.Minute

var errEndless = fmt.Errorf("lasts longer than %v", maxSpeech)

// joined puts sounds behind each other.
type joined struct {
	samples []int16
	err     error
}

// add appends a sound, times factor.
func (j *joined) add(pcm file.PCM, factor float64) {
	if pcm.Duration() > maxSpeech || len(j.samples) > int(maxSpeech/time.Second)*joinedRate {
		j.err = errors.Join(j.err, errEndless)
		return
	}
	begin := len(j.samples)
	if pcm.Rate == joinedRate {
		j.samples = append(j.samples, pcm.Samples...)
	} else {
		r := resample.New(pcm.Rate, joinedRate)
		j.samples = r.Flush(r.Append(j.samples, pcm.Samples))
	}
	if factor == 1 {
		return
	}
	for i, s := range j.samples[begin:] {
		j.samples[begin+i] = int16(limit(math.Round(float64(s)*factor), math.MinInt16, math.MaxInt16))
	}
}

// silence appends a pause.
func (j *joined) silence(d time.Duration) {
	j.samples = append(j.samples, make([]int16, int(d*joinedRate/time.Second))...)
}

// pcm returns the whole.
func (j *joined) pcm() (*file.PCM, error) {
	if j.err == nil && len(j.samples) == 0 {
		j.err = file.ErrNoAudio
	}
	if j.err != nil {
		return nil, fmt.Errorf("speech: %w", j.err)
	}
	return &file.PCM{Rate: joinedRate, Samples: j.samples}, nil
}
