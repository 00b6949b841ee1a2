package media

import (
	"slices"
	"sync"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/codec"
	"github.com/offhook/offhook/internal/media/dtmf"
)

// keyboard takes keys to those who hear who pressed them. One goroutine serves all
// legs, while there are keys: the packet path, which finds most of them, must not
// wait for the Server's mutex.
type keyboard struct {
	mu      sync.Mutex // guards what follows
	presses []keyPress
	dials   []*dial
	running bool
	closed  bool
	wg      sync.WaitGroup
}

// keyPress is a key of a leg's party.
type keyPress struct {
	leg    core.LegID
	key    byte // 0 lets go of the one that is held
	form   keyForm
	lasted time.Duration // with formEnded
}

// keyForm is the form in which a key came, which says who must be told of it.
type keyForm uint8

const (
	formInfo  keyForm = iota // outside RTP: everybody
	formEvent                // a telephone-event: those who take none
	formTone                 // in the voice: those who take telephone-events
	formEnded                // whatever it was is over: virtual legs
	formOurs                 // it is no party's, but ours: the leg itself
)

// Press takes a key that the party of leg pressed, and that came outside RTP, to
// all who hear it: as a telephone-event, or as a tone to who takes none. Keys that
// are none are ignored.
func (s *Server) Press(leg core.LegID, key byte) {
	s.keyboard.press(s, keyPress{leg: leg, key: key, form: formInfo})
}

// press never blocks. What comes after close, or when hundreds wait, is dropped.
func (b *keyboard) press(s *Server, p keyPress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || len(b.presses) > 1000 {
		return
	}
	b.presses = append(b.presses, p)
	b.startLocked(s)
}

// startLocked sees to it that what waits is handed out.
func (b *keyboard) startLocked(s *Server) {
	if !b.running && !b.closed {
		b.running = true
		b.wg.Go(func() { b.run(s) })
	}
}

func (b *keyboard) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.wg.Wait()
}

// run hands keys out, and sends them to who is sent nothing else, until all are
// sent.
func (b *keyboard) run(s *Server) {
	var busy []*output
	tick := time.NewTicker(packetTime / 2)
	defer tick.Stop()
	for {
		b.mu.Lock()
		now := time.Now()
		presses := append(b.presses, b.dialledLocked(now)...)
		b.presses = nil
		b.running = !b.closed && len(presses)+len(busy)+len(b.dials) > 0
		more := b.running
		b.mu.Unlock()
		if !more {
			return
		}
		for _, p := range presses {
			for _, o := range s.handOut(p) {
				if !slices.Contains(busy, o) {
					busy = append(busy, o)
				}
			}
		}
		busy = slices.DeleteFunc(busy, func(o *output) bool { return !s.tell(o, now) })
		<-tick.C
	}
}

// order gives a key to the outputs of those who hear it, and returns these.
func (s *Server) order(p keyPress) (list []*output) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.legs[p.leg]
	switch {
	case m == nil:
	case p.form == formOurs:
		list = s.keyLocked(m, p, list)
	default:
		for _, hearer := range m.hearers {
			list = s.keyLocked(hearer, p, list)
		}
	}
	return list
}

// keyLocked gives a key to hearer, and appends its output to list if it is told by
// that.
func (s *Server) keyLocked(hearer *member, p keyPress, list []*output) []*output {
	switch {
	case hearer.virtual() || p.form == formEnded:
		p.tell(hearer)
		return list
	case !hearer.audible(), p.form == formEvent && hearer.format.SendDTMF != 0:
		return list
	case hearer.format.SendDTMF == 0 && (p.signal(hearer.path) || p.form == formTone):
		return list
	}
	hearer.out.press(keyOrder{key: p.key, held: p.form == formTone, to: hearer.format, pool: s.pool})
	return append(list, hearer.out)
}

// keyTaker is a path whose party wants keys outside RTP, such as by SIP INFO.
type keyTaker interface {
	// SendKey sends a key, or reports false if the party does not want that. It does
	// not block.
	SendKey(key byte) bool
}

// signal sends p outside RTP, to who wants that.
func (p keyPress) signal(path Path) bool {
	taker, ok := path.(keyTaker)
	return ok && p.key != 0 && taker.SendKey(p.key)
}

// ear listens to a speaker for keys that those who hear it would not be told of
// otherwise: telephone-events, for who takes none, and tones of a speaker who has
// no telephone-events. It is a sink and belongs to the speaker's read goroutine.
type ear struct {
	server *Server
	leg    core.LegID
	in     Format

	receiver dtmf.Receiver
	held     heldKey
	detector *dtmf.Detector
	dec      codec.Decoder // of the server's pool, but not given back: it is small
	begun    bool
	next     uint16
	down     bool
	pcm      [speechRate * 120 / 1000]int16
}

func newEar(s *Server, leg core.LegID, in Format) *ear { return &ear{server: s, leg: leg, in: in} }

// packet implements sink.
func (e *ear) packet(p *Packet) {
	if e.held.key != 0 {
		e.follow(p)
	}
	switch {
	case e.in.isNoise(p):
		e.next = p.Seq + 1 // silence between two tones
	case e.in.RecvDTMF == 0 && e.in.NoTones:
	case e.in.RecvDTMF == 0:
		e.listen(p)
	case p.Type == e.in.RecvDTMF:
		if key, ok := e.receiver.Key(p.Payload(), p.Timestamp); ok {
			e.server.keyboard.press(e.server, keyPress{leg: e.leg, key: key, form: formEvent})
			e.hold(key, p)
		}
	}
}

// listen looks for tones. A packet that comes late is left out; what is missing is
// concealed, so that a tone with a hole is one.
func (e *ear) listen(p *Packet) {
	if e.dec == nil {
		dec, err := codec.NewDecoder(e.in.Codec, speechRate)
		if err != nil {
			return
		}
		e.dec, e.detector = dec, dtmf.NewDetector(speechRate)
	}
	missing := int(int16(p.Seq - e.next))
	if e.begun && missing < 0 && missing > -trackWindow {
		return
	}
	if !e.begun || missing < 0 || missing > maxConceal {
		missing = 0
	}
	e.begun, e.next = true, p.Seq+1
	const frame = speechRate / 50
	for range missing {
		if e.dec.Conceal(e.pcm[:frame], nil) == nil {
			e.detect(e.pcm[:frame])
		}
	}
	n, err := e.dec.Decode(e.pcm[:], p.Payload())
	if err != nil {
		return
	}
	for at := 0; at < n; at += frame {
		e.detect(e.pcm[at:min(at+frame, n)])
	}
}

// detect looks at up to 20 ms.
func (e *ear) detect(pcm []int16) {
	key, begins := e.detector.Detect(pcm)
	if begins {
		_ = e.server.events.Post(core.LegDigit{Leg: e.leg, Digit: key}) // the node has stopped: nobody is left to tell
		e.server.keyboard.press(e.server, keyPress{leg: e.leg, key: key, form: formTone})
		e.letGo()
		e.held = heldKey{key: key}
	}
	e.held.lasted += time.Duration(len(pcm)) * time.Second / speechRate
	if down := e.detector.Down() != 0; down != e.down {
		if e.down = down; !down {
			e.letGo()
			e.server.keyboard.press(e.server, keyPress{leg: e.leg, form: formTone})
		}
	}
}
