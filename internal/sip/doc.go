// Package sip is offhook's SIP stack: transports, transactions, dialogs and
// digest authentication. It knows no calls; sipedge, phone and demo do. Parser
// and message types are those of github.com/emiago/sipgo/sip, re-exported here.
//
// # Order and blocking
//
// Each connection (a UDP socket, a TCP or TLS connection, a WebSocket) has one
// read loop. It parses, checks and delivers its messages in the order of the
// wire, by calling the handler on that loop: a handler must not block. Slow work
// belongs on a goroutine of the caller's, which answers later.
//
// Everything that belongs to one INVITE (an Incoming or Outgoing and its
// dialogs) runs on one strand: callbacks come in wire order, never two at a time,
// and never under a lock. Methods of Incoming, Outgoing and Dialog may be called
// from any goroutine, also from inside a callback; they never block and take
// effect in the order of the calls. There is no goroutine per dialog or timer.
//
// A send never waits for the peer: a stream has a bounded queue, and a peer that
// does not read is disconnected.
package sip
