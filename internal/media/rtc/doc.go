// Package rtc makes WebRTC audio paths for browsers. All browsers share one UDP
// and one TCP port. Each path is an ICE-lite agent (RFC 8445 section 2.5), a DTLS server and
// a pair of SRTP contexts; there is no PeerConnection and no goroutine per
// packet.
//
// Who runs what: the poller of package udp reads the socket, and a goroutine each
// TCP connection of a browser that has no other way out. They answer ICE
// checks, hand DTLS records to the path they belong to, decrypt SRTP in place
// and call the path's Receive callback. A path has goroutines of its own for
// its DTLS association only. A goroutine of the server looks after
// consent (RFC 7675) and RTCP reports once a second.
//
// A datagram reaches a path only by an ICE check that proves knowledge of the
// path's password, or from an address that such a check came from within the
// path's life. Everything else is dropped without an answer and without memory.
package rtc
