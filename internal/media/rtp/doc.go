// Package rtp carries the audio of SIP legs: UDP port pairs, and paths that send
// and receive RTP (RFC 3550). One poller reads the sockets of all paths. The packet
// path takes no lock that anybody waits for, and allocates nothing.
package rtp
