// Package sipedge is the exchange's door to phones and trunks: registrar, trunk
// recognition, and one leg per INVITE dialog. to_core.go turns what the wire
// says into events, from_core.go turns the exchange's commands into messages.
//
// Order: everything that happens to one leg, from the wire or from the
// exchange, runs one after the other (type serial), so a leg needs no lock.
// Nothing here blocks the exchange's loop or a connection's read loop. What a message
// brings, the exchange's turn and what that orders of a phone or two run on the
// goroutine that read the message; what may have to wait runs on others (type crew).
//
// A leg's far end is a phone with plain RTP or a browser with WebRTC that speaks
// SIP over WebSocket. The leg does not know which (stream.go): a path that has to
// come up first, or goes down, reports it, and only then is the leg up or lost.
//
// Security: an INVITE becomes an event only when its sender proved to be a user
// (digest) or comes from a trunk's address. A 3xx is never followed.
package sipedge
