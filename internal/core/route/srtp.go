package route

// SRTP says whether audio is protected by SRTP with keys in the signalling (SDES,
// RFC 4568).
type SRTP string

// The values. Without one, keys are offered to who signals by TLS, and taken from
// who offers some.
const (
	SRTPAuto     SRTP = ""
	SRTPOff      SRTP = "off"      // plain RTP only
	SRTPOptional SRTP = "optional" // keys are offered, and need not be taken
	SRTPRequired SRTP = "required" // calls without it fail
)

// Valid reports whether s is one of the values.
func (s SRTP) Valid() bool {
	switch s {
	case SRTPAuto, SRTPOff, SRTPOptional, SRTPRequired:
		return true
	}
	return false
}
