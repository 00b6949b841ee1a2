package media

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/codec"
)

// member is what the Server knows of one leg. All but routes is guarded by the
// Server's mutex.
type member struct {
	id      core.LegID
	since   time.Time              // it has no path
	path    Path                   // nil before Attach
	format  Format                 // of path, as Attach found it
	out     *output                // the stream to path
	row     core.Hear              // what the leg shall hear
	speaker *member                // whom row names, nil if nobody
	hearers map[core.LegID]*member // those whose rows name this member
	route   route                  // carries speaker's packets to out, nil if it cannot now

	// routes lead to all who hear this member. The packet path reads it: a list is
	// replaced whole, never changed.
	routes atomic.Pointer[[]route]
}

// route takes the packets of one speaker to one listener.
type route interface {
	// packet runs on the read goroutine of the speaker's path.
	packet(*Packet)
	// feeder is the route's right to send.
	feeder() *feeder
	// release frees what the route holds; packets that still come are dropped.
	release()
}

// receive runs on the path's read goroutine.
func (m *member) receive(p *Packet) {
	if routes := m.routes.Load(); routes != nil {
		for _, r := range *routes {
			r.packet(p)
		}
	}
}

// setLocked gives m another row and ends what it heard by the old one.
func (s *Server) setLocked(m *member, row core.Hear) {
	s.disconnectLocked(m)
	if old := m.speaker; old != nil {
		m.speaker = nil
		delete(old.hearers, m.id)
		s.forgetLocked(old)
	}
	m.row = row
	if len(row.From) > 0 && row.Sound.IsZero() {
		m.speaker = s.memberLocked(row.From[0])
		m.speaker.hearers[m.id] = m
	}
	if len(row.From) > 1 {
		s.log.Warn("only the first of several speakers is heard: there is no mixer yet", "leg", string(m.id), "speakers", len(row.From))
	}
}

// connectLocked makes what m hears be what its row says, as far as the paths for
// it are up.
func (s *Server) connectLocked(m *member) {
	s.disconnectLocked(m)
	if m.path == nil || m.format.Codec == CodecNone {
		return
	}
	if !m.row.Sound.IsZero() {
		s.player.play(m.id, m.row.Sound, m.out, m.format)
		return
	}
	if m.speaker == nil || m.speaker.path == nil || m.speaker.format.Codec == CodecNone {
		return
	}
	r := s.newRoute(m.speaker.format, m.out, m.format)
	if r == nil {
		s.log.Error("no way between the codecs of two legs", "speaker", string(m.speaker.id), "leg", string(m.id),
			"from", m.speaker.format.Codec.String(), "to", m.format.Codec.String())
		return
	}
	m.route = r
	m.out.own(r.feeder())
	m.speaker.add(r)
}

// disconnectLocked makes m hear nothing.
func (s *Server) disconnectLocked(m *member) {
	if m.out != nil {
		m.out.own(nil) // a sound ends by it, too
	}
	if m.route != nil {
		m.speaker.drop(m.route)
		m.route.release()
		m.route = nil
	}
}

func (m *member) add(r route) {
	var list []route
	if old := m.routes.Load(); old != nil {
		list = slices.Clone(*old)
	}
	list = append(list, r)
	m.routes.Store(&list)
}

func (m *member) drop(r route) {
	if old := m.routes.Load(); old != nil {
		list := slices.DeleteFunc(slices.Clone(*old), func(x route) bool { return x == r })
		m.routes.Store(&list)
	}
}

// newRoute relays where payloads need no decoding and transcodes elsewhere. It
// returns nil where we cannot.
func (s *Server) newRoute(in Format, out *output, to Format) route {
	table := codec.Translation(in.Codec, to.Codec)
	switch {
	case in.Codec == to.Codec || table != nil:
		return newRelay(in, out, to, table)
	case in.Codec == G722 || to.Codec == G722:
		return nil
	}
	return newTranscoder(s.pool, in, out, to)
}
