package sdp

import (
	"errors"
	"fmt"

	"github.com/offhook/offhook/internal/core"
)

var (
	// ErrNoCommonCodec says that both sides have audio but no codec in common.
	ErrNoCommonCodec = errors.New("no common codec")
	// ErrNoAudio says that there is no audio stream of a transport that we speak
	// here, or that the answer refused ours.
	ErrNoAudio = errors.New("no usable audio stream")
	// ErrUnprotected says that an answer does not keep to the SRTP that we offered.
	ErrUnprotected = errors.New("no usable SRTP key")
)

func invalid(op, format string, args ...any) error {
	return &core.Error{Op: "sdp." + op, Kind: core.Invalid, Err: fmt.Errorf(format, args...)}
}

func conflict(op string, err error) error {
	return &core.Error{Op: "sdp." + op, Kind: core.Conflict, Err: err}
}
