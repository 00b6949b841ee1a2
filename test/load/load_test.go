package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be the control process too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-relay" {
		main()
		return
	}
	os.Exit(m.Run())
}

const challenged = "SIP/2.0 407 Proxy Authentication Required\r\n" +
	"Via: SIP/2.0/UDP 127.0.2.1:5060;branch=z9hG4bK1;received=127.0.2.1;rport=5060\r\n" +
	"f: \"A\" <sip:a@bench.test>;tag=1\r\nTo: <sip:b@bench.test>;tag=2;x=y\r\ni: c1\r\nCSeq: 7 INVITE\r\n" +
	"m: <sip:b@127.0.0.1:5060;ob>;expires=5\r\n" +
	"Proxy-Authenticate: Digest realm=\"r\", nonce=\"n1\", algorithm=MD5, qop=\"auth\"\r\n" +
	"Proxy-Authenticate: Digest realm=\"r\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"\r\n" +
	"Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\nContent-Length: 4\r\n\r\nv=0\n"

func TestParseMessage(t *testing.T) {
	m, ok := parseMessage([]byte(challenged))
	if !ok {
		t.Fatal("not understood")
	}
	got := fmt.Sprint(m.status, m.branch(), m.toTag(), m.cseq, m.cseqMethod, m.contact, m.callID, m.proxy, m.body)
	want := fmt.Sprint(407, "z9hG4bK1", "2", 7, "INVITE", "sip:b@127.0.0.1:5060;ob", "c1", true, "v=0\n")
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if user := userOf(uriIn(m.from)); user != "a" {
		t.Errorf("user %q", user)
	}
	for _, bad := range []string{"", "\r\n\r\n", "INVITE sip:a SIP/2.0\r\n\r\n", strings.Replace(challenged, "\r\n\r\n", "\r\n", 1)} {
		if _, ok := parseMessage([]byte(bad)); ok {
			t.Errorf("%q accepted", bad)
		}
	}
}

// TestAuthorize uses the example of RFC 2617 section 3.5, with the client's nonce
// that this generator always sends.
func TestAuthorize(t *testing.T) {
	m := message{challenge: `Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"`}
	line := account{"Mufasa", "Circle Of Life"}.authorize(&m, "GET", "/dir/index.html")
	if !strings.Contains(line, `response="6629fae49393a05397450978507c4ef1"`) || !strings.HasPrefix(line, "Authorization: ") {
		t.Errorf("got %s", line)
	}
}

func TestLedgerFaults(t *testing.T) {
	fine := record{rung: 10, cancelled: 9, answers: 1, accepted: 1, ended: true}
	for _, tc := range []struct {
		name   string
		change func(*record)
		want   string
	}{
		{"as it should be", func(*record) {}, ""},
		{"one loser rings on", func(r *record) { r.cancelled = 8 }, "1 missing CANCELs"},
		{"caller gets two 200s", func(r *record) { r.answers = 2 }, "1 double answers"},
		{"200 never ACKed", func(r *record) { r.accepted = 0 }, "1 200s without ACK"},
		{"CANCEL without reason", func(r *record) { r.wrongReasons = 3 }, "3 CANCELs without Reason SIP;cause=200"},
		{"a callee is left out", func(r *record) { r.rung, r.cancelled = 9, 8 }, "1 callees that did not ring"},
		{"refused", func(r *record) { r.final = 503 }, "1 calls failed (statuses map[503:1])"},
		{"no end", func(r *record) { r.ended = false }, "1 calls without an end"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			book := newLedger()
			r := book.add(pair{"a", "b"})
			*r = fine
			tc.change(r)
			if got := strings.Join(book.faults(10), "; "); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestStreamAccounts shows that a lost packet, one that comes twice and one
// outside the window are told apart.
func TestStreamAccounts(t *testing.T) {
	w := new(window)
	w.from.Store(1000)
	w.to.Store(2000)
	s := &stream{window: w, out: stampedG711(), wanted: pcmuType}
	packet := func(number uint32, sent int64, payloadType byte) []byte {
		p := make([]byte, rtpHeader+g711Payload)
		p[0], p[1] = 2<<6, payloadType
		binary.BigEndian.PutUint64(p[rtpHeader:], uint64(sent))
		binary.BigEndian.PutUint32(p[rtpHeader+8:], number)
		return p
	}
	s.arrived(packet(1, 999, 0), 1100)  // before the window
	s.arrived(packet(2, 1000, 0), 1100) // heard
	s.arrived(packet(2, 1000, 0), 1100) // twice
	s.arrived(packet(4, 1500, 0), 2700) // heard late; 3 is lost
	s.arrived(packet(5, 1600, 8), 1700) // PCMA
	s.arrived(packet(6, 2000, 0), 2100) // after the window
	if s.heard != 2 || s.doubled != 1 || s.foreign != 1 {
		t.Errorf("heard %d, doubled %d, foreign %d; want 2, 1, 1", s.heard, s.doubled, s.foreign)
	}
	if want := (durations{100, 1200}); !slices.Equal(s.delays, want) {
		t.Errorf("delays %v, want %v", s.delays, want)
	}
}

// TestRelay shows that the control carries packets both ways and is charged for it.
func TestRelay(t *testing.T) {
	r, err := startRelay(2)
	if err != nil {
		t.Fatal(err)
	}
	defer r.stop()
	var ends [2]*net.UDPConn
	for i, to := range []netip.AddrPort{r.sessions[1].A, r.sessions[1].B} {
		if ends[i], err = dialControl("127.0.2.1", to); err != nil {
			t.Fatal(err)
		}
		defer ends[i].Close()
		if _, err := ends[i].Write([]byte("here I am")); err != nil {
			t.Fatal(err)
		}
	}
	for i := range ends {
		carries(t, ends[i], ends[1-i], fmt.Sprintf("from %d", i))
	}
	if _, err := r.cpu(); err != nil {
		t.Error(err)
	}
	if kb, err := r.pss(); err != nil || kb < 500 {
		t.Errorf("PSS %v KB, error %v", kb, err)
	}
	if n, err := r.sockets(); err != nil || n != 4 {
		t.Errorf("%d sockets, error %v", n, err)
	}
}

// carries sends what from says until to hears it: the relay may not know yet where
// to is.
func carries(t *testing.T, from, to *net.UDPConn, say string) {
	t.Helper()
	buf := make([]byte, 100)
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		if _, err := from.Write([]byte(say)); err != nil {
			t.Fatal(err)
		}
		if err := to.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		for {
			n, err := to.Read(buf)
			if err != nil {
				break // nothing more for now
			}
			if string(buf[:n]) == say {
				return
			}
		}
	}
	t.Errorf("%q did not arrive", say)
}

func TestTable(t *testing.T) {
	r := newReport()
	for _, v := range []float64{0.3, 0.1, 0.11} {
		r.add("R1", v, 0.05)
	}
	r.add("M3", 0.2, 0)
	r.add("M3 p99", 1, 0)
	table := r.table()
	for _, want := range []string{"| <= 0.12 | **0.110** | 0.050 | yes |", "| <= 0.15 / <= 5 | **0.200 / 1.00** | - | **no** |"} {
		if !strings.Contains(table, want) {
			t.Errorf("no %q in\n%s", want, table)
		}
	}
	if strings.Contains(table, "| S1 |") {
		t.Error("a row that was not measured is shown")
	}
	r.fault("R1 run 1", "2 legs left over")
	if !strings.Contains(r.notes(), "**Fault**: R1 run 1: 2 legs left over") {
		t.Error("fault is not shown")
	}
}
