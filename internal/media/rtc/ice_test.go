package rtc

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/stun/v3"

	"github.com/offhook/offhook/internal/media"
	"github.com/offhook/offhook/internal/media/guard"
	"github.com/offhook/offhook/internal/media/udp"
)

func TestCheckIsAnswered(t *testing.T) {
	s := newServer(t, Config{})
	e := newPath(t, s)
	l := newLight(t, s)
	l.negotiate(e.path)
	r := l.check(nominate)
	if r.Type != stun.BindingSuccess || stun.NewShortTermIntegrity(l.ours.Pwd).Check(r) != nil || stun.Fingerprint.Check(r) != nil {
		t.Errorf("response %v", r)
	}
	var mapped stun.XORMappedAddress
	must(t, mapped.GetFrom(r))
	if own, ok := l.conn.LocalAddr().(*net.UDPAddr); !ok || mapped.Port != own.Port || !mapped.IP.Equal(own.IP) {
		t.Errorf("mapped address %v, want %v", mapped, l.conn.LocalAddr())
	}
}

func TestCheckErrors(t *testing.T) {
	s := newServer(t, Config{})
	e := newPath(t, s)
	l := newLight(t, s)
	l.negotiate(e.path)
	for _, c := range []struct {
		name string
		attr stun.Setter
		code stun.ErrorCode
	}{
		{"both sides are controlled", stun.RawAttribute{Type: stun.AttrICEControlled, Value: make([]byte, 8)}, stun.CodeRoleConflict},
		{"unknown attribute that must be understood", stun.RawAttribute{Type: 0x7777}, stun.CodeUnknownAttribute},
	} {
		r := l.check(c.attr)
		var code stun.ErrorCodeAttribute
		if code.GetFrom(r) != nil || code.Code != c.code || r.Type != stun.BindingError {
			t.Errorf("%s: %v %v", c.name, r, code)
		}
	}
	if r := l.check(stun.RawAttribute{Type: 0xC057, Value: make([]byte, 4)}); r.Type != stun.BindingSuccess {
		t.Errorf("an optional attribute of Chromium: %v", r)
	}
}

func TestForgedChecksAreIgnored(t *testing.T) {
	s := newServer(t, Config{})
	e := newPath(t, s)
	l := newLight(t, s)
	l.negotiate(e.path)
	good := l.ours
	cases := map[string]func() *stun.Message{
		"wrong password": func() *stun.Message {
			l.ours.Pwd = strings.Repeat("x", 26)
			return l.request(nominate)
		},
		"unknown ufrag": func() *stun.Message {
			l.ours.Ufrag = "nobody"
			return l.request(nominate)
		},
		"no integrity": func() *stun.Message {
			return stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername(l.ours.Ufrag+":"+l.own.Ufrag), stun.Fingerprint)
		},
		"bits changed under way": func() *stun.Message {
			m := l.request(nominate)
			m.Raw[9] ^= 1
			return m
		},
		"response instead of request": func() *stun.Message {
			return stun.MustBuild(stun.TransactionID, stun.BindingSuccess, stun.NewUsername(l.ours.Ufrag+":"+l.own.Ufrag),
				stun.NewShortTermIntegrity(l.ours.Pwd), stun.Fingerprint)
		},
	}
	for name, forge := range cases {
		l.ours = good
		if !l.ignored(forge()) {
			t.Errorf("%s: got a response", name)
		}
	}
	if st := s.Stats(); st.Blocked != uint64(len(cases)) || st.Routes != 0 {
		t.Errorf("stats %+v", st)
	}
}

// TestAddressChange moves a browser to another network in the middle of a call.
func TestAddressChange(t *testing.T) {
	s := newServer(t, Config{})
	e := newPath(t, s)
	l := newLight(t, s)
	l.connect(e.path, dtls.SRTP_AEAD_AES_128_GCM)
	next(t, "up", e.up)
	l.send(l.seal(1, 7, []byte("before")))
	next(t, "packet before", e.packets)

	l.move()
	l.send(l.seal(2, 7, []byte("too early")))
	none(t, "packet from an address that no check came from", e.packets, 100*time.Millisecond)
	l.check(nominate)
	l.send(l.seal(3, 7, []byte("after")))
	if p := next(t, "packet after", e.packets); string(p.Payload()) != "after" {
		t.Errorf("payload %q", p.Payload())
	}
	e.path.Send(outgoing(e.path.Format(), 1, 0, []byte("to the new address")))
	next(t, "packet at the new address", l.media)
	none(t, "down", e.down, 0)
}

