package demo

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/rtp"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/sip"
)

// Config says what the network is connected to.
type Config struct {
	Sample Sample
	// Offhook is where offhook takes SIP over UDP and TCP, Domain its SIP domain.
	Offhook netip.AddrPort
	Domain  string
	// Carrier is the carrier's own address, the one in Sample.
	Carrier netip.AddrPort
	// Softphones are shown to the visitor.
	Softphones []Softphone
	Log        *slog.Logger // nil discards
}

// Limits that keep a page, or a program that claims to be one, from harm.
const (
	maxPages     = 8
	maxCalls     = 20  // of the carrier at a time
	ladderLength = 200 // entries kept
)

// levelTime is how often levels are measured, and over how long.
const levelTime = 200 * time.Millisecond

// Demo is a running network. It serves /demo/ws.
type Demo struct {
	config  Config
	log     *slog.Logger
	carrier *phone.Phone
	desks   []*phone.Phone
	inbox   inbox
	stop    context.CancelFunc
	wg      sync.WaitGroup  // the loop
	ctx     context.Context //nolint:containedctx // ends the loop and the sockets
	open    atomic.Int32    // pages, to bound them

	// The loop owns the fields below.
	handsets []*handset
	pages    map[*page]bool
	ladder   []entry
	seq      int
	dirty    bool // something in state changed
	leveled  bool // the last levels were not empty
}

// New starts the carrier and the desk phones, which go on registering until
// they succeed. The network lives until Close; ctx bounds only the start.
func New(ctx context.Context, c Config) (*Demo, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	d := &Demo{config: c, log: c.Log, inbox: inbox{wake: make(chan struct{}, 1)}, pages: map[*page]bool{}}
	d.ctx, d.stop = context.WithCancel(context.WithoutCancel(ctx))
	ports := rtp.NewAllocator(40000, 49999)

	var err error
	if d.carrier, err = phone.New(ctx, phone.Config{
		User: "carrier", Server: c.Offhook.String(), Domain: c.Carrier.Addr().String(), Listen: c.Carrier,
		Ports: ports, MaxCalls: maxCalls, ManualRing: true, Log: c.Log, Events: d.events(""), Tracer: d.tracer("carrier"),
	}); err != nil {
		d.stop()
		return nil, fmt.Errorf("demo: carrier: %w", err)
	}
	d.addMobiles()
	for i, desk := range []struct{ name, user, transport string }{
		{"Sales desk", "sales", "udp"},
		{"Support desk", "support", "tcp"},
	} {
		if err := d.addDesk(ctx, fmt.Sprintf("desk-%d", i+1), desk.name, desk.user, desk.transport, ports); err != nil {
			d.closePhones()
			d.stop()
			return nil, err
		}
	}
	d.wg.Go(d.run)
	return d, nil
}

func (d *Demo) addMobiles() {
	d.handsets = append(d.handsets,
		&handset{id: "visitor", kind: "mobile", name: "Your mobile", via: "carrier", visitor: true, hz: 440},
		&handset{id: "mobile-1", kind: "mobile", name: "On-call mobile", number: onCallNumber, via: "carrier", hz: 520})
	for _, h := range d.handsets {
		h.line, h.status, h.sound = d.carrier, idle, tone
	}
}

func (d *Demo) addDesk(ctx context.Context, id, name, user, transport string, ports *rtp.Allocator) error {
	line, err := phone.New(ctx, phone.Config{
		User: user, Name: name, Password: d.config.Sample.Passwords[user].Reveal(), Domain: d.config.Domain,
		Server: d.config.Offhook.String(), Transport: transport, Register: true, Expires: time.Minute,
		Ports: ports, MaxCalls: 1, ManualRing: true, Log: d.log, Events: d.events(id), Tracer: d.tracer(id),
	})
	if err != nil {
		return fmt.Errorf("demo: %s: %w", id, err)
	}
	d.desks = append(d.desks, line)
	d.handsets = append(d.handsets, &handset{
		id: id, kind: "desk", name: name, number: user, via: "SIP over " + strings.ToUpper(transport),
		line: line, status: offline, sound: tone, hz: 600 + 80*float64(len(d.desks)),
	})
	return nil
}

// Close hangs up and stops the phones and pages.
func (d *Demo) Close() {
	d.closePhones()
	d.stop()
	d.wg.Wait()
}

func (d *Demo) closePhones() {
	var closing sync.WaitGroup
	for _, line := range append([]*phone.Phone{d.carrier}, d.desks...) {
		closing.Go(line.Close)
	}
	closing.Wait()
}

