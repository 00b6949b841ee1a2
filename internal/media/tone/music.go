package tone

import "math"

// notes of the music for parties on hold, in Hz; 0 rests. Eight bars of slow
// broken chords: A minor, F, C, G, twice.
func notes() []float64 {
	chords := [][]float64{
		{220.00, 261.63, 329.63, 440.00},
		{174.61, 261.63, 349.23, 440.00},
		{261.63, 329.63, 392.00, 523.25},
		{196.00, 246.94, 392.00, 493.88},
	}
	var list []float64
	for range 2 {
		for _, c := range chords {
			list = append(list, c[0], c[1], c[2], c[3], c[2], c[1], c[2], 0)
		}
	}
	return list
}

const (
	noteSeconds  = 0.36
	ringSeconds  = 3 * noteSeconds // a note rings on into the next ones
	decaySeconds = 0.45
	musicLevel   = 5000 // peak of a note: about -20 dBFS over time
)

// Music is a loop of 23 s, our own, that repeats for ever. Samples are made as
// they are read, because all of them at once take too long for a sender. It is
// not safe for concurrent use.
type Music struct {
	notes []float64
	rate  int
	note  int // samples of one
	at    int // in the loop
}

// NewMusic returns the music at rate samples a second.
func NewMusic(rate int) *Music {
	return &Music{notes: notes(), rate: rate, note: int(noteSeconds * float64(rate))}
}

// Length returns how many samples the loop has.
func (m *Music) Length() int { return len(m.notes) * m.note }

// Seek goes on with sample at.
func (m *Music) Seek(at int) { m.at = at % m.Length() }

// Read fills pcm with the next samples.
func (m *Music) Read(pcm []int16) {
	for i := range pcm {
		var sum float64
		current := m.at / m.note
		for back := range 3 {
			hz := m.notes[(current-back+len(m.notes))%len(m.notes)] // over the seam, too
			sum += pluck(hz, float64(m.at%m.note+back*m.note)/float64(m.rate))
		}
		pcm[i] = int16(max(math.MinInt16, min(math.MaxInt16, sum)))
		m.at = (m.at + 1) % m.Length()
	}
}

// pluck returns the sound of a string t seconds after it was plucked.
func pluck(hz, t float64) float64 {
	if hz == 0 {
		return 0
	}
	v := math.Sin(2*math.Pi*hz*t) + 0.3*math.Sin(4*math.Pi*hz*t) + 0.1*math.Sin(6*math.Pi*hz*t)
	attack := min(1, t/0.012)
	release := min(1, (ringSeconds-t)/(noteSeconds/4))
	return musicLevel * v * attack * release * math.Exp(-t/decaySeconds)
}
