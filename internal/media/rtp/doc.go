// Package rtp carries the audio of SIP legs: UDP port pairs, and paths that send
// and receive RTP (RFC 3550) with one read goroutine each. The packet path takes
// no lock and allocates nothing.
package rtp
