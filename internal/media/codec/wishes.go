package codec

// Wishes are what the far end said of its decoder of Opus, as far as we would send it
// otherwise (RFC 7587 section 6.1). The zero value is one that takes whatever we send.
// That we send one channel suits all.
type Wishes struct {
	BitRate  int  // most bits a second, 0 for any
	Band     int  // highest sampling rate of what it plays, in Hz, 0 for any
	Constant bool // packets of one size
	Silence  bool // next to nothing while nothing is said (DTX)
	NoCopies bool // in-band FEC is lost on it
}

// Wishful is an Encoder that heeds Wishes until Reset.
type Wishful interface {
	// Heed is called before the first frame.
	Heed(w Wishes)
}

// within returns the part of rate that is heard.
func (w Wishes) within(rate int) int {
	if w.Band > 0 {
		return min(rate, w.Band)
	}
	return rate
}

// limit returns s within w.
func (w Wishes) limit(s opusSettings, rate int) opusSettings {
	limited := w.BitRate > 0 && w.BitRate < s.bitRate
	if limited {
		s.bitRate = w.BitRate
	}
	if w.within(rate) < rate {
		s.band = w.Band
	}
	// At 48 kHz gopus 0.1.1 takes a tenth more than it is told if sizes may differ.
	s.constant = s.plain || w.Constant || limited && rate > 16000
	s.silence = w.Silence
	return s
}

// opusFor is opusFor of a voice that w allows: bits are what plain packets have too many
// of, and DTX is part of modelling.
func (w Wishes) opusFor(rate, loss int) opusSettings {
	if w.NoCopies {
		loss = 0
	}
	s := opusFor(rate, loss)
	if w.BitRate > 0 && w.BitRate < s.bitRate || w.Silence || w.within(rate) < rate {
		s = modelledFor(w.within(rate), loss)
	}
	return w.limit(s, rate)
}

// next returns the settings that follow s in a stream when loss changes. A stream does
// not become plain again: gopus 0.1.1 makes a loud click of it (TestOpusSounds).
func (w Wishes) next(s opusSettings, rate, loss int) opusSettings {
	if w.NoCopies {
		loss = 0
	}
	if s.plain {
		return w.opusFor(rate, loss)
	}
	return w.limit(modelledFor(w.within(rate), loss), rate)
}
