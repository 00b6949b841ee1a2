// Package demo is the simulated phone network of `offhook demo`: a carrier with
// mobiles and a visitor who calls, and desk phones of the sample users. All of
// it is real SIP over loopback: the carrier is one of offhook's trunks, the desk
// phones register. A page steers them over the WebSocket that
// docs/protocol/demo.md describes, and its microphone speaks through one of them.
//
// One goroutine owns the state of all handsets and pages. Phones and sockets
// post functions to it and never wait for it.
package demo