// TestAddressChangeWithoutNomination is the same with a browser that nominates once,
// as Firefox does.
func TestAddressChangeWithoutNomination(t *testing.T) {
	s := newServer(t, Config{})
	e := newPath(t, s)
	l := newLight(t, s)
	l.connect(e.path, dtls.SRTP_AEAD_AES_128_GCM)
	next(t, "up", e.up)
	l.move()
	l.check()
	l.check()
	e.path.Send(outgoing(e.path.Format(), 1, 0, []byte("to the new address")))
	next(t, "packet at the new address", l.media)
}

func TestMoved(t *testing.T) {
	here, there := remote{addr: netip.MustParseAddrPort("192.0.2.7:7")}, remote{addr: netip.MustParseAddrPort("192.0.2.7:8")}
	for _, c := range []struct {
		name string
		path *Path
		want bool
	}{
		{"nothing is nominated yet", &Path{quiet: true, checked: there}, false},
		{"audio comes, and checks where they came from", &Path{found: true, checked: here}, false},
		{"no audio comes", &Path{found: true, checked: here, quiet: true}, true},
		{"the check before came by the new way, too", &Path{found: true, checked: there}, true},
	} {
		if got := c.path.movedLocked(there); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestAddressOfAnotherPathIsKept: a check with a forged source must not take
// another browser's packets away.
func TestAddressOfAnotherPathIsKept(t *testing.T) {
	s := newServer(t, Config{})
	victim, thief := newPath(t, s), newPath(t, s)
	l := newLight(t, s)
	l.connect(victim.path, dtls.SRTP_AEAD_AES_128_GCM)
	next(t, "up", victim.up)
	own := l.ours
	l.negotiate(thief.path)
	if !l.ignored(l.request(nominate)) {
		t.Error("the address of a live path was given to another")
	}
	l.ours = own
	l.send(l.seal(1, 7, []byte("mine")))
	next(t, "packet", victim.packets)
}

func TestRemotesAreBounded(t *testing.T) {
	s := newServer(t, Config{})
	e := newPath(t, s)
	l := newLight(t, s)
	l.negotiate(e.path)
	for range 3 * maxRemotes {
		l.move()
		if r := l.check(nominate); r.Type != stun.BindingSuccess {
			t.Fatal(r)
		}
	}
	if st := s.Stats(); st.Routes != maxRemotes {
		t.Errorf("%d addresses are kept", st.Routes)
	}
}

func TestProfiles(t *testing.T) {
	for _, c := range []struct {
		name    string
		offered []dtls.SRTPProtectionProfile
		want    dtls.SRTPProtectionProfile
	}{
		{"GCM is taken even if offered last", []dtls.SRTPProtectionProfile{dtls.SRTP_AES128_CM_HMAC_SHA1_80, dtls.SRTP_AEAD_AES_128_GCM}, dtls.SRTP_AEAD_AES_128_GCM},
		{"AES-CM for those without GCM", []dtls.SRTPProtectionProfile{dtls.SRTP_AES128_CM_HMAC_SHA1_80}, dtls.SRTP_AES128_CM_HMAC_SHA1_80},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, Config{})
			e := newPath(t, s)
			l := newLight(t, s)
			l.negotiate(e.path)
			l.check(nominate)
			must(t, l.handshake(c.offered...))
			next(t, "up", e.up)
			if got, _ := l.association.SelectedSRTPProtectionProfile(); got != c.want {
				t.Errorf("profile %v", got)
			}
			l.send(l.seal(1, 7, []byte("hello")))
			if p := next(t, "packet", e.packets); string(p.Payload()) != "hello" {
				t.Errorf("payload %q", p.Payload())
			}
			e.path.Send(outgoing(e.path.Format(), 9, 0, []byte("welcome")))
			plain, err := l.in.DecryptRTP(nil, next(t, "packet of ours", l.media), nil)
			if err != nil || string(plain[12:]) != "welcome" {
				t.Errorf("%q %v", plain, err)
			}
		})
	}
}

func TestHandshakesAreBounded(t *testing.T) {
	s := newServer(t, Config{MaxHandshakes: 1, HandshakeTimeout: time.Second})
	slow := newPath(t, s)
	stuck := newLight(t, s)
	stuck.negotiate(slow.path)
	stuck.check(nominate)
	hello := clientHello()
	stuck.send(hello)
	next(t, "first flight of the server", stuck.dtls)

	other := newPath(t, s)
	l := newLight(t, s)
	l.negotiate(other.path)
	l.check(nominate)
	l.send(hello)
	none(t, "flight for the one too many", l.dtls, 200*time.Millisecond)
	if err := next(t, "down of the stuck one", slow.down); err == nil || errors.Is(err, ErrClosed) {
		t.Errorf("down because of %v", err)
	}
	must(t, l.handshake(dtls.SRTP_AEAD_AES_128_GCM))
	next(t, "up of the other", other.up)
}

