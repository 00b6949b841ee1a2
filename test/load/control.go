package main

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"time"
)

// messageSize is the length of a usual SIP message without SDP, in bytes.
const messageSize = 600

// floor is what plain UDP costs through the relay on this machine, now.
type floor struct {
	packet float64   // CPU ms for one packet in and out
	oneWay durations // from one phone's socket to the other's
	there  durations // and back again
}

// signallingFloor sends messages through a relay and back, rate packets a second
// through it in all, for d.
func signallingFloor(rate float64, d time.Duration) (floor, error) {
	r, err := startRelay(1)
	if err != nil {
		return floor{}, err
	}
	defer r.stop()
	a, err := dialControl("127.0.2.1", r.sessions[0].A)
	if err != nil {
		return floor{}, err
	}
	b, err := dialControl("127.0.3.1", r.sessions[0].B)
	if err != nil {
		return floor{}, errors.Join(err, a.Close())
	}
	var f floor
	done := make(chan struct{}, 2)
	go func() { f.oneWay = ages(b, b); done <- struct{}{} }()
	go func() { f.there = ages(a, nil); done <- struct{}{} }()
	_, err = b.Write([]byte{0}) // lets the relay know where b is
	message := make([]byte, messageSize)
	send := func(int) {
		binary.BigEndian.PutUint64(message, uint64(time.Now().UnixNano())) //nolint:gosec // after 1970
		_, _ = a.Write(message)                                            // a lost one is not counted
	}
	openLoop(rate/2, d/10, send)
	sent := 0
	used, cpuErr := during(r.process, func() { openLoop(rate/2, d, func(i int) { sent++; send(i) }) })
	f.packet = milliseconds(used, 2*sent)
	err = errors.Join(err, cpuErr, a.Close(), b.Close())
	<-done
	<-done
	return f, err
}

func dialControl(ip string, to netip.AddrPort) (*net.UDPConn, error) {
	return net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip)}, net.UDPAddrFromAddrPort(to))
}

// ages returns how old each message was that c got until it is closed, and
// sends each back by echo.
func ages(c, echo *net.UDPConn) durations {
	var list durations
	buf := make([]byte, 2048)
	for {
		n, err := c.Read(buf)
		if errors.Is(err, net.ErrClosed) {
			return list
		}
		if err != nil || n < 8 {
			continue
		}
		at := time.Now()
		if echo != nil {
			_, _ = echo.Write(buf[:n]) // as above
		}
		list = append(list, time.Duration(at.UnixNano()-int64(binary.BigEndian.Uint64(buf)))) //nolint:gosec // our own clock
	}
}
