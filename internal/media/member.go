package media

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/core"
)

// member is what the Server knows of one leg. All but sinks is guarded by the
// Server's mutex.
type member struct {
	id       core.LegID
	stage    *stage
	since    time.Time // it has no path
	path     Path      // nil before Attach
	format   Format    // of path, as Attach found it
	out      *output   // the stream to path
	row      core.Hear // what the leg shall hear
	speakers []*member // whom row names
	hearers  map[core.LegID]*member

	// What it hears now is carried by one of these. While a mix takes over from a
	// route both are there.
	route route
	from  *member // whom route carries
	mixed *listener
	taps  []*tap // whom mixed hears; never changed in place

	played   played
	injected bool // mixed is for the sounds alone

	hearing hearing // of who watches
	atFirst Stats   // of path when it was attached

	ear *ear // tells them of keys, nil without path

	tap *tap // carries this member to those who hear it in a mix, nil if nobody does

	// sinks get all packets of this member. The packet path reads it: a list is
	// replaced whole, never changed.
	sinks atomic.Pointer[[]sink]
}

// sink takes the packets of one speaker.
type sink interface {
	// packet runs on the read goroutine of the speaker's path.
	packet(*Packet)
}

// route takes the packets of one speaker to one listener.
type route interface {
	sink
	// feeder is the route's right to send.
	feeder() *feeder
	// joins reports whether the route is one from in to out in format to.
	joins(in Format, out *output, to Format) bool
	// direct reports whether all that has come was passed on.
	direct() bool
	// release frees what the route holds; packets that still come are dropped. It
	// may be called again.
	release()
}

// receive runs on the path's read goroutine.
func (m *member) receive(p *Packet) {
	if sinks := m.sinks.Load(); sinks != nil {
		for _, s := range *sinks {
			m.give(s, p)
		}
	}
}

func (m *member) add(s sink) { m.exchange(nil, s) }

// exchange adds a sink in place of old, which may be nil, between two packets.
func (m *member) exchange(old, s sink) {
	var list []sink
	if sinks := m.sinks.Load(); sinks != nil {
		list = slices.DeleteFunc(slices.Clone(*sinks), func(x sink) bool { return x == old })
	}
	list = append(list, s)
	m.sinks.Store(&list)
}

func (m *member) drop(s sink) {
	if old := m.sinks.Load(); old != nil {
		list := slices.DeleteFunc(slices.Clone(*old), func(x sink) bool { return x == s })
		m.sinks.Store(&list)
	}
}

// audible reports whether m has a path that audio can come and go by.
func (m *member) audible() bool { return m.path != nil && m.format.Codec != CodecNone }

// virtual reports whether m is no party's: it is given linear PCM, by the clock of
// the mixer.
func (m *member) virtual() bool { return m.format.Codec.Linear() }

// setLocked gives m another row. Again is whether an announcement that the row keeps
// is to be played again.
func (s *Server) setLocked(m *member, row core.Hear, again bool) {
	m.played.change(m.row, row, again)
	old := m.speakers
	m.row, m.speakers = row, nil
	if row.Sound.IsZero() {
		for _, leg := range row.From {
			if speaker := s.memberLocked(leg); speaker != m && !slices.Contains(m.speakers, speaker) {
				m.speakers = append(m.speakers, speaker)
			}
		}
	}
	for _, o := range old {
		delete(o.hearers, m.id)
	}
	for _, n := range m.speakers {
		n.hearers[m.id] = m
	}
	s.connectLocked(m)
	for _, o := range old {
		s.forgetLocked(o)
	}
}

// connectLocked makes what m hears be what its row says, as far as the paths for
// it are up. What need not change goes on untouched.
func (s *Server) connectLocked(m *member) {
	var heard []*member
	if m.audible() {
		for _, speaker := range m.speakers {
			if speaker.audible() {
				heard = append(heard, speaker)
			}
		}
	}
	m.played.note()
	slots := m.played.left(m.row)
	switch {
	case !m.audible():
		s.disconnectLocked(m)
	case m.mixes(slots, heard):
		s.insertLocked(m, slots)
		s.mixLocked(m, heard)
	case len(slots) == 1:
		s.playLocked(m, slots[0])
	case len(heard) > 1, len(heard) == 1 && m.lingers(heard[0]):
		s.mixLocked(m, heard)
	case len(heard) == 1:
		s.routeLocked(m, heard[0])
	default:
		s.disconnectLocked(m)
	}
}

