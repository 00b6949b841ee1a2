package media

import (
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/file"
)

// orphanLife is how long a row waits for its leg's path before it is forgotten:
// longer than any call rings. Rows that cross the end of their leg die by it.
const orphanLife = 10 * time.Minute

// Config says what a Server works with.
type Config struct {
	// Events gets core.Played, core.SoundFailed, core.AnswererKnown, core.LegSilent,
	// core.LegHeard and core.LegCarried.
	Events Events
	// Prompt returns the announcement of a name, one of the core's Prompt
	// constants, at 8000 Hz. Nil knows none.
	Prompt func(name string) (file.PCM, bool)
	// Files gets the sounds of files and URLs. Nil has none.
	Files Files
	// Speaker makes speech. Nil makes none.
	Speaker Speaker
	// Ringback is the country whose tone callers hear in place of music that is not
	// there. Default "us".
	Ringback string
	// Log gets what an operator should know of. Nil discards.
	Log *slog.Logger
}

// Server joins the paths of legs as the Hear rows say. All methods return at
// once and are safe for concurrent use.
type Server struct {
	log    *slog.Logger
	pool   *codec.Pool
	stage  *stage
	player *player
	mixer  *mixer
	pacer  *pacer
	events Events

	keyboard   keyboard
	detections detections

	stop     chan struct{} // ends watching
	watching sync.WaitGroup

	mu     sync.Mutex // guards what follows; never taken by the packet path
	legs   map[core.LegID]*member
	paths  map[Path]*member // whom an attached path serves
	swept  time.Time
	tapped uint32 // taps so far
}

// nobody takes events that nobody wants.
type nobody struct{}

// Post implements Events.
func (nobody) Post(core.Event) error { return nil }

// NewServer returns a Server without legs. Close ends it.
func NewServer(c Config) *Server {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Events == nil {
		c.Events = nobody{}
	}
	if c.Prompt == nil {
		c.Prompt = func(string) (file.PCM, bool) { return file.PCM{}, false }
	}
	pool, g := new(codec.Pool), newStage(c)
	s := &Server{
		log: c.Log, pool: pool, stage: g, player: newPlayer(g, pool), mixer: newMixer(g, pool), pacer: &pacer{stage: g}, events: c.Events, stop: make(chan struct{}),
		legs: make(map[core.LegID]*member), paths: make(map[Path]*member), swept: time.Now(),
	}
	s.watching.Go(func() { s.watch(s.stop) })
	return s
}

// Close ends all routes, mixes and sounds and waits for the Server's goroutines. Paths
// stay their owners'.
func (s *Server) Close() {
	close(s.stop)
	s.watching.Wait()
	s.mu.Lock()
	for _, m := range s.legs {
		s.disconnectLocked(m)
		if m.path != nil {
			m.path.Receive(nil)
		}
	}
	clear(s.legs)
	clear(s.paths)
	s.mu.Unlock()
	s.player.close()
	s.mixer.close()
	s.pacer.close()
	s.keyboard.close()
}

// Attach makes p, whose Format is settled, the path of leg, and of no other leg.
// Call it again when the format of the path has changed, or with another path in
// its place.
func (s *Server) Attach(leg core.LegID, p Path) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.memberLocked(leg)
	f := p.Format()
	if m.path == p && m.format == f {
		return
	}
	if m.path != p {
		if other := s.paths[p]; other != nil {
			s.unplugLocked(other)
			s.forgetLocked(other)
		}
		s.unplugLocked(m)
		m.path, m.out, m.atFirst = p, outputOf(p), p.Stats()
		s.paths[p] = m
		p.Receive(m.receive)
	}
	s.listenLocked(m, f)
	m.format = f
	s.connectLocked(m)
	for _, hearer := range m.hearers {
		s.connectLocked(hearer)
	}
}

// Detach takes leg's path away, reports how its audio fared and forgets what it
// heard. The path stays open, and silent.
func (s *Server) Detach(leg core.LegID) {
	s.undetect(leg, nil)
	if quality, carried := s.forget(leg); carried {
		_ = s.events.Post(core.LegCarried{Leg: leg, Quality: quality}) // the node has stopped: nobody is left to tell
	}
}

// forget takes leg's path away and returns how its audio fared; carried is false if
// it was no party's, or could have none.
func (s *Server) forget(leg core.LegID) (quality core.Quality, carried bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.legs[leg]
	if !ok {
		return core.Quality{}, false
	}
	if carried = m.audible() && !m.virtual(); carried {
		quality = m.quality()
	}
	s.setLocked(m, core.Hear{Leg: leg}, false)
	s.unplugLocked(m)
	s.forgetLocked(m)
	return quality, carried
}

// unplugLocked parts m from its path, if it has one.
func (s *Server) unplugLocked(m *member) {
	if m.path == nil {
		return
	}
	s.disconnectLocked(m)
	m.path.Receive(nil)
	s.listenLocked(m, Format{})
	m.out.press(keyOrder{}) // what was left to tell was for m
	delete(s.paths, m.path)
	m.path, m.out, m.format, m.since = nil, nil, Format{}, time.Now()
	for _, hearer := range m.hearers {
		s.connectLocked(hearer) // to hear the others
	}
}

// listenLocked makes who hears m be told of keys in any form, m's format being f from
// now on.
func (s *Server) listenLocked(m *member, f Format) {
	if m.ear != nil && m.ear.in == f {
		return
	}
	if m.ear != nil {
		m.drop(m.ear)
		m.ear = nil
	}
	if f.Codec != CodecNone && !f.Codec.Linear() {
		m.ear = newEar(s, m.id, f)
		m.add(m.ear)
	}
}

// Do carries out a Hear row. A leg without path keeps it until the path is up.
func (s *Server) Do(row core.Hear) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweepLocked(time.Now())
	m := s.memberLocked(row.Leg)
	same := m.row.Sound == row.Sound && m.row.Over == row.Over && slices.Equal(m.row.From, row.From)
	if same && (!row.Sound.Ends() || row.Sound.No != 0) {
		s.forgetLocked(m)
		return // it goes on; an announcement without number is played again
	}
	row.From = slices.Clone(row.From)
	s.setLocked(m, row, same)
	s.forgetLocked(m)
}

// Legs returns how many legs have a path or a row, or are named by a row.
func (s *Server) Legs() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.legs)
}

func (s *Server) memberLocked(leg core.LegID) *member {
	m, ok := s.legs[leg]
	if !ok {
		m = &member{id: leg, stage: s.stage, since: time.Now(), hearers: make(map[core.LegID]*member)}
		s.legs[leg] = m
	}
	return m
}

// forgetLocked drops m if nothing is known of it any more.
func (s *Server) forgetLocked(m *member) {
	if m.path == nil && m.row.Sound.IsZero() && m.row.Over == [core.InjectSlots]core.Sound{} && len(m.row.From) == 0 && len(m.hearers) == 0 {
		delete(s.legs, m.id)
	}
}

// sweepLocked drops rows whose leg never came.
func (s *Server) sweepLocked(now time.Time) {
	if now.Sub(s.swept) < time.Minute {
		return
	}
	s.swept = now
	for _, m := range s.legs {
		if m.path == nil && now.Sub(m.since) > orphanLife {
			s.setLocked(m, core.Hear{Leg: m.id}, false)
			s.forgetLocked(m)
		}
	}
}
