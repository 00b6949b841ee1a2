package sdp

// Direction says who sends on a stream, seen from one side (RFC 3264 section
// 5.1). The zero value is SendRecv, the default of SDP.
type Direction uint8

// The four directions.
const (
	SendRecv Direction = iota
	SendOnly
	RecvOnly
	Inactive
)

// String returns the SDP attribute, "sendrecv".
func (d Direction) String() string {
	return [...]string{"sendrecv", "sendonly", "recvonly", "inactive"}[d&3]
}

// Sends reports whether the side that d describes may send.
func (d Direction) Sends() bool { return d == SendRecv || d == SendOnly }

// Receives reports whether the side that d describes may be sent to.
func (d Direction) Receives() bool { return d == SendRecv || d == RecvOnly }

// Reverse returns d seen from the other side.
func (d Direction) Reverse() Direction { return direction(d.Receives(), d.Sends()) }

// And returns what both d and limit allow.
func (d Direction) And(limit Direction) Direction {
	return direction(d.Sends() && limit.Sends(), d.Receives() && limit.Receives())
}

func direction(sends, receives bool) Direction {
	switch {
	case sends && receives:
		return SendRecv
	case sends:
		return SendOnly
	case receives:
		return RecvOnly
	}
	return Inactive
}

// direction returns the direction that s states, seen from its author. A
// section's attribute overrides the session's. An author that asks for media
// at 0.0.0.0 (hold as in RFC 2543; RFC 3264 section 8.4) does not want any.
func (d *Description) direction(s *Section) Direction {
	dir, ok := statedDirection(s.Attrs)
	if !ok {
		dir, _ = statedDirection(d.Attrs)
	}
	if s.Port == 0 {
		return Inactive
	}
	if a := d.conn(s).Addr; a.IsValid() && a.IsUnspecified() {
		return dir.And(SendOnly)
	}
	return dir
}

func statedDirection(attrs []Attr) (Direction, bool) {
	for _, a := range attrs {
		switch a.Key {
		case "sendrecv":
			return SendRecv, true
		case "sendonly":
			return SendOnly, true
		case "recvonly":
			return RecvOnly, true
		case "inactive":
			return Inactive, true
		}
	}
	return SendRecv, false
}
