package ring

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/core/route"
)

var (
	alice = core.UserID{Name: "alice"}
	epoch = time.Unix(1e9, 0)
)

// player runs a hunt: its legs are called like the number, URI or user they
// ring, those of a second trunk number@trunk.
type player struct {
	*Hunt
	now   time.Time
	busy  map[string]bool // users to pass over
	late  []core.Contact  // of erin or frank, who registered them meanwhile
	lines []string
}

// endpoints makes branches of names: "alice" is a user, digits are a number over
// trunk t.
func endpoints(names ...string) (branches []route.Branch) {
	for _, name := range names {
		b := route.Branch{Timeout: 10 * time.Second}
		if name[0] < 'a' {
			b.Target, b.Trunks = core.Target{Trunk: "t", Number: name}, []string{"t"}
		} else {
			b.Target.User = core.UserID{Name: name}
		}
		branches = append(branches, b)
	}
	return branches
}

func play(d *route.Dial, memory *Memory) *player {
	p := &player{now: epoch, busy: map[string]bool{}}
	p.Hunt = Start(p.now, d, memory, func(n int) int { return n - 1 })
	p.advance()
	return p
}

// advance does what the exchange does, and notes it.
func (p *player) advance() {
	for again := true; again; {
		w := p.Advance(p.now)
		for _, leg := range slices.Concat(w.Stop, w.Slow, w.Drop) {
			p.lines = append(p.lines, "end "+string(leg))
		}
		for _, n := range w.Try {
			p.try(n)
		}
		again = len(w.Try) > 0
	}
	if due := p.Due(); !due.IsZero() && !due.After(p.now) {
		p.lines = append(p.lines, fmt.Sprintf("due %v ago: the timer would never rest", p.now.Sub(due)))
	}
	if p.Over() && !slices.ContainsFunc(p.entries, func(e *entry) bool { return e.state == won }) {
		cause, code := p.Outcome()
		p.lines = append(p.lines, fmt.Sprintf("over %d/%d", cause, code))
	}
}

func (p *player) try(n *Node) {
	t := n.Target()
	leg := core.LegID(t.Number + t.URI + t.User.Name)
	if t.Trunk != "" && t.Trunk != "t" {
		leg += core.LegID("@" + t.Trunk)
	}
	if p.busy[string(leg)] {
		p.Skip(n, core.CauseBusy, 486)
		return
	}
	if t.User.IsZero() {
		p.ring(n, leg, t)
		return
	}
	for _, c := range n.Turn(p.contacts(t.User)) {
		t.Contact = c.ID
		p.ring(n, core.LegID(c.ID), t)
	}
}

func (p *player) ring(n *Node, leg core.LegID, t core.Target) {
	if p.Add(n, Candidate{Leg: leg, Edge: core.EdgeSIP, Target: t, DeclineAll: true}) {
		p.Launch(leg, p.now)
		p.lines = append(p.lines, "ring "+string(leg))
		if t.Number != "49" { // which the steps alert themselves
			p.Alert(leg)
		}
	}
}

// contacts are the phones of a user: one of its name, but erin has a desk phone and a
// tab, then a mobile, and at last a phone at home.
func (p *player) contacts(user core.UserID) []core.Contact {
	switch user.Name {
	case "frank":
		return append([]core.Contact{{ID: "frank"}}, p.late...)
	case "erin":
	default:
		return []core.Contact{{ID: core.ContactID(user.Name)}}
	}
	return append([]core.Contact{{ID: "home", Rank: 1000}, {ID: "desk"}, {ID: "mobile", Rank: 500}, {ID: "tab"}}, p.late...)
}

