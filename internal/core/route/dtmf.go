package route

// DTMF says how keys come from a party and go to it.
type DTMF string

// The values. Without one every form is understood, and keys go as telephone-events
// to who takes them, else by INFO to who allows it, else as tones in the voice.
const (
	DTMFAuto    DTMF = ""
	DTMFEvents  DTMF = "rfc4733" // telephone-events only; no INFO, no listening for tones
	DTMFInfo    DTMF = "info"    // SIP INFO only, telephone-events are not agreed on
	DTMFInVoice DTMF = "inband"  // tones in the voice only
)

// Valid reports whether d is one of the values.
func (d DTMF) Valid() bool {
	switch d {
	case DTMFAuto, DTMFEvents, DTMFInfo, DTMFInVoice:
		return true
	}
	return false
}
