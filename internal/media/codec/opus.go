package codec

import (
	"errors"
	"fmt"
	"math"

	"github.com/thesyncim/gopus"

	"github.com/offhook/offhook/internal/media/codec/lowband"
)

// opusMaxPacket is the most that one of our packets takes, in bytes.
const opusMaxPacket = 1275

// opusSettings says how a voice is coded.
type opusSettings struct {
	bitRate    int // bit/s
	complexity int // 0 to 10: time spent for quality
	// plain leaves modelling a voice (SILK) out: the spectrum alone is coded (CELT),
	// with as many bits for each packet; to find out how many each needs takes a
	// seventh of the time.
	plain bool
	// loss in percent that packets carry copies of the one before for (in-band
	// FEC), 0 for none. There are no copies in plain packets.
	loss     int
	band     int  // sampling rate that suffices for the listener, in Hz, 0 for all
	constant bool // all packets have one size
	silence  bool // DTX
}

// fecFrom is the loss in percent from which copies are worth their cost: three
// times the time.
const fecFrom = 2

// opusFor returns the settings for a voice sampled at rate. Bits are cheaper than
// time: at 8 kHz 48 kbit/s of plain packets take half the time of 20 kbit/s of
// modelled ones, at 16 kHz a third, sound as good (TestOpusSounds), and what is lost
// of them is concealed better. They are fewer than G.711 has.
func opusFor(rate, loss int) opusSettings {
	switch {
	case loss >= fecFrom || rate > 16000: // at 48 kHz a voice is coded as browsers do
		return modelledFor(rate, loss)
	case rate > 8000:
		return opusSettings{bitRate: 56000, plain: true}
	}
	return opusSettings{bitRate: 48000, plain: true}
}

// modelledFor returns the settings for packets that are not plain.
func modelledFor(rate, loss int) opusSettings {
	s := opusSettings{bitRate: 32000, complexity: 2}
	switch {
	case rate <= 8000:
		s = opusSettings{bitRate: 20000, complexity: 1}
	case rate <= 16000:
		s.bitRate = 28000
	}
	if loss >= fecFrom {
		s.loss = min(loss, 25)
		s.complexity = 2 // there are no copies below
	}
	return s
}

type gopusEncoder struct {
	*gopus.Encoder
	settings opusSettings
	wishes   Wishes
}

func newGopusEncoder(rate int) (*gopusEncoder, error) {
	e, err := gopus.NewEncoder(gopus.EncoderConfig{SampleRate: rate, Channels: 1, Application: gopus.ApplicationVoIP})
	if err == nil {
		err = e.SetFrameSize(rate / 50)
	}
	if err != nil {
		return nil, fmt.Errorf("codec: opus encoder: %w", err)
	}
	g := &gopusEncoder{Encoder: e}
	g.Heed(Wishes{})
	return g, nil
}

// apply sets what may change during a stream.
func (e *gopusEncoder) apply(s opusSettings) {
	if s == e.settings {
		return
	}
	e.settings = s
	signal := gopus.SignalAuto // for speech, as we are, that is a voice
	if s.plain {
		signal = gopus.SignalMusic
	}
	// None of these fails: the values are all in range.
	_ = errors.Join(e.SetBitrate(s.bitRate), e.SetComplexity(s.complexity), e.SetPacketLoss(s.loss), e.SetSignal(signal),
		e.SetMaxBandwidth(bandOf(s.band)))
	e.SetFEC(s.loss > 0)
	e.SetVBR(!s.constant)
	e.SetDTX(s.silence)
}

// bandOf returns what a listener who plays rate Hz can hear (RFC 7587 section 3.1.1).
func bandOf(rate int) gopus.Bandwidth {
	switch {
	case rate == 0 || rate > 24000:
		return gopus.BandwidthFullband
	case rate > 16000:
		return gopus.BandwidthSuperwideband
	case rate > 12000:
		return gopus.BandwidthWideband
	case rate > 8000:
		return gopus.BandwidthMediumband
	}
	return gopus.BandwidthNarrowband
}

// ExpectLoss implements LossAware.
func (e *gopusEncoder) ExpectLoss(percent int) {
	e.apply(e.wishes.next(e.settings, e.SampleRate(), percent))
}

// Heed implements Wishful.
func (e *gopusEncoder) Heed(w Wishes) {
	e.wishes = w
	e.apply(w.opusFor(e.SampleRate(), 0))
}

