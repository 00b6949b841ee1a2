// Package sdp reads and writes session descriptions (RFC 8866) and settles
// offer and answer (RFC 3264) for one audio stream: plain RTP with phones and
// trunks, and WebRTC (RFC 8829) as the ICE-lite side. It is pure: no I/O, no
// clock, no randomness; whoever calls it gives ports, credentials and versions.
//
// Reading is tolerant: bare LF, unknown lines, missing s= and t= and odd letter
// case are accepted, as phones in the field send all of them. Writing is exact.
//
// Errors carry a [core.Kind]: Invalid for a description that cannot be
// understood; Conflict, wrapping [ErrNoCommonCodec] or [ErrNoAudio], for one
// that is well formed but offers nothing we can do (SIP 488).
package sdp
