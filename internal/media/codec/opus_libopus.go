//go:build libopus

package codec

/*
#cgo pkg-config: opus
#include <opus.h>

// The controls of libopus are variadic, which cgo cannot call.
static int set(OpusEncoder *e, int request, opus_int32 value) { return opus_encoder_ctl(e, request, value); }
static int reset_encoder(OpusEncoder *e) { return opus_encoder_ctl(e, OPUS_RESET_STATE); }
static int reset_decoder(OpusDecoder *d) { return opus_decoder_ctl(d, OPUS_RESET_STATE); }
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"
)

// With the tag libopus, Opus is coded by the C library: a tenth to half less time,
// and a tenth of the memory. It must be there when the program is built and run.

func newOpusEncoder(rate int) (Encoder, error) { return newLibEncoder(rate) }

func newOpusDecoder(rate int) (Decoder, error) { return newLibDecoder(rate) }

// libError returns the error of a result of libopus, nil if it is none.
func libError(what string, result C.int) error {
	if result >= 0 {
		return nil
	}
	return fmt.Errorf("codec: libopus: %s: %w", what, errors.New(C.GoString(C.opus_strerror(result))))
}

type libEncoder struct {
	c        *C.OpusEncoder
	rate     int
	settings opusSettings
	wishes   Wishes
}

func newLibEncoder(rate int) (*libEncoder, error) {
	var result C.int
	c := C.opus_encoder_create(C.opus_int32(rate), 1, C.OPUS_APPLICATION_VOIP, &result)
	if err := libError("encoder", result); err != nil {
		return nil, err
	}
	e := &libEncoder{c: c, rate: rate}
	runtime.AddCleanup(e, func(c *C.OpusEncoder) { C.opus_encoder_destroy(c) }, c)
	e.Heed(Wishes{})
	return e, nil
}

// ExpectLoss implements LossAware.
func (e *libEncoder) ExpectLoss(percent int) { e.apply(e.wishes.next(e.settings, e.rate, percent)) }

// Heed implements Wishful.
func (e *libEncoder) Heed(w Wishes) {
	e.wishes = w
	e.apply(w.opusFor(e.rate, 0))
}

// apply sets what may change during a stream.
func (e *libEncoder) apply(s opusSettings) {
	if s == e.settings {
		return
	}
	e.settings = s
	fec, vbr, dtx, signal := 0, 1, 0, C.OPUS_AUTO
	if s.loss > 0 {
		fec = 1
	}
	if s.plain {
		signal = C.OPUS_SIGNAL_MUSIC
	}
	if s.constant {
		vbr = 0
	}
	if s.silence {
		dtx = 1
	}
	// None of these fails: the values are all in range.
	C.set(e.c, C.OPUS_SET_BITRATE_REQUEST, C.opus_int32(s.bitRate))
	C.set(e.c, C.OPUS_SET_COMPLEXITY_REQUEST, C.opus_int32(s.complexity))
	C.set(e.c, C.OPUS_SET_PACKET_LOSS_PERC_REQUEST, C.opus_int32(s.loss))
	C.set(e.c, C.OPUS_SET_INBAND_FEC_REQUEST, C.opus_int32(fec))
	C.set(e.c, C.OPUS_SET_VBR_REQUEST, C.opus_int32(vbr))
	C.set(e.c, C.OPUS_SET_SIGNAL_REQUEST, C.opus_int32(signal))
	C.set(e.c, C.OPUS_SET_DTX_REQUEST, C.opus_int32(dtx))
	C.set(e.c, C.OPUS_SET_MAX_BANDWIDTH_REQUEST, C.opus_int32(C.OPUS_BANDWIDTH_NARROWBAND+int(bandOf(s.band))))
}

// Encode implements Encoder.
func (e *libEncoder) Encode(dst []byte, pcm []int16) (int, error) {
	if len(dst) == 0 || len(pcm) == 0 {
		return 0, ErrTooLong
	}
	n := C.opus_encode(e.c, (*C.opus_int16)(unsafe.Pointer(&pcm[0])), C.int(len(pcm)),
		(*C.uchar)(&dst[0]), C.opus_int32(min(len(dst), opusMaxPacket)))
	runtime.KeepAlive(e)
	return max(0, int(n)), libError("encode", C.int(n))
}

// Reset implements Encoder.
func (e *libEncoder) Reset() {
	C.reset_encoder(e.c)
	e.Heed(Wishes{})
}

type libDecoder struct {
	halver
	c *C.OpusDecoder
}

func newLibDecoder(rate int) (*libDecoder, error) {
	var result C.int
	c := C.opus_decoder_create(C.opus_int32(rate), 1, &result)
	if err := libError("decoder", result); err != nil {
		return nil, err
	}
	d := &libDecoder{newHalver(rate), c}
	runtime.AddCleanup(d, func(c *C.OpusDecoder) { C.opus_decoder_destroy(c) }, c)
	return d, nil
}

func (d *libDecoder) decode(pcm []int16, payload []byte, fec C.int) (int, error) {
	if len(pcm) == 0 {
		return 0, ErrTooLong
	}
	var data *C.uchar
	if len(payload) > 0 {
		data = (*C.uchar)(&payload[0])
	}
	n := C.opus_decode(d.c, data, C.opus_int32(len(payload)), (*C.opus_int16)(unsafe.Pointer(&pcm[0])), C.int(len(pcm)), fec)
	runtime.KeepAlive(d)
	return max(0, int(n)), libError("decode", n)
}

// Decode implements Decoder.
func (d *libDecoder) Decode(pcm []int16, payload []byte) (int, error) {
	if len(payload) == 0 {
		return 0, errors.New("codec: libopus: empty payload")
	}
	return d.decode(pcm, d.half(payload), 0)
}

// Conceal implements Decoder.
func (d *libDecoder) Conceal(pcm []int16, next []byte) error {
	fec := C.int(0)
	if len(next) > 0 {
		fec = 1
	}
	n, err := d.decode(pcm, d.half(next), fec)
	clear(pcm[n:])
	return err
}

// Reset implements Decoder.
func (d *libDecoder) Reset() { C.reset_decoder(d.c) }