// do lets one thing happen, "503 1001" or "10s", and returns what follows.
func (p *player) do(step string) []string {
	p.lines = nil
	what, name, _ := strings.Cut(step, " ")
	leg := core.LegID(name)
	switch what {
	case "alert":
		p.Alert(leg)
	case "answer":
		if p.Answered(leg) {
			p.lines = append(p.lines, "asked "+name)
			return p.lines
		}
		fallthrough
	case "key":
		losers, ok := p.Accept(leg, p.now)
		if ok {
			p.lines = append(p.lines, "won "+name)
		}
		for _, l := range losers {
			p.lines = append(p.lines, "end "+string(l))
		}
		return p.lines
	case "busy":
		p.Gone(leg, core.CauseBusy, 486)
	case "declined":
		for _, l := range p.Gone(leg, core.CauseRejected, 603) {
			p.lines = append(p.lines, "end "+string(l))
		}
	case "up":
		p.late = append(p.late, core.Contact{ID: core.ContactID(name)})
	case "upLate":
		p.late = append(p.late, core.Contact{ID: core.ContactID(name), Rank: 700})
	case "left":
		p.late = slices.DeleteFunc(p.late, func(c core.Contact) bool { return c.ID == core.ContactID(name) })
	case "503":
		p.Gone(leg, core.CauseNoCircuit, 503)
	case "wait":
		d, _ := time.ParseDuration(name)
		p.now = p.now.Add(d)
	}
	if strings.HasPrefix(what, "up") {
		for _, user := range []string{"erin", "frank"} {
			for _, n := range p.Late(core.UserID{Name: user}) {
				p.try(n)
			}
		}
	}
	p.advance()
	return p.lines
}

