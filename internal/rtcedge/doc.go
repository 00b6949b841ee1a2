// Package rtcedge is the edge for browsers: our JSON signalling over one
// WebSocket, described in docs/protocol/ws.md. to_core.go turns requests into
// events for the exchange, from_core.go turns its commands into messages.
//
// Each socket has one goroutine that reads and one that writes from a bounded
// queue; nothing else ever writes to it. A device (a browser tab) outlives its
// socket for a while, so that a call goes on when the network changes.
//
// Guarantees: Edge.Do returns at once. Every leg that the edge was ordered to
// ring, or that it offered, ends with exactly one core.LegGone, which is the
// last event of the leg, and with exactly one terminal message to the client.
package rtcedge