// events returns where the phone id reports; the carrier, "", has many handsets.
func (d *Demo) events(id string) func(phone.Event) {
	return func(ev phone.Event) {
		d.inbox.post(func() { d.phoneEvent(id, ev) })
	}
}

// tracer returns where the SIP messages of a lane go.
func (d *Demo) tracer(lane string) func(sip.Trace) {
	return func(t sip.Trace) {
		if e, ok := traced(lane, t); ok {
			d.inbox.post(func() { d.record(e) })
		}
	}
}

// Observe shows what browsers do in the ladder. It returns at once.
func (d *Demo) Observe(leg core.LegEntry) {
	if e, ok := observed(leg); ok {
		d.inbox.post(func() { d.record(e) })
	}
}

// run is the loop: one posted function after the other, and levels now and then.
func (d *Demo) run() {
	ticker := time.NewTicker(levelTime)
	defer ticker.Stop()
	for {
		select {
		case <-d.ctx.Done():
			return
		case <-ticker.C:
			d.measure()
		case <-d.inbox.wake:
			for _, f := range d.inbox.take() {
				f()
			}
		}
		if d.dirty {
			d.dirty = false
			for p := range d.pages {
				p.show(d.stateFor(p))
			}
		}
	}
}

// stateFor returns the network as page p sees it.
func (d *Demo) stateFor(p *page) state {
	s := state{
		Type: "state", Now: time.Now().UnixMilli(), Numbers: d.config.Sample.numbers(),
		Callers: d.config.Sample.callers(), Softphones: append([]Softphone{}, d.config.Softphones...), // never null
		Lanes: []lane{{"carrier", "Phone network"}, {"offhook", "offhook"}},
	}
	for _, h := range d.handsets {
		s.Phones = append(s.Phones, h.show(p))
		if h.kind == "desk" {
			s.Lanes = append(s.Lanes, lane{h.id, h.name})
		}
	}
	s.Lanes = append(s.Lanes, lane{"browser", "Browsers"})
	return s
}

// measure tells the pages what each phone in a call hears.
func (d *Demo) measure() {
	hears := map[string]int{}
	for _, h := range d.handsets {
		if h.status == talking || h.status == calling {
			hears[h.id] = h.level()
		}
	}
	if len(hears) == 0 && !d.leveled {
		return
	}
	d.leveled = len(hears) > 0
	for p := range d.pages {
		p.meter(levels{Type: "levels", Hears: hears})
	}
}

// record adds an entry to the ladder.
func (d *Demo) record(e entry) {
	d.seq++
	e.Seq = d.seq
	d.ladder = append(d.ladder, e)
	if extra := len(d.ladder) - ladderLength; extra > 0 {
		d.ladder = append(d.ladder[:0], d.ladder[extra:]...)
	}
	for p := range d.pages {
		p.climb(e)
	}
}

// ServeHTTP serves the WebSocket of a page until it closes.
func (d *Demo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p, ok := d.accept(w, r)
	if !ok {
		return
	}
	var writing sync.WaitGroup
	writing.Go(func() { p.write(d.ctx) })
	//nolint:contextcheck // after the upgrade the socket lives as long as the network, not the request
	err := p.read(d.ctx, func(c command) { d.inbox.post(func() { d.obey(p, c) }) })
	p.close(err)
	writing.Wait()
	d.open.Add(-1)
	d.inbox.post(func() { d.lost(p) }) //nolint:contextcheck // as above
}

// find returns the handset with that id, nil if there is none.
func (d *Demo) find(id string) *handset {
	for _, h := range d.handsets {
		if h.id == id {
			return h
		}
	}
	return nil
}

// reached returns the handset that a call to number on line id rings, nil if
// there is none. The carrier's line is "".
func (d *Demo) reached(id, number string) *handset {
	if id != "" {
		return d.find(id)
	}
	number = strings.TrimPrefix(number, "+")
	for _, h := range d.handsets {
		if h.kind == "mobile" && h.number == number {
			return h
		}
	}
	for _, c := range d.config.Sample.callers() {
		if c.Number == number {
			return d.find("visitor")
		}
	}
	return nil
}

// nameOf returns the name of a party, as far as the network knows it.
func (d *Demo) nameOf(p phone.Party) string {
	number := strings.TrimPrefix(p.Number, "+")
	for _, c := range d.config.Sample.callers() {
		if c.Number == number {
			return c.Name
		}
	}
	for _, n := range d.config.Sample.numbers() {
		if n.Number == number {
			return cmp.Or(p.Name, n.Name)
		}
	}
	return p.Name
}
