package meter

import (
	"math"
	"math/cmplx"
)

const (
	// bands is how many critical bands are compared.
	bands = 16
	// dynamics is how far below the loudest a sound still counts, in dB.
	dynamics = 50
	// lostShare is the share of a window's energy below which it counts as lost.
	lostShare = 0.02
)

// Comparison says how a sound differs from its original.
type Comparison struct {
	Delay int     // samples by which it is late
	Gain  float64 // dB by which it is louder
	Corr  float64 // likeness of the spectra over time: 1 the same, 0.98 good for a telephone, below 0.6 something else
	Lost  float64 // share of 5 ms windows of sound that arrived without
	Sure  float64 // how far the correlation's peak stands out: below 30 the rest means nothing
}

// Compare compares heard with what was said, both at rate Hz. heard may be late by
// up to a second. It is no listening test: it does not say how
// annoying a fault is.
func Compare(said, heard []int16, rate int) Comparison {
	var c Comparison
	c.Delay, c.Sure = delay(said, heard, rate)
	heard = heard[min(max(c.Delay, 0), len(heard)):]
	n := min(len(said), len(heard))
	said, heard = said[:n], heard[:n]
	gain := math.Sqrt((power(heard) + 1) / (power(said) + 1))
	c.Gain = 20 * math.Log10(gain)
	c.Lost = lost(said, heard, rate, gain)
	c.Corr = correlation(spectrogram(said, rate), spectrogram(heard, rate))
	return c
}

func power(pcm []int16) (sum float64) {
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return sum
}

// delay finds where the cross-correlation peaks. Each frequency counts by the
// root of its strength, so that the peak is sharp and noise does not rule it.
func delay(said, heard []int16, latest int) (samples int, sure float64) {
	size := 1
	for size < len(said)+len(heard) {
		size *= 2
	}
	a, b := transform(said, size), transform(heard, size)
	for i := range a {
		cross := cmplx.Conj(a[i]) * b[i]
		if m := cmplx.Abs(cross); m > 0 {
			cross /= complex(math.Sqrt(m), 0)
		}
		a[i] = cmplx.Conj(cross)
	}
	fft(a)
	peak, sum := 0.0, 0.0
	for i, v := range a {
		x := real(v)
		sum += x * x
		if i <= latest && x > peak {
			samples, peak = i, x
		}
	}
	return samples, peak / math.Sqrt(sum/float64(size)+1e-9)
}

func transform(pcm []int16, size int) []complex128 {
	x := make([]complex128, size)
	for i, s := range pcm {
		x[i] = complex(float64(s), 0)
	}
	fft(x)
	return x
}

// lost is the share of said's sounding windows that are silent in heard.
func lost(said, heard []int16, rate int, gain float64) float64 {
	n := rate / 200
	limit := power(said) / float64(max(1, len(said))) * float64(n) / 100 // -20 dB: between words
	var sounding, missing float64
	for i := 0; i+n <= len(said); i += n {
		p := power(said[i : i+n])
		if p < limit {
			continue
		}
		sounding++
		if power(heard[i:i+n]) < lostShare*p*gain*gain {
			missing++
		}
	}
	return missing / max(1, sounding)
}

// spectrogram returns the energy in dB of each critical band, 100 times a second.
func spectrogram(pcm []int16, rate int) (out []float64) {
	size := 1
	for size < rate/50 {
		size *= 2
	}
	x := make([]complex128, size)
	for at := 0; at+size <= len(pcm); at += rate / 100 {
		for i := range x {
			window := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(size))
			x[i] = complex(window*float64(pcm[at+i]), 0)
		}
		fft(x)
		var energy [bands]float64
		for i := 1; i < size/2; i++ {
			if band := int(bark(float64(i) * float64(rate) / float64(size))); band < bands {
				m := cmplx.Abs(x[i])
				energy[band] += m * m
			}
		}
		out = append(out, energy[:]...)
	}
	loudest := 1.0
	for _, e := range out {
		loudest = max(loudest, e)
	}
	for i, e := range out {
		out[i] = max(-dynamics, 10*math.Log10(e/loudest+1e-12))
	}
	return out
}

// bark returns the critical band of a frequency in Hz (Traunmueller 1990).
func bark(freq float64) float64 { return max(0, 26.81*freq/(1960+freq)-0.53) }

// correlation is Pearson's.
func correlation(a, b []float64) float64 {
	n := min(len(a), len(b))
	var sumA, sumB float64
	for i := range n {
		sumA += a[i]
		sumB += b[i]
	}
	meanA, meanB := sumA/float64(n), sumB/float64(n)
	var ab, aa, bb float64
	for i := range n {
		x, y := a[i]-meanA, b[i]-meanB
		ab += x * y
		aa += x * x
		bb += y * y
	}
	return ab / math.Sqrt(aa*bb+1e-9)
}

// fft is the radix-2 transform in place; len(x) is a power of two.
func fft(x []complex128) {
	n := len(x)
	for i, j := 1, 0; i < n; i++ {
		bit := n >> 1
		for ; j&bit != 0; bit >>= 1 {
			j ^= bit
		}
		if j ^= bit; i < j {
			x[i], x[j] = x[j], x[i]
		}
	}
	for length := 2; length <= n; length *= 2 {
		step := cmplx.Rect(1, -2*math.Pi/float64(length))
		for at := 0; at < n; at += length {
			w := complex(1, 0)
			for k := range length / 2 {
				u, v := x[at+k], x[at+k+length/2]*w
				x[at+k], x[at+k+length/2] = u+v, u-v
				w *= step
			}
		}
	}
}