// TestStrategies: how a group rings from its start, step by step. Lines of one
// step are joined by commas.
func TestStrategies(t *testing.T) {
	group := func(s route.Strategy, names ...string) *route.Dial {
		return &route.Dial{Group: "g", Strategy: s, Timeout: 25 * time.Second, Branches: endpoints(names...)}
	}
	with := func(d *route.Dial, change func(*route.Dial)) *route.Dial {
		change(d)
		return d
	}
	nested := func(inner *route.Dial) *route.Dial {
		return with(group(route.Simultaneous, "alice", "bob"), func(d *route.Dial) { d.Branches[1] = route.Branch{Group: inner, Timeout: 18 * time.Second} })
	}
	confirmed := with(group(route.Simultaneous, "1001", "1002", "alice"), func(d *route.Dial) { d.Confirm = '5' })
	trunks := with(group(route.Simultaneous, "49"), func(d *route.Dial) {
		d.Branches[0].Trunks = []string{"t", "u"}
		d.Branches[0].Timeout = 20 * time.Second
	})
	type steps = []string // alternating: what happens, what follows
	tests := []struct {
		name  string
		dial  *route.Dial
		first string
		steps steps
	}{
		{"simultaneous", group("", "alice", "1001"), "ring alice,ring 1001", steps{"wait 9s", "", "wait 1s", "end alice,end 1001,over 19/480"}},
		{"simultaneous, one answers", group(route.Simultaneous, "alice", "1001"), "ring alice,ring 1001", steps{"answer 1001", "won 1001,end alice", "answer alice", ""}},
		{"delay", with(group("", "alice", "bob"), func(d *route.Dial) { d.Branches[1].Delay = 3 * time.Second }), "ring alice", steps{"wait 2.9s", "", "wait 0.1s", "ring bob", "wait 7s", "end alice", "wait 3s", "end bob,over 19/480"}},
		{"delay is cut short when nobody rings", with(group("", "alice", "bob"), func(d *route.Dial) { d.Branches[1].Delay = 3 * time.Second }), "ring alice", steps{"busy alice", "ring bob"}},
		{"sequential", group(route.Sequential, "alice", "bob", "1001"), "ring alice", steps{"wait 10s", "end alice,ring bob", "busy bob", "ring 1001", "wait 10s", "end 1001,over 19/480"}},
		{"sequential, whole time over", group(route.Sequential, "alice", "bob", "1001"), "ring alice", steps{"wait 10s", "end alice,ring bob", "wait 10s", "end bob,ring 1001", "wait 5s", "end 1001,over 19/480"}},
		{"sequential, second answers", group(route.Sequential, "alice", "bob", "1001"), "ring alice", steps{"wait 10s", "end alice,ring bob", "answer bob", "won bob", "wait 10s", ""}},
		{"sequential, late answer of the first", group(route.Sequential, "alice", "bob"), "ring alice", steps{"wait 10s", "end alice,ring bob", "answer alice", ""}},
		{"sequential with delay", with(group(route.Sequential, "alice", "bob"), func(d *route.Dial) { d.Branches[1].Delay = 2 * time.Second }), "ring alice", steps{"busy alice", "", "wait 2s", "ring bob"}},
		{"random draws the last first", group(route.Random, "alice", "bob", "carol"), "ring carol", steps{"busy carol", "ring alice", "busy alice", "ring bob"}},
		{"nobody at all", group(""), "over 20/480", nil},
		{"the same number twice rings once", group("", "1001", "1001"), "ring 1001", steps{"busy 1001", "over 17/486"}},
		{"nested group steps on", nested(group(route.Sequential, "carol", "1001")), "ring alice,ring carol", steps{"busy carol", "ring 1001", "answer 1001", "won 1001,end alice"}},
		{"nested group's own time", nested(group(route.Sequential, "carol", "1001")), "ring alice,ring carol", steps{"wait 10s", "end alice,end carol,ring 1001", "wait 8s", "end 1001,over 19/480"}},
		{"confirm: two listen, the key wins", confirmed, "ring 1001,ring 1002,ring alice", steps{"answer 1001", "asked 1001", "answer 1002", "asked 1002", "key 1002", "won 1002,end 1001,end alice", "key 1001", ""}},
		{"confirm: time over while one listens", confirmed, "ring 1001,ring 1002,ring alice", steps{"answer 1001", "asked 1001", "wait 10s", "end 1002,end alice", "wait 30s", "", "key 1001", "won 1001"}},
		{"confirm: who listened hangs up", confirmed, "ring 1001,ring 1002,ring alice", steps{"answer 1001", "asked 1001", "wait 10s", "end 1002,end alice", "busy 1001", "over 19/480"}},
		{"trunk fails over on 503", trunks, "ring 49", steps{"503 49", "ring 49@u", "503 49@u", "over 34/503"}},
		{"trunk's callee is busy", trunks, "ring 49", steps{"busy 49", "over 17/486"}},
		{"trunk without a sign of life", trunks, "ring 49", steps{"wait 8s", "end 49,ring 49@u", "wait 8s", "", "answer 49@u", "won 49@u"}},
		{"no trunk gives a sign of life", trunks, "ring 49", steps{"wait 8s", "end 49,ring 49@u", "wait 20s", "end 49@u,over 18/408"}},
		{"ranks ring one after the other, each for its share", with(group("", "erin"), func(d *route.Dial) { d.Branches[0].Timeout = 18 * time.Second }), "ring desk,ring tab", steps{"wait 5.9s", "", "wait 0.1s", "end desk,end tab,ring mobile", "wait 6s", "end mobile,ring home", "wait 6s", "end home,over 19/480"}},
		{"a rank's share is bounded", with(group("", "erin"), func(d *route.Dial) { d.Branches[0].Timeout, d.Timeout = 90*time.Second, 90*time.Second }), "ring desk,ring tab", steps{"wait 15s", "end desk,end tab,ring mobile", "wait 15s", "end mobile,ring home", "wait 59s", "", "wait 1s", "end home,over 19/480"}},
		{"the time of the whole is shared", with(group("", "erin"), func(d *route.Dial) { d.Branches[0].Timeout, d.Timeout = time.Minute, 9*time.Second }), "ring desk,ring tab", steps{"wait 3s", "end desk,end tab,ring mobile"}},
		{"the next rank rings as soon as all of one are busy", group("", "erin"), "ring desk,ring tab", steps{"busy desk", "", "busy tab", "ring mobile", "answer mobile", "won mobile", "wait 20s", ""}},
		{"a better rank answers, nobody else rings", group("", "erin"), "ring desk,ring tab", steps{"answer tab", "won tab,end desk", "wait 20s", ""}},
		{"a decline for all spares the later ranks", group("", "erin"), "ring desk,ring tab", steps{"declined desk", "end tab,over 21/0"}},
		{"registered meanwhile, of the rank that rings or of a later one", with(group("", "erin"), func(d *route.Dial) { d.Branches[0].Timeout = 20 * time.Second }), "ring desk,ring tab", steps{"up pad", "ring pad", "upLate watch", "", "wait 6.6s", "", "wait 0.1s", "end desk,end tab,end pad,ring mobile", "wait 5s", "end mobile,ring watch", "busy watch", "ring home"}},
		{"a later rank registers while the only one rings", group("", "frank"), "ring frank", steps{"wait 2s", "", "upLate watch", "", "wait 4s", "end frank,ring watch"}},
		{"who would ring later leaves, another phone comes", group("", "frank"), "ring frank", steps{"upLate watch", "", "left watch", "", "up pad", "ring pad", "wait 9.9s", "", "wait 0.1s", "end frank,end pad,over 19/480"}},
		{"ranks beside another user", group("", "erin", "bob"), "ring desk,ring tab,ring bob", steps{"busy desk", "", "busy tab", "ring mobile", "answer bob", "won bob,end mobile"}},
		{"ranks before the next of a sequence", group(route.Sequential, "erin", "bob"), "ring desk,ring tab", steps{"busy desk", "", "busy tab", "ring mobile", "busy mobile", "ring home", "busy home", "ring bob"}},
		{"a rank where one confirms", with(group("", "erin"), func(d *route.Dial) { d.Confirm = '5' }), "ring desk,ring tab", steps{"answer desk", "asked desk", "wait 4s", "end tab", "busy desk", "ring mobile"}},
		{"trunk that alerts keeps the call", trunks, "ring 49", steps{"alert 49", "", "wait 8s", "", "wait 12s", "end 49,over 19/480"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := play(tt.dial, &Memory{})
			if got := strings.Join(p.lines, ","); got != tt.first {
				t.Fatalf("at first %q, want %q", got, tt.first)
			}
			for i := 0; i < len(tt.steps); i += 2 {
				if got := strings.Join(p.do(tt.steps[i]), ","); got != tt.steps[i+1] {
					t.Fatalf("%s: %q, want %q", tt.steps[i], got, tt.steps[i+1])
				}
			}
		})
	}
}

