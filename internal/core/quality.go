package core

import "time"

// Quality is how the audio of a leg fared, as far as the server can know. What is
// not known is 0.
type Quality struct {
	Received uint64        `json:"received"` // packets of the party
	Lost     uint64        `json:"lost"`     // packets of the party that did not come
	Sent     uint64        `json:"sent"`     // packets to the party
	Jitter   time.Duration `json:"jitter"`   // of the party's packets (RFC 3550 section 6.4.1)
	// RoundTrip is the time to the party and back, by its RTCP reports.
	RoundTrip time.Duration `json:"round_trip"`
	FarLost   int           `json:"far_lost"`   // percent of our packets that the party did not get, lately
	FarJitter time.Duration `json:"far_jitter"` // of our packets, as the party got them
	// MOS estimates what others hear of the party, and FarMOS what the party hears,
	// by the E-model (ITU-T G.107): 1.0 bad to 4.5 best.
	MOS    float64 `json:"mos"`
	FarMOS float64 `json:"far_mos"`
}

// LegCarried reports how the audio of a leg fared, before LegGone. A leg that had
// none does without.
type LegCarried struct {
	Leg     LegID
	Quality Quality
}

func (LegCarried) event() {}

// LegID implements LegEvent.
func (e LegCarried) LegID() LegID { return e.Leg }