// clientHello is a DTLS 1.2 ClientHello that a server takes as far as its first
// flight: ECDHE-ECDSA with AES-128-GCM, P-256 and use_srtp.
func clientHello() []byte {
	ext := []byte{
		0, 10, 0, 4, 0, 2, 0, 23, // supported_groups: secp256r1
		0, 11, 0, 2, 1, 0, // ec_point_formats
		0, 13, 0, 4, 0, 2, 4, 3, // signature_algorithms: ecdsa_secp256r1_sha256
		0, 14, 0, 5, 0, 2, 0, 7, 0, // use_srtp: AEAD_AES_128_GCM
		0, 23, 0, 0, // extended_master_secret
	}
	body := append([]byte{0xfe, 0xfd}, make([]byte, 32)...)
	body = append(body, 0, 0, 0, 2, 0xc0, 0x2b, 1, 0)
	body = append(binary.BigEndian.AppendUint16(body, uint16(len(ext))), ext...)
	n := byte(len(body))
	message := append([]byte{1, 0, 0, n, 0, 0, 0, 0, 0, 0, 0, n}, body...)
	return append([]byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, byte(len(message))}, message...)
}

// TestHostileInput throws what is not WebRTC at a server in the middle of a call:
// from strangers, and from the far end's own address.
func TestHostileInput(t *testing.T) {
	s := newServer(t, Config{})
	e := newPath(t, s)
	l := newLight(t, s)
	l.connect(e.path, dtls.SRTP_AEAD_AES_128_GCM)
	next(t, "up", e.up)
	stranger := newLight(t, s)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 3000 {
		junk := make([]byte, random.IntN(1500))
		for j := range junk {
			junk[j] = byte(random.Uint32())
		}
		if len(junk) > 0 {
			junk[0] = []byte{0, 1, 22, 21, 23, 128, 144, 191, 70, byte(random.Uint32())}[i%10]
		}
		stranger.send(junk)
		l.send(junk)
		if i%100 == 0 { // do not overrun the socket: every junk shall be looked at
			l.check()
		}
	}
	l.send(l.seal(1, 7, []byte("still here")))
	if p := next(t, "packet after the storm", e.packets); string(p.Payload()) != "still here" {
		t.Errorf("payload %q", p.Payload())
	}
	if st := s.Stats(); st.Routes != 1 || st.Handshakes != 0 || st.Blocked < 2000 {
		t.Errorf("stats %+v", st)
	}
}

// TestForgedRecordsDoNotEndACall sends records in the clear from the far end's
// address after the handshake, before and after its first audio.
func TestForgedRecordsDoNotEndACall(t *testing.T) {
	s := newServer(t, Config{})
	e := newPath(t, s)
	l := newLight(t, s)
	l.connect(e.path, dtls.SRTP_AEAD_AES_128_GCM)
	next(t, "up", e.up)
	forged := [][]byte{
		{21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 1, 0, 0, 2, 1, 0},  // close_notify
		{21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 1, 1, 0, 2, 2, 40}, // handshake_failure
		{23, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 1, 2, 0, 1, 0},     // application data
		{20, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 1, 3, 0, 2, 1, 1},  // ChangeCipherSpec of two bytes
		{99, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 1, 4, 0, 1, 0},     // no such type
		{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 1, 5, 0, 0, 21, 0xfe, 0xfd, // an alert behind a handshake record
			0, 0, 0, 0, 0, 0, 1, 6, 0, 2, 2, 40},
	}
	for round := range uint16(2) {
		for _, b := range forged {
			l.send(b)
		}
		l.send(l.seal(1+round, 7, []byte("audio")))
		next(t, "packet", e.packets)
	}
	none(t, "down", e.down, 100*time.Millisecond)
	none(t, "record sent to the browser", l.dtls, 0)
	must(t, l.association.Close()) // the true close_notify
	if err := next(t, "down", e.down); !errors.Is(err, ErrClosed) {
		t.Errorf("down because of %v", err)
	}
}

func TestSourcesAreBounded(t *testing.T) {
	s := newServer(t, Config{})
	e := newPath(t, s)
	l := newLight(t, s)
	l.connect(e.path, dtls.SRTP_AEAD_AES_128_GCM)
	next(t, "up", e.up)
	for ssrc := range uint32(3 * guard.MaxSources) {
		l.send(l.seal(1, 1000+ssrc, []byte("x")))
	}
	for range guard.MaxSources {
		next(t, "packet", e.packets)
	}
	none(t, "packet of one source too many", e.packets, 100*time.Millisecond)
	l.send(l.seal(2, 1000, []byte("x")))
	next(t, "packet of a known source", e.packets)
}

