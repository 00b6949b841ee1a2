package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/offhook/offhook/internal/config"
	"github.com/offhook/offhook/internal/core"
	"github.com/offhook/offhook/internal/media/turn"
	"github.com/offhook/offhook/internal/rtcedge"
)

// openTURN opens the relay for browsers, if there shall be one.
func (n *node) openTURN(context.Context) error {
	if n.cfg.TURN.Listen == "" {
		return nil
	}
	listen, err := resolveListen(n.cfg.TURN.Listen)
	if err != nil {
		return fmt.Errorf("turn.listen: %w", err)
	}
	target, err := n.relayTarget()
	if err != nil {
		return err
	}
	n.turn, err = turn.NewServer(turn.Config{Listen: listen, Realm: n.cfg.TURN.Realm, Secret: n.turnKey, Target: target, Log: n.log})
	if err != nil {
		return busy("turn.listen", n.cfg.TURN.Listen, err)
	}
	n.onClose(func() { n.logged("close turn", n.turn.Close()) })
	n.log.Info("relay for browsers", "listen", n.turn.Addr().String(), "to", target.String())
	return nil
}

// relayTarget returns the one address that is relayed to.
func (n *node) relayTarget() (netip.AddrPort, error) {
	hosts := n.rtc.Hosts()
	if n.cfg.TURN.Relay == config.Auto {
		return hosts[0], nil
	}
	for _, h := range hosts {
		if h.Addr().String() == n.cfg.TURN.Relay {
			return h, nil
		}
	}
	return netip.AddrPort{}, fmt.Errorf("turn.relay: %s is no address of this machine that media.webrtc_udp listens at, which are %v", n.cfg.TURN.Relay, hosts)
}

// iceServers implements rtcedge.Config.ICE.
func (n *node) iceServers(user core.UserID) []rtcedge.ICEServer {
	if n.turn == nil {
		return nil
	}
	c := n.turn.Credentials(user.String(), time.Now().Add(2*n.rtcE.Limits.ICEEvery))
	at := net.JoinHostPort(n.turnHost(), strconv.Itoa(int(n.turn.Addr().Port())))
	urls := []string{"turn:" + at + "?transport=udp", "turn:" + at + "?transport=tcp"}
	return []rtcedge.ICEServer{{URLs: urls, Username: c.Name, Credential: c.Password}}
}

// turnHost is how clients reach the relay.
func (n *node) turnHost() string {
	switch {
	case n.cfg.Network.Public != config.Auto:
		return n.cfg.Network.Public
	case !n.turn.Addr().Addr().IsUnspecified():
		return n.turn.Addr().Addr().String()
	}
	return n.turn.Target().Addr().String()
}
