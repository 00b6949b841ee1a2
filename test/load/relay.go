package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"sync/atomic"
)

// The control is a UDP relay in a process of its own: each session is a pair of
// sockets, and what comes in at one goes out at the other, to whoever sent there
// last. It does what no server can do without: one read and one write a packet.

// session is the addresses of one pair.
type session struct{ A, B netip.AddrPort }

// serveRelay is the control process. It prints its sessions and runs until
// stdin ends.
func serveRelay(sessions int, in io.Reader, out io.Writer) error {
	list := make([]session, sessions)
	for i := range list {
		var err error
		if list[i], err = startSession(); err != nil {
			return err
		}
	}
	if err := json.NewEncoder(out).Encode(list); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, in)
	return err
}

// relayEnd is one socket of a session.
type relayEnd struct {
	conn *net.UDPConn
	peer atomic.Pointer[netip.AddrPort]
}

func startSession() (session, error) {
	var ends [2]*relayEnd
	var addrs [2]netip.AddrPort
	for i := range ends {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return session{}, err
		}
		if addrs[i], err = netip.ParseAddrPort(conn.LocalAddr().String()); err != nil {
			return session{}, err
		}
		ends[i] = &relayEnd{conn: conn}
	}
	go ends[0].copyTo(ends[1])
	go ends[1].copyTo(ends[0])
	return session{addrs[0], addrs[1]}, nil
}

func (e *relayEnd) copyTo(other *relayEnd) {
	buf := make([]byte, 2048)
	for {
		n, from, err := e.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			continue // an ICMP error; the process is ended from outside
		}
		if old := e.peer.Load(); old == nil || *old != from {
			e.peer.Store(&from)
		}
		if to := other.peer.Load(); to != nil {
			_, _ = other.conn.WriteToUDPAddrPort(buf[:n], *to)
		}
	}
}

// relay is a running control process.
type relay struct {
	process
	sessions []session
	in       io.Closer
}

// startRelay starts the control with that many sessions.
func startRelay(sessions int) (*relay, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "-relay", fmt.Sprint(sessions)) //nolint:noctx,gosec // ends with its stdin
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := &relay{process: process{cmd}, in: in}
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&r.sessions); err != nil {
		r.stop()
		return nil, fmt.Errorf("control process: %w", err)
	}
	return r, nil
}

func (r *relay) stop() {
	_ = r.in.Close()
	_ = r.cmd.Wait()
}
