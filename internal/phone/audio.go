package phone

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/media/rtp"
	"github.com/offhook/offhook/internal/media/sdp"
)

const (
	frameTime = 20 * time.Millisecond
	// longestStall is for how long what is said waits while the machine stands still.
	longestStall = 500 * time.Millisecond
)

// audio is the sound of one call: an RTP path, what is said and what is heard.
type audio struct {
	path    *rtp.Path
	where   netip.AddrPort
	session uint64

	mu      sync.Mutex // guards the fields below
	version uint64     // of our description
	running bool
	closed  bool

	source atomic.Pointer[Source]
	sink   atomic.Pointer[Sink]
	heard  memory
	ear    ear   // belongs to the path's read goroutine
	mouth  mouth // belongs to speak, except its keys
	stop   chan struct{}
	wg     *sync.WaitGroup
}

func (p *Phone) newAudio(c *Call) (*audio, error) {
	ip := p.config.Listen.Addr()
	path, err := p.config.Ports.New(rtp.Config{LocalIP: ip, OnDigit: c.digit, Log: p.config.Log})
	if err != nil {
		return nil, fmt.Errorf("phone: %w", err)
	}
	a := &audio{
		path: path, where: netip.AddrPortFrom(ip, path.LocalPort()),
		session: rand.Uint64() >> 1, stop: make(chan struct{}), wg: &p.wg,
	}
	a.mouth.noise = p.config.Noise
	a.mouth.seq, a.mouth.stamp = uint16(rand.Uint32()), rand.Uint32()
	a.say(p.config.Say())
	a.listen(p.config.Hear())
	return a, nil
}

// digit reports a key of the far end.
func (c *Call) digit(key byte) {
	c.phone.emit(Event{Kind: Digit, Call: c.id, Peer: c.peer, Digit: string(key)})
}

// local returns our side of a new description.
func (a *audio) local(dir sdp.Direction) sdp.Local {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.version++
	return sdp.Local{Addr: a.where, Session: a.session, Version: a.version, Direction: dir, Noise: true}
}

// newOffer returns an offer of codecs.
func (a *audio) newOffer(codecs []media.Codec, dir sdp.Direction) []byte {
	return sdp.NewOffer(a.local(dir), codecs)
}

// answered takes the answer to an offer of ours.
func (a *audio) answered(offer, answer []byte) error {
	result, err := sdp.ParseAnswer(offer, answer)
	if err != nil {
		return fmt.Errorf("phone: %w", err)
	}
	a.start(result)
	return nil
}

// answerOffer answers an offer of the far end.
func (a *audio) answerOffer(offer *sdp.Offer, codecs []media.Codec) ([]byte, error) {
	answer, result, err := offer.Answer(a.local(sdp.SendRecv), codecs)
	if err != nil {
		return nil, fmt.Errorf("phone: %w", err)
	}
	a.start(result)
	return answer, nil
}

// answerTo answers a new offer in the middle of a call and says whether it puts
// us on hold. The codec in use is kept where it is still offered.
func (a *audio) answerTo(body []byte, codecs []media.Codec) (answer []byte, held bool, err error) {
	offer, err := sdp.ParseOffer(body)
	if err != nil {
		return nil, false, fmt.Errorf("phone: %w", err)
	}
	prefer := append([]media.Codec{a.path.Format().Codec}, codecs...)
	answer, err = a.answerOffer(offer, prefer)
	return answer, !offer.Direction().Receives(), err
}

// start begins to send and hear, or goes on with another format or address.
func (a *audio) start(r sdp.Result) {
	remote := r.Remote
	if r.Held() {
		remote = netip.AddrPort{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	if !a.running {
		a.running = true
		a.path.Receive(a.hear)
		a.wg.Go(a.speak)
	}
	a.path.Start(r.Format, remote)
}

func (a *audio) started() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.running
}

// close frees the audio beside the caller, which may be one of its callbacks.
func (a *audio) close() {
	a.mu.Lock()
	first := !a.closed
	a.closed = true
	a.mu.Unlock()
	if first {
		close(a.stop)
		a.wg.Go(a.path.Close)
	}
}

func (a *audio) say(s Source)         { a.source.Store(&s) }
func (a *audio) listen(s Sink)        { a.sink.Store(&s) }
func (a *audio) stats() media.Stats   { return a.path.Stats() }
func (a *audio) format() media.Format { return a.path.Format() }

// summary says what was heard and how much of it was tone, nil if nothing was
// negotiated.
func (a *audio) summary(tone float64) *Heard {
	if !a.started() {
		return nil
	}
	last := a.heard.last(time.Second)
	h := &Heard{Packets: a.path.Stats().PacketsReceived, Level: meter.Level(last)}
	if tone > 0 {
		h.Tone, h.Purity = tone, meter.Purity(last, Rate, tone)
	}
	return h
}

// hear takes one packet; it runs on the path's read goroutine.
func (a *audio) hear(p *media.Packet) {
	pcm := a.ear.hear(a.path.Format(), p)
	if len(pcm) == 0 {
		return
	}
	a.heard.add(pcm)
	if sink := a.sink.Load(); sink != nil && *sink != nil {
		(*sink)(pcm)
	}
}

// speak sends 20 ms of audio every 20 ms until close. Its schedule is absolute: what it
// could not say while the machine stood still it says at once when it goes on, as a
// sound card keeps what the microphone heard. What is more than a sound card keeps is
// never said, and the time stamps tell of it.
func (a *audio) speak() {
	next := time.Now().Add(frameTime)
	timer := time.NewTimer(frameTime)
	defer timer.Stop()
	for {
		select {
		case <-a.stop:
			return
		case <-timer.C:
		}
		now := time.Now()
		if late := now.Sub(next); late > longestStall {
			skipped := late.Truncate(frameTime)
			next = next.Add(skipped)
			a.mouth.skip(a.path.Format(), int(skipped/frameTime))
		}
		for ; !next.After(now); next = next.Add(frameTime) {
			a.utter()
		}
		timer.Reset(time.Until(next))
	}
}

// utter sends the next 20 ms.
func (a *audio) utter() {
	var pcm [Frame]int16
	if source := a.source.Load(); source != nil && *source != nil {
		(*source)(pcm[:])
	}
	a.mouth.say(a.path, pcm[:])
}

// press queues keys to send.
func (a *audio) press(keys string) { a.mouth.press(keys) }
