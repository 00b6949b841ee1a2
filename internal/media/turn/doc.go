// Package turn is a TURN server (RFC 8656) for browsers whose network lets nothing
// through but one port of ours: it relays to our own WebRTC port and to nothing else,
// whatever a client asks for. Who may use it is decided by credentials of limited
// life, made from a secret.
package turn
