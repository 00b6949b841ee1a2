//go:build e2e

package harness

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/offhook/offhook/internal/media/file"
	"github.com/offhook/offhook/internal/testkit"
)

// BaresipConfig says what a baresip phone is.
type BaresipConfig struct {
	User, Password string  // a password without blanks: baresip would cut it
	Server         string  // "127.0.0.1:5060", empty for no registration
	Transport      string  // "udp" (default), "tcp" or "tls"
	Codec          string  // "PCMU" (default), "PCMA", "G722" or "opus"
	SRTP           string  // "srtp" offers it, "srtp-mand" insists; "" is plain RTP
	Tone           float64 // Hz that it says in a call, 0 is 600
	AutoAnswer     bool
	Expires        int // seconds of a registration, 0 is 60
}

// Baresip is a running baresip.
type Baresip struct {
	*Process
	config BaresipConfig
	addr   string
	rec    string // folder of its recordings
	old    int    // recordings of calls before the last one
	ctrl   net.Conn
	events chan BaresipEvent
	token  atomic.Int64
}

// BaresipEvent is one event of its control socket.
type BaresipEvent struct {
	Event bool   `json:"event"`
	Type  string `json:"type"`  // CALL_INCOMING, CALL_RINGING, CALL_ESTABLISHED, CALL_CLOSED, REGISTER_OK, ...
	Param string `json:"param"` // why, of CALL_CLOSED
	Peer  string `json:"peeruri"`
}

const baresipConfig = `
sip_listen %[1]s
net_interface 127.0.0.1
audio_source aufile,%[3]s/say.wav
audio_player aubridge,nil
audio_alert aubridge,nil
rtp_ports %[4]d-%[5]d
module_path /usr/lib/baresip/modules
module g711.so
module g722.so
module opus.so
module srtp.so
module aufile.so
module aubridge.so
module sndfile.so
snd_path %[3]s/rec
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen %[2]s
`

// rtpBlocks hands out the RTP ports of phones: 20 for each, above those that
// offhook uses in tests.
var rtpBlocks atomic.Int32

// NewBaresip starts a phone and waits until it is registered, if it has a Server.
func NewBaresip(t testing.TB, c BaresipConfig) *Baresip {
	t.Helper()
	dir := filepath.Join(Artifacts(t), "baresip-"+c.User)
	if err := os.MkdirAll(filepath.Join(dir, "rec"), 0o755); err != nil {
		t.Fatal(err)
	}
	old, _ := filepath.Glob(filepath.Join(dir, "rec", "*.wav"))
	for _, f := range old {
		_ = os.Remove(f)
	}
	addr := "127.0.0.1:" + strconv.Itoa(int(testkit.FreePort(t, "127.0.0.1")))
	ctrl := "127.0.0.1:" + strconv.Itoa(int(testkit.FreePort(t, "127.0.0.1")))
	rtp := 22000 + 20*int(rtpBlocks.Add(1)%500)
	write(t, filepath.Join(dir, "config"), fmt.Sprintf(baresipConfig, addr, ctrl, dir, rtp, rtp+19))
	write(t, filepath.Join(dir, "accounts"), c.account(addr))
	write(t, filepath.Join(dir, "contacts"), "")
	c.writeTone(t, filepath.Join(dir, "say.wav"))

	b := &Baresip{config: c, addr: addr, rec: filepath.Join(dir, "rec"), events: make(chan BaresipEvent, 1000)}
	b.Process = Start(t, "baresip-"+c.User, exec.CommandContext(background(), "baresip", "-s", "-f", dir)) //nolint:gosec // our own arguments
	b.connect(ctrl)
	if c.Server != "" {
		// Not by the event: it may come before the control socket is connected.
		b.WaitFor(20*time.Second, "200 OK", "binding")
	}
	return b
}

func (c BaresipConfig) account(addr string) string {
	server, regint := c.Server, cmp.Or(c.Expires, 60)
	if server == "" {
		server, regint = addr, 0
	}
	codec := map[string]string{"": "PCMU/8000/1", "PCMU": "PCMU/8000/1", "PCMA": "PCMA/8000/1", "G722": "G722/16000/1", "opus": "opus/48000/2"}[c.Codec]
	mode := ""
	if c.AutoAnswer {
		mode = ";answermode=auto"
	}
	if c.SRTP != "" {
		mode += ";mediaenc=" + c.SRTP
	}
	return fmt.Sprintf("<sip:%s@%s;transport=%s>;auth_user=%s;auth_pass=%s;regint=%d;audio_codecs=%s%s\n",
		c.User, server, cmp.Or(c.Transport, "udp"), c.User, c.Password, regint, codec, mode)
}