// TestMemory: who rings first, call after call. After each call the first who
// rang took it.
func TestMemory(t *testing.T) {
	d := func(s route.Strategy) *route.Dial {
		return &route.Dial{Group: "g", Strategy: s, Timeout: time.Minute, Branches: endpoints("alice", "bob", "1001")}
	}
	for _, tt := range []struct {
		strategy route.Strategy
		want     string
	}{
		{route.RoundRobin, "alice bob 1001 alice bob"},
		{route.LeastRecent, "alice bob 1001 alice bob"},
		{route.Sequential, "alice alice alice alice alice"},
	} {
		var m Memory
		var first []string
		for i := range 5 {
			p := &player{now: epoch.Add(time.Duration(i) * time.Minute)}
			p.Hunt = Start(p.now, d(tt.strategy), &m, nil)
			p.advance()
			leg := strings.TrimPrefix(p.lines[0], "ring ")
			p.do("answer " + leg)
			first = append(first, leg)
		}
		if got := strings.Join(first, " "); got != tt.want {
			t.Errorf("%s: %s", tt.strategy, got)
		}
	}
	var m Memory
	recent := d(route.LeastRecent)
	p := play(recent, &m)
	p.do("busy alice")
	p.do("answer bob")
	if p = play(recent, &m); p.lines[0] != "ring alice" {
		t.Errorf("who declined is not who talked: %s", p.lines[0])
	}
	p.do("answer alice")
	m.Talked(p.Takers("alice"), epoch.Add(time.Hour)) // until now
	play(recent, &m).do("answer 1001")
	if p = play(recent, &m); p.lines[0] != "ring bob" || p.Takers("1001") != nil {
		t.Errorf("bob talked before alice hung up: %s", p.lines[0])
	}
}

// Of ever new endpoints those who talked last are remembered.
func TestMemoryIsBounded(t *testing.T) {
	var m Memory
	const all = 3 * maxTaken
	number := func(i int) taker { return taker{"g", strconv.Itoa(i)} }
	for i := range all {
		m.Talked(Takers{number(i)}, epoch.Add(time.Duration(i)*time.Second))
	}
	if n := len(m.taken); n > maxTaken || m.taken[number(all-1)].IsZero() || m.taken[number(all-maxTaken/3)].IsZero() {
		t.Errorf("%d are remembered, and not the last", n)
	}
}

// TestWeights draws ten thousand times.
func TestWeights(t *testing.T) {
	d := &route.Dial{Strategy: route.Random, Timeout: time.Minute, Branches: endpoints("alice", "bob", "carol")}
	d.Branches[0].Weight = 7
	d.Branches[1].Weight = 2
	count := map[int]int{}
	var m Memory
	seed := 1
	for range 10_000 {
		order := m.order(d, func(n int) int { seed = seed * 48271 % 0x7fffffff; return seed % n })
		count[order[0]]++
		if sorted := slices.Sorted(slices.Values(order)); !slices.Equal(sorted, []int{0, 1, 2}) {
			t.Fatalf("drew %v", order)
		}
	}
	if count[0] < 6700 || count[0] > 7300 || count[2] < 800 || count[2] > 1200 {
		t.Errorf("first turns: %v, want 7000, 2000, 1000", count)
	}
}

