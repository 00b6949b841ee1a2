package speech

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// The pauses that SSML names (section 3.2.3 of the recommendation gives no times).
const (
	weak   = 100 * time.Millisecond
	medium = 350 * time.Millisecond
	strong = 700 * time.Millisecond
)

// breakOf returns how long a break lasts; its time wins.
func breakOf(strength, length string) time.Duration {
	if length != "" {
		if d, err := time.ParseDuration(strings.ReplaceAll(length, " ", "")); err == nil && d >= 0 {
			return min(d, maxPause)
		}
	}
	switch strength {
	case "none":
		return 0
	case "x-weak", "weak":
		return weak
	case "strong":
		return strong
	case "x-strong":
		return 2 * strong
	}
	return medium
}

// changed returns m as a prosody tag changes it. What it does not name, or what
// cannot be read, stays.
func (m manner) changed(rate, pitch, volume string) manner {
	m.rate = limit(m.rate*factorOf(rate, map[string]float64{"x-slow": 0.5, "slow": 0.75, "medium": 1, "default": 1, "fast": 1.25, "x-fast": 1.75}), 0.25, 4)
	m.pitch = limit(m.pitch*factorOf(pitch, map[string]float64{"x-low": 0.6, "low": 0.8, "medium": 1, "default": 1, "high": 1.25, "x-high": 1.5}), 0.25, 4)
	m.gain = limit(m.gain+gainOf(volume), -90, 20)
	return m
}

// factorOf reads a word, "+20%", "80%", "+2st" or a number as a factor.
func factorOf(text string, words map[string]float64) float64 {
	if f, ok := words[text]; ok {
		return f
	}
	signed := strings.HasPrefix(text, "+") || strings.HasPrefix(text, "-")
	if number, ok := strings.CutSuffix(text, "%"); ok {
		if f, ok := finite(number); ok && signed {
			return max(0.1, 1+f/100)
		} else if ok && f > 0 {
			return f / 100
		}
		return 1
	}
	if number, ok := strings.CutSuffix(text, "st"); ok {
		if f, ok := finite(number); ok {
			return math.Pow(2, limit(f, -24, 24)/12)
		}
		return 1
	}
	if f, ok := finite(text); ok && !signed && f > 0 {
		return f
	}
	return 1
}

// gainOf reads a volume as dB: a word, "+6dB", or 0 to 100.
func gainOf(text string) float64 {
	words := map[string]float64{"silent": -90, "x-soft": -12, "soft": -6, "medium": 0, "default": 0, "loud": 4, "x-loud": 8}
	if db, ok := words[text]; ok {
		return db
	}
	if number, ok := strings.CutSuffix(strings.ToLower(text), "db"); ok {
		if db, ok := finite(number); ok {
			return db
		}
		return 0
	}
	if percent, ok := finite(text); ok && percent >= 0 && percent <= 100 && !strings.HasPrefix(text, "+") {
		return max(-90, 20*math.Log10(percent/100))
	}
	return 0
}

func finite(text string) (float64, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
}

func limit(f, low, high float64) float64 { return max(low, min(high, f)) }
