package sipedge

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/rtc"
	"github.com/offhook/offhook/internal/sip"
)

// testWebPaths makes real WebRTC paths.
type testWebPaths struct{ server *rtc.Server }

func (p testWebPaths) New(ev WebEvents) (WebPath, error) {
	return p.server.NewPath(rtc.PathConfig{OnUp: ev.Up, OnDown: func(error) { ev.Down() }, OnDigit: ev.Digit})
}

// newWebBench starts an Edge that serves browsers.
func newWebBench(t *testing.T) *bench {
	t.Helper()
	server, err := rtc.NewServer(rtc.Config{Listen: netip.MustParseAddrPort("127.0.0.1:0")})
	must(t, err)
	t.Cleanup(func() { must(t, server.Close()) })
	b := newBench(t, netip.MustParseAddrPort("127.0.0.3:9"))
	b.edge.cfg.Web = testWebPaths{server}
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// browser is a SIP client in a browser: a stack on a WebSocket, and a peer connection.
type browser struct {
	*peer
	edge   *bench
	url    string
	secure bool
	flows  chan sip.Flow
	flow   sip.Flow
	pc     *webrtc.PeerConnection
	mic    *webrtc.TrackLocalStaticRTP
}

// greeting lets the client's stack see its WebSocket's flow; its answer is
// nobody's and dropped.
const greeting = "OPTIONS sip:client SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bKhello\r\nFrom: <sip:x@x>;tag=1\r\n" +
	"To: <sip:client@x>\r\nCall-ID: hello\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"

// newBrowser connects to b's stack over a WebSocket.
func newBrowser(t *testing.T, b *bench) *browser {
	t.Helper()
	return newBrowserOver(t, b, sip.WS)
}

// newBrowserOver connects over WS, or over what both ends take for WSS.
func newBrowserOver(t *testing.T, b *bench, transport string) *browser {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"sip"}})
		if err != nil || conn.Write(r.Context(), websocket.MessageText, []byte(greeting)) != nil {
			return
		}
		b.edge.stack.ServeWebSocket(conn, netip.MustParseAddrPort(r.RemoteAddr), transport == sip.WSS)
	}))
	t.Cleanup(server.Close)
	p := newPeer(t, "127.0.0.1", nil)
	w := &browser{
		peer: p, edge: b, url: "ws" + strings.TrimPrefix(server.URL, "http"), secure: transport == sip.WSS,
		flows: make(chan sip.Flow, 1),
	}
	w.pc, w.mic = newPeerConnection(t)
	p.stack = sip.NewStack(sip.Config{Handler: sip.HandlerFunc(func(tx *sip.ServerTx, req *sip.Request) {
		if req.Method == sip.OPTIONS {
			w.flows <- tx.Flow()
			tx.Reply(200, "")
			return
		}
		p.serve(tx, nil)
	})})
	t.Cleanup(p.stack.Close)
	w.connect()
	return w
}

// connect opens a WebSocket, in place of a former one.
func (w *browser) connect() {
	w.t.Helper()
	conn, _, err := websocket.Dial(w.t.Context(), w.url, &websocket.DialOptions{Subprotocols: []string{"sip"}})
	must(w.t, err)
	w.stack.ServeWebSocket(conn, w.edge.at, w.secure) // until the stack's Close
	w.flow = next(w.t, "greeting", w.flows)
}

// newPeerConnection makes one with a PCMU microphone.
func newPeerConnection(t *testing.T) (*webrtc.PeerConnection, *webrtc.TrackLocalStaticRTP) {
	t.Helper()
	var m webrtc.MediaEngine
	must(t, m.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMU, ClockRate: 8000},
	}, webrtc.RTPCodecTypeAudio))
	var se webrtc.SettingEngine
	se.SetIncludeLoopbackCandidate(true)
	se.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() && ip.To4() != nil })
	se.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	must(t, se.SetAnsweringDTLSRole(webrtc.DTLSRoleClient)) // as browsers do
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(&m), webrtc.WithSettingEngine(se)).NewPeerConnection(webrtc.Configuration{})
	must(t, err)
	t.Cleanup(func() { _ = pc.GracefulClose() })
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMU}, "audio", "mic")
	must(t, err)
	_, err = pc.AddTrack(track)
	must(t, err)
	return pc, track
}