// writeTone writes what the phone says. aufile converts nothing, so rate and
// channels are the codec's.
func (c BaresipConfig) writeTone(t testing.TB, path string) {
	t.Helper()
	rate, channels := 8000, 1
	switch c.Codec {
	case "opus":
		rate, channels = 48000, 2
	case "G722":
		rate = 16000
	}
	var pcm []int16
	for _, s := range Sine(rate, cmp.Or(c.Tone, 600), 120*time.Second) {
		pcm = append(pcm, slices.Repeat([]int16{s}, channels)...)
	}
	var wav bytes.Buffer
	if err := file.EncodeWAV(&wav, rate, channels, pcm); err != nil {
		t.Fatal(err)
	}
	write(t, path, wav.String())
}

// connect opens the control socket, which baresip serves once it is up.
func (b *Baresip) connect(addr string) {
	b.t.Helper()
	testkit.Eventually(b.t, 10*time.Second, b.name+" opens its control socket", func() bool {
		conn, err := new(net.Dialer).DialContext(background(), "tcp", addr)
		if err != nil {
			if b.Ended() {
				b.t.Fatalf("%s ended", b.name)
			}
			return false
		}
		b.ctrl = conn
		return true
	})
	var reading sync.WaitGroup
	reading.Go(func() { b.read(bufio.NewReader(b.ctrl)) })
	b.t.Cleanup(func() {
		b.ctrl.Close()
		reading.Wait()
	})
}

// read takes netstrings, "12:{...},", until the socket closes.
func (b *Baresip) read(in *bufio.Reader) {
	defer close(b.events)
	for {
		size, err := in.ReadString(':')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(size, ":"))
		if err != nil || n < 0 || n > 1<<20 {
			return
		}
		body := make([]byte, n+1)
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		var ev BaresipEvent
		if json.Unmarshal(body[:n], &ev) == nil && ev.Event {
			select {
			case b.events <- ev:
			default: // nobody looks; the log has it
			}
		}
	}
}

// command sends one command; its effect comes as events.
func (b *Baresip) command(name, params string) {
	b.t.Helper()
	msg, err := json.Marshal(map[string]string{"command": name, "params": params, "token": strconv.FormatInt(b.token.Add(1), 10)})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(b.ctrl, "%d:%s,", len(msg), msg); err != nil {
		b.t.Fatalf("%s: %s: %v", b.name, name, err)
	}
}

// Addr returns the phone's own "ip:port" for SIP.
func (b *Baresip) Addr() string { return b.addr }

// Dial calls a URI, or a user or number at its server.
func (b *Baresip) Dial(to string) {
	b.t.Helper()
	b.old = len(b.recordings())
	b.command("dial", to)
}

// Accept answers the ringing call.
func (b *Baresip) Accept() {
	b.t.Helper()
	b.old = len(b.recordings())
	b.command("accept", "")
}

// HangUp ends the current call; a ringing one is refused.
func (b *Baresip) HangUp() { b.t.Helper(); b.command("hangup", "") }

// Transfer sends the other party of the current call to a URI, by REFER.
func (b *Baresip) Transfer(to string) { b.t.Helper(); b.command("transfer", to) }

// Digits presses keys in the current call, as RFC 4733 events.
func (b *Baresip) Digits(keys string) { b.t.Helper(); b.command("sndcode", keys) }

// Await waits for an event of a type and returns it, dropping others before it.
func (b *Baresip) Await(kind string, within time.Duration) BaresipEvent {
	b.t.Helper()
	deadline := time.Now().Add(within)
	for {
		ev := testkit.Receive(b.t, b.events, time.Until(deadline), b.name+" reports "+kind)
		if ev.Type == kind {
			return ev
		}
	}
}

// Heard returns what the phone heard in its last call, which must be over: the
// file is complete only then.
func (b *Baresip) Heard() (rate int, pcm []int16) {
	b.t.Helper()
	testkit.Eventually(b.t, 5*time.Second, b.name+" recorded a call", func() bool {
		names := b.recordings()
		if len(names) == 0 {
			return false
		}
		f, err := os.Open(names[len(names)-1])
		if err != nil {
			b.t.Fatal(err)
		}
		defer f.Close()
		rate, pcm, err = file.DecodeWAV(f)
		return err == nil && len(pcm) > 0
	})
	return rate, pcm
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
