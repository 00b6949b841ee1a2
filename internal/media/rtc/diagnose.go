package rtc

import (
	"fmt"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
)

// Diagnose implements media.Path.
func (p *Path) Diagnose(since media.Stats) media.Diagnosis {
	now := p.Stats()
	say := func(s core.Silence, format string, args ...any) media.Diagnosis {
		return media.Diagnosis{Silence: s, Text: fmt.Sprintf(format, args...)}
	}
	switch f := p.Format(); {
	case p.mum.Load():
		return media.Diagnosis{}
	case p.lastCheck.Load() == 0:
		return say(core.SilenceNoICE, "no ICE check has come: the browser reaches none of %s", p.srv.reachedAt())
	case p.silence(time.Now()) >= p.srv.cfg.ConsentTimeout:
		return say(core.SilenceNoConsent, "no ICE check for %v: the browser or its network is gone", p.silence(time.Now()).Round(time.Second))
	case p.keys.Load() == nil:
		return say(core.SilenceNoDTLS, "ICE is up, the DTLS handshake is not done")
	case now.Unauthentic > since.Unauthentic:
		return say(core.SilenceKeys, "SRTP comes, but its authentication fails (%d packets)", now.Unauthentic-since.Unauthentic)
	case now.WrongType > since.WrongType:
		return say(core.SilenceWrongType, "RTP of another payload type than %d (%v) comes", f.RecvType, f.Codec)
	case now.PacketsReceived > 0:
		return say(core.SilenceStopped, "connected; audio came (%d packets) and comes no more: is the microphone gone?", now.PacketsReceived)
	}
	return say(core.SilenceNoRTP, "connected, but the browser sends no audio: did it get a microphone?")
}

// reachedAt lists where browsers are told to send, at most four places.
func (s *Server) reachedAt() string {
	var list []string
	for _, c := range s.candidates[:min(len(s.candidates), 4)] {
		network := "udp "
		if c.TCP {
			network = "tcp "
		}
		list = append(list, network+c.Addr.String())
	}
	return strings.Join(list, ", ")
}
