package demo

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/meter"
	"github.com/offhook/offhook/internal/phone"
	"github.com/offhook/offhook/internal/testkit"
)

// network is a demo whose offhook is a phone of the test.
type network struct {
	t       *testing.T
	demo    *Demo
	url     string
	carrier netip.AddrPort
	offhook *phone.Phone
	events  chan phone.Event
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	testkit.CheckLeaks(t)
	_, log := testkit.NewLog(t)
	n := &network{t: t, events: make(chan phone.Event, 100)}
	var err error
	n.offhook, err = phone.New(t.Context(), phone.Config{
		User: "offhook", Log: log, Events: func(ev phone.Event) { n.events <- ev },
		Say: func() phone.Source { return phone.Tone(1000) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.offhook.Close)
	n.carrier = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), testkit.FreePort(t, "127.0.0.2"))
	n.demo, err = New(t.Context(), Config{
		Sample: NewSample(n.carrier), Offhook: n.offhook.Addr(), Carrier: n.carrier, Log: log,
		Softphones: []Softphone{{User: "sales", Name: "Sales", URL: "/#token=x"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(n.demo)
	t.Cleanup(func() {
		n.demo.Close()
		server.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	n.url = server.URL
	return n
}

// next returns the next event of offhook's phone, which must be of that kind.
func (n *network) next(kind phone.Kind) phone.Event {
	n.t.Helper()
	ev := testkit.Receive(n.t, n.events, 5*time.Second, "offhook sees "+string(kind))
	if ev.Kind != kind {
		n.t.Fatalf("offhook sees %+v, want %s", ev, kind)
	}
	return ev
}

// visitor is an open page.
type visitor struct {
	t    *testing.T
	conn *websocket.Conn

	mu      sync.Mutex // guards the fields below
	state   state
	entries []entry
	errors  []failure
	levels  levels
	heard   []int16
	closed  websocket.StatusCode
}

func (n *network) open() *visitor {
	n.t.Helper()
	conn, res, err := websocket.Dial(n.t.Context(), n.url, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	res.Body = nil
	v := &visitor{t: n.t, conn: conn}
	var reading sync.WaitGroup
	reading.Go(v.read)
	n.t.Cleanup(func() {
		_ = conn.CloseNow()
		reading.Wait()
	})
	return v
}

func (v *visitor) read() {
	for {
		kind, data, err := v.conn.Read(context.Background())
		v.mu.Lock()
		if err != nil {
			v.closed = websocket.CloseStatus(err)
			v.mu.Unlock()
			return
		}
		if kind == websocket.MessageBinary {
			for i := 0; i < len(data); i += 2 {
				v.heard = append(v.heard, int16(binary.LittleEndian.Uint16(data[i:])))
			}
		} else {
			v.take(data)
		}
		v.mu.Unlock()
	}
}

func (v *visitor) take(data []byte) {
	var kind struct{ Type string }
	var ladder ladderMessage
	var fail failure
	err := json.Unmarshal(data, &kind)
	switch kind.Type {
	case "state":
		v.state = state{}
		err = json.Unmarshal(data, &v.state)
	case "ladder":
		err = json.Unmarshal(data, &ladder)
		v.entries = append(v.entries, ladder.Entries...)
	case "levels":
		v.levels = levels{}
		err = json.Unmarshal(data, &v.levels)
	case "error":
		err = json.Unmarshal(data, &fail)
		v.errors = append(v.errors, fail)
	}
	if err != nil {
		v.t.Errorf("%s: %v", data, err)
	}
}

func (v *visitor) order(format string, args ...any) {
	v.t.Helper()
	if err := v.conn.Write(v.t.Context(), websocket.MessageText, fmt.Appendf(nil, format, args...)); err != nil {
		v.t.Fatal(err)
	}
}

// until waits until the page is told what done looks for; v is locked meanwhile.
func (v *visitor) until(what string, done func() bool) {
	v.t.Helper()
	testkit.Eventually(v.t, 5*time.Second, what, func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return done()
	})
}

// phone returns what the page knows of a phone; v must be locked.
func (v *visitor) phone(id string) phoneState {
	for _, p := range v.state.Phones {
		if p.ID == id {
			return p
		}
	}
	return phoneState{}
}

func (v *visitor) refused(message string) {
	v.t.Helper()
	v.until("error "+message, func() bool {
		return len(v.errors) > 0 && v.errors[len(v.errors)-1].Message == message
	})
}

// speak sends a tone as the page's microphone until the test ends.
func (v *visitor) speak(freq float64) {
	tone := phone.Tone(freq)
	ticker := time.NewTicker(20 * time.Millisecond)
	done := make(chan struct{})
	var speaking sync.WaitGroup
	speaking.Go(func() {
		var pcm [frame]int16
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
			}
			tone(pcm[:])
			data := make([]byte, 0, 2*frame)
			for _, s := range pcm {
				data = binary.LittleEndian.AppendUint16(data, uint16(s))
			}
			if v.conn.Write(context.Background(), websocket.MessageBinary, data) != nil {
				return
			}
		}
	})
	v.t.Cleanup(func() {
		close(done)
		speaking.Wait()
		ticker.Stop()
	})
}

func TestVisitorCallsAndIsHeard(t *testing.T) {
	n := newNetwork(t)
	v := n.open()
	v.order(`{"type":"call","phone":"visitor","to":"12995558888","from":"12995550100"}`)
	in := n.next(phone.Incoming)
	if in.Peer != (phone.Party{Number: "+12995550100", Name: "Grace, mobile"}) || in.To != "+12995558888" {
		t.Errorf("offhook is called by %+v for %s", in.Peer, in.To)
	}
	v.until("visitor is calling", func() bool {
		p := v.phone("visitor")
		return p.State == calling && p.Number == "12995550100" && p.Sound == voice && p.Yours && p.Peer.Name == "Front desk"
	})
	call := n.offhook.Call(in.Call)
	call.Answer()
	v.until("visitor talks", func() bool { return v.phone("visitor").State == talking })

	v.speak(440)
	testkit.Eventually(t, 10*time.Second, "offhook hears the page", func() bool {
		heard := call.Heard(500 * time.Millisecond)
		return len(heard) == 4000 && meter.Purity(heard, phone.Rate, 440) > 0.8
	})
	v.until("the page hears offhook", func() bool {
		n := len(v.heard)
		return n > 4000 && meter.Purity(v.heard[n-4000:], phone.Rate, 1000) > 0.8
	})
	v.until("levels are shown", func() bool { return v.levels.Hears["visitor"] > -20 })

	v.order(`{"type":"hang_up","phone":"visitor"}`)
	n.next(phone.Answered)
	n.next(phone.Ended)
	v.until("visitor is idle", func() bool { p := v.phone("visitor"); return p.State == idle && p.Number == "" })
	v.until("ladder shows the call", func() bool {
		var labels []string
		for _, e := range v.entries {
			labels = append(labels, e.From+" "+e.Label)
		}
		return strings.Contains(strings.Join(labels, ", "), "carrier INVITE, offhook 180 Ringing, offhook 200 OK, carrier ACK, carrier BYE, offhook 200 OK")
	})
}

func TestMobileRingsAndAnswers(t *testing.T) {
	n := newNetwork(t)
	v := n.open()
	dial := func(number string) *phone.Call {
		c, err := n.offhook.Dial(fmt.Sprintf("sip:%s@%s", number, n.carrier), phone.DialOptions{From: phone.Party{Number: "+12995550100"}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := dial("12995551111")
	n.next(phone.Ringing)
	v.until("mobile rings", func() bool { p := v.phone("mobile-1"); return p.State == ringing && p.Peer.Number == "12995550100" })
	v.order(`{"type":"answer","phone":"mobile-1"}`)
	n.next(phone.Answered)
	testkit.Eventually(t, 5*time.Second, "offhook hears the mobile's tone", func() bool {
		pcm := first.Heard(500 * time.Millisecond)
		return len(pcm) == 4000 && meter.Purity(pcm, phone.Rate, 520) > 0.8
	})
	dial("12995551111")
	if end := n.next(phone.Ended); end.Code != 486 {
		t.Errorf("second call to the mobile: %+v, want busy", end)
	}
	dial("12995550000")
	if end := n.next(phone.Ended); end.Code != 404 {
		t.Errorf("call to nobody's number: %+v, want 404", end)
	}
	dial("+12995550123")
	n.next(phone.Ringing)
	v.until("the visitor's mobile rings", func() bool { p := v.phone("visitor"); return p.State == ringing && p.Number == "12995550123" })
	v.order(`{"type":"decline","phone":"visitor"}`)
	if end := n.next(phone.Ended); end.Code != 603 {
		t.Errorf("declined: %+v", end)
	}
	first.HangUp()
	v.until("mobile says how it ended", func() bool { p := v.phone("mobile-1"); return p.State == idle && p.Last == "the other side hung up" })
}

// A page's socket writes a state after the loop has gone on.
func TestStateShownStaysAsItWas(t *testing.T) {
	n := newNetwork(t)
	h := handset{line: n.offhook, call: new(phone.Call), peer: peer{"12995550100", "Grace"}}
	shown := h.show(nil)
	h.end("")
	if *shown.Peer != (peer{"12995550100", "Grace"}) {
		t.Errorf("the state of a call that has ended since is with %+v", *shown.Peer)
	}
}

func TestPageGoneEndsItsCall(t *testing.T) {
	n := newNetwork(t)
	v, other := n.open(), n.open()
	v.order(`{"type":"call","phone":"visitor","to":"12995558888","from":"12995550100"}`)
	n.offhook.Call(n.next(phone.Incoming).Call).Answer()
	other.until("another page sees whose voice it is", func() bool {
		p := other.phone("visitor")
		return p.State == talking && p.Sound == voice && !p.Yours
	})
	_ = v.conn.CloseNow()
	n.next(phone.Answered)
	n.next(phone.Ended)
	other.until("visitor is idle", func() bool { return other.phone("visitor").State == idle })
}

func TestCommandsThatMakeNoSense(t *testing.T) {
	n := newNetwork(t)
	v := n.open()
	for _, c := range []struct{ command, message string }{
		{`{"type":"answer","phone":"nobody"}`, errNoPhone.Error()},
		{`{"type":"explode","phone":"visitor"}`, errCommand.Error()},
		{`{"type":"answer","phone":"visitor"}`, errNoRing.Error()},
		{`{"type":"hang_up","phone":"visitor"}`, errNoCall.Error()},
		{`{"type":"digit","phone":"visitor","digit":"5"}`, errNoCall.Error()},
		{`{"type":"call","phone":"desk-1","to":"12995558888"}`, errOffline.Error()},
		{`{"type":"call","phone":"visitor","to":"1 2","from":"12995550100"}`, errNumber.Error()},
		{`{"type":"call","phone":"visitor","to":"sales","from":"12995550100"}`, errNumber.Error()},
		{`{"type":"call","phone":"visitor","to":"12995558888","from":"1"}`, errCaller.Error()},
		{`{"type":"call","phone":"mobile-1","to":"12995558888","from":"12995550100"}`, errCaller.Error()},
		{`{"type":"sound","phone":"desk-1","sound":"shout"}`, errSound.Error()},
	} {
		v.order("%s", c.command)
		v.refused(c.message)
	}
}

func TestVoiceMovesFromPhoneToPhone(t *testing.T) {
	n := newNetwork(t)
	v, other := n.open(), n.open()
	v.order(`{"type":"sound","phone":"desk-1","sound":"voice"}`)
	v.until("desk-1 has it", func() bool { return v.phone("desk-1").Yours })
	v.order(`{"type":"sound","phone":"desk-2","sound":"voice"}`)
	v.until("desk-2 has it", func() bool { return v.phone("desk-2").Yours && v.phone("desk-1").Sound == silence })
	other.order(`{"type":"sound","phone":"desk-2","sound":"voice"}`)
	v.until("another page took it", func() bool { p := v.phone("desk-2"); return p.Sound == voice && !p.Yours })
}

func TestSocketRules(t *testing.T) {
	n := newNetwork(t)
	for _, c := range []struct {
		name string
		send func(*visitor)
		code websocket.StatusCode
	}{
		{"no JSON", func(v *visitor) { v.order("hello") }, closeNonsense},
		{"JSON, but no object", func(v *visitor) { v.order("[1]") }, closeNonsense},
		{"long", func(v *visitor) { v.order(`{"type":"%s"}`, strings.Repeat("x", 5000)) }, websocket.StatusMessageTooBig},
		{"half a sample", func(v *visitor) { _ = v.conn.Write(t.Context(), websocket.MessageBinary, make([]byte, 3)) }, closeNonsense},
		{"flood", func(v *visitor) {
			for range maxCommands + 1 {
				_ = v.conn.Write(t.Context(), websocket.MessageText, []byte(`{}`)) // closed at some point
			}
		}, closeTooMany},
	} {
		v := n.open()
		c.send(v)
		v.until(c.name+" closes the socket", func() bool { return v.closed != 0 })
		if v.closed != c.code {
			t.Errorf("%s: closed with %d, want %d", c.name, v.closed, c.code)
		}
	}
	if _, _, err := websocket.Dial(t.Context(), n.url, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"http://evil.example"}}}); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("foreign Origin: %v, want 403", err)
	}
	testkit.Eventually(t, 5*time.Second, "closed pages are counted out", func() bool { return n.demo.open.Load() == 0 })
	for range maxPages {
		n.open()
	}
	if _, _, err := websocket.Dial(t.Context(), n.url, nil); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("one page too many: %v, want 503", err)
	}
}

func TestLadderOfBrowserLegs(t *testing.T) {
	change := func(edge core.Edge, dir core.Direction, kind core.ChangeKind, reason core.Reason) core.LegEntry {
		return core.LegEntry{LegChange: core.LegChange{
			Leg: "l", Edge: edge, Direction: dir, Kind: kind, Reason: reason,
			To: core.Party{User: core.UserID{Name: "sales"}, Number: "12995558888"},
		}}
	}
	for _, c := range []struct {
		leg  core.LegEntry
		want string
	}{
		{change(core.EdgeBrowser, core.Outbound, core.ChangeBegan, 0), "offhook>browser incoming sales"},
		{change(core.EdgeBrowser, core.Outbound, core.ChangeAnswered, 0), "browser>offhook accept "},
		{change(core.EdgeBrowser, core.Outbound, core.ChangeEnded, core.ReasonElsewhere), "offhook>browser ended answered elsewhere"},
		{change(core.EdgeBrowser, core.Inbound, core.ChangeBegan, 0), "browser>offhook call 12995558888"},
		{change(core.EdgeBrowser, core.Inbound, core.ChangeAnswered, 0), "offhook>browser answered "},
		{change(core.EdgeSIP, core.Outbound, core.ChangeBegan, 0), ""},
		{change(core.EdgeBrowser, core.Outbound, core.ChangeBridged, 0), ""},
	} {
		e, ok := observed(c.leg)
		got := ""
		if ok {
			got = e.From + ">" + e.To + " " + e.Label + " " + e.Note
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.leg.Kind, got, c.want)
		}
	}
}

func TestMicKeepsTheNewestAndFillsWithSilence(t *testing.T) {
	var m mic
	out := make([]int16, frame)
	m.add(make([]int16, frame))
	if m.fill(out); len(m.pcm) != frame {
		t.Error("spoke before its lead was there")
	}
	for i := range 3 * micMost / frame {
		m.add([]int16{frame - 1: int16(i + 1)})
	}
	m.fill(out)
	if want := int16(2*micMost/frame + 1); out[frame-1] != want {
		t.Errorf("first frame ends with %d, want %d: the oldest go first", out[frame-1], want)
	}
	for range micMost / frame { // to the end and once beyond
		m.fill(out)
	}
	m.add([]int16{7})
	if m.fill(out); out[0] != 0 {
		t.Error("spoke again without a lead")
	}
}
