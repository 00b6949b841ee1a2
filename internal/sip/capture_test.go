package sip

import (
	"net/netip"

	sipmsg "github.com/emiago/sipgo/sip"
)

// captureLink is a link that shows what is sent.
type captureLink struct {
	proto  string
	got    func([]byte)
	failed error
}

func (l *captureLink) transport() string     { return l.proto }
func (l *captureLink) local() netip.AddrPort { return netip.MustParseAddrPort(stackAddr) }
func (l *captureLink) peer() netip.AddrPort  { return netip.MustParseAddrPort(peerAddr) }
func (l *captureLink) alive() bool           { return l.failed == nil }
func (l *captureLink) fail(why error)        { l.failed = why }

func (l *captureLink) sentBy(netip.AddrPort) hostPort { return hostPort{host: "192.0.2.1", port: 5060} }

func (l *captureLink) send(data []byte, _ netip.AddrPort) error {
	l.got(data)
	return nil
}

var testParser = sipmsg.NewParser()
