package core

// Silence says why nothing is heard of a leg's party, as one word for programs.
type Silence string

// The silences.
const (
	// SilenceNone is none: the party is heard, or said that it sends nothing.
	SilenceNone Silence = ""
	// SilenceNoRTP says that no packet has come.
	SilenceNoRTP Silence = "no_rtp"
	// SilenceStopped says that packets came and come no more.
	SilenceStopped Silence = "stopped"
	// SilenceBlocked says that packets come from where the party is not known to be.
	SilenceBlocked Silence = "source_blocked"
	// SilenceWrongType says that packets come in a payload type that was not agreed.
	SilenceWrongType Silence = "wrong_payload_type"
	// SilenceMalformed says that what comes is no RTP.
	SilenceMalformed Silence = "malformed"
	// SilenceKeys says that packets come whose SRTP authentication fails.
	SilenceKeys Silence = "srtp_failed"
	// SilenceNoICE says that no ICE check has come: the browser cannot reach us.
	SilenceNoICE Silence = "no_ice"
	// SilenceNoDTLS says that ICE is up and the DTLS handshake is not done.
	SilenceNoDTLS Silence = "no_dtls"
	// SilenceNoConsent says that ICE checks came and come no more: the browser or
	// its network is gone.
	SilenceNoConsent Silence = "no_consent"
)

// LegSilent reports that others should hear the party of Leg, and for some seconds
// nothing came of it. LegHeard ends it.
type LegSilent struct {
	Leg     LegID
	Silence Silence
	// Diagnosis is the same for people, with addresses and counts: one line, below
	// 256 bytes.
	Diagnosis string
}

// LegHeard reports that audio comes from a leg that was silent.
type LegHeard struct{ Leg LegID }

func (LegSilent) event() {}
func (LegHeard) event()  {}

// LegID implements LegEvent.
func (e LegSilent) LegID() LegID { return e.Leg }

// LegID implements LegEvent.
func (e LegHeard) LegID() LegID { return e.Leg }