// TestSkip passes over who is busy, and says so when everybody is.
func TestSkip(t *testing.T) {
	d := &route.Dial{Group: "g", Timeout: time.Minute, Branches: endpoints("alice", "bob")}
	p := &player{now: epoch, busy: map[string]bool{"alice": true}}
	p.Hunt = Start(p.now, d, &Memory{}, nil)
	p.advance()
	if got := strings.Join(p.lines, ","); got != "ring bob" {
		t.Errorf("got %s", got)
	}
	if got := strings.Join(p.do("busy bob"), ","); got != "over 17/486" {
		t.Errorf("got %s", got)
	}
	if p.Late(alice) != nil {
		t.Error("a hunt that is over takes a registration")
	}
}

// TestLate says where a registration that comes late still rings.
func TestLate(t *testing.T) {
	for _, tt := range []struct {
		strategy route.Strategy
		steps    []string
		user     string
		want     int
	}{
		{route.Simultaneous, nil, "alice", 1},
		{route.Simultaneous, []string{"busy alice"}, "alice", 1}, // another device of hers
		{route.Simultaneous, []string{"answer bob"}, "alice", 0},
		{route.Simultaneous, nil, "zoe", 0},
		{route.Sequential, nil, "alice", 1},
		{route.Sequential, nil, "bob", 0},                      // not his turn yet
		{route.Sequential, []string{"wait 10s"}, "alice", 0},   // her turn is over
		{route.Sequential, []string{"busy alice"}, "alice", 0}, // likewise
	} {
		p := play(&route.Dial{Strategy: tt.strategy, Timeout: time.Minute, Branches: endpoints("alice", "bob")}, &Memory{})
		for _, s := range tt.steps {
			p.do(s)
		}
		if got := len(p.Late(core.UserID{Name: tt.user})); got != tt.want {
			t.Errorf("%s %v: %s rings at %d places", tt.strategy, tt.steps, tt.user, got)
		}
	}
}

// devices rings two devices of alice and a mobile.
func devices(declineAll bool) *Hunt {
	d := &route.Dial{Group: "g", Timeout: time.Minute, Branches: endpoints("alice", "1001")}
	h := Start(epoch, d, &Memory{}, nil)
	for _, n := range h.Advance(epoch).Try {
		add := func(leg core.LegID, edge core.Edge) {
			target := n.Target()
			if !target.User.IsZero() {
				target.Contact = core.ContactID(leg)
			}
			h.Add(n, Candidate{Leg: leg, Edge: edge, Target: target, DeclineAll: declineAll})
			h.Launch(leg, epoch)
		}
		if n.Target().User.IsZero() {
			add("mobile", core.EdgeSIP)
			continue
		}
		add("desk", core.EdgeSIP)
		add("tab", core.EdgeBrowser)
	}
	return h
}

func TestDecline(t *testing.T) {
	if got := devices(false).Gone("desk", core.CauseRejected, 603); got != nil {
		t.Errorf("one device's decline ended %v", got)
	}
	if got := devices(true).Gone("desk", core.CauseRejected, 603); !slices.Equal(got, []core.LegID{"tab"}) {
		t.Errorf("a decline for all devices ended %v", got)
	}
	if got := devices(true).Gone("desk", core.CauseBusy, 486); got != nil {
		t.Errorf("a busy device ended %v", got)
	}
}

func TestPeers(t *testing.T) {
	h := devices(false)
	if got := h.Peers(); got != (core.Peers{Browsers: 1, Phones: 1, Trunks: 1}) {
		t.Errorf("all ring: %+v", got)
	}
	h.Gone("desk", core.CauseBusy, 486)
	if first := h.Alert("mobile"); !first || h.Alert("mobile") || h.Alert("tab") {
		t.Error("the first to alert is not told from the second")
	}
	h.Accept("tab", epoch)
	if got := h.Peers(); got != (core.Peers{Browsers: 1}) {
		t.Errorf("winner: %+v", got)
	}
}