// Reset implements Encoder.
func (e *gopusEncoder) Reset() {
	e.Encoder.Reset()
	e.Heed(Wishes{})
}

// Encode implements Encoder.
func (e *gopusEncoder) Encode(dst []byte, pcm []int16) (int, error) {
	if len(pcm) != e.FrameSize() {
		if err := e.SetFrameSize(len(pcm)); err != nil {
			return 0, fmt.Errorf("codec: opus: %d samples: %w", len(pcm), err)
		}
	}
	n, err := e.EncodeInt16(pcm, dst[:min(len(dst), opusMaxPacket)])
	if err != nil {
		return 0, fmt.Errorf("codec: opus: %w", err)
	}
	return n, nil
}

// survive makes a panic of the library an error: payloads come from the far end, and
// the goroutine that decodes them serves all calls.
func survive(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("codec: opus: %v", r)
	}
}

// halver leaves out of packets what decoding at rate gives nothing of.
type halver struct{ low []byte }

func newHalver(rate int) halver {
	if rate > 16000 {
		return halver{}
	}
	return halver{make([]byte, opusMaxPacket)}
}

// half returns payload, or what matters of it, which is valid until the next call.
func (h *halver) half(payload []byte) []byte {
	if h.low == nil {
		return payload
	}
	return lowband.Strip(h.low, payload)
}

type gopusDecoder struct {
	*gopus.Decoder
	halver
	lost []float32 // gopus recovers lost frames as floats only
	gap  concealer
}

func newGopusDecoder(rate int) (*gopusDecoder, error) {
	// Less than gopus' default of 120 ms, which costs 50 KB more a leg; the
	// longest packet seen in calls has 60 ms.
	d, err := gopus.NewDecoder(gopus.DecoderConfig{SampleRate: rate, Channels: 1, MaxPacketSamples: 2880})
	if err != nil {
		return nil, fmt.Errorf("codec: opus decoder: %w", err)
	}
	return &gopusDecoder{
		Decoder: d, halver: newHalver(rate), lost: make([]float32, MaxSamples(rate)), gap: newConcealer(rate),
	}, nil
}

// Decode implements Decoder.
func (d *gopusDecoder) Decode(pcm []int16, payload []byte) (n int, err error) {
	defer survive(&err)
	if n, err = d.DecodeInt16(d.half(payload), pcm); err != nil {
		return 0, fmt.Errorf("codec: opus: %w", err)
	}
	d.gap.heard(pcm[:n])
	return n, nil
}

// Reset implements Decoder.
func (d *gopusDecoder) Reset() {
	d.Decoder.Reset()
	d.gap.reset()
}

// Conceal implements Decoder. It uses the copy of the lost frame in next, if there is
// one (RFC 6716 section 2.1.7). Without that gopus' guess is now and then silent where
// somebody spoke, so that it only keeps the decoder's state, and the last pitch period
// is heard again.
func (d *gopusDecoder) Conceal(pcm []int16, next []byte) (err error) {
	defer survive(&err)
	if len(pcm) > len(d.lost) {
		return ErrTooLong
	}
	lost, copied := d.lost[:len(pcm)], hasCopy(next)
	n, err := d.DecodeWithFEC(d.half(next), lost, len(next) > 0)
	if err != nil {
		return fmt.Errorf("codec: opus: conceal: %w", err)
	}
	if !copied {
		d.gap.fill(pcm)
		return nil
	}
	for i, s := range lost[:n] {
		pcm[i] = int16(max(math.MinInt16, min(math.MaxInt16, math.Round(float64(s)*(1<<15)))))
	}
	clear(pcm[n:])
	d.gap.heard(pcm)
	return nil
}

// hasCopy reports whether a packet carries a copy of the frame before it: the flag
// behind one for each 20 ms (RFC 6716 section 4.2.3), which CELT alone does not have.
func hasCopy(packet []byte) bool {
	const firstHybrid, firstCELT, secondFrame = 12, 16, 2
	if len(packet) < 2 || packet[0]&secondFrame != 0 || packet[0]>>3 >= firstCELT {
		return false
	}
	flags := 1
	if config := packet[0] >> 3; config < firstHybrid {
		flags = max(1, int(config%4)) // frames of 10, 20, 40 and 60 ms
	}
	return packet[1]<<flags&0x80 != 0
}
