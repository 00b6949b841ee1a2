package rtc

import (
	"context"
	"errors"
	"net"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/sdp"
)

// Answer answers a browser's offer. The first one starts the path. A later one
// renegotiates it: new ICE credentials in the offer are an ICE restart, which
// leaves audio where it is until a way was found with the new ones; another
// certificate or o= session is another peer connection of the same device, which
// makes a new DTLS handshake. A bad offer leaves the path as it was.
func (p *Path) Answer(ctx context.Context, offer string) (string, error) {
	return p.AnswerPrefer(ctx, offer, p.cfg.Codecs)
}

// AnswerPrefer is Answer with a choice of codecs for this time, best first.
func (p *Path) AnswerPrefer(ctx context.Context, offer string, prefer []media.Codec) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	o, err := sdp.ParseOffer([]byte(offer))
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return "", errPathClosed("rtc.Answer")
	}
	local := newCredentials()
	remote, known := o.Credentials()
	restart := p.current == nil || !known || p.current.remote != remote
	if !restart {
		local = p.current.local
	}
	answer, result, err := o.AnswerWeb(p.nextLocked(local), prefer)
	if err != nil {
		return "", err
	}
	p.version++
	p.offered = nil
	p.settleLocked(local, restart, result)
	return string(answer), nil
}

// Offer offers codecs, best first, to a far end that [Path.Accept] gets the answer
// of. The first offer starts the path; a later one changes neither credentials nor
// certificate, so that it interrupts nothing.
func (p *Path) Offer(ctx context.Context, prefer []media.Codec) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return "", errPathClosed("rtc.Offer")
	}
	switch {
	case p.current != nil:
		p.offering = p.current.local
	case p.offering == sdp.Credentials{}:
		p.offering = newCredentials()
	}
	p.offered = sdp.NewWebOffer(p.nextLocked(p.offering), prefer)
	p.version++
	return string(p.offered), nil
}

// Accept takes the answer to the last Offer. It may come more than once, as in a
// 183 and a 200; another one, of a fork, replaces the former. A bad answer, or one
// that wants us to begin the DTLS handshake, leaves the path as it was.
func (p *Path) Accept(ctx context.Context, answer string) error {
	const op = "rtc.Accept"
	if err := ctx.Err(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errPathClosed(op)
	}
	if p.offered == nil {
		return &core.Error{Op: op, Kind: core.Conflict, Err: errors.New("no offer waits for an answer")}
	}
	result, err := sdp.ParseWebAnswer(p.offered, []byte(answer))
	if err != nil {
		return err
	}
	if result.Setup != sdp.Passive {
		return &core.Error{Op: op, Kind: core.Invalid, Err: errors.New("setup:passive: we are the DTLS server")}
	}
	restart := p.current == nil || p.current.remote != result.Credentials
	p.settleLocked(p.offering, restart, result)
	return nil
}

// Held reports whether the far end does not want to hear us, by the last offer and
// answer.
func (p *Path) Held() bool { return p.mute.Load() }

func errPathClosed(op string) error {
	return &core.Error{Op: op, Kind: core.NotFound, Err: net.ErrClosed}
}

// nextLocked returns our side of the next description.
func (p *Path) nextLocked(c sdp.Credentials) sdp.WebLocal {
	return sdp.WebLocal{
		Session: p.session, Version: p.version + 1, Credentials: c,
		Fingerprint: p.srv.fingerprint, Candidates: p.srv.candidates, SSRC: p.ssrc,
	}
}

// settleLocked takes what offer and answer settled into use.
func (p *Path) settleLocked(local sdp.Credentials, restart bool, r sdp.WebResult) {
	p.format.Store(&r.Format)
	p.mute.Store(!r.Direction.Sends())
	p.mum.Store(!r.Direction.Receives())
	if restart {
		p.restartLocked(local, r.Credentials)
	}
	if a := p.assoc.Load(); a == nil || !a.sameAs(r) {
		p.assoc.Store(newAssociation(p, r.Session, r.Fingerprints))
		if a != nil {
			a.cancel()
		}
	}
}
