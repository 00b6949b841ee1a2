package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// domain is the host part of the users' addresses.
const domain = "bench.test"

// groupNumber leads to the ring group of all callees.
const groupNumber = "12995558888"

// house is who is in the configuration of a server.
type house struct {
	callers, callees []account
	group            bool         // groupNumber rings all callees
	app              *application // nil if there is none
	known            []account    // in the configuration instead of callers and callees
}

// newHouse makes accounts.
func newHouse(callers, callees int) house {
	var h house
	for i := range callers {
		h.callers = append(h.callers, account{fmt.Sprintf("caller%d", i), fmt.Sprintf("correct horse %d", i)})
	}
	for i := range callees {
		h.callees = append(h.callees, account{fmt.Sprintf("callee%d", i), fmt.Sprintf("battery staple %d", i)})
	}
	return h
}

// yaml writes the resources.
func (h house) yaml() string {
	var b strings.Builder
	b.WriteString("resources:\n  users:\n")
	lists := [][]account{h.callers, h.callees}
	if h.known != nil {
		lists = [][]account{h.known}
	}
	for _, list := range lists {
		for _, a := range list {
			fmt.Fprintf(&b, "    - {name: %s, password: %q}\n", a.user, a.password)
		}
	}
	if h.group {
		b.WriteString("  groups:\n    - name: everybody\n      endpoints:\n")
		for _, a := range h.callees {
			fmt.Fprintf(&b, "        - {user: %s}\n", a.user)
		}
		fmt.Fprintf(&b, "  numbers:\n    - {number: %q, group: everybody}\n", groupNumber)
	}
	if h.app != nil {
		b.WriteString(h.app.yaml())
	}
	return b.String()
}

// server is offhook under test.
type server struct {
	process
	sip    netip.AddrPort
	url    string // of HTTP
	ready  time.Duration
	client http.Client
	ended  chan struct{}
	log    string // file
}

// startServer starts binary for h with its data in folder, and waits until it
// takes calls.
func startServer(binary, folder string, h house) (*server, error) {
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	s := &server{
		sip: ports[0], url: "http://" + ports[1].String(), ended: make(chan struct{}),
		client: http.Client{Timeout: 5 * time.Second}, log: filepath.Join(folder, "server.log"),
	}
	config := filepath.Join(folder, "offhook.yaml")
	text := fmt.Sprintf(`http: {listen: %q}
sip: {domain: %s, udp: %q, tcp: "", tls: ""}
media: {rtp_ports: 10000-16383, webrtc_udp: %q}
store: {folder: %q}
%s`, ports[1], domain, ports[0], ports[2], filepath.Join(folder, "data"), h.yaml())
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // in our own folder
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.cmd = exec.Command(binary, "serve", "-c", config) //nolint:noctx,gosec // stop ends it
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = folder, log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	begun := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w (make build makes it)", err)
	}
	go func() {
		_ = s.cmd.Wait() // how it ended is in its log
		close(s.ended)
	}()
	if err := s.awaitReady(begun); err != nil {
		s.stop()
		return nil, errors.Join(err, s.tail())
	}
	return s, nil
}

// awaitReady polls /readyz and notes how long it took.
func (s *server) awaitReady(begun time.Time) error {
	for time.Since(begun) < 60*time.Second {
		if _, err := s.get("/readyz"); err == nil {
			s.ready = time.Since(begun)
			return nil
		}
		select {
		case <-s.ended:
			return errors.New("the server ended at once")
		case <-time.After(2 * time.Millisecond):
		}
	}
	return errors.New("the server was not ready within 60 s")
}

// get returns the body of a page.
func (s *server) get(path string) (string, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.url+path, nil)
	if err != nil {
		return "", err
	}
	res, err := s.client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, res.Status)
	}
	return string(body), err
}

// metric reads one gauge of /metrics.
func metric(page, name string) (float64, error) {
	for line := range strings.Lines(page) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("/metrics has no %s", name)
}

// holdings is what a server holds; what calls add must be gone after them.
type holdings struct{ legs, calls, contacts, sockets, goroutines int }

func (s *server) holdings() (holdings, error) {
	page, err := s.get("/metrics")
	if err != nil {
		return holdings{}, err
	}
	var h holdings
	for name, to := range map[string]*int{
		"offhook_legs": &h.legs, "offhook_calls": &h.calls, "offhook_contacts": &h.contacts, "go_goroutines": &h.goroutines,
	} {
		value, err := metric(page, name)
		if err != nil {
			return holdings{}, err
		}
		*to = int(value)
	}
	h.sockets, err = s.sockets()
	return h, err
}

// spare is by how much goroutines and sockets may differ before and after: the
// scrape's own connections come and go.
const spare = 4

// leaks compares what the server holds after its calls with before, and gives it
// time to let go.
func (s *server) leaks(before holdings, limit time.Duration) ([]string, error) {
	for end := time.Now().Add(limit); ; time.Sleep(100 * time.Millisecond) {
		after, err := s.holdings()
		if err != nil {
			return nil, err
		}
		left := problems(map[string]int{
			"legs left over":       after.legs - before.legs,
			"calls left over":      after.calls - before.calls,
			"registrations lost":   before.contacts - after.contacts,
			"registrations added":  after.contacts - before.contacts,
			"sockets left over":    max(0, after.sockets-before.sockets-spare),
			"goroutines left over": max(0, after.goroutines-before.goroutines-spare),
		})
		if len(left) == 0 || time.Now().After(end) {
			return left, nil
		}
	}
}

// stop ends the server as an operator would, and kills it if it does not go.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may be gone
	select {
	case <-s.ended:
	case <-time.After(5 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
	s.client.CloseIdleConnections()
}

// tail returns the end of the log as an error, for whoever has to find out.
func (s *server) tail() error {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return err
	}
	return fmt.Errorf("server log: ...%s", text[max(0, len(text)-2000):])
}

// freePorts returns addresses on 127.0.0.1 that were free for UDP and TCP.
func freePorts(n int) ([]netip.AddrPort, error) {
	var list []netip.AddrPort
	for len(list) < n {
		l, err := net.Listen("tcp4", "127.0.0.1:0") //nolint:noctx // at once
		if err != nil {
			return nil, err
		}
		defer l.Close()
		u, err := net.ListenPacket("udp4", l.Addr().String()) //nolint:noctx // at once
		if err != nil {
			continue
		}
		defer u.Close()
		addr, err := netip.ParseAddrPort(l.Addr().String())
		if err != nil {
			return nil, err
		}
		list = append(list, addr)
	}
	return list, nil
}
