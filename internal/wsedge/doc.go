// Package wsedge owns the legs that are WebSocket servers of applications: it
// connects to them, sends them what the leg hears as linear PCM, 20 ms in each
// message, and plays what they send. docs/protocol/websocket-audio.md has the
// messages.
//
// Each leg has goroutines of its own. None of them ever makes the exchange, the
// media or another leg wait: what a slow server does not take is dropped and
// counted, and so is what it sends too much.
package wsedge
