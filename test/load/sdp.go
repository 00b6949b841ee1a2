package main

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// RTP payload types that the generator offers.
const (
	pcmuType = 0
	opusType = 111
)

// keysType is the RTP payload type of keys (RFC 4733), which all phones offer: without,
// the server would have to listen for tones.
const keysType = 101

// describe writes a session description for RTP at addr with one codec.
func describe(addr netip.AddrPort, payloadType uint8) string {
	coding := "PCMU/8000"
	if payloadType != pcmuType {
		coding = "opus/48000/2"
	}
	return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio %[2]d RTP/AVP %[3]d %[5]d\r\na=rtpmap:%[3]d %[4]s\r\na=rtpmap:%[5]d telephone-event/8000\r\na=ptime:20\r\n",
		addr.Addr(), addr.Port(), payloadType, coding, keysType)
}

// mediaAddr returns where the peer wants its RTP, from the description's first
// audio section.
func mediaAddr(description string) (netip.AddrPort, error) {
	var addr netip.Addr
	var port int
	for line := range strings.Lines(description) {
		line = strings.TrimRight(line, "\r\n")
		if host, found := strings.CutPrefix(line, "c=IN IP4 "); found {
			addr, _ = netip.ParseAddr(host)
		}
		if rest, found := strings.CutPrefix(line, "m=audio "); found && port == 0 {
			number, _, _ := strings.Cut(rest, " ")
			port, _ = strconv.Atoi(number)
		}
	}
	if !addr.IsValid() || port <= 0 || port > 65535 {
		return netip.AddrPort{}, fmt.Errorf("no audio address in %q", description)
	}
	return netip.AddrPortFrom(addr, uint16(port)), nil
}

// offeredType returns the payload type under which the description offers coding.
func offeredType(description, coding string) (uint8, bool) {
	for line := range strings.Lines(description) {
		rest, found := strings.CutPrefix(line, "a=rtpmap:")
		if !found {
			continue
		}
		number, name, _ := strings.Cut(strings.TrimSpace(rest), " ")
		if t, err := strconv.ParseUint(number, 10, 7); err == nil && strings.EqualFold(strings.Split(name, "/")[0], coding) {
			return uint8(t), true
		}
	}
	return 0, false
}