// disconnectLocked makes m hear nothing.
func (s *Server) disconnectLocked(m *member) {
	if m.out != nil {
		m.out.own(nil) // a sound and a mix end by it, too
	}
	if m.route != nil {
		m.from.drop(m.route)
		m.route.release()
		m.route, m.from = nil, nil
	}
	taps := m.taps
	m.mixed, m.taps, m.played.alone, m.injected = nil, nil, nil, false
	s.untapLocked(taps)
}

// routeLocked makes m hear speaker alone.
func (s *Server) routeLocked(m, speaker *member) {
	if m.mixed == nil && m.route != nil && m.from == speaker && m.route.joins(speaker.format, m.out, m.format) {
		return
	}
	s.disconnectLocked(m)
	r := s.newRoute(speaker.format, m.out, m.format)
	m.route, m.from = r, speaker
	m.out.own(r.feeder())
	speaker.add(r)
}

// mixLocked makes m hear several speakers, or sounds, or both.
func (s *Server) mixLocked(m *member, heard []*member) {
	var instead sink
	if m.mixed == nil || !m.mixed.fits(m.out, m.format) {
		prior := m.route
		if prior == nil || m.mixed != nil || m.out.owner.Load() != prior.feeder() {
			s.disconnectLocked(m)
			prior = nil
		}
		if prior != nil && len(heard) == 1 && heard[0] == m.from && prior.direct() {
			instead = prior
		}
		m.mixed = newListener(m.out, m.format, prior)
	}
	former := m.taps
	m.taps = make([]*tap, len(heard))
	for i, speaker := range heard {
		m.taps[i] = s.tapLocked(speaker, instead)
	}
	if instead != nil {
		m.mixed.join()
		m.route, m.from = nil, nil
	}
	m.injected = len(heard) <= 1
	s.mixer.set(m.mixed, m.taps, m.tap, m.played.live())
	s.untapLocked(former)
}

// tapLocked returns the tap of speaker for one more row. It hears what instead, a sink
// of his or nil, does not hear any more.
func (s *Server) tapLocked(speaker *member, instead sink) *tap {
	t := speaker.tap
	if t == nil || t.in != speaker.format {
		s.tapped++
		t = &tap{id: s.tapped, in: speaker.format, rate: mixRate(speaker.format.Codec), speaker: speaker}
		speaker.exchange(instead, t)
		s.heardLocked(speaker, t)
	} else if instead != nil {
		speaker.drop(instead)
	}
	t.refs++
	return t
}

// untapLocked ends taps for one row.
func (s *Server) untapLocked(taps []*tap) {
	for _, t := range taps {
		if t.refs--; t.refs > 0 {
			continue
		}
		t.speaker.drop(t)
		if t.speaker.tap == t {
			s.heardLocked(t.speaker, nil)
		}
	}
}

// heardLocked notes by which tap m is heard, which matters to the sum m hears.
func (s *Server) heardLocked(m *member, t *tap) {
	m.tap = t
	if m.mixed != nil && len(m.taps) > 0 {
		s.mixer.set(m.mixed, m.taps, t, m.played.live())
	}
}

// newRoute relays where both speak the same and transcodes elsewhere. Between the
// two laws of G.711, too: where packets are lost only who decodes can conceal it.
// And comfort noise for who does not know it: only who decodes can make it.
func (s *Server) newRoute(in Format, out *output, to Format) route {
	if in.Codec == to.Codec && (in.RecvNoise == 0 || to.SendNoise != 0) {
		return newRelay(in, out, to)
	}
	return newTranscoder(s.pool, s.pacer, in, out, to)
}
