package native

import "github.com/offhook/offhook/internal/core"

// Audio knows how the audio of legs fares: package media.
type Audio interface {
	Quality(leg core.LegID) (core.Quality, bool)
}

// Quality is how the audio of a leg fares. What is not known is left out.
type Quality struct {
	Received  uint64  `json:"received" doc:"Packets of the party."`
	Lost      uint64  `json:"lost" doc:"Packets of the party that did not come."`
	Sent      uint64  `json:"sent" doc:"Packets to the party."`
	Jitter    float64 `json:"jitter,omitempty" doc:"Of the party's packets, in seconds (RFC 3550)."`
	RoundTrip float64 `json:"round_trip,omitempty" doc:"To the party and back, in seconds, by its RTCP reports."`
	FarLost   int     `json:"far_lost,omitempty" minimum:"0" maximum:"100" doc:"Percent of our packets that the party did not get, lately."`
	FarJitter float64 `json:"far_jitter,omitempty" doc:"Of our packets, as the party got them, in seconds."`
	MOS       float64 `json:"mos,omitempty" minimum:"0" maximum:"5" doc:"Estimate of what others hear of the party, by the E-model (ITU-T G.107): 1 bad, 4.5 best."`
	FarMOS    float64 `json:"far_mos,omitempty" minimum:"0" maximum:"5" doc:"Estimate of what the party hears."`
}

// toQuality returns nil for a leg that had no audio.
func toQuality(q core.Quality) *Quality {
	if q == (core.Quality{}) {
		return nil
	}
	return &Quality{
		Received: q.Received, Lost: q.Lost, Sent: q.Sent,
		Jitter: q.Jitter.Seconds(), RoundTrip: q.RoundTrip.Seconds(), FarLost: q.FarLost, FarJitter: q.FarJitter.Seconds(),
		MOS: q.MOS, FarMOS: q.FarMOS,
	}
}
