package rtcedge

import "time"

// Limits bound what clients may do and how long things may take. They are part
// of the protocol: hello tells them to the client.
type Limits struct {
	Frame     int // bytes of one frame
	PerSecond int // requests a second, sustained
	Burst     int // requests at once
	Queue     int // messages waiting for a slow client
	Legs      int // legs of a device
	Paths     int // paths of a device
	Devices   int // devices of a user
	Strangers int // sockets of the node that have not logged in yet
	// SourceStrangers is Strangers for one IPv4 address or IPv6 /64.
	SourceStrangers int

	LoginWithin time.Duration // from upgrade to a good login
	LoginTries  int           // failures on one socket
	FailAfter   time.Duration // earliest answer to a failed login, so that its time tells nothing
	ResumeFor   time.Duration // how long a device outlives its socket
	PathDown    time.Duration // how long a path may be not up before its leg ends
	Abandoned   time.Duration // the same without a socket: the tab was closed, or is reloading
	PathIdle    time.Duration // how long a path may be up without a leg
	PingEvery   time.Duration // between WebSocket pings
	PongWithin  time.Duration // for the pong, and for one frame to be written
	ICEEvery    time.Duration // between new credentials of ICE servers; they are good for twice as long
}

// DefaultLimits are those of docs/protocol/ws.md section 8.
func DefaultLimits() Limits {
	return Limits{
		Frame: 64 << 10, PerSecond: 20, Burst: 60, Queue: 256,
		Legs: 8, Paths: 4, Devices: 32, Strangers: 1024, SourceStrangers: 64,
		LoginWithin: 10 * time.Second, LoginTries: 3, FailAfter: 500 * time.Millisecond,
		ResumeFor: time.Minute, PathDown: 30 * time.Second, Abandoned: 10 * time.Second, PathIdle: 10 * time.Minute,
		PingEvery: 20 * time.Second, PongWithin: 10 * time.Second, ICEEvery: 12 * time.Hour,
	}
}