// TestHeaderShapes sends what RFC 3550 allows around a payload.
func TestHeaderShapes(t *testing.T) {
	s := newServer(t, Config{})
	e := newPath(t, s)
	l := newLight(t, s)
	l.connect(e.path, dtls.SRTP_AEAD_AES_128_GCM)
	next(t, "up", e.up)
	for seq, c := range []struct {
		name  string
		flags byte
		typ   byte
		rest  string // behind the source
		want  string // "" is dropped
	}{
		{"plain", 0x80, 0, "hello", "hello"},
		{"marker", 0x80, 0x80, "hello", "hello"},
		{"two contributing sources", 0x82, 0, "\x00\x00\x00\x01\x00\x00\x00\x02hello", "hello"},
		{"extension of one word", 0x90, 0, "\xbe\xde\x00\x01\x10\x55\x00\x00hello", "hello"},
		{"extension of no known profile", 0x90, 0, "\x12\x34\x00\x01\x01\x02\x03\x04hello", "hello"},
		{"padding", 0xa0, 0, "hello\x00\x00\x03", "hello"},
		{"padding of everything", 0xa0, 0, "\x00\x00\x03", ""},
		{"padding longer than the packet", 0xa0, 0, "hello\xff", ""},
		{"no payload", 0x80, 0, "", ""},
		{"a type that was not negotiated", 0x80, 13, "hello", ""},
		{"longer than any audio", 0x80, 0, strings.Repeat("x", media.MaxPayload+1), ""},
	} {
		l.send(l.encrypt(append([]byte{c.flags, c.typ, 0, byte(seq), 0, 0, 0, 9, 0, 0, 0, 7}, c.rest...)))
		if c.want == "" {
			none(t, c.name, e.packets, 50*time.Millisecond)
			continue
		}
		p := next(t, c.name, e.packets)
		if string(p.Payload()) != c.want || p.Seq != uint16(seq) || p.Timestamp != 9 || p.SSRC != 7 || p.Marker != (c.typ == 0x80) {
			t.Errorf("%s: %q %+v", c.name, p.Payload(), p)
		}
	}
	if st := e.path.Stats(); st.Malformed != 4 || st.WrongType != 1 {
		t.Errorf("stats %+v", st)
	}
}

func TestReplayIsDropped(t *testing.T) {
	s := newServer(t, Config{})
	e := newPath(t, s)
	l := newLight(t, s)
	l.connect(e.path, dtls.SRTP_AEAD_AES_128_GCM)
	next(t, "up", e.up)
	packet := l.seal(1, 7, []byte("once"))
	for range 3 {
		l.send(packet)
	}
	next(t, "packet", e.packets)
	none(t, "replayed packet", e.packets, 100*time.Millisecond)
}

func TestReportsAreSent(t *testing.T) {
	s := newServer(t, Config{})
	e := newPath(t, s)
	l := newLight(t, s)
	l.connect(e.path, dtls.SRTP_AEAD_AES_128_GCM)
	next(t, "up", e.up)
	for _, seq := range []uint16{65534, 65535, 1, 2} { // 0 is lost
		l.send(l.seal(seq, 7, make([]byte, 160)))
		next(t, "packet", e.packets)
	}
	e.path.Send(outgoing(media.Format{}, 1, 800, make([]byte, 160)))
	next(t, "our packet", l.media)
	plain, err := l.in.DecryptRTCP(nil, next(t, "report", l.media), nil)
	must(t, err)
	if plain[1] != 200 || binary.BigEndian.Uint32(plain[20:]) != 1 {
		t.Errorf("not a sender report about one packet: % x", plain)
	}
	block := plain[28:]
	if ssrc, lost, highest := binary.BigEndian.Uint32(block), binary.BigEndian.Uint32(block[4:])&0xffffff, binary.BigEndian.Uint32(block[8:]); ssrc != 7 || lost != 1 || highest != 1<<16+2 {
		t.Errorf("reception report: source %d, lost %d, highest %d", ssrc, lost, highest)
	}
}

func FuzzDeliver(f *testing.F) {
	s, err := NewServer(Config{Listen: loopback})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	p, err := s.NewPath(PathConfig{})
	if err != nil {
		f.Fatal(err)
	}
	l := newLight(f, s)
	l.negotiate(p)
	p.mu.Lock()
	from := remote{addr: loopback}
	p.learnLocked(from, time.Now())
	p.mu.Unlock()
	f.Add(l.request(nominate).Raw)
	f.Add([]byte{0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 1, 2, 3})
	f.Add([]byte{22, 0xfe, 0xfd, 0, 1, 0, 0})
	r := reader{Datagram: new(udp.Datagram)}
	f.Fuzz(func(t *testing.T, datagram []byte) {
		if len(datagram) > 1500 {
			return
		}
		b := r.Room()[:len(datagram)]
		copy(b, datagram)
		if s.deliver(&r, b, from); s.Stats().Panics > 0 {
			t.Error("a panic")
		}
	})
}