// offer makes the peer connection's offer.
func (w *browser) offer() string {
	w.t.Helper()
	offer, err := w.pc.CreateOffer(nil)
	must(w.t, err)
	gathered := webrtc.GatheringCompletePromise(w.pc)
	must(w.t, w.pc.SetLocalDescription(offer))
	<-gathered
	return w.pc.LocalDescription().SDP
}

// accept takes the answer to the offer.
func (w *browser) accept(answer []byte) {
	w.t.Helper()
	must(w.t, w.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(answer)}))
}

// answer returns the peer connection's answer to an offer; connect lets it begin
// to connect.
func (w *browser) answer(offer []byte) (answer string, connect func()) {
	w.t.Helper()
	must(w.t, w.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(offer)}))
	made, err := w.pc.CreateAnswer(nil)
	must(w.t, err)
	return made.SDP, func() { must(w.t, w.pc.SetLocalDescription(made)) }
}

// talks calls and is answered, with media up.
func (w *browser) talks() (*outcome, *sip.Dialog, core.LegRef) {
	w.t.Helper()
	o, ref := w.invite("12995558888", []byte(w.offer()))
	w.edge.do(core.Progress{LegRef: ref, Early: true})
	w.accept(next(w.t, "183", o.provisional).Body())
	w.connected()
	w.edge.do(core.Answer{LegRef: ref})
	d := next(w.t, "200", o.answered)
	wait(w.edge, anyOf[core.LegUp])
	return o, d, ref
}

// speak sends a packet every 5 ms until the test ends.
func (w *browser) speak() {
	go func() {
		for n := uint16(0); w.t.Context().Err() == nil; n++ {
			_ = w.mic.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: n}, Payload: make([]byte, 160)})
			time.Sleep(5 * time.Millisecond)
		}
	}()
}

// connected waits until ICE and DTLS of the peer connection are done.
func (w *browser) connected() {
	w.t.Helper()
	for deadline := time.Now().Add(5 * time.Second); w.pc.ConnectionState() != webrtc.PeerConnectionStateConnected; {
		if time.Now().After(deadline) {
			w.t.Fatalf("peer connection is %s", w.pc.ConnectionState())
		}
		time.Sleep(time.Millisecond)
	}
}

// register registers alice and returns her contact.
func (w *browser) register() core.ContactID {
	w.t.Helper()
	req := sip.NewRequest(sip.REGISTER, sip.Uri{Scheme: "sip", Host: realm})
	addresses(req, "alice")
	res := w.send(sip.Outbound{
		Request: req, ContactUser: "alice", Flow: w.flow, Credentials: &sip.Credentials{Username: "alice", Password: "secret"},
	})
	if res.StatusCode != 200 {
		w.t.Fatalf("REGISTER: %d", res.StatusCode)
	}
	return wait(w.edge, anyOf[core.ContactUp]).Contact.ID
}

// ring lets the exchange call the browser, and returns the INVITE.
func (w *browser) ring(leg core.LegID) (core.LegRef, *call) {
	w.t.Helper()
	ref := core.LegRef{Leg: leg, Edge: core.EdgeSIP}
	w.edge.do(core.Ring{
		LegRef: ref, Call: "c", Target: core.Target{Contact: w.register()}, From: core.Party{Number: "12995550100"},
	})
	return ref, next(w.t, "INVITE", w.calls)
}

// invite calls number with a body, nil for an INVITE without offer.
func (w *browser) invite(number string, body []byte) (*outcome, core.LegRef) {
	w.t.Helper()
	o, ev := newOutcome()
	w.stack.Invite(sip.InviteRequest{
		RequestURI: sip.Uri{Scheme: "sip", User: number, Host: realm}, Flow: w.flow, ContactUser: "alice", Body: body,
		From:        sip.Address{URI: sip.Uri{Scheme: "sip", User: "alice", Host: realm}},
		To:          sip.Address{URI: sip.Uri{Scheme: "sip", User: number, Host: realm}},
		Credentials: &sip.Credentials{Username: "alice", Password: "secret"},
	}, ev)
	offered := wait(w.edge, anyOf[core.Offered])
	return o, core.LegRef{Leg: offered.Leg, Edge: core.EdgeSIP}
}
